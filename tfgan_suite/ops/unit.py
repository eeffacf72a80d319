"""Vectors of length one, whose inner products are cosines."""

import keras

EPSILON = 1e-12
"""Added to a squared length: a zero vector stays zero, and its gradient finite."""


def unit(x):
    """x / |x| over the last axis of x [..., d], in float32 whatever the type of x (half precision would overflow in squares and sums)."""
    x = keras.ops.cast(x, "float32")
    return x * keras.ops.rsqrt(keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True) + EPSILON)
