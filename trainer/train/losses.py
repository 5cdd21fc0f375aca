"""Losses, one value per picture: pure functions on arrays of any Keras backend."""

from __future__ import annotations

from keras import ops

from trainer.windows import find_greatest, find_least


def compute_mask_loss(logits, mask, weights=1.0):
    r"""Computes the binary cross-entropy of a mask, averaged over each picture.

    .. math::
      L = -\frac{1}{\sum_i w_i}
          \sum_i w_i [m_i \log \sigma(x_i) + (1 - m_i) \log(1 - \sigma(x_i))]

    with x the logits, m the mask, w the weights and :math:`\sigma` the sigmoid.

    Args:
      logits: float32 [N, H, W, 1].
      mask: float32 [N, H, W, 1], 0 to 1; soft edges are welcome.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.

    Returns:
      float32 [N], nats.
    """
    # log(1 + exp(-|x|)) neither overflows nor loses the small values.
    losses = ops.relu(logits) - logits * mask + ops.log1p(ops.exp(-ops.abs(logits)))
    weights = ops.broadcast_to(ops.cast(weights, losses.dtype), ops.shape(losses))
    return _mean(losses, weights)


def compute_dice_loss(logits, mask, weights=1.0, smooth: float = 50.0):
    r"""Computes one minus the soft Dice coefficient of each picture.

    Milletari et al. 2016, https://arxiv.org/abs/1606.04797:

    .. math::
      L = 1 - \frac{2 \sum_i w_i p_i m_i + s}{\sum_i w_i (p_i + m_i) + s},
      \quad p_i = \sigma(x_i)

    with x the logits, m the mask, w the weights and s a constant, so that pictures
    without foreground count and small objects do not dominate.

    Args:
      logits: float32 [N, H, W, 1].
      mask: float32 [N, H, W, 1], 0 to 1.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.
      smooth: s, pixels.

    Returns:
      float32 [N], 0 to 1.
    """
    found = ops.sigmoid(logits)
    both = ops.sum(weights * found * mask, (1, 2, 3))
    either = ops.sum(weights * (found + mask), (1, 2, 3))
    return 1 - (2 * both + smooth) / (either + smooth)


def weight_edges(mask, weight: float, side: int = 5):
    """Weights the pixels of a mask: more where a window holds both classes.

    Args:
      mask: float32 [N, H, W, 1], 0 to 1; from 0.5 on it is foreground.
      weight: Weight of pixels whose window holds both classes; others weigh 1.
      side: Side of the window, pixels.

    Returns:
      float32 [N, H, W, 1].
    """
    new = ops.cast(mask >= 0.5, "float32")
    both = find_greatest(new, side) - find_least(new, side)
    return 1 + (weight - 1) * both


def compute_depth_loss(log_depth, depth, weights=1.0, invariance: float = 0.5):
    r"""Computes the scale-invariant error of log depth.

    Eigen et al. 2014, https://arxiv.org/abs/1406.2283, equation 4:

    .. math::
      L = \frac{1}{n} \sum_i d_i^2 - \frac{\lambda}{n^2} \Big(\sum_i d_i\Big)^2,
      \quad d_i = \log y_i - \log y^*_i

    with y the predicted depth, y* the true one, and the sums over the n pixels whose
    depth is known. Where it is unknown, loss and gradient are exactly 0.

    Args:
      log_depth: float32 [N, H, W, 1], predicted, logarithm of metres.
      depth: float32 [N, H, W, 1], true, metres; 0 is unknown.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.
      invariance: Lambda: 0 is the squared error, 1 ignores a common factor.

    Returns:
      float32 [N], squared log metres; 0 for a picture without known depth.
    """
    known, safe = _known(depth)
    weights = known * ops.cast(weights, log_depth.dtype)
    # The pixel is chosen before the logarithm: 0 * inf would make the gradient NaN.
    difference = ops.where(known > 0, log_depth - ops.log(safe), 0.0)
    return _mean(difference**2, weights) - invariance * _mean(difference, weights) ** 2


def compute_depth_edge_loss(log_depth, depth, weights=1.0, scales: int = 4):
    r"""Computes the error of the gradients of log depth at several scales.

    Li and Snavely 2018, https://arxiv.org/abs/1804.00607, equation 5:

    .. math::
      L = \sum_k \frac{1}{n_k} \sum_i |\nabla_x d_i^k| + |\nabla_y d_i^k|,
      \quad d_i = \log y_i - \log y^*_i

    with every second pixel left out from scale to scale, over the n pixels that are
    known beside known ones.

    Args:
      log_depth: float32 [N, H, W, 1], predicted, logarithm of metres.
      depth: float32 [N, H, W, 1], true, metres; 0 is unknown.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.
      scales: Number of scales.

    Returns:
      float32 [N], log metres a pixel.
    """
    known, safe = _known(depth)
    weights = known * ops.cast(weights, log_depth.dtype)
    error = ops.where(known > 0, log_depth - ops.log(safe), 0.0)
    loss = 0.0
    for scale in range(scales):
        d, w = error[:, :: 2**scale, :: 2**scale], weights[:, :: 2**scale, :: 2**scale]
        across = ops.abs(d[:, :, 1:] - d[:, :, :-1]), w[:, :, 1:] * w[:, :, :-1]
        along = ops.abs(d[:, 1:] - d[:, :-1]), w[:, 1:] * w[:, :-1]
        loss += _mean(*across) + _mean(*along)
    return loss


def compute_share_loss(logits, depth, maximum: float, weights=1.0):
    r"""Computes the binary cross-entropy of depth as a fraction of its maximum.

    The loss of the original project's network: `compute_mask_loss` with
    :math:`m_i = y^*_i / y_{max}`, over the pixels whose depth is known.

    Args:
      logits: float32 [N, H, W, 1].
      depth: float32 [N, H, W, 1], true, metres; 0 is unknown.
      maximum: Depth that counts as 1, metres.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.

    Returns:
      float32 [N], nats.
    """
    known, _ = _known(depth)
    share = ops.clip(depth / maximum, 0.0, 1.0)
    return compute_mask_loss(logits, share, known * ops.cast(weights, logits.dtype))


def compute_ssim_loss(predicted, true, side: int = 7):
    r"""Computes one minus the structural similarity, averaged over each map.

    Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861, with a flat window:

    .. math::
      L = 1 - \frac{(2 \mu_x \mu_y + c_1) (2 \sigma_{xy} + c_2)}
                  {(\mu_x^2 + \mu_y^2 + c_1) (\sigma_x^2 + \sigma_y^2 + c_2)}

    with means, variances and covariance over a window around each pixel,
    :math:`c_1 = 0.01^2` and :math:`c_2 = 0.03^2`.

    Args:
      predicted: float32 [N, H, W, 1], 0 to 1.
      true: The same.
      side: Side of the window, pixels.

    Returns:
      float32 [N], 0 for equal maps, at most 2.
    """

    def mean(values):
        return ops.average_pool(values, side, 1, "valid")

    mean_x, mean_y = mean(predicted), mean(true)
    variance_x = mean(predicted**2) - mean_x**2
    variance_y = mean(true**2) - mean_y**2
    covariance = mean(predicted * true) - mean_x * mean_y
    above = (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
    below = (mean_x**2 + mean_y**2 + 1e-4) * (variance_x + variance_y + 9e-4)
    return 1 - ops.mean(above / below, (1, 2, 3))


def _known(depth):
    known = ops.cast(depth > 0, "float32")
    return known, ops.where(depth > 0, depth, 1.0)


def _mean(values, weights):
    """Averages over all axes but the first; gives 0 where all weights are 0."""
    axes = (1, 2, 3)
    total = ops.sum(weights, axes)
    return ops.sum(values * weights, axes) / ops.maximum(total, 1e-6)
