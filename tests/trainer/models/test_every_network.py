"""Every network goes through the same paces."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.contract import MAX_DEPTH
from trainer.models import make_network
from trainer.settings import Settings
from trainer.train import make_stages
from trainer.train.state import State
from trainer.train.step import make_step

SIZE = (64, 64)
NETWORKS = {
    "eigen": {"model": "eigen", "coarse_units": 8, "dropout": 0.0},
    "eigen, valid": {"model": "eigen", "coarse_units": 8, "padding": "valid"},
    "dnn15": {"model": "dnn15"},
    "refine": {"model": "refine"},
}


@pytest.fixture(scope="module", params=NETWORKS)
def settings(request):
    return Settings(
        image_size="64", batch_size=2, warmup_steps=0, precision="float32",
        **NETWORKS[request.param],
    )  # fmt: skip


@pytest.fixture(scope="module")
def network(settings):
    return make_network(settings, SIZE, np.full(SIZE, 2.0))


def pairs(number):
    rng = np.random.default_rng(number)
    bg = rng.uniform(0, 255, (number, *SIZE, 3)).astype(np.float32)
    fgbg = bg.copy()
    fgbg[:, 16:40, 20:44] = rng.uniform(0, 255, 3)
    return bg, fgbg


def batch(number):
    bg, fgbg = pairs(number)
    mask = np.zeros((number, *SIZE, 1), np.float32)
    mask[:, 16:40, 20:44] = 1
    depth = np.where(mask > 0, 4.0, 20.0).astype(np.float32)
    depth[:, :2] = 0
    arrays = {"bg": bg, "fgbg": fgbg, "mask": mask, "depth": depth}
    arrays["index"] = np.arange(number)
    return {name: tf.constant(value) for name, value in arrays.items()}


@pytest.mark.parametrize("number", [1, 3])
def test_answers_have_the_size_that_is_wanted(network, number):
    mask, depth = (np.asarray(v) for v in network.predict(*pairs(number), SIZE))
    assert mask.shape == depth.shape == (number, *SIZE, 1)
    assert 0 <= mask.min() <= mask.max() <= 1
    assert 0 < depth.min() <= depth.max() <= MAX_DEPTH * (1 + 1e-6)
    larger, _ = network.predict(*pairs(number), (80, 100))
    assert larger.shape == (number, 80, 100, 1)


def test_an_answer_does_not_depend_on_the_batch(network):
    bg, fgbg = pairs(3)
    whole = network.predict(bg, fgbg, SIZE)
    alone = network.predict(bg[1:2], fgbg[1:2], SIZE)
    for one, other in zip(whole, alone, strict=True):
        np.testing.assert_allclose(one[1:2], other, rtol=1e-4, atol=1e-5)


def test_saved_weights_give_the_same_answers(settings, network, tmp_path):
    path = str(tmp_path / "network.weights.h5")
    network.model.save_weights(path)
    other = make_network(Settings(**vars(settings) | {"seed": 7}), SIZE)
    before = np.asarray(other.predict(*pairs(1), SIZE)[1])
    other.model.load_weights(path)
    expected = np.asarray(network.predict(*pairs(1), SIZE)[1])
    assert not np.allclose(before, expected)
    found = np.asarray(other.predict(*pairs(1), SIZE)[1])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_input_is_rounded_to_what_the_network_takes(network):
    if not network.multiple:
        pytest.skip("made for one size")
    assert network.feed_size((90, 300)) == (96, 288)
    assert network.feed_size((1, 48)) == (32, 64)
    found = network.feed_size(tf.constant([90, 300]))
    np.testing.assert_array_equal(found, [96, 288])


def test_steps_train_every_weight_and_lower_the_loss(settings):
    network = make_network(settings, SIZE, np.full(SIZE, 2.0))
    state = State(
        network=network,
        averaged=make_network(settings, SIZE),
        stages=make_stages(network, settings),
        step=tf.Variable(0, dtype=tf.int64),
    )
    before = [weight.numpy() for weight in network.model.trainable_weights]
    step = make_step(state, state.stages[0], settings, tf.distribute.get_strategy())
    losses = [float(step(batch(2))[0]["loss"]) for _ in range(4)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    for weight, old in zip(network.model.trainable_weights, before, strict=True):
        assert np.isfinite(weight.numpy()).all(), weight.path
        assert not np.array_equal(weight.numpy(), old), weight.path
    for average in state.averaged.model.weights:
        assert np.isfinite(average.numpy()).all(), average.path


def test_an_export_gives_the_same_answers(network, tmp_path):
    archive = keras.export.ExportArchive()
    archive.track(network.model)
    picture = tf.TensorSpec((None, *SIZE, 3), tf.float32)
    archive.add_endpoint(
        "serve",
        lambda bg, fgbg: network.predict(bg, fgbg, SIZE),
        input_signature=[picture, picture],
    )
    archive.write_out(str(tmp_path), verbose=False)
    served = tf.saved_model.load(str(tmp_path)).serve(*pairs(2))
    for found, expected in zip(served, network.predict(*pairs(2), SIZE), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
