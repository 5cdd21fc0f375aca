"""Every network goes through the same paces."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from trainer.contract import MAX_DEPTH
from trainer.models import dnn15, eigen
from trainer.models.refine import refine

SIZE = (64, 64)
EIGEN = functools.partial(eigen, size=SIZE, coarse_units=32, dropout=0.0)
NETWORKS = {
    "eigen, same padding": functools.partial(EIGEN, padding="same"),
    "eigen, valid padding": functools.partial(EIGEN, padding="valid"),
    "dnn15": functools.partial(dnn15, size=SIZE),
    "refine": refine,
}


@pytest.fixture(scope="module", params=NETWORKS)
def make(request):
    """A function of the arguments that every network has: a network.

    Gains are drawn, or refine's blocks would be the identity and learn nothing.
    """

    def make(**arguments):
        network = NETWORKS[request.param](**arguments)
        rng = np.random.default_rng(0)
        for weight in network.model.weights:
            if weight.name == "gain":
                weight.assign(rng.uniform(0.2, 0.8, weight.shape))
        return network

    return make


@pytest.fixture(scope="module")
def network(make):
    return make()


@pytest.fixture
def restored(network):
    """Gives the network its weights back after it was trained."""
    weights = network.model.get_weights()
    yield
    network.model.set_weights(weights)


def pairs(number=2, size=SIZE):
    rng = np.random.default_rng(number)
    coarse = rng.uniform(30, 220, (number, size[0] // 8, size[1] // 8, 3))
    bg = np.repeat(np.repeat(coarse, 8, 1), 8, 2)
    fgbg = bg.copy()
    fgbg[:, 8:24, 8:24] = rng.uniform(0, 255, 3)
    return {"bg": np.float32(bg), "fgbg": np.float32(fgbg)}


@pytest.mark.parametrize("number", [1, 3])
def test_it_gives_mask_and_depth_of_any_batch_at_any_size(network, number):
    maps = network.model(pairs(number))
    assert tuple(maps) == network.heads
    for values in maps.values():
        assert values.dtype == "float32"
        assert values.shape[0] == number
        assert values.shape[-1] == 2
    own = maps[network.heads[-1]].shape[1:3]
    for size in (None, (50, 70)):
        mask, depth = network.predict(**pairs(number), size=size)
        assert mask.shape == depth.shape == (number, *(size or own), 1)
        assert np.isfinite(mask).all()
        assert np.isfinite(depth).all()
        assert 0 <= np.min(mask) <= np.max(mask) <= 1
        assert 0 < np.min(depth) <= np.max(depth) <= MAX_DEPTH * (1 + 1e-6)


def test_weights_come_from_the_seed(make, network):
    for one, two in zip(
        *(n.model.get_weights() for n in (network, make())), strict=True
    ):
        np.testing.assert_array_equal(one, two)


def test_weights_bear_the_same_names_in_every_network_that_is_made(make, network):
    paths = [[w.path for w in n.model.weights] for n in (network, make())]
    assert paths[0] == paths[1]
    assert len(set(paths[0])) == len(paths[0])


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # it has no weights
def test_saved_weights_give_the_same_answers_in_a_fresh_network(
    make, network, tmp_path
):
    network.model.save_weights(tmp_path / "network.weights.h5")
    fresh = make(seed=7)
    before = fresh.predict(**pairs(), size=SIZE)
    first = [n.model.get_weights()[0] for n in (fresh, network)]
    assert not np.array_equal(*first)  # another seed
    fresh.model.load_weights(tmp_path / "network.weights.h5")
    after, expected = (n.predict(**pairs(), size=SIZE) for n in (fresh, network))
    for old, new, true in zip(before, after, expected, strict=True):
        np.testing.assert_array_equal(new, true)
        assert not np.array_equal(old, true)


def test_in_bfloat16_the_answers_are_about_the_same_in_float32(make, network):
    quick = make(dtype="mixed_bfloat16")
    quick.model.set_weights(network.model.get_weights())
    assert any(
        getattr(layer, "compute_dtype", "") == "bfloat16"
        for layer in quick.model.layers
    )
    found, exact = (n.predict(**pairs(), size=SIZE) for n in (quick, network))
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == other.dtype == "float32"
        assert np.abs(np.asarray(one) / other - 1).mean() < 0.05


def test_a_step_lowers_the_loss_and_reaches_every_weight(network, restored):
    pair, optimizer = pairs(4), keras.optimizers.SGD(1e-3)
    new = np.any(pair["bg"] != pair["fgbg"], -1, keepdims=True).astype(np.float32)
    variables = network.model.trainable_variables

    def loss():
        total = 0.0
        for maps in network.model(pair, training=True).values():
            mask, code = network.logits(maps, SIZE)
            metres = network.metres(code) / MAX_DEPTH
            total += ops.mean(ops.binary_crossentropy(new, mask, from_logits=True))
            total += ops.mean((metres - 0.2) ** 2)
        return total

    with tf.GradientTape() as tape:
        before = loss()
    gradients = tape.gradient(before, [variable.value for variable in variables])
    for variable, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(gradient != 0), variable.path
    optimizer.apply(gradients, variables)
    assert loss() < before


def test_it_says_which_size_to_feed(network):
    """A network of one size has an input of that size; another takes multiples."""
    shape = network.model.inputs[0].shape[1:3]
    if not network.multiple:
        assert shape == SIZE
        return
    assert shape == (None, None)
    feed = network.feed_size((70, 90))
    assert feed == (64, 96)
    mask, depth = network.predict(**pairs(size=feed), size=(70, 90))
    assert mask.shape == depth.shape == (2, 70, 90, 1)


def test_an_exported_network_gives_the_same_answers(network, tmp_path):
    names = ("bg", "fgbg")
    archive = keras.export.ExportArchive()
    archive.track(network.model)
    archive.add_endpoint(
        "predict",
        lambda bg, fgbg: network.predict(bg, fgbg, SIZE),
        input_signature=[tf.TensorSpec((None, *SIZE, 3), name=name) for name in names],
    )
    archive.write_out(str(tmp_path / "export"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "export"))
    found = served.predict(*(pairs(3)[name] for name in names))
    expected = network.predict(**pairs(3), size=SIZE)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
