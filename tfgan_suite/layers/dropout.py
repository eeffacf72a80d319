"""Dropout from given random numbers."""

import keras
import tensorflow as tf


class Dropout(keras.layers.Layer):
    """(x, uniform), both [b, ...], uniform in [0, 1) -> x / keep where uniform < keep, else 0. Srivastava et al. 2014.

    The numbers are an input, from the update's stream: `keras.layers.Dropout` keeps a hidden counter and drops the same units on every replica.
    """

    def __init__(self, keep: float, **kwargs):
        super().__init__(autocast=False, **kwargs)  # half precision would round the numbers
        if not 0.0 < keep <= 1.0:
            raise ValueError(f"Dropout keeps a part of the units, keep in (0, 1]; received {keep}.")
        self.keep = keep

    def call(self, x, uniform):
        return tf.where(uniform < self.keep, x / self.keep, tf.zeros_like(x))

    def get_config(self):
        return super().get_config() | {"keep": self.keep}
