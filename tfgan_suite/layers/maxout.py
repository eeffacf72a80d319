"""Maxout. Goodfellow et al. 2013, arXiv:1302.4389."""

import keras
import tensorflow as tf

from tfgan_suite.layers import dense


class Maxout(dense.Dense):
    """x [b, f] -> [b, units]: the largest of `pieces` linear maps, unit by unit. A dense layer when `pieces` is 1."""

    def __init__(self, units: int, *, pieces: int, **kwargs):
        super().__init__(units * pieces, **kwargs)
        self.pieces = pieces

    def call(self, x):
        y = super().call(x)
        return tf.reduce_max(keras.ops.reshape(y, (-1, self.units // self.pieces, self.pieces)), axis=-1)

    def get_config(self):
        config = super().get_config()
        return config | {"units": config["units"] // self.pieces, "pieces": self.pieces}
