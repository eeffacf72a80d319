"""Rectangles of pixels, one per image, as masks: no crop, so shapes stay static."""

import tensorflow as tf

from tfgan_suite.ops import random

Sides = tuple[tf.Tensor, tf.Tensor]
"""(first pixel, number of pixels) of each image's rectangle along one axis: float32 [b] of whole numbers."""


def inside(amount: tf.Tensor, place: tf.Tensor, size: int) -> Sides:
    """One axis of a rectangle of round(amount * size) pixels that lies in the image whole, for shares `amount` and uniform `place` [b] in [0, 1)."""
    length = tf.round(amount * size)
    return tf.floor(place * (size - length + 1.0)), length


def mask(rows: Sides, columns: Sides, height: int, width: int) -> tf.Tensor:
    """bool [b, h, w, 1]: which pixels are in the rectangles; what overhangs the image is cut off."""
    (top, tall), (left, wide) = ((first[:, None], count[:, None]) for first, count in (rows, columns))
    y, x = tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32)
    vertical, horizontal = (y >= top) & (y < top + tall), (x >= left) & (x < left + wide)
    return (vertical[:, :, None] & horizontal[:, None, :])[..., None]


def draw(stream: random.Stream, amount: tf.Tensor, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Rectangles of `amount` [b] of each side at uniform places: (mask [b, h, w, 1], share of the image's area [b])."""
    place = stream.uniform((amount.shape[0], 2))
    rows, columns = inside(amount, place[:, 0], height), inside(amount, place[:, 1], width)
    return mask(rows, columns, height, width), rows[1] * columns[1] / (height * width)
