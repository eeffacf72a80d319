"""Minibatch discrimination: how close each sample of a batch is to the others, as features beside its own. Salimans et al. 2016, section 3.2."""

import keras
import tensorflow as tf

from tfgan_suite.layers import data_dependent, initializers
from tfgan_suite.ops import replicas

FORMS = ("paper", "code")


def distances(projected: tf.Tensor, everyone: tf.Tensor) -> tf.Tensor:
    """L1 distances [b, n, kernels] between the rows of projected [b, kernels, dimensions] and of everyone [n, kernels, dimensions]."""
    return tf.reduce_sum(tf.abs(projected[:, tf.newaxis] - everyone[tf.newaxis]), -1)


class MinibatchDiscrimination(data_dependent.DataDependent, keras.layers.Layer):
    """x [b, f] -> [b, f + kernels], float32: beside each sample o_b(i) = sum_j exp(-sum_c |M_ibc - M_jbc|) with M = x T, over the global batch.

    `form="paper"`: the sum includes j = i. `form="code"`: as the authors' code it leaves j = i out, T has columns of length exp(log_scale), and a
    bias is added; log_scale starts at 0 and the bias at -1, and a first batch sets both: the mean distance to the nearest other becomes 2, the
    mean feature 0. Features grow with the number of samples, so a trained discriminator belongs to its global batch size. On several
    replicas a sample is compared with those of all.
    """

    couples_samples = True
    """A sample's output depends on its batch, so real and fake batches are scored in passes of their own."""

    def __init__(self, kernels: int = 100, dimensions: int = 5, *, form: str = "code", kernel_initializer=None, **kwargs):
        super().__init__(**({"dtype": "float32"} | kwargs))
        if form not in FORMS:
            raise ValueError(f"MinibatchDiscrimination: form={form!r} is unknown. It is one of {', '.join(FORMS)}.")
        if kernels < 1 or dimensions < 1:
            raise ValueError(f"MinibatchDiscrimination needs kernels and dimensions of at least 1; received {kernels} and {dimensions}.")
        self.kernels, self.dimensions, self.form = kernels, dimensions, form
        self.kernel_initializer = initializers.fresh(kernel_initializer or keras.initializers.RandomNormal(stddev=0.05))

    def build(self, input_shape):
        shape = (self.kernels, self.dimensions)
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], *shape), initializer=self.kernel_initializer)
        if self.form == "code":
            self.log_scale = self.add_weight(name="log_scale", shape=shape, initializer="zeros")
            self.bias = self.add_weight(name="bias", shape=(self.kernels,), initializer=keras.initializers.Constant(-1.0))

    def weight(self) -> tf.Tensor:
        """T [f, kernels, dimensions]: the kernel itself, or its columns at length exp(log_scale)."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.form == "paper":
            return kernel
        return kernel * tf.exp(tf.convert_to_tensor(self.log_scale)) * tf.math.rsqrt(tf.reduce_sum(tf.square(kernel), 0))

    def call(self, x):
        if self.initializing and self.form == "code":
            self._set_from(x)
        closeness = self._closeness(x)
        return tf.concat([x, closeness + tf.convert_to_tensor(self.bias) if self.form == "code" else closeness], -1)

    def _closeness(self, x):
        """The sums over the batch [b, kernels], without the bias."""
        projected = tf.tensordot(x, self.weight(), 1)
        everyone = replicas.gather(projected)
        close = tf.exp(-distances(projected, everyone))
        if self.form == "code":
            close *= 1.0 - _own(everyone)[..., tf.newaxis]  # after the exponential: a huge distance to oneself would overflow half precision
        return tf.reduce_sum(close, 1)

    def _set_from(self, x):
        projected = tf.tensordot(x, self.weight(), 1)
        others = tf.where(_own(projected)[..., tf.newaxis] > 0.0, float("inf"), distances(projected, projected))
        nearest = tf.reduce_mean(tf.reduce_min(others, 1), 0)
        self.log_scale.assign(tf.convert_to_tensor(self.log_scale) - tf.math.log(0.5 * nearest)[:, tf.newaxis])
        self.bias.assign(-tf.reduce_mean(self._closeness(x), 0))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        names = ("kernels", "dimensions", "form")
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return super().get_config() | {name: getattr(self, name) for name in names} | {"kernel_initializer": initializer}


def _own(everyone: tf.Tensor) -> tf.Tensor:
    """[b, n] with a one where row i of this replica is row j of the global batch."""
    return replicas.rows(tf.eye(everyone.shape[0] or tf.shape(everyone)[0]))
