"""Weight normalisation: w = scale v / |v| for each output unit. Salimans and Kingma 2016, eq. 2; settings of the code of Salimans et al. 2016.

The layers are those of `layers.dense` and `layers.convolution` with another kernel. From a first batch `data_dependent.initialize` gives every unit
mean 0 and a chosen deviation before its nonlinearity, by the bias and the scale (eq. 5 and 6).
"""

import keras
import tensorflow as tf

from tfgan_suite.layers import convolution, data_dependent, dense

EPSILON = 1e-6
"""Added to |v|^2, as in the authors' code."""


class WeightNorm(data_dependent.DataDependent):
    """Mixed into a `WeightLayer` with a bias. v starts at N(0, 0.05) unless told otherwise, the scale at 1.

    `train_scale`: learn the scale, which otherwise stays what the initialisation made it. `initial_deviation`: of a unit on the first batch; 0 leaves
    scale and bias at 1 and 0.
    """

    def __init__(self, *args, train_scale: bool = False, initial_deviation: float = 1.0, kernel_initializer=None, **kwargs):
        super().__init__(*args, kernel_initializer=kernel_initializer or keras.initializers.RandomNormal(stddev=0.05), **kwargs)
        if self.spectral_norm or not self.use_bias:
            raise ValueError(f"{type(self).__name__} normalises its kernel itself and needs its bias: leave spectral_norm and use_bias alone.")
        self.train_scale, self.initial_deviation = train_scale, initial_deviation

    def build(self, input_shape):
        super().build(input_shape)
        units = self.kernel.shape[self.output_axis]
        self.scale = self.add_weight(name="scale", shape=(units,), initializer="ones", trainable=self.train_scale, autocast=False)

    def weight(self):
        kernel = tf.convert_to_tensor(self.kernel)
        axis = self.output_axis % len(kernel.shape)
        others = [i for i in range(len(kernel.shape)) if i != axis]
        length = tf.sqrt(EPSILON + tf.reduce_sum(tf.square(kernel), others, keepdims=True))
        return tf.cast(kernel / length * tf.reshape(tf.convert_to_tensor(self.scale), length.shape), self.compute_dtype)

    def call(self, x):
        if self.initializing and self.initial_deviation:
            self._set_from(tf.cast(super().call(x), self.variable_dtype))
        return super().call(x)

    def _set_from(self, y):
        axes = list(range(len(y.shape) - 1))
        mean = tf.reduce_mean(y, axes)
        deviation = tf.sqrt(tf.reduce_mean(tf.math.squared_difference(y, mean), axes))
        factor = self.initial_deviation / tf.maximum(deviation, EPSILON)
        self.bias.assign((tf.convert_to_tensor(self.bias) - mean) * factor)
        self.scale.assign(tf.convert_to_tensor(self.scale) * factor)

    def get_config(self):
        return super().get_config() | {"train_scale": self.train_scale, "initial_deviation": self.initial_deviation}


class Dense(WeightNorm, dense.Dense):
    """`layers.dense.Dense` with a normalised kernel."""


class Convolution(WeightNorm, convolution.Convolution):
    """`layers.convolution.Convolution` with a normalised kernel."""


class TransposedConvolution(WeightNorm, convolution.TransposedConvolution):
    """`layers.convolution.TransposedConvolution` with a normalised kernel."""
