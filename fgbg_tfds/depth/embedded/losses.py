"""The loss of the embedded teacher."""

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
