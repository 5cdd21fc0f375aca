import numpy as np
import pytest
import tensorflow as tf

from trainer.augment import Augmentation, augment, fit
from trainer.augment.zoom import rotate

NOTHING = Augmentation(zoom=1.0, rotation=0.0, colour=0.0, flip=False)


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    colours = rng.integers(20, 180, (48, 64, 3)).astype(np.uint8)
    mask = np.zeros((48, 64, 1), np.uint8)
    mask[10:30, 5:25] = 255
    depth = rng.integers(256, 20480, (48, 64, 1)).astype(np.uint16)
    depth[:4] = 0
    return {
        "bg": colours,
        "fgbg": np.where(mask > 0, 200, colours).astype(np.uint8),
        "mask": mask,
        "depth": depth,
    }


def changed(example, settings, seed=(0, 0), size=(48, 64)):
    tensors = {name: tf.constant(value) for name, value in example.items()}
    result = augment(tensors, size, tf.constant(seed, tf.int32), settings)
    return {name: value.numpy() for name, value in result.items()}


def test_nothing_changes_where_nothing_is_asked_for(example):
    result = changed(example, NOTHING)
    np.testing.assert_array_equal(result["bg"], example["bg"])
    np.testing.assert_array_equal(result["fgbg"], example["fgbg"])
    np.testing.assert_array_equal(result["mask"], example["mask"] / 255)
    np.testing.assert_allclose(result["depth"], example["depth"] / 256)


def test_a_mirrored_pair_has_mirrored_labels(example):
    settings = Augmentation(zoom=1.0, colour=0.0, flip=True)
    results = [changed(example, settings, (0, number)) for number in range(8)]
    mirrored = [not np.array_equal(r["bg"], example["bg"]) for r in results]
    assert 0 < sum(mirrored) < 8
    for result, turned in zip(results, mirrored, strict=True):
        for name, whole in (("fgbg", 1), ("mask", 255), ("depth", 256)):
            expected = example[name][:, :: -1 if turned else 1] / whole
            np.testing.assert_allclose(result[name], expected, rtol=1e-6)


def test_both_pictures_get_the_same_colours(example):
    result = changed(example, Augmentation(zoom=1.0, colour=0.3, flip=False))
    gains = [
        (result[name] / np.maximum(example[name], 1)).mean((0, 1))
        for name in ("bg", "fgbg")
    ]
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-5)
    assert np.ptp(gains[0]) > 0.01
    assert (np.abs(gains[0] - 1) <= 0.3001).all()
    np.testing.assert_array_equal(result["mask"], example["mask"] / 255)


def test_zoom_brings_the_world_nearer(example):
    """Depth is divided by the zoom that is really there; unknown stays unknown."""
    example["depth"][4:] = 40 * 256
    settings = Augmentation(zoom=2.0, colour=0.0, flip=False)
    seen = set()
    for number in range(6):
        depth = changed(example, settings, (1, number))["depth"]
        known = depth[depth > 0]
        assert np.ptp(known) == 0
        assert 20 <= known[0] <= 40
        seen.add(float(known[0]))
    assert len(seen) > 3


def test_zoomed_labels_stay_on_the_picture(example):
    example["bg"][:] = 50
    example["fgbg"] = (
        np.where(example["mask"] > 0, 200, 50).repeat(3, -1).astype("uint8")
    )
    result = changed(example, Augmentation(zoom=2.0, colour=0.0), (3, 4), (32, 32))
    from_colours = (result["fgbg"][..., :1] - 50) / 150
    np.testing.assert_allclose(result["mask"], from_colours, atol=1e-4)


def test_rotation_turns_the_picture_and_loses_corners():
    picture = np.zeros((9, 9, 1), np.float32)
    picture[4, 7] = 1
    picture[4, 4] = 2
    turned = rotate(tf.constant(picture), tf.constant(np.pi / 2), "bilinear").numpy()
    assert turned[4, 4, 0] == pytest.approx(2, abs=1e-5)
    assert turned[1, 4, 0] + turned[7, 4, 0] == pytest.approx(1, abs=1e-5)
    ones = tf.ones((9, 9, 1))
    assert rotate(ones, tf.constant(0.5), "nearest").numpy()[0, 0, 0] == 0


def test_eager_and_in_a_graph_are_the_same(example):
    settings = Augmentation(zoom=1.5, rotation=5.0, colour=0.2)
    eager = changed(example, settings, (5, 6), (32, 32))
    dataset = tf.data.Dataset.from_tensors(example).map(
        lambda e: augment(e, (32, 32), tf.constant((5, 6)), settings)
    )
    graph = next(iter(dataset))
    for name, value in eager.items():
        np.testing.assert_allclose(graph[name], value, atol=1e-3)


def test_fit_smooths_pictures_and_picks_depth():
    stripes = np.zeros((8, 8, 1), np.float32)
    stripes[:, ::2] = 100
    np.testing.assert_allclose(fit(stripes, (4, 4))[1:-1, 1:-1], 50, atol=10)
    assert set(np.unique(fit(stripes, (4, 4), "nearest"))) <= {0.0, 100.0}
