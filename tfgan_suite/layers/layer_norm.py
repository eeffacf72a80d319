"""Layer normalisation of feature maps, the form WGAN-GP's critics use."""

import keras
import tensorflow as tf


class LayerNorm(keras.layers.Layer):
    """x [b, ..., c] -> (x - mean) / sqrt(variance + epsilon) * gain + offset.

    Statistics are per example over all other axes, gain and offset per channel. Unlike batch norm it leaves the examples independent, so a
    gradient penalty may be taken through it. Gulrajani et al. 2017, section 4; `keras.layers.LayerNormalization` would have a gain per pixel.
    Computed in float32 under mixed precision.
    """

    def __init__(self, *, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="ones", autocast=False)
        self.offset = self.add_weight(name="offset", shape=(input_shape[-1],), initializer="zeros", autocast=False)

    def call(self, x):
        wide = tf.cast(x, self.variable_dtype)
        axes = list(range(1, wide.shape.rank))
        mean = tf.reduce_mean(wide, axes, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), axes, keepdims=True)
        y = (wide - mean) * tf.math.rsqrt(variance + self.epsilon) * tf.convert_to_tensor(self.gain) + tf.convert_to_tensor(self.offset)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}
