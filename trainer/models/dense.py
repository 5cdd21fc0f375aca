"""A dense layer whose gradient takes as little time as its forward pass."""

from __future__ import annotations

from keras import layers, ops


class Dense(layers.Dense):
    """Keras's dense layer with a bias, for wide layers and small batches.

    In float32 on CPUs, the gradient of TensorFlow's product of two matrices by its
    first factor takes several times as long as the product; that of batches of matrices
    does not. So the weights are a batch of one matrix (benchmarks/dense_layer.py).
    """

    def call(self, inputs, training=None):
        """Computes float [N, units] from float [N, inputs]."""
        products = ops.matmul(inputs, ops.expand_dims(self.kernel, 0))  # [1, N, units]
        return self.activation(ops.squeeze(products, 0) + self.bias)
