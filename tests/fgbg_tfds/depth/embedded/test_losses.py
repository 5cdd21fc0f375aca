import numpy as np
import pytest
import tensorflow as tf

from fgbg_tfds.depth.embedded.losses import compute_loss, compute_photo_loss


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


@pytest.fixture
def pasted():
    """A photo that gets farther upwards, and the alpha of a cut-out in its middle."""
    empty = np.tile(np.linspace(4, 1, 32, dtype=np.float32)[:, None], (2, 1, 32))
    alpha = np.zeros((2, 32, 32), np.float32)
    alpha[:, 10:20, 8:24] = 1
    return empty, alpha


def test_a_cutout_before_its_photo_costs_nothing(pasted):
    empty, alpha = pasted
    flat = np.where(alpha > 0, empty[:, 19:20].min() - 0.13, empty)
    for scale in (0.0, 1.0, -0.5):  # the scale is not known
        agreement, order = compute_photo_loss(flat + scale, empty, alpha)
        assert float(agreement) == pytest.approx(0, abs=1e-5)
        assert float(order) == pytest.approx(0, abs=1e-5)


def test_a_cutout_that_is_not_seen_costs_its_margin(pasted):
    empty, alpha = np.full((2, 32, 32), 2.0, np.float32), pasted[1]
    agreement, order = compute_photo_loss(empty, empty, alpha, margin=0.3)
    assert float(agreement) == pytest.approx(0, abs=1e-6)
    assert float(order) == pytest.approx(0.3, abs=2e-3)


def test_a_cutout_may_stand_on_the_ground_that_it_hides(pasted):
    empty, alpha = pasted
    foot = empty[0, 19, 0] - 0.13  # the ground is as near as this two rows below
    standing = np.where(alpha > 0, foot, empty)
    assert float(compute_photo_loss(standing, empty, alpha)[1]) < 0.01


def test_what_disagrees_around_the_cutout_costs(pasted):
    empty, alpha = pasted
    tilted = empty + np.linspace(-1, 1, 32, dtype=np.float32)
    agreement, _ = compute_photo_loss(tilted, empty, alpha)
    assert 0.4 < float(agreement) < 0.7


def test_photos_are_not_moved_by_the_loss(pasted):
    empty, alpha = (tf.Variable(each) for each in pasted)
    estimate = tf.Variable(tf.zeros((2, 32, 32)))
    with tf.GradientTape() as tape:
        loss = tf.add_n(compute_photo_loss(estimate, empty, alpha))
    moved, kept = tape.gradient(loss, (estimate, empty))
    assert np.isfinite(moved.numpy()).all() and np.any(moved.numpy())
    assert kept is None
