import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.models import dnn15
from trainer.settings import Settings
from trainer.train import losses
from trainer.train.step import compute_head_losses


def maps(values):
    return np.array(values, np.float32)[..., None]


def test_mask_loss_is_the_mean_negative_log_likelihood():
    logits = maps([[[0.0, 2.0], [-1.0, 3.0]]])
    mask = maps([[[1.0, 0.0], [0.0, 1.0]]])
    chances = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(mask == 1, chances, 1 - chances)).mean()
    np.testing.assert_allclose(
        losses.compute_mask_loss(logits, mask), [expected], rtol=1e-6
    )


def test_mask_loss_agrees_with_keras_on_soft_masks():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 5, (3, 8, 8, 1)).astype(np.float32)
    mask = rng.uniform(size=(3, 8, 8, 1)).astype(np.float32)
    theirs = keras.losses.binary_crossentropy(mask, logits, from_logits=True)
    np.testing.assert_allclose(
        losses.compute_mask_loss(logits, mask), np.mean(theirs, (1, 2)), rtol=1e-5
    )


def test_mask_loss_leaves_out_pixels_without_weight():
    logits, mask = maps([[[5.0], [-9.0]]]), maps([[[1.0], [1.0]]])
    weights = np.array([[[1.0]], [[0.0]]], np.float32)
    np.testing.assert_allclose(
        losses.compute_mask_loss(logits, mask, weights),
        [np.log1p(np.exp(-5.0))],
        rtol=1e-5,
    )


def test_mask_loss_is_finite_far_out():
    logits = tf.Variable(maps([[[1e4, -1e4]]]))
    with tf.GradientTape() as tape:
        loss = losses.compute_mask_loss(logits, maps([[[0.0, 1.0]]]))
    np.testing.assert_allclose(loss, [1e4])
    assert np.isfinite(tape.gradient(loss, logits)).all()


@pytest.mark.parametrize(("invariance", "expected"), [(0.0, 2.5), (0.5, 1.375)])
def test_depth_loss_by_hand(invariance, expected):
    # d is 1 and 2 on the two known pixels: mean of squares 2.5, squared mean 2.25.
    true = maps([[[1.0, np.e], [0.0, 0.0]]])
    predicted = maps([[[1.0, 3.0], [7.0, -7.0]]])
    loss = losses.compute_depth_loss(predicted, true, invariance=invariance)
    np.testing.assert_allclose(loss, [expected], rtol=1e-6)


def test_depth_loss_ignores_a_common_factor_at_invariance_1():
    rng = np.random.default_rng(1)
    true = rng.uniform(1, 80, (2, 5, 5, 1)).astype(np.float32)
    loss = losses.compute_depth_loss(np.log(true) + 0.7, true, invariance=1.0)
    np.testing.assert_allclose(loss, [0, 0], atol=1e-5)


def test_depth_loss_has_no_gradient_where_depth_is_unknown():
    predicted = tf.Variable(maps([[[1.0, np.inf]], [[2.0, 3.0]]]))
    true = maps([[[2.0, 0.0]], [[0.0, 0.0]]])
    with tf.GradientTape() as tape:
        loss = losses.compute_depth_loss(predicted, true)
    gradient = tape.gradient(loss, predicted).numpy()[..., 0]
    assert np.isfinite(loss).all()
    assert loss[1] == 0
    assert gradient[0, 0, 0] != 0
    np.testing.assert_array_equal(gradient[[0, 1, 1], 0, [1, 0, 1]], 0)


def test_dice_loss_by_hand():
    logits, mask = maps([[[0.0, 100.0], [-100.0, 0.0]]]), maps([[[1.0, 1.0], [0, 0]]])
    # Found: 0.5 and 1 of the mask's two, and 0.5 beside it.
    loss = losses.compute_dice_loss(logits, mask, smooth=0.5)
    np.testing.assert_allclose(loss, [1 - (2 * 1.5 + 0.5) / (2 + 2 + 0.5)], rtol=1e-6)


def test_dice_loss_of_nothing_found_where_nothing_is_is_0():
    nothing = maps(np.zeros((1, 4, 4)))
    np.testing.assert_allclose(
        losses.compute_dice_loss(nothing - 100, nothing), [0], atol=1e-6
    )
    assert losses.compute_dice_loss(nothing, nothing)[0] > 0.1


def test_edge_weights_by_hand():
    mask = np.zeros((1, 9, 9, 1), np.float32)
    mask[0, :, :4] = 0.6
    weights = np.asarray(losses.weight_edges(mask, 3.0))[0, 4, :, 0]
    np.testing.assert_array_equal(weights, [1, 1, 3, 3, 3, 3, 1, 1, 1])
    np.testing.assert_array_equal(losses.weight_edges(0 * mask, 3.0), 0 * mask + 1)


def test_depth_edge_loss_agrees_with_numpy():
    rng = np.random.default_rng(5)
    true = rng.uniform(1, 9, (2, 8, 8, 1)).astype(np.float32)
    true[0, 2:4, 5] = 0
    predicted = rng.normal(size=true.shape).astype(np.float32)
    expected = np.zeros(2)
    for k in range(4):
        for n in range(2):
            d = np.where(true > 0, predicted - np.log(np.where(true > 0, true, 1)), 0)
            d, known = (v[n, :: 2**k, :: 2**k, 0] for v in (d, true > 0))
            for axis in (0, 1):
                both = np.delete(known, 0, axis) & np.delete(known, -1, axis)
                jumps = np.abs(np.diff(d, axis=axis))[both]
                expected[n] += jumps.mean() if jumps.size else 0
    found = losses.compute_depth_edge_loss(predicted, true)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_depth_edge_loss_ignores_a_common_factor():
    true = np.random.default_rng(6).uniform(1, 9, (1, 8, 8, 1)).astype(np.float32)
    loss = losses.compute_depth_edge_loss(np.log(true) + 0.3, true)
    np.testing.assert_allclose(loss, [0], atol=1e-5)


def test_share_loss_by_hand():
    true, logits = maps([[[40.0, 0.0]]]), maps([[[0.0, 100.0]]])
    loss = losses.compute_share_loss(logits, true, maximum=80.0)
    np.testing.assert_allclose(loss, [np.log(2)], rtol=1e-6)


def test_ssim_loss_agrees_with_its_definition_on_one_window():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(size=(2, 1, 7, 7, 1)).astype(np.float32)
    cov = ((x - x.mean()) * (y - y.mean())).mean()
    above = (2 * x.mean() * y.mean() + 1e-4) * (2 * cov + 9e-4)
    below = (x.mean() ** 2 + y.mean() ** 2 + 1e-4) * (x.var() + y.var() + 9e-4)
    np.testing.assert_allclose(
        losses.compute_ssim_loss(x, y), [1 - above / below], rtol=1e-4
    )
    np.testing.assert_allclose(losses.compute_ssim_loss(x, x), [0], atol=1e-5)


def test_ssim_loss_agrees_with_numpy_on_all_windows():
    rng = np.random.default_rng(7)
    maps_of_two = rng.uniform(size=(2, 2, 10, 9, 1)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(maps_of_two, (7, 7), (2, 3))
    x, y = (each.reshape(2, 4 * 3, 49) for each in windows)
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    cov = (x * y).mean(-1) - mean_x * mean_y
    above = (2 * mean_x * mean_y + 1e-4) * (2 * cov + 9e-4)
    below = (mean_x**2 + mean_y**2 + 1e-4) * (x.var(-1) + y.var(-1) + 9e-4)
    expected = 1 - (above / below).mean(1)
    np.testing.assert_allclose(
        losses.compute_ssim_loss(*maps_of_two), expected, rtol=1e-4
    )


@pytest.mark.parametrize("entropy", [0.0, 0.5, 1.0])
def test_depth_of_the_original_s_network_is_learned_by_entropy_and_ssim(entropy):
    rng = np.random.default_rng(8)
    maps_of_two = rng.normal(size=(2, 16, 16, 2)).astype(np.float32)
    batch = {
        "mask": (rng.uniform(size=(2, 16, 16, 1)) > 0.7).astype(np.float32),
        "depth": rng.uniform(1, 80, (2, 16, 16, 1)).astype(np.float32),
    }
    settings = Settings(model="dnn15", edge_weight=1, ssim=0.25, depth_entropy=entropy)
    network = dnn15((16, 16))
    mask, depth, _ = compute_head_losses(network, maps_of_two, batch, settings)

    chances = 1 / (1 + np.exp(-maps_of_two.astype(float)))

    def cross_entropy(chance, true):
        each = -true * np.log(chance) - (1 - true) * np.log(1 - chance)
        return each.mean((1, 2, 3))

    share = batch["depth"] / 80
    np.testing.assert_allclose(
        mask, cross_entropy(chances[..., :1], batch["mask"]), rtol=1e-5
    )
    expected = entropy * cross_entropy(chances[..., 1:], share) + 0.25 * np.array(
        losses.compute_ssim_loss(chances[..., 1:].astype(np.float32), share)
    )
    np.testing.assert_allclose(depth, expected, rtol=1e-4)
