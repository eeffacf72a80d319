"""Fully connected layer and lookup table, spectrally normalised on demand."""

import keras
import tensorflow as tf

from tfgan_suite.layers import spectral_norm


class Dense(spectral_norm.WeightLayer):
    """x [..., f] -> x W + bias [..., units], with W [f, units]."""

    def __init__(self, units: int, *, use_bias: bool = True, bias_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        self.add_kernel((input_shape[-1], self.units))
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=self.bias_initializer)

    def call(self, x):
        y = keras.ops.matmul(x, self.weight())
        return y + self.bias if self.use_bias else y

    def get_config(self):
        initializer = keras.initializers.serialize(self.bias_initializer)
        return super().get_config() | {"units": self.units, "use_bias": self.use_bias, "bias_initializer": initializer}


class Embedding(spectral_norm.WeightLayer):
    """Integers [b] in [0, rows) -> rows of a table [rows, size]: [b, size]. Shares [b, rows] of float type -> the rows' means in these shares.

    Spectral normalisation takes the table as one matrix, u with an entry per row. An index out of range is an error on a CPU and a row of zeros
    on a GPU, as in `tf.gather`; check labels where they enter.
    """

    def __init__(self, rows: int, size: int, *, kernel_initializer="normal", **kwargs):
        super().__init__(kernel_initializer=kernel_initializer, **kwargs)
        self.rows = rows
        self.size = size

    def build(self, input_shape):
        self.add_kernel((self.rows, self.size), output_axis=0)

    def call(self, indices):
        if indices.dtype.is_floating:
            return tf.matmul(indices, self.weight())
        return tf.gather(self.weight(), indices)

    def get_config(self):
        return super().get_config() | {"rows": self.rows, "size": self.size}
