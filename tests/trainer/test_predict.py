import pathlib
import subprocess
import sys
from fractions import Fraction

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from trainer import predict
from trainer.frames import find_frames
from trainer.video import VideoReader, VideoWriter

try:
    import av
except ImportError:
    av = None
videos = pytest.mark.skipif(av is None, reason="PyAV is not installed")

ROOT = pathlib.Path(__file__).parents[2]
HEIGHT, WIDTH = 70, 111


class Subtraction(tf.Module):
    """A network of any size whose answers are known: what differs by over 40 is new."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, None, 3], tf.uint8, name)
            for name in ("bg", "fgbg")
        ]
    )
    def images(self, bg, fgbg):
        change = tf.abs(tf.cast(fgbg, tf.float32) - tf.cast(bg, tf.float32))
        mask = tf.cast(tf.reduce_max(change, -1, keepdims=True) > 40, tf.float32)
        return {"mask": mask, "depth": 20.0 - 15.0 * mask}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def other(self, x):
        return {"y": x}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with `any`, an any-size network, and `other`, which is none."""
    folder = tmp_path_factory.mktemp("models")
    module = Subtraction()
    for name, signatures in (
        ("any", {"images": module.images}),
        ("other", {"serving_default": module.other}),
    ):
        tf.saved_model.save(module, str(folder / name), signatures)
    return folder


def scene(rng):
    """An empty scene: a slope of grey with some texture."""
    slope = np.linspace(60, 160, WIDTH)[None, :, None] + rng.normal(
        0, 5, (HEIGHT, 1, 3)
    )
    return np.clip(slope, 0, 255).astype(np.uint8)


def frame_of(background, left):
    """The scene with a bright square at a place, and where it is."""
    there = np.zeros((HEIGHT, WIDTH), bool)
    there[20:40, left : left + 20] = True
    return np.where(there[..., None], np.uint8(245), background), there


@pytest.fixture
def shots(tmp_path):
    """The empty scene and three frames in a folder; what is new, by name."""
    background = scene(np.random.default_rng(0))
    PIL.Image.fromarray(background).save(tmp_path / "empty.png")
    folder = tmp_path / "my frames"
    folder.mkdir()
    new = {}
    for name, left in (("a.png", 5), ("b.bmp", 30), ("c.webp", 60)):
        pixels, there = frame_of(background, left)
        PIL.Image.fromarray(pixels).save(folder / name, lossless=True)
        new[name[0]] = there
    return tmp_path, new


def read(path):
    with PIL.Image.open(path) as picture:
        return np.asarray(picture)


def names(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )


def test_pictures_give_masks_depth_and_views(shots, models):
    folder, new = shots
    (folder / "my frames" / "notes.txt").write_text("no picture")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "trainer.predict", f"--model={models / 'any'}"),
            *(f"--background={folder / 'empty.png'}", f"--out={folder / 'out'}"),
            str(folder / "my frames"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "not pictures, left out: notes.txt" in done.stderr
    assert "3/3" in done.stderr
    out = folder / "out"
    assert names(out) == [
        f"{kind}/{name}.{suffix}"
        for kind, suffix in (
            ("depth", "png"), ("depth_view", "jpg"), ("mask", "png"), ("overlay", "jpg")
        )
        for name in "abc"
    ]  # fmt: skip
    for name, there in new.items():
        mask, depth = (
            read(out / "mask" / f"{name}.png"),
            read(out / f"depth/{name}.png"),
        )
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask, there * 255)
        assert depth.dtype == np.uint16
        np.testing.assert_array_equal(depth, np.where(there, 5 * 256, 20 * 256))
        overlay = read(out / "overlay" / f"{name}.jpg").astype(int)
        tinted = overlay[..., 0] - overlay[..., 1]
        assert tinted[there].mean() > 60
        assert abs(tinted[:15].mean()) < 10  # far from what is new
        view = read(out / "depth_view" / f"{name}.jpg").astype(int).sum(-1)
        assert view[there].mean() > view[~there].mean() + 100


def test_a_network_of_fixed_size_answers_at_the_frames_size(shots, trained):
    folder, _ = shots
    status = predict.main(
        [
            f"--model={trained / 'export' / '1'}",
            f"--background={folder / 'empty.png'}",
            f"--out={folder / 'out'}",
            "--write=mask,depth",
            str(folder / "my frames" / "b.bmp"),
        ]
    )
    assert status == 0
    assert names(folder / "out") == ["depth/b.png", "mask/b.png"]
    assert read(folder / "out/mask/b.png").shape == (HEIGHT, WIDTH)
    depth = read(folder / "out/depth/b.png") / 256
    assert depth.shape == (HEIGHT, WIDTH)
    assert 0 < depth.min() < depth.max() <= 80


def test_pictures_are_turned_as_their_exif_says(shots, models):
    folder, new = shots
    background, pixels = read(folder / "empty.png"), read(folder / "my frames/a.png")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # lies on its side: turned clockwise it stands
    for name, picture in (("empty.png", background), ("turned.png", pixels)):
        PIL.Image.fromarray(np.rot90(picture)).save(folder / name, exif=exif)
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"),
            *(f"--out={folder / 'out'}", "--write=mask"),
            *(str(folder / "turned.png"), str(folder / "my frames" / "b.bmp")),
        ]
    )
    assert status == 0
    for name, there in (("turned", new["a"]), ("b", new["b"])):
        mask = read(folder / f"out/mask/{name}.png")
        np.testing.assert_array_equal(mask, there * 255)


def test_without_a_background_it_is_the_median_of_the_frames(shots, models):
    folder, new = shots
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--out={folder / 'out'}", "--write=mask"),
            str(folder / "my frames"),
        ]
    )
    assert status == 0
    empty = read(folder / "empty.png")
    np.testing.assert_array_equal(read(folder / "out/background.png"), empty)
    for name, there in new.items():
        mask = read(folder / f"out/mask/{name}.png")
        np.testing.assert_array_equal(mask, there * 255)


@pytest.fixture
def film(tmp_path):
    """A video of twelve frames of an odd width, its scene, and what is new."""
    background = scene(np.random.default_rng(1))
    PIL.Image.fromarray(background).save(tmp_path / "empty.png")
    new = []
    with VideoWriter(tmp_path / "film.mp4", Fraction(10), Fraction(1, 30)) as writer:
        for index in range(12):
            pixels, there = frame_of(background, 7 * index)
            writer.add(pixels, 3 * index + (index == 5))
            new.append(there)
    return tmp_path, new


def iou(mask, there):
    found = mask[:HEIGHT, :WIDTH] >= 128
    return (found & there).sum() / (found | there).sum()


@videos
def test_a_video_gives_a_video_and_masks(film, models):
    folder, new = film
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--out={folder / 'out'}"),
            *("--write=mask,overlay", str(folder / "film.mp4")),
        ]
    )
    assert status == 0
    assert names(folder / "out") == [
        "background.png",
        *(f"mask/{index:06d}.png" for index in range(12)),
        "overlay.mp4",
    ]
    for index, there in enumerate(new):
        assert iou(read(folder / f"out/mask/{index:06d}.png"), there) > 0.9
    given, overlay = (
        VideoReader(folder / name) for name in ("film.mp4", "out/overlay.mp4")
    )
    assert overlay.size == given.size == (HEIGHT, WIDTH + 1)
    pictures = list(overlay)
    assert len(pictures) == 12
    seconds = [[float(t * v.time_base) for t, _ in v] for v in (given, overlay)]
    assert seconds[0] == pytest.approx(seconds[1], abs=1e-3)  # one frame was late
    for (_, pixels), there in zip(pictures, new, strict=True):
        red = pixels[:, :WIDTH, 0].astype(int) - pixels[:, :WIDTH, 1]
        assert red[there].mean() > 60


@videos
def test_a_video_held_on_its_side_is_turned(tmp_path):
    upright = frame_of(scene(np.random.default_rng(2)), 5)[0][:, :110]
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 110, HEIGHT, "yuv420p"
        stream.set_display_rotation(90)
        lying = np.ascontiguousarray(np.rot90(upright, -1))
        for packets in (
            stream.encode(av.VideoFrame.from_ndarray(lying)),
            stream.encode(),
        ):
            container.mux(packets)
    ((_, pixels),) = VideoReader(path)
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 12


@videos
def test_what_was_stopped_leaves_nothing_half_written(film):
    folder, _ = film
    calls = []

    def stopped(background, frame):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return (np.ones((*frame.shape[:2], 1), np.float32),) * 2

    frames = find_frames([folder / "film.mp4"])
    background = frames.sample(1)[0]
    with pytest.raises(KeyboardInterrupt):
        predict.predict_frames(stopped, background, frames, folder / "out")
    assert names(folder / "out") == [
        f"{kind}/{index:06d}.png" for kind in ("depth", "mask") for index in range(3)
    ]


@pytest.fixture
def hostile(shots, models):
    """A folder full of mistakes."""
    folder, _ = shots
    frames = folder / "my frames"
    (folder / "broken.png").write_bytes((frames / "a.png").read_bytes()[:400])
    (folder / "words.jpg").write_text("no picture")
    (folder / "words.mp4").write_text("no video")
    PIL.Image.new("RGB", (64, 48)).save(folder / "small.png")
    PIL.Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "a.png")
    (folder / "nothing").mkdir()
    (folder / "texts").mkdir()
    (folder / "texts" / "film.txt").write_text("")
    (folder / "export" / "1").mkdir(parents=True)
    (folder / "export" / "1" / "saved_model.pb").write_text("junk")
    return folder, models


@pytest.mark.parametrize(
    ("model", "background", "frames", "message"),
    [
        ("{0}/none", "empty.png", ["my frames"], "none does not exist; give a folder"),
        ("{0}/nothing", "empty.png", ["my frames"], "nothing is no SavedModel; give"),
        ("{0}/export", "empty.png", ["my frames"], "export is no SavedModel; {0}/exp"),
        ("{0}/export/1", "empty.png", ["my frames"], "export/1 cannot be loaded"),
        ("{1}/other", "empty.png", ["my frames"], "has not the signature images"),
        ("{1}/any", "none.png", ["my frames"], "none.png: [Errno 2] No such file"),
        ("{1}/any", "words.jpg", ["my frames"], "words.jpg: it is no picture"),
        ("{1}/any", "empty.png", ["nowhere"], "there is no {0}/nowhere"),
        ("{1}/any", "empty.png", ["nothing"], "nothing has no pictures (.avif"),
        ("{1}/any", "empty.png", ["texts"], "texts has no pictures (.avif"),
        ("{1}/any", "empty.png", ["words.jpg"], "words.jpg: it is no picture"),
        ("{1}/any", "empty.png", ["broken.png"], "cannot read picture {0}/broken.png"),
        ("{1}/any", "small.png", ["my frames"], "a.png is 111 x 70 and the background"),
        ("{1}/any", "", ["small.png", "a.png"], "a.png is 111 x 70 and {0}/small.png"),
        ("{1}/any", "empty.png", ["my frames", "a.png"], "would both be called a.png"),
        pytest.param(
            *("{1}/any", "empty.png", ["words.mp4"]),
            "words.mp4 can be read neither as a picture nor as a video",
            marks=videos,
        ),
        ("{1}/any", "empty.png", ["words.mp4", "a.png"], "a video goes alone"),
    ],
)
def test_mistakes_are_told_in_one_line(
    hostile, capfd, model, background, frames, message
):
    folder, models = hostile
    arguments = [f"--model={model.format(folder, models)}", f"--out={folder / 'out'}"]
    if background:
        arguments.append(f"--background={folder / background}")
    assert predict.main([*arguments, *(str(folder / name) for name in frames)]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert message.format(folder, models) in last
    assert names(folder / "out") == []


def test_a_video_without_pyav_says_how_to_get_it(hostile, capfd, monkeypatch):
    folder, models = hostile
    monkeypatch.setitem(sys.modules, "av", None)
    arguments = [f"--model={models / 'any'}", str(folder / "words.mp4")]
    assert predict.main(arguments) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert "pip install '.[video]'" in last


@pytest.mark.parametrize(
    "frames", ["my frames", pytest.param("film.mp4", marks=videos)]
)
def test_a_target_that_cannot_be_written_is_named(hostile, film, capfd, frames):
    folder, models = hostile
    arguments = [
        *(f"--model={models / 'any'}", f"--out={folder / 'words.jpg'}"),
        *("--write=overlay", str(folder / frames)),
    ]
    assert predict.main(arguments) == 1
    assert "error: cannot write" in capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("flag", ["--write=masks", "--median_frames=0"])
def test_flags_out_of_bounds_are_refused(flag, capfd):
    with pytest.raises(SystemExit, match="2"):
        predict.main(["--model=m", flag, "frames"])
    assert flag.split("=")[0] in capfd.readouterr().err
