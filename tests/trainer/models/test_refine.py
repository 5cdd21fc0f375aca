import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.errors import UserError
from trainer.models import check_settings, make_network
from trainer.models.refine import Comparison, Convolution, Doubled, refine
from trainer.settings import Settings


@pytest.fixture(scope="module")
def network():
    """The network with random weights in place of those that are 0 at first."""
    network = refine(mean_log_depth=2.0)
    rng = np.random.default_rng(0)
    for weight in network.model.weights:
        if weight.name == "gain":
            weight.assign(rng.uniform(0.2, 0.8, weight.shape))
    return network


def pairs(rows, columns, number=2):
    rng = np.random.default_rng(rows)
    coarse = rng.uniform(30, 220, (number, rows // 8, columns // 8, 3))
    bg = np.repeat(np.repeat(coarse, 8, 1), 8, 2)
    fgbg = bg.copy()
    fgbg[:, 8:24, 8:24] = rng.uniform(0, 255, 3)
    return {"bg": np.float32(bg), "fgbg": np.float32(fgbg)}


def test_it_is_small():
    model = refine().model
    assert model.count_params() < 2_500_000
    assert model.get_layer("comparison").weights == []


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 64)])
def test_it_takes_every_multiple_of_32(network, size):
    maps = network.model(pairs(*size))
    assert maps["coarse"].shape == (2, size[0] // 4, size[1] // 4, 2)
    assert maps["fine"].shape == (2, *size, 2)
    mask, depth = network.predict(**pairs(*size), size=(50, 70))
    assert mask.shape == depth.shape == (2, 50, 70, 1)
    assert np.isfinite(mask).all()
    assert np.isfinite(depth).all()


def test_it_starts_from_the_mean_depth():
    mask, depth = refine(mean_log_depth=2.0).predict(**pairs(64, 64), size=None)
    np.testing.assert_allclose(np.median(depth), np.exp(2.0), rtol=0.2)
    np.testing.assert_allclose(np.median(mask), 0.5, atol=0.1)


@pytest.mark.parametrize("known", [True, False], ids=["size known", "size unknown"])
def test_maps_are_doubled_as_tensorflow_resizes_them(known):
    """Bilinearly, or depth has steps; of a size that comes with the maps, too."""
    maps = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    shape = maps.shape if known else (None, None, None, 4)
    doubled = tf.function(Doubled(), input_signature=[tf.TensorSpec(shape)])
    np.testing.assert_allclose(
        doubled(maps), tf.image.resize(maps, (6, 10)), rtol=1e-5, atol=1e-6
    )


def test_a_pair_s_answer_does_not_depend_on_the_batch(network):
    both = pairs(64, 96)
    alone = {name: pictures[1:] for name, pictures in both.items()}
    np.testing.assert_allclose(
        network.model(both)["fine"][1:], network.model(alone)["fine"], atol=1e-4
    )


def test_a_folded_network_answers_alike():
    network, pair = refine(), pairs(64, 64)
    for weight in network.model.weights:
        if weight.name == "gain":
            weight.assign(np.full(weight.shape, 0.5))
    before = network.predict(**pair, size=None)
    for _ in range(2):  # a second time changes nothing
        network.fold()
        for one, other in zip(before, network.predict(**pair, size=None), strict=True):
            np.testing.assert_allclose(one, other, 1e-4, 1e-5)


def test_the_comparison_is_computed_in_float32():
    assert Comparison(dtype="mixed_bfloat16").compute_dtype == "float32"


def test_components_can_be_left_out():
    frame = pairs(64, 64)
    darker = {**frame, "bg": 0.6 * frame["bg"]}
    seen = {
        name: Comparison(frozenset(without))(darker["bg"], darker["fgbg"]).numpy()
        for name, without in {
            "all": (), "colours": ("colours",), "place": ("registration",),
            "less": ("contrast", "outside", "relative"),
        }.items()
    }  # fmt: skip
    assert seen["all"].shape[-1] == 14
    assert seen["less"].shape[-1] == 11
    change = {name: np.abs(values[..., 6:9]).mean() for name, values in seen.items()}
    assert change["all"] < 0.5 * change["place"]
    assert change["colours"] > 0.9 * change["place"]


def test_without_a_spread_the_scene_counts_as_calm():
    network, pair = refine(spread=True), pairs(64, 64)
    for weight in network.model.weights:
        if weight.name == "gain":
            weight.assign(np.full(weight.shape, 0.5))
    still = np.zeros((2, 64, 64, 1), np.float32)
    mask, depth = network.predict(**pair, size=None)
    for given, same in ((still, True), (still + 90, False)):
        found, metres = network.predict(**pair, size=None, spread=given)
        assert np.allclose(found, mask, atol=1e-6) == same
        assert np.allclose(metres, depth, rtol=1e-6) == same
    seen = Comparison()(pair["bg"], pair["fgbg"], still + 64).numpy()
    assert seen.shape[-1] == 15
    np.testing.assert_allclose(seen[..., 13], 0.5)


def test_what_is_faint_stands_out_of_what_is_still():
    rng = np.random.default_rng(0)
    bg = np.full((1, 64, 64, 3), 120, np.float32) + rng.normal(0, 1, (1, 64, 64, 3))
    faint = bg + rng.normal(0, 1, bg.shape)
    faint[:, 20:40, 20:40] += 8
    seen = Comparison(frozenset({"registration"}))(
        np.float32(bg), np.float32(faint)
    ).numpy()[0, ..., 12]
    assert seen[22:38, 22:38].mean() > 4 * seen[:16].mean()


@pytest.mark.parametrize(("without", "moves"), [((), 1.0), (("scale",), 0.0)])
def test_the_scale_of_depth_is_seen_from_the_whole_or_left_out(without, moves):
    model, pair = refine(without=frozenset(without)).model, pairs(64, 64)
    before = model(pair)["fine"]
    model.get_layer("whole_scale").bias.assign([1.0])
    change = model(pair)["fine"] - before
    np.testing.assert_allclose(change[..., 1], moves, atol=1e-5)
    np.testing.assert_allclose(change[..., 0], 0.0, atol=1e-5)


def test_kernels_are_standardised():
    layer = Convolution(8, 3, padding="same", use_bias=True, dtype="float32")
    pictures = np.random.default_rng(0).normal(size=(2, 9, 9, 4)).astype(np.float32)
    before = layer(pictures)
    layer.kernel.assign(3 * layer.kernel + 0.5)
    np.testing.assert_allclose(layer(pictures), before, atol=1e-4)
    kernel = np.asarray(layer.kernel)
    kernel = (kernel - kernel.mean((0, 1, 2))) / kernel.std((0, 1, 2)) * (2 / 36) ** 0.5
    expected = keras.ops.conv(pictures, kernel, padding="same")
    np.testing.assert_allclose(before, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": "100"}, "multiple of 32, such as"),
        ({"small_size": "48"}, "48 x 48 pixels do not fit"),
        ({"model": "eigen", "small_size": "32"}, "--small_size is for refine"),
        ({"refine_without": "colors"}, "no colors; there are registration, colours"),
        ({"model": "dnn15", "refine_without": "scale"}, "it is for refine"),
        ({"model": "eigen", "spread": True}, "takes no --spread; it is for refine"),
    ],
)
def test_settings_that_do_not_fit_are_told_plainly(changes, message):
    settings = Settings(**{"model": "refine", "image_size": "64"} | changes)
    with pytest.raises(UserError, match=message):
        check_settings(settings)
    with pytest.raises(UserError, match=message):
        make_network(settings, settings.size)
