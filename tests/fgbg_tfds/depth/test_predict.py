"""The command that writes the depth of photos."""

import pathlib
import signal

import monodepth2_reference
import numpy as np
import pytest
from PIL import Image

from fgbg_tfds import colours
from fgbg_tfds.depth import Teacher, TeacherCard, load_teacher, predict
from fgbg_tfds.depth import __main__ as command_line
from fgbg_tfds.errors import InputError
from fgbg_tfds.picture_files import read_picture

SHARED = pathlib.Path(__file__).parents[3] / ".." / "shared" / "pictures"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mono+stereo_96x64"
    monodepth2_reference.write_folder(path, 64, 96)
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "street.jpg"
    image = monodepth2_reference.random_images(1, 90, 120, seed=1)[0]
    Image.fromarray(image).save(path)
    return path


def run(*words):
    return command_line.main(["predict", *map(str, words)])


def test_depth_is_written_in_steps_of_a_256th_of_a_metre(weights, photo, capsys):
    assert run("--teacher", "monodepth2", "--weights", weights, photo) == 0
    with Image.open(photo.parent / "street_depth.png") as picture:
        assert picture.mode == "I;16"
        steps = np.asarray(picture)
    teacher = load_teacher("monodepth2", weights)
    metres = teacher(read_picture(photo)[None])[0]
    expected = np.minimum(metres, (2**16 - 1) / 256)
    np.testing.assert_allclose(steps / 256, expected, atol=0.5 / 256 + 1e-4)
    assert steps.min() > 0
    assert "not metric" not in capsys.readouterr().out


def test_the_coloured_picture_shows_the_same_depth(weights, photo):
    run("--teacher", "monodepth2", "--weights", weights, photo)
    colour = np.asarray(Image.open(photo.parent / "street_depth_colour.png"))
    metres = np.asarray(Image.open(photo.parent / "street_depth.png")) / 256
    assert colour.shape == (90, 120, 3) and colour.dtype == np.uint8
    expected = colours.colour_depth(metres).astype(int)
    assert np.abs(colour - expected).max() <= 8
    near, far = colour[metres < 2].mean(), colour[metres > 40].mean()
    assert near > far


def test_many_photos_go_to_one_folder(weights, photo, tmp_path):
    second = tmp_path / "grey.png"
    Image.fromarray(np.full((50, 40), 99, np.uint8)).save(second)
    out = tmp_path / "new" / "folder"
    options = ("--teacher", "monodepth2", "--weights", weights, "--out", out)
    assert run(*options, photo, second) == 0
    assert {path.name for path in out.iterdir()} == {
        "street_depth.png",
        "street_depth_colour.png",
        "grey_depth.png",
        "grey_depth_colour.png",
    }
    assert Image.open(out / "grey_depth.png").size == (40, 50)


def test_photos_are_turned_upright(tmp_path):
    image = Image.fromarray(monodepth2_reference.random_images(1, 60, 80, seed=2)[0])
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn a quarter clockwise to see it upright.
    image.save(tmp_path / "turned.png", exif=exif)
    upright = read_picture(tmp_path / "turned.png")
    np.testing.assert_array_equal(upright, np.rot90(np.asarray(image), -1))


def test_weights_that_are_not_metric_are_called_so(photo, tmp_path, capsys):
    folder = tmp_path / "mono_96x64"
    monodepth2_reference.write_folder(folder, 64, 96, use_stereo=None)
    assert run("--teacher", "monodepth2", "--weights", folder, photo) == 0
    assert "not metric" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.jpg"], "photo absent.jpg is not there"),
        (["--teacher", "monodepth2", "{photo}"], "download mono+stereo_640x192"),
        (["{photo}", "{photo}"], "would be written to the same file"),
    ],
)
def test_mistakes_are_one_sentence(words, message, photo, capsys):
    assert run(*(word.format(photo=photo) for word in words)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and "Traceback" not in error


def test_broken_photos_are_named(weights, photo, capsys):
    photo.write_bytes(photo.read_bytes()[:500])
    assert run("--teacher", "monodepth2", "--weights", weights, photo) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert "street.jpg: not a picture that can be read" in error


# === Without a network ===

PHOTOS = ("a.jpg", "b.png", "c.jpg")


class FlatTeacher(Teacher):
    """Sees a wall at 5 metres, unless `on_picture` says otherwise."""

    card = TeacherCard("flat", "none", "0" * 64, "float32", (8, 8), True, "5 m", "none")

    def __init__(self, on_picture):
        self.on_picture = on_picture

    def __call__(self, images):
        depth = self.on_picture(images[0])
        wall = np.full(images.shape[:3], 5, np.float32)
        return wall if depth is None else depth[None]


@pytest.fixture
def flat(monkeypatch):
    """A function that has `predict` take a teacher without a network."""

    def take(on_picture=lambda picture: None):
        teacher = FlatTeacher(on_picture)
        monkeypatch.setattr(predict, "load_teacher", lambda *ignored: teacher)

    take()
    return take


@pytest.fixture
def folder(tmp_path):
    """A folder with the photos a.jpg, b.png and c.jpg, of different widths."""
    path = tmp_path / "photos"
    path.mkdir()
    for number, name in enumerate(PHOTOS):
        image = monodepth2_reference.random_images(1, 30, 40 + number, seed=number)[0]
        Image.fromarray(image).save(path / name)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def answers(*stems):
    ends = ("_depth.png", "_depth_colour.png")
    return sorted(stem + end for stem in stems for end in ends)


def test_a_broken_photo_does_not_end_the_others(flat, folder, tmp_path, capsys):
    whole = (folder / "c.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.jpg").write_text("no picture")
    out = tmp_path / "out"
    photos = [folder / name for name in ("a.jpg", "broken.jpg", "notes.jpg", "c.jpg")]
    assert run("--out", out, *photos) == 1
    assert names(out) == answers("a", "c")
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1] == "error: 2 of 4 photos could not be read"
    named = [line for line in errors if line.startswith("error: ")][:-1]
    assert len(named) == 2
    assert "broken.jpg" in named[0] and "notes.jpg" in named[1]


def test_a_photo_too_large_for_the_memory_does_not_end_the_others(
    flat, folder, tmp_path, capsys
):
    def fill(picture):
        if picture.shape[1] == 41:
            raise MemoryError

    flat(fill)
    assert run("--out", tmp_path / "out", folder) == 1
    assert names(tmp_path / "out") == answers("a", "c")
    error = capsys.readouterr().err
    assert "b.png: 41x30 pixels do not fit into memory" in error
    assert error.splitlines()[-1] == "error: 1 of 3 photos could not be read"


def test_answers_of_an_earlier_run_are_told_from_new_ones(
    flat, folder, tmp_path, capsys, caplog
):
    out = tmp_path / "out"
    assert run("--out", out, folder) == 0
    (folder / "a.jpg").write_bytes(b"broken since")
    capsys.readouterr()
    assert run("--out", out, folder / "a.jpg", folder / "c.jpg") == 1
    named = capsys.readouterr().err
    assert f"of an earlier run: {out / 'a_depth.png'}" in named
    assert "holds 2 answers to other photos" in caplog.text
    assert "such as b_depth.png" in caplog.text
    assert names(out) == answers("a", "b", "c")


def test_a_folder_stands_for_its_photos_but_not_for_their_answers(flat, folder, caplog):
    for _ in range(2):
        assert run(folder) == 0
        assert names(folder) == sorted([*answers("a", "b", "c"), *PHOTOS])
    assert "left out 6 answers of an earlier run" in caplog.text
    everything = sorted(folder.iterdir())  # as a shell makes of photos/*
    assert run(*everything) == 0
    assert names(folder) == sorted([*answers("a", "b", "c"), *PHOTOS])


def test_depth_that_was_measured_is_neither_a_photo_nor_overwritten(
    flat, folder, tmp_path, capsys
):
    measured = folder / "a_depth.png"
    Image.fromarray(np.full((30, 40), 512, np.uint16)).save(measured)
    before = measured.read_bytes()
    assert run(folder) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "a_depth.png is there, and is no answer of this command" in error
    assert measured.read_bytes() == before
    assert names(folder) == sorted([*PHOTOS, "a_depth.png"])
    assert run("--out", tmp_path / "out", folder) == 0
    assert names(tmp_path / "out") == answers("a", "b", "c")


def test_the_home_folder_is_known_everywhere(flat, folder, home):
    (home / "street.jpg").write_bytes((folder / "a.jpg").read_bytes())
    assert run("--out", "~/new", "~/street.jpg") == 0
    assert names(home / "new") == answers("street")


def test_weights_in_the_home_folder_are_read(home):
    monodepth2_reference.write_folder(home / "mono_96x64", 64, 96)
    assert load_teacher("monodepth2", "~/mono_96x64").card.weights == "mono_96x64"
    with pytest.raises(InputError, match=str(home / "absent.npz")):
        load_teacher("embedded", "~/absent.npz")


def test_places_that_cannot_be_written_to_are_told_first(
    refusing_place, folder, monkeypatch, capsys
):
    monkeypatch.setattr(predict, "load_teacher", pytest.fail)
    assert run("--out", refusing_place, folder) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {refusing_place}: cannot be written to (")
    assert names(folder) == list(PHOTOS)


def test_a_full_disk_ends_in_one_line_and_keeps_what_is_there(
    flat, tmp_path, capsys, full_disk
):
    noise = monodepth2_reference.random_images(1, 200, 200, seed=1)[0]
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    assert run(tmp_path / "a.jpg") == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    rough = np.random.default_rng(0).uniform(1, 80, (200, 200)).astype(np.float32)
    flat(lambda picture: rough)
    with full_disk():
        assert run(tmp_path / "a.jpg") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and "a_depth.png: cannot be written" in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_whole_answers(ctrl_c, flat, folder, tmp_path, capsys, number):
    def interrupt(picture):
        if picture.shape[1] == 41:
            signal.raise_signal(number)

    flat(interrupt)
    out = tmp_path / "out"
    assert run("--out", out, folder) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "stopped; finished files stay"
    assert names(out) == answers("a")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{folder}/none.jpg"], "none.jpg is not there"),
        (["/dev/null"], "photo /dev/null is no file"),
        (["{folder}/empty"], "holds no pictures"),
        (["{folder}", "{folder}/a.jpg"], "would be written to the same file"),
        (["--weights", "mono_640x192", "{folder}"], "for teacher 'monodepth2'"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(words, said, folder, capsys):
    (folder / "empty").mkdir()
    assert run(*(word.format(folder=folder) for word in words)) == 1
    (error,) = capsys.readouterr().err.splitlines()[-1:]
    assert error.startswith("error: ") and said in error
    assert names(folder) == [*PHOTOS, "empty"]


def test_an_empty_path_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        run("")
    assert ended.value.code == 2
    assert "the path is empty" in capsys.readouterr().err


# === Real photos ===


def test_real_photos_get_depth(weights, tmp_path):
    photos = sorted((SHARED / "streets_cars" / "backgrounds").glob("*"))[:1]
    if not photos:
        pytest.skip("real pictures are not here: shared/pictures/streets_cars")
    options = ("--teacher", "monodepth2", "--weights", weights, "--out", tmp_path)
    assert run(*options, *photos) == 0
    depth = Image.open(tmp_path / f"{photos[0].stem}_depth.png")
    assert depth.size == Image.open(photos[0]).size
