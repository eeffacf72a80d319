"""Virtual batch normalisation: by the statistics of a reference batch fixed before training, and the sample's own. Salimans et al. 2016, section 3.5.

Between `ReferenceBatch` and `DropReference` the first `reference_size` rows of every map are the reference's, computed with the present weights, so
gradients reach them too. No sample depends on its neighbours, in training and after.
"""

import keras
import tensorflow as tf

from tfgan_suite.layers import initializers


class ReferenceBatch(keras.layers.Layer):
    """x [b, ...] -> [r + b, ...]: puts the r reference rows, a weight that is not trained, before the rows of x."""

    def __init__(self, reference_size: int, *, initializer="random_normal", **kwargs):
        super().__init__(**kwargs)
        if reference_size < 1:
            raise ValueError(f"ReferenceBatch needs a reference_size of at least 1; received {reference_size}.")
        self.reference_size = reference_size
        self.initializer = initializers.fresh(initializer)

    def build(self, input_shape):
        shape = (self.reference_size, *input_shape[1:])
        self.reference = self.add_weight(name="reference", shape=shape, initializer=self.initializer, trainable=False, autocast=False)

    def call(self, x):
        return tf.concat([tf.cast(tf.convert_to_tensor(self.reference), x.dtype), x], 0)

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return super().get_config() | {"reference_size": self.reference_size, "initializer": initializer}


class DropReference(keras.layers.Layer):
    """[r + b, ...] -> [b, ...]: the rows without the reference's."""

    def __init__(self, reference_size: int, **kwargs):
        super().__init__(**kwargs)
        self.reference_size = reference_size

    def call(self, x):
        return x[self.reference_size :]

    def get_config(self):
        return super().get_config() | {"reference_size": self.reference_size}


class VirtualBatchNorm(keras.layers.Layer):
    """x [r + b, ..., c], its first r rows the reference's -> (x - mean) / sqrt(variance + epsilon) * gain + offset, per channel.

    The reference rows are normalised by their own statistics, as by batch norm in training. A live row i has mean (m_i + r m_R) / (r + 1) and
    mean of squares likewise, m_i being the mean over its own pixels: the reference with the row added to it. Gain from N(1, 0.02), epsilon 1e-5 as
    in the authors' code. Statistics are float32 under mixed precision.
    """

    def __init__(self, reference_size: int, *, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.reference_size, self.epsilon = reference_size, epsilon

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gain = self.add_weight(name="gain", shape=shape, initializer=keras.initializers.RandomNormal(1.0, 0.02), autocast=False)
        self.offset = self.add_weight(name="offset", shape=shape, initializer="zeros", autocast=False)

    def call(self, x):
        r, wide = self.reference_size, tf.cast(x, self.variable_dtype)
        pixels = list(range(1, wide.shape.rank - 1))
        own = tf.stack([tf.reduce_mean(wide, pixels, keepdims=True), tf.reduce_mean(tf.square(wide), pixels, keepdims=True)])
        reference = tf.reduce_mean(own[:, :r], 1, keepdims=True)
        live = (own[:, r:] + r * reference) / (r + 1.0)
        mean, square = tf.unstack(tf.concat([tf.repeat(reference, r, 1), live], 1))
        variance = tf.maximum(square - tf.square(mean), 0.0)
        y = (wide - mean) * tf.math.rsqrt(variance + self.epsilon) * tf.convert_to_tensor(self.gain) + tf.convert_to_tensor(self.offset)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"reference_size": self.reference_size, "epsilon": self.epsilon}
