"""The losses of the embedded teacher: on drawn scenes, and on photos without depth."""

from __future__ import annotations


def compute_loss(estimate, truth, scale_weight: float = 0.1, edge_weight: float = 0.5):
    """Computes the error of log depth, mostly up to scale, and of its gradients.

    With e = estimate - truth, both log metres, and m its mean over a picture:

      mean |e - m|  +  scale_weight |m|  +  edge_weight sum_k mean |grad e_k|

    The first two replace the scale-invariant error of Eigen et al. 2014
    (https://arxiv.org/abs/1406.2283), absolute rather than squared; the last is
    the gradient matching of MiDaS (Ranftl et al. 2020,
    https://arxiv.org/abs/1907.01341), e_k being e at every 2^k-th pixel, k = 0..3,
    and their means across and down added and divided by 4.

    Args:
      estimate: float32 [N, H, W].
      truth: float32 [N, H, W].
      scale_weight: Weight of the error of the scale.
      edge_weight: Weight of the error of the gradients.

    Returns:
      float32 [], the mean over the pictures.
    """
    import tensorflow as tf

    error = estimate - truth
    middle = tf.reduce_mean(error, (1, 2), keepdims=True)
    loss = tf.reduce_mean(tf.abs(error - middle))
    loss += scale_weight * tf.reduce_mean(tf.abs(middle))
    for step in (1, 2, 4, 8):
        if step >= min(error.shape[1:]):
            break  # Too few points are left for differences.
        part = error[:, ::step, ::step]
        across = tf.reduce_mean(tf.abs(part[:, :, 1:] - part[:, :, :-1]))
        down = tf.reduce_mean(tf.abs(part[:, 1:] - part[:, :-1]))
        loss += edge_weight * (across + down) / 4
    return loss


def compute_photo_loss(estimate, empty, alpha, margin: float = 0.13):
    """Computes how far a composite's depth contradicts that of its empty photo.

    With d = estimate - empty, both log metres, and m the mean of d where the
    cut-out is not, there |d - m| should be 0: order and ratios agree whatever the
    crop, the colours and the cut-out. Where it is, it hides the photo, so it should be
    nearer than the near part of that, by the least clearance of
    `fgbg_tfds.pasted_depth`, and its own depth about one. The near part is what lies
    0.84 standard deviations before the mean, the 20th percentile of a normal
    distribution.

    Args:
      estimate: float32 [N, H, W], log depth of the composites.
      empty: float32 [N, H, W], log depth of the photos, taken as it is.
      alpha: float32 [N, H, W], the cut-outs' alpha, 0 to 1.
      margin: How much nearer, in log metres; -log 0.88.

    Returns:
      float32 [] each: disagreement outside, and order inside.
    """
    import tensorflow as tf

    def average(values, weights, axes=None):
        total = tf.reduce_sum(values * weights, axes, keepdims=axes is not None)
        count = tf.reduce_sum(weights, axes, keepdims=axes is not None)
        return total / tf.maximum(count, 1.0)

    wide = tf.nn.max_pool2d(alpha[..., None], 5, 1, "SAME")[..., 0]
    outside = tf.cast(wide < 0.05, tf.float32)
    inside = tf.cast(alpha > 0.9, tf.float32)
    empty = tf.stop_gradient(empty)
    shift = average(estimate - empty, outside, (1, 2))
    agreement = average(tf.abs(estimate - empty - shift), outside)
    hidden = average(empty, inside, (1, 2))
    spread = tf.sqrt(average(tf.square(empty - hidden), inside, (1, 2)) + 1e-6)
    farthest = hidden - 0.84 * spread - margin + shift
    middle = average(estimate, inside, (1, 2))
    order = average(tf.nn.relu(estimate - farthest), inside)
    flatness = average(tf.abs(estimate - middle), inside)
    return agreement, order + 0.3 * flatness
