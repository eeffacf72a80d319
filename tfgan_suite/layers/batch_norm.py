"""Batch normalisation over the global batch. Ioffe and Szegedy 2015; the defaults are Torch's, which the GAN papers use."""

import keras
import tensorflow as tf

from tfgan_suite.layers import initializers
from tfgan_suite.ops import replicas


def moments(x: tf.Tensor, synchronized: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance [c] of x [..., c] over all other axes, in x's precision; with `synchronized` over the rows of all replicas.

    Replicas exchange (mean_i, variance_i) once; the whole variance is mean_i(variance_i + (mean_i - mean)^2), which does not cancel.
    """
    axes = list(range(x.shape.rank - 1))
    mean = tf.reduce_mean(x, axes)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axes)
    if not synchronized or replicas.count() == 1:
        return mean, variance
    means, variances = tf.unstack(replicas.gather(tf.stack([mean, variance])[tf.newaxis]), axis=1)
    mean = tf.reduce_mean(means, 0)
    return mean, tf.reduce_mean(variances + tf.math.squared_difference(means, mean), 0)


class BatchNorm(keras.layers.Layer):
    """x [..., c] -> (x - mean) / sqrt(variance + epsilon) * gain + offset, per channel.

    With `training` the statistics are the batch's, exact over all replicas when `synchronized` (each replica's own otherwise), and the moving
    statistics take 1 - `momentum` of them; without it they are the moving statistics. `momentum` is read at each call: set it to 0 to make the
    moving statistics those of the last batch. Statistics are float32 under mixed precision.
    """

    def __init__(
        self, *, momentum: float = 0.9, epsilon: float = 1e-5, synchronized: bool = True, center: bool = True, scale: bool = True,
        gain_initializer="ones", **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.momentum, self.epsilon, self.synchronized, self.center, self.scale = momentum, epsilon, synchronized, center, scale
        self.gain_initializer = initializers.fresh(gain_initializer)

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gain = self.add_weight(name="gain", shape=shape, initializer=self.gain_initializer, autocast=False) if self.scale else None
        self.offset = self.add_weight(name="offset", shape=shape, initializer="zeros", autocast=False) if self.center else None
        state = {"shape": shape, "trainable": False, "autocast": False, "aggregation": "mean"}
        self.moving_mean = self.add_weight(name="moving_mean", initializer="zeros", **state)
        self.moving_variance = self.add_weight(name="moving_variance", initializer="ones", **state)

    def call(self, x, training=False):
        gain = tf.convert_to_tensor(self.gain) if self.scale else tf.ones_like(self.moving_mean)
        offset = tf.convert_to_tensor(self.offset) if self.center else tf.zeros_like(self.moving_mean)
        return self.normalize(x, gain, offset, training)

    def normalize(self, x, gain, offset, training):
        """Normalises x [b, ..., c]; `gain` and `offset` are [c] or per example [b, c]."""
        if training and (replicas.count() == 1 or not self.synchronized) and x.dtype != tf.float64:
            return self._normalize_in_one_op(x, gain, offset)
        wide = tf.cast(x, self.variable_dtype)
        if training:
            mean, variance = moments(wide, self.synchronized)
            self._move(mean, variance)
        else:
            mean, variance = tf.convert_to_tensor(self.moving_mean), tf.convert_to_tensor(self.moving_variance)
        # Centred before it is scaled: folding the mean into the offset would lose digits of the gain's gradient.
        y = (wide - mean) * _over_pixels(gain * tf.math.rsqrt(variance + self.epsilon), x) + _over_pixels(offset, x)
        return tf.cast(y, self.compute_dtype)

    def _normalize_in_one_op(self, x, gain, offset):
        """`normalize` in training from one replica's statistics: twice as fast on a CPU, and without a copy of x in
        float32, unless gain and offset are per example. Not for float64."""
        per_example = gain.shape.rank == 2
        scale, shift = (tf.ones_like(self.moving_mean), tf.zeros_like(self.moving_mean)) if per_example else (gain, offset)
        pixels = x if x.shape.rank == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))
        y, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(x=pixels, scale=scale, offset=shift, mean=[], variance=[], epsilon=self.epsilon)
        count = tf.cast(tf.size(pixels) // pixels.shape[-1], tf.float32)
        self._move(mean, unbiased * (count - 1.0) / count)
        y = tf.reshape(y, tf.shape(x))
        if not per_example:
            return y
        return tf.cast(tf.cast(y, gain.dtype) * _over_pixels(gain, x) + _over_pixels(offset, x), y.dtype)

    def _move(self, mean, variance):
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(tf.convert_to_tensor(moving) * self.momentum + tf.stop_gradient(value) * (1.0 - self.momentum))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("momentum", "epsilon", "synchronized", "center", "scale")
        config = {name: getattr(self, name) for name in names} | {"gain_initializer": keras.initializers.serialize(self.gain_initializer)}
        return super().get_config() | config


def _over_pixels(value: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """A value per channel [c] as it is, one per example and channel [b, c] as [b, 1, ..., c], to be broadcast over x [b, ..., c]."""
    return tf.reshape(value, [-1] + [1] * (x.shape.rank - 2) + [x.shape[-1]]) if value.shape.rank == 2 else value
