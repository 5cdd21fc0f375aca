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


def compute_photo_loss(estimate, empty, alpha, margin: float = 0.3):
    """Computes how far a composite's depth contradicts that of its empty photo.

    With d = estimate - empty, both log metres, and m the mean of d where the
    cut-out is not, there |d - m| should be 0: order and ratios agree whatever the
    crop, the colours and the cut-out. Where it is, it hides the photo, so d - m
    should be at most -margin, and the cut-out's own depth about one. Zhao et al. 2019
    and others use the first for domain adaptation; the second is what pasting means.

    Args:
      estimate: float32 [N, H, W], log depth of the composites.
      empty: float32 [N, H, W], log depth of the photos, taken as it is.
      alpha: float32 [N, H, W], the cut-outs' alpha, 0 to 1.
      margin: How much nearer, in log metres.

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
    difference = estimate - tf.stop_gradient(empty)
    difference -= average(difference, outside, (1, 2))
    agreement = average(tf.abs(difference), outside)
    order = average(tf.nn.relu(difference + margin), inside)
    middle = average(estimate, inside, (1, 2))
    flatness = average(tf.abs(estimate - middle), inside)
    return agreement, order + 0.3 * flatness
