import numpy as np
import pytest
import tensorflow as tf

from fgbg_tfds.depth.embedded.losses import compute_loss


def test_only_the_scale_costs_of_a_constant_error():
    truth = tf.random.stateless_normal((2, 16, 16), seed=(1, 2))
    assert float(compute_loss(truth, truth)) == 0
    assert float(compute_loss(truth + 0.5, truth)) == pytest.approx(0.05, abs=1e-5)


def test_loss_by_hand():
    error = np.zeros((1, 8, 8), np.float32)
    error[:, :, 4:] = 1.0  # one step across: a mean of 0.5, |e - m| = 0.5
    loss = float(compute_loss(tf.constant(error), tf.zeros((1, 8, 8)), edge_weight=1.0))
    # steps 1, 2 and 4 see it once in 7, 3 and 1 differences
    assert loss == pytest.approx(0.5 + 0.05 + (1 / 7 + 1 / 3 + 1) / 4)


def test_gradient_is_finite():
    estimate = tf.Variable(tf.zeros((1, 32, 32)))
    with tf.GradientTape() as tape:
        loss = compute_loss(estimate, tf.ones((1, 32, 32)))
    assert np.isfinite(tape.gradient(loss, estimate).numpy()).all()
