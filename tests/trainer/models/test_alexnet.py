import keras
import numpy as np
import pytest
from keras import ops

from trainer.errors import UserError
from trainer.models import eigen, load_alexnet, make_network
from trainer.settings import Settings

SHAPES = {
    "conv1": (11, 11, 3, 96),
    "conv2": (5, 5, 48, 256),  # conv2, 4 and 5 of the original are of two groups
    "conv3": (3, 3, 256, 384),
    "conv4": (3, 3, 192, 384),
    "conv5": (3, 3, 192, 256),
}


def arrays():
    rng = np.random.default_rng(0)
    weights = {}
    for name, shape in SHAPES.items():
        scale = np.prod(shape[:3]) ** -0.5
        weights[f"{name}_kernel"] = rng.normal(0, scale, shape).astype(np.float32)
        weights[f"{name}_bias"] = rng.normal(0, 0.1, shape[3]).astype(np.float32)
    return weights


@pytest.fixture
def network():
    return eigen(size=(64, 64), coarse_units=4)


def convolutions(network):
    names = [f"coarse_{number}" for number in range(1, 6)]
    return [network.model.get_layer(name).layers[0] for name in names]


def test_the_coarse_stack_computes_what_the_file_s_network_does(network, tmp_path):
    weights = arrays() | {"mean": np.float32([120, 110, 100])}
    np.savez(tmp_path / "alexnet.npz", **weights)
    load_alexnet(network, str(tmp_path / "alexnet.npz"))
    first, second, *_ = convolutions(network)

    frame = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    # Same picture twice: nothing comes from the channels of the change.
    pair = ops.concatenate([frame / 127.5 - 1, 0 * frame], 3)
    ours = ops.conv(pair, first.kernel, 4, "valid") + first.bias
    theirs = (
        ops.conv(frame - weights["mean"], weights["conv1_kernel"], 4, "valid")
        + weights["conv1_bias"]
    )
    scale = float(ops.std(theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * scale)

    # Keras convolves in groups by itself.
    grouped = keras.layers.Conv2D(256, 5, padding="same", groups=2)
    grouped.build((None, None, None, 96))
    grouped.set_weights([weights["conv2_kernel"], weights["conv2_bias"]])
    expected = grouped(ops.relu(theirs))
    ours = ops.conv(ops.relu(theirs), second.kernel, 1, "same") + second.bias
    np.testing.assert_allclose(ours, expected, atol=1e-4 * float(ops.std(expected)))


def test_what_has_no_weights_in_the_file_stays(network, tmp_path):
    before = [weight.numpy() for weight in network.model.weights]
    np.savez(tmp_path / "alexnet.npz", **arrays())
    load_alexnet(network, str(tmp_path / "alexnet.npz"))
    after = [weight.numpy() for weight in network.model.weights]
    changed = [not np.array_equal(b, a) for b, a in zip(before, after, strict=True)]
    assert sum(changed) == 10
    kernel = convolutions(network)[0].kernel.numpy()
    np.testing.assert_array_equal(kernel[:, :, 3:], before[0][:, :, 3:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"conv3_kernel": None},
            r"has no conv3_kernel, \[3, 3, 256, 384\] or .*; it has conv1_bias",
        ),
        ({"conv4_bias": np.zeros(5)}, r"conv4_bias is float64 \[5\]; .* float \[384\]"),
        (
            {"conv2_kernel": np.zeros((5, 5, 64, 192))},
            r"\[5, 5, 64, 192\]; .* \[5, 5, 96, 256\] or \[5, 5, 48, 256\]",
        ),
        (
            {"conv1_bias": np.full(96, np.nan)},
            "conv1_bias has values that are no number",
        ),
    ],
)
def test_files_that_do_not_fit_change_nothing(network, tmp_path, change, message):
    before = network.model.get_weights()
    weights = {n: v for n, v in (arrays() | change).items() if v is not None}
    np.savez(tmp_path / "alexnet.npz", **weights)
    with pytest.raises(UserError, match=message):
        load_alexnet(network, str(tmp_path / "alexnet.npz"))
    for one, other in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", [None, b"", b"junk", b"PK\x03\x04junk"])
def test_files_that_are_no_arrays_are_told_in_one_line(network, tmp_path, content):
    path = tmp_path / "alexnet.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as") as error:
        load_alexnet(network, str(path))
    assert len(str(error.value).splitlines()) == 1


def test_other_networks_have_no_coarse_convolutions():
    settings = Settings(model="dnn15", coarse_weights="alexnet.npz")
    with pytest.raises(UserError, match="--coarse_weights is for eigen"):
        make_network(settings, (32, 32))
