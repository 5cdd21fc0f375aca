"""DenseDepth against a reference in numpy, its files, and metres of both kinds."""

import copy

import densedepth_reference as reference
import keras
import monodepth2_reference
import numpy as np
import pytest

from fgbg_tfds.depth import load_teacher
from fgbg_tfds.depth.checkpoints.keras_files import read_keras_file
from fgbg_tfds.depth.densedepth.network import build_network
from fgbg_tfds.errors import InputError

SHAPE = reference.Shape(**reference.SMALL)


@pytest.fixture(scope="module")
def made():
    return reference.make(SHAPE)


@pytest.fixture(scope="module")
def nyu(made, tmp_path_factory):
    return reference.write(tmp_path_factory.mktemp("weights") / "nyu.h5", *made)


@pytest.fixture(scope="module")
def image():
    return monodepth2_reference.random_images(1, 64, 96, seed=3)


def compute(path, images, precision="float32"):
    file = read_keras_file(path.read_bytes(), str(path))
    return build_network(file, str(path), precision)(images).numpy()


def assert_parity(path, weights, shape, image):
    expected = reference.predict(image[0], reference.by_pair(weights), shape)
    actual = compute(path, image)[0]
    assert actual.shape == (32, 48) and actual.dtype == np.float32
    spread = np.ptp(expected)
    assert spread > 0.5
    np.testing.assert_allclose(actual, expected, atol=1e-4 * spread, rtol=0)


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"inner_slope": 0.2},
        {"inner_slope": 0.1, "slope": 0.4},
        {"own_enlarging": False},
        {"growth": 6, "stem": 10, "blocks": (2, 1, 1, 2)},
    ],
)
def test_output_is_the_originals(variant, tmp_path, image):
    shape = reference.Shape(**reference.SMALL | variant)
    model, weights = reference.make(shape, seed=4)
    path = reference.write(tmp_path / "model.h5", model, weights)
    assert_parity(path, weights, shape, image)


def test_full_size_is_densenet_169_and_the_originals(tmp_path, image):
    shape = reference.Shape(inner_slope=0.2)
    model, weights = reference.make(shape)
    encoder = keras.applications.DenseNet169(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    kernels = {
        layer.name: layer.kernel.shape
        for layer in encoder.layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    written = {
        name.replace("/", "_"): arrays["kernel"].shape
        for name, arrays in weights.items()
        if name.replace("/", "_") in kernels
    }
    assert written == kernels
    path = reference.write(tmp_path / "kitti.h5", model, weights)
    assert_parity(path, weights, shape, image)


def test_bfloat16_is_near_float32(nyu, image):
    exact, rounded = compute(nyu, image), compute(nyu, image, "bfloat16")
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - exact).mean() < 0.02 * np.ptp(exact)


@pytest.mark.parametrize(
    ("name", "feed", "nearest", "farthest"),
    [("nyu", (480, 640), 0.1, 10), ("kitti_finetuned", (384, 1280), 1, 80)],
)
def test_metres_grow_with_distance(made, tmp_path, name, feed, nearest, farthest):
    path = reference.write(tmp_path / f"{name}.h5", *made)
    teacher = load_teacher("densedepth", path, "float32")
    images = monodepth2_reference.random_images(1, *feed, seed=5)
    output, metres = teacher.compute_output(images)[0], teacher(images)[0]
    assert output.shape == (feed[0] // 2, feed[1] // 2)
    assert metres.shape == feed and metres.dtype == np.float32
    # Bright is near in what the network says; the label grows with distance.
    expected = np.clip(farthest / output, nearest, farthest)
    middle = metres.reshape(feed[0] // 2, 2, feed[1] // 2, 2).mean((1, 3))
    assert np.corrcoef(middle.ravel(), expected.ravel())[0, 1] > 0.98
    assert abs(np.median(metres) / np.median(expected) - 1) < 0.02
    card = teacher.card
    assert card.metric and card.feed_size == feed and card.weights == name
    assert f"{farthest:g}" in card.rule and card.licence == "GPL-3.0-only"


def test_outputs_at_and_below_zero_are_far(made, tmp_path):
    model, weights = copy.deepcopy(made)
    weights["conv3"]["bias"] -= 100
    path = reference.write(tmp_path / "nyu.h5", model, weights)
    metres = load_teacher("densedepth", path, "float32")(
        np.zeros((1, 40, 30, 3), np.uint8)
    )
    np.testing.assert_array_equal(metres, np.full((1, 40, 30), 10, np.float32))


# === Bad input ===


def drop_tensor(model, weights):
    del weights["conv3_block1_1_bn"]["moving_variance"]


def widen(model, weights):
    weights["up2_convA"]["kernel"] = weights["up2_convA"]["kernel"][..., :-1]


def add_tensor(model, weights):
    weights["conv2"]["extra"] = np.zeros(3, "f4")


def add_layer(model, weights):
    weights["conv9"] = {"kernel": np.zeros((1, 1, 2, 2), "f4")}


def add_lambda(model, weights):
    model["config"]["layers"][5]["class_name"] = "Lambda"


def spoil(model, weights):
    weights["bn"]["gamma"][2] = np.inf


def dilate(model, weights):
    for layer in model["config"]["layers"]:
        if layer["name"] == "conv2":
            layer["config"]["dilation_rate"] = [2, 2]


def forget_strides(model, weights):
    for layer in model["config"]["layers"]:
        if layer["name"] == "conv1/conv":
            del layer["config"]["strides"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_tensor, ["conv3_block1_1_bn/moving_variance", "missing"]),
        (widen, ["up2_convA/kernel", "expected"]),
        (add_tensor, ["conv2/extra", "[3]"]),
        (add_layer, ["conv9/kernel"]),
        (add_lambda, ["Lambda", "Conv2D"]),
        (spoil, ["bn/gamma", "finite"]),
        (dilate, ["conv2", "dilation_rate", "[2, 2]"]),
        (forget_strides, ["conv1/conv", "strides"]),
    ],
)
def test_wrong_tensors_and_layers_are_named(made, tmp_path, change, words):
    model, weights = copy.deepcopy(made)
    change(model, weights)
    path = reference.write(tmp_path / "nyu.h5", model, weights)
    with pytest.raises(InputError) as error:
        load_teacher("densedepth", path)
    assert all(word in str(error.value) for word in ["nyu.h5", *words])


def test_damaged_files_are_refused(nyu, made, tmp_path):
    content = nyu.read_bytes()
    path = tmp_path / "nyu.h5"
    for size in (0, 100, len(content) // 2):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"nyu\.h5"):
            load_teacher("densedepth", path)
    reference.write(path, None, made[1])
    with pytest.raises(InputError, match="expected a full model"):
        load_teacher("densedepth", path)


def test_a_name_without_nyu_or_kitti_is_refused(made, tmp_path):
    path = reference.write(tmp_path / "model.h5", *made)
    with pytest.raises(InputError, match=r"model\.h5.*nyu or kitti"):
        load_teacher("densedepth", path)


def test_a_folder_with_one_file_is_enough(nyu):
    assert load_teacher("densedepth", nyu.parent, "float32").card.weights == "nyu"


def test_without_weights_the_command_that_gets_them_is_told():
    with pytest.raises(InputError, match=r"fgbg_tfds\.depth download nyu"):
        load_teacher("densedepth")
