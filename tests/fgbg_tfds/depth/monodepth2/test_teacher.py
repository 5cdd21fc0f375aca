"""monodepth2 against a reference in numpy, its files, and what it says of itself."""

import pathlib
import zipfile

import monodepth2_reference as reference
import numpy as np
import pytest
import torch_writer
from PIL import Image

from fgbg_tfds.depth import load_teacher
from fgbg_tfds.errors import InputError

HEIGHT, WIDTH = 64, 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mono+stereo_96x64"
    reference.write_folder(path, HEIGHT, WIDTH)
    return path


@pytest.fixture(scope="module")
def tensors(folder):
    encoder, decoder = reference.random_weights()
    return {**encoder, **decoder}


@pytest.fixture(scope="module")
def teacher(folder):
    return load_teacher("monodepth2", folder, "float32")


def write_changed(target, change=lambda encoder, decoder: None, **settings):
    """Writes the same weights after `change` altered them in place."""
    encoder, decoder = reference.random_weights()
    settings = {"height": HEIGHT, "width": WIDTH, "use_stereo": True} | settings
    encoder |= {key: value for key, value in settings.items() if value is not None}
    change(encoder, decoder)
    target.mkdir(exist_ok=True)
    (target / "encoder.pth").write_bytes(torch_writer.write_rows(encoder))
    (target / "depth.pth").write_bytes(torch_writer.write_rows(decoder))
    return target


@pytest.mark.parametrize("size", [(128, 64), (192, 640)])
def test_disparity_is_the_originals(size, tmp_path):
    height, width = size
    weights = reference.write_folder(tmp_path / "stereo", height, width)
    images = reference.random_images(2, height, width, seed=5)
    images = images[:1] if height * width > 30_000 else images
    expected = np.stack([reference.disparity(image, weights) for image in images])

    actual = load_teacher("monodepth2", tmp_path / "stereo", "float32").disparity(
        images
    )

    assert actual.shape == (len(images), height, width)
    assert actual.dtype == np.float32
    # The comparison means something only where disparity really spreads.
    assert np.ptp(expected) > 0.8 and expected.std() > 0.15
    np.testing.assert_allclose(actual, expected, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_bfloat16_is_near_float32(folder, teacher):
    images = reference.random_images(2, HEIGHT, WIDTH, seed=6)
    exact = teacher.disparity(images)
    rounded_teacher = load_teacher("monodepth2", folder, "bfloat16")
    rounded = rounded_teacher.disparity(images)
    assert rounded_teacher.card.precision == "bfloat16"
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - exact).mean() < 0.01
    assert np.abs(rounded - exact).max() < 0.1


def test_pictures_are_resized_as_pillow_does_with_lanczos(teacher, tensors):
    image = reference.random_images(1, 150, 130, seed=7)[0]
    resized = Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    expected = reference.disparity(np.asarray(resized), tensors)
    np.testing.assert_allclose(teacher.disparity(image[None])[0], expected, atol=1e-4)


def test_metres_follow_from_disparity(teacher):
    images = reference.random_images(2, HEIGHT, WIDTH, seed=8)
    disparity, metres = teacher.disparity(images), teacher(images)
    assert metres.dtype == np.float32
    np.testing.assert_allclose(metres, 5.4 / (0.01 + 9.99 * disparity), rtol=1e-4)
    # Bright disparity is near, and depth grows with distance.
    assert metres.flat[disparity.argmax()] == metres.min()
    assert metres.min() >= 0.54 and metres.max() <= 540


def test_metres_come_at_the_pictures_size(teacher):
    metres = teacher(reference.random_images(3, 75, 50, seed=9))
    assert metres.shape == (3, 75, 50)
    assert np.isfinite(metres).all() and (metres > 0).all()


def test_disparity_is_enlarged_with_half_pixel_centres(teacher):
    image = reference.random_images(1, HEIGHT, WIDTH, seed=10)
    large = np.asarray(
        Image.fromarray(image[0]).resize((2 * WIDTH, 2 * HEIGHT), Image.Resampling.BOX)
    )[None]
    disparity = teacher.disparity(large)[0]
    # The first pixel of a doubled row repeats, the second is a quarter to the next.
    rows = 0.75 * disparity + 0.25 * np.roll(disparity, -1, axis=0)
    expected = 0.75 * rows + 0.25 * np.roll(rows, -1, axis=1)
    actual = (5.4 / teacher(large)[0] - 0.01) / 9.99
    np.testing.assert_allclose(actual[1:-1:2, 1:-1:2], expected[:-1, :-1], atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_picture_has_the_same_depth_in_any_company(folder, precision):
    teacher = load_teacher("monodepth2", folder, precision)
    images = reference.random_images(7, HEIGHT, WIDTH, seed=11)
    together = teacher(images)
    np.testing.assert_array_equal(teacher(images), together)
    np.testing.assert_array_equal(teacher(images[::-1])[::-1], together)
    for image, metres in zip(images, together, strict=True):
        np.testing.assert_array_equal(teacher(image[None])[0], metres)


@pytest.mark.parametrize("write", [torch_writer.write_rows, torch_writer.write_zip])
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_of_the_files_gives_the_same(teacher, tmp_path, write, packed):
    path = tmp_path / "mono+stereo_96x64"
    reference.write_folder(path, HEIGHT, WIDTH, write=write)
    if packed:
        with zipfile.ZipFile(tmp_path / "mono+stereo_96x64.zip", "w") as archive:
            for file in path.iterdir():
                archive.write(file, f"models/{file.name}")
        path = tmp_path / "mono+stereo_96x64.zip"
    other = load_teacher("monodepth2", path, "float32")
    images = reference.random_images(1, HEIGHT, WIDTH, seed=12)
    np.testing.assert_array_equal(other(images), teacher(images))
    assert other.card.weights == "mono+stereo_96x64"
    if write is torch_writer.write_rows:
        assert other.card == teacher.card


def test_files_written_by_pytorch_are_read(folder, tensors, teacher, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch itself is not installed")
    for name in ("encoder.pth", "depth.pth"):
        state = torch.load(folder / name, weights_only=True)
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=False)
    images = reference.random_images(1, HEIGHT, WIDTH, seed=13)
    other = load_teacher("monodepth2", tmp_path, "float32")
    np.testing.assert_array_equal(other(images), teacher(images))


def test_disparity_is_pytorchs(folder, teacher, monkeypatch):
    torch = pytest.importorskip("torch", reason="PyTorch itself is not installed")
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parents[4] / "benchmarks")
    pytorch_monodepth2 = pytest.importorskip("pytorch_monodepth2")
    images = reference.random_images(2, HEIGHT, WIDTH, seed=14)
    feed = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        expected = pytorch_monodepth2.load(folder)(feed)[:, 0].numpy()
    np.testing.assert_allclose(teacher.disparity(images), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "use_stereo", "metric"),
    [
        ("mono_96x64", None, False),
        ("mono_no_pt_96x64", None, False),
        ("stereo_96x64", None, True),
        ("mono+stereo_96x64", None, True),
        ("mine", False, False),
        ("mine", True, True),
    ],
)
def test_card_says_whether_metres_are_metric(tmp_path, name, use_stereo, metric):
    reference.write_folder(tmp_path / name, HEIGHT, WIDTH, use_stereo)
    card = load_teacher("monodepth2", tmp_path / name, "float32").card
    assert card.metric is metric
    assert ("factor" in card.rule) is not metric
    assert card.name == "monodepth2" and card.weights == name
    assert card.feed_size == (HEIGHT, WIDTH) and card.precision == "float32"
    assert len(card.weights_sha256) == 64
    assert "non-commercial" in card.licence
    assert str(tmp_path) not in str(card.as_metadata())


def test_feed_size_comes_from_the_name_where_the_file_has_none(tmp_path):
    path = write_changed(tmp_path / "mono_96x64", height=None, width=None)
    card = load_teacher("monodepth2", path, "float32").card
    assert card.feed_size == (64, 96)


# === Bad input ===


def missing_tensor(encoder, decoder):
    del encoder["encoder.layer3.1.bn2.running_var"]


def extra_tensor(encoder, decoder):
    decoder["decoder.14.conv.weight"] = np.zeros((1, 1, 3, 3), "f4")


def other_network(encoder, decoder):
    encoder["encoder.layer1.0.conv1.weight"] = np.zeros((64, 64, 1, 1), "f4")


def not_a_number(encoder, decoder):
    decoder["decoder.3.conv.conv.bias"][4] = np.nan


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (missing_tensor, ["encoder.pth", "encoder.layer3.1.bn2.running_var", "256"]),
        (extra_tensor, ["depth.pth", "decoder.14.conv.weight", "expected"]),
        (other_network, ["encoder.pth", "layer1.0.conv1.weight", "[64, 64, 3, 3]"]),
        (not_a_number, ["depth.pth", "decoder.3.conv.conv.bias", "finite"]),
    ],
)
def test_wrong_tensors_are_named(tmp_path, change, words):
    path = write_changed(tmp_path / "weights", change)
    with pytest.raises(InputError) as error:
        load_teacher("monodepth2", path)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    "settings", [{"height": 65}, {"width": 32}, {"height": None, "width": None}]
)
def test_impossible_feed_sizes_are_refused(tmp_path, settings):
    path = write_changed(tmp_path / "weights", **settings)
    with pytest.raises(InputError, match=r"encoder\.pth.*multiples of 32 from 64"):
        load_teacher("monodepth2", path)


@pytest.mark.parametrize("file", ["encoder.pth", "depth.pth"])
def test_truncated_and_missing_files_are_named(folder, tmp_path, file):
    for name in ("encoder.pth", "depth.pth"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    content = (tmp_path / file).read_bytes()
    for size in (0, 40, len(content) // 2, len(content) - 1):
        (tmp_path / file).write_bytes(content[:size])
        with pytest.raises(InputError, match=file.replace(".", r"\.")):
            load_teacher("monodepth2", tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(InputError, match=f"0 files {file}"):
        load_teacher("monodepth2", tmp_path)


def test_without_weights_the_command_that_gets_them_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("FGBG_WEIGHTS", str(tmp_path))
    command = r"python -m fgbg_tfds\.depth download mono\+stereo_640x192"
    with pytest.raises(InputError, match=command):
        load_teacher("monodepth2")
    with pytest.raises(InputError, match=command):
        load_teacher("monodepth2", "mono+stereo_640x192")
    with pytest.raises(InputError, match="neither a path nor one of: mono_640x192"):
        load_teacher("monodepth2", pathlib.Path("nowhere"))
    with pytest.raises(InputError, match="for teacher 'densedepth'"):
        load_teacher("monodepth2", "nyu")


def test_downloaded_weights_are_found_by_name(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("FGBG_WEIGHTS", str(tmp_path))
    (tmp_path / "stereo_640x192").symlink_to(folder)
    (tmp_path / "stereo_1024x320").mkdir()
    for name in ("encoder.pth", "depth.pth"):
        copy = tmp_path / "stereo_1024x320" / name
        copy.write_bytes((folder / name).read_bytes())
    card = load_teacher("monodepth2", "stereo_1024x320", "float32").card
    assert card.weights == "stereo_1024x320"


def test_only_pictures_are_taken(teacher):
    with pytest.raises(ValueError, match=r"uint8 \[N, H, W, 3\]"):
        teacher(np.zeros((1, 64, 96, 3), np.float32))
    assert teacher(np.zeros((0, 70, 80, 3), np.uint8)).shape == (0, 70, 80)
