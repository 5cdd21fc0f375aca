"""AdamW with two operations for each weight."""

from __future__ import annotations

import keras
import tensorflow as tf


class AdamW(keras.optimizers.Adam):
    """Adam with decoupled weight decay: Keras's AdamW, in TensorFlow's own operations.

    Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101. Keras's takes a dozen
    operations, each of which reads and writes arrays of the size of the weight; and how
    their products are rounded depends on the graph around them, so that one device and
    two part. Weights, moments and checkpoints are Keras's. Gradients must be dense.
    """

    def __init__(self, learning_rate, decay: float, exempt: tuple[str, ...] = ()):
        """Makes the optimizer.

        Args:
          learning_rate: A number or a schedule.
          decay: A weight loses this, times the learning rate, of itself in a step.
          exempt: Names of weights that do not decay.
        """
        super().__init__(learning_rate, name="adam_w")
        self._decay = decay
        self._exempt = exempt

    def update_step(self, gradient, variable, learning_rate):
        """Updates a weight and its moments.

        Args:
          gradient: Of the loss by the weight; same shape and dtype.
          variable: The weight, a `tf.Variable` on the device that updates it.
          learning_rate: Scalar.
        """
        place = self._get_variable_index(variable)
        rate, beta_1, beta_2 = (
            tf.cast(value, variable.dtype)
            for value in (learning_rate, self.beta_1, self.beta_2)
        )
        if not any(name in variable.name for name in self._exempt):
            tf.raw_ops.ResourceApplyGradientDescent(
                var=variable.handle, alpha=rate * self._decay, delta=variable
            )
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )
