"""Depth Anything V2 through keras-hub: a small preset, its files, and its metres."""

import dataclasses

import monodepth2_reference
import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.depth import catalogue, download, load_teacher
from fgbg_tfds.errors import InputError

keras_hub = pytest.importorskip("keras_hub", reason="extra depth-anything is missing")


@pytest.fixture(scope="module")
def model():
    encoder = keras_hub.models.DINOV2Backbone(
        patch_size=14,
        num_layers=4,
        hidden_dim=16,
        num_heads=2,
        intermediate_dim=32,
        image_shape=(98, 98, 3),
        position_embedding_shape=(98, 98),
    )
    model = keras_hub.models.DepthAnythingBackbone(
        image_encoder=encoder,
        reassemble_factors=[4, 2, 1, 0.5],
        neck_hidden_dims=[8, 8, 16, 16],
        fusion_hidden_dim=16,
        head_hidden_dim=8,
        head_in_index=-1,
        feature_keys=["stage1", "stage2", "stage3", "stage4"],
    )
    rng = np.random.default_rng(0)
    model.set_weights(
        [w + rng.normal(0, 0.1, w.shape).astype("f4") for w in model.get_weights()]
    )
    return model


@pytest.fixture(scope="module")
def preset(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "depth_anything_v2_tiny"
    path.mkdir()
    model.save_to_preset(str(path))
    return path


@pytest.fixture(scope="module")
def teacher(preset):
    return load_teacher("depth_anything", preset, "float32")


@pytest.fixture(scope="module")
def images():
    return monodepth2_reference.random_images(2, 98, 98, seed=1)


def test_disparity_is_keras_hubs(teacher, model, images):
    task = keras_hub.models.DepthAnythingDepthEstimator(
        backbone=model, preprocessor=None, depth_estimation_type="relative"
    )
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    scaled = ((images / 255 - mean) / deviation).astype("f4")
    expected = task.predict(scaled, verbose=0)["depths"][..., 0]
    assert np.ptp(expected) > 0.1
    actual = teacher.disparity(images)
    assert actual.dtype == np.float32 and actual.shape == (2, 98, 98)
    np.testing.assert_allclose(actual, expected, atol=1e-4 * np.ptp(expected))


def test_metres_follow_the_stated_rule(teacher, images):
    disparity, metres = teacher.disparity(images), teacher(images)
    for inverse, depth in zip(disparity, metres, strict=True):
        part = (inverse - inverse.min()) / np.ptp(inverse)
        np.testing.assert_allclose(1 / depth, 1 / 80 + (1 - 1 / 80) * part, rtol=1e-3)
        # Each picture is stretched alone, and depth grows with distance.
        assert depth.min() == pytest.approx(1) and depth.max() == pytest.approx(80)
        assert depth.flat[inverse.argmax()] == depth.min()


def test_pictures_of_any_size_are_resized_by_pillow(teacher):
    image = monodepth2_reference.random_images(1, 120, 90, seed=2)[0]
    resized = Image.fromarray(image).resize((98, 98), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(
        teacher.disparity(image[None]), teacher.disparity(np.asarray(resized)[None])
    )
    metres = teacher(image[None])
    assert metres.shape == (1, 120, 90)
    assert np.isfinite(metres).all() and (metres > 0).all()


def test_a_flat_picture_has_finite_depth(teacher):
    metres = teacher(np.zeros((1, 32, 32, 3), np.uint8))
    assert np.isfinite(metres).all() and (metres > 0).all()


def test_card_says_that_metres_are_not_metric(teacher):
    card = teacher.card
    assert card.metric is False
    assert card.licence == "Apache-2.0"
    assert card.feed_size == (98, 98) and card.weights == "depth_anything_v2_tiny"
    assert "80" in card.rule and len(card.weights_sha256) == 64


def test_bfloat16_is_near_float32(teacher, preset, images):
    rounded = load_teacher("depth_anything", preset, "bfloat16").disparity(images)
    exact = teacher.disparity(images)
    assert 0 < np.abs(rounded - exact).mean() < 0.05 * np.ptp(exact)


def test_damaged_and_other_presets_are_refused(preset, tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        load_teacher("depth_anything", tmp_path)
    for file in preset.iterdir():
        content = file.read_bytes()
        if file.name.endswith(".weights.h5"):
            content = content[: len(content) // 2]
        (tmp_path / file.name).write_bytes(content)
    with pytest.raises(InputError, match="cannot be loaded"):
        load_teacher("depth_anything", tmp_path)


def test_download_keeps_a_preset_that_keras_hub_fetched(
    teacher, preset, images, tmp_path, monkeypatch
):
    # keras-hub takes a folder for a preset's name, so nothing leaves this machine.
    monkeypatch.chdir(preset.parent)
    entry = catalogue.CATALOGUE["depth_anything_v2_small"]
    path = download.download(dataclasses.replace(entry, name=preset.name), tmp_path)
    assert "Apache" in (path / "LICENCE.txt").read_text()
    assert list(tmp_path.iterdir()) == [path]
    kept = load_teacher("depth_anything", path, "float32")
    np.testing.assert_array_equal(kept(images), teacher(images))

    (tmp_path / "broken").mkdir()
    monkeypatch.chdir(tmp_path)
    broken = dataclasses.replace(entry, name="broken")
    with pytest.raises(InputError, match="preset broken cannot be loaded"):
        download.download(broken, tmp_path / "weights")
    assert list((tmp_path / "weights").iterdir()) == []


def test_without_weights_the_command_that_gets_them_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("FGBG_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match="download depth_anything_v2_small"):
        load_teacher("depth_anything")
