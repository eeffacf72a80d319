"""Bilinear sampling of images at coordinates beyond their borders: the one sampler below every operation that moves pixels.

Pixel i of an axis has coordinate i. Where rows and columns move apart from each other, two small matrix products per image do it, with derivatives of
every order, under XLA too. At whole numbers the products copy pixels exactly (to its rounding, on a device that multiplies matrices in TensorFloat-32
or bfloat16). The general affine map reads four neighbours of each pixel instead.
"""

import tensorflow as tf


def reflect(coordinates: tf.Tensor, size: int) -> tf.Tensor:
    """Into [0, size - 1] by mirrors at the centres of the outer pixels: -1 becomes 1."""
    period = max(2 * (size - 1), 1)
    phase = tf.math.floormod(coordinates, float(period))
    return tf.minimum(tf.minimum(phase, period - phase), size - 1.0)


def symmetric(coordinates: tf.Tensor, size: int) -> tf.Tensor:
    """Into [0, size - 1] by mirrors at the outer pixels' outer edges: -1 becomes 0, and all of [-1, 0] is pixel 0."""
    phase = tf.math.floormod(coordinates + 0.5, 2.0 * size)
    return tf.clip_by_value(tf.minimum(phase, 2.0 * size - phase) - 0.5, 0.0, size - 1.0)


MARGINS = {"reflect": reflect, "symmetric": symmetric, "zero": lambda coordinates, size: coordinates}
"""Name -> where a coordinate beyond the border is read; `zero` reads 0 there, the middle of [-1, 1], and fades to it over one pixel."""


def window(size: int, scale: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """Coordinates [b, size] of the pixel centres of a window of `scale` [b] times the axis, `start` [b] pixels from its first edge."""
    return (tf.range(size, dtype=tf.float32) + 0.5) * scale[:, None] - 0.5 + start[:, None]


def shifted(size: int, shift: tf.Tensor) -> tf.Tensor:
    """Coordinates [b, size] that move the pixels of an axis by `shift` [b] pixels towards its end."""
    return tf.range(size, dtype=tf.float32) - shift[:, None]


def weights(coordinates: tf.Tensor, size: int) -> tf.Tensor:
    """[b, n] -> [b, n, size]: the share of each pixel of the axis in each sample, max(0, 1 - |coordinate - pixel|)."""
    return tf.nn.relu(1.0 - tf.abs(coordinates[:, :, None] - tf.range(size, dtype=tf.float32)))


def resample(images: tf.Tensor, rows: tf.Tensor | None, columns: tf.Tensor | None, margins: str = "reflect") -> tf.Tensor:
    """[b, h, w, c] sampled bilinearly at every pair of its image's row [b, h] and column [b, w] coordinates; None leaves an axis as it is."""
    b, h, w, c = images.shape
    if rows is not None:
        images = tf.reshape(tf.matmul(weights(MARGINS[margins](rows, h), h), tf.reshape(images, (b, h, w * c))), (b, h, w, c))
    if columns is not None:
        upright = tf.reshape(tf.transpose(images, (0, 2, 1, 3)), (b, w, h * c))
        upright = tf.matmul(weights(MARGINS[margins](columns, w), w), upright)
        images = tf.transpose(tf.reshape(upright, (b, w, h, c)), (0, 2, 1, 3))
    return images


def affine(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """[b, h, w, c] sampled bilinearly through affine maps, with reflected margins.

    `matrices` [b, 3, 3] take the (x, y, 1) of a pixel of the result to that of its source, in pixels to the right of and below the image's centre.
    """
    b, h, w, c = images.shape
    x, y = tf.range(w, dtype=tf.float32) - (w - 1) / 2, tf.range(h, dtype=tf.float32) - (h - 1) / 2
    m = matrices[:, :, :, None, None]
    columns = reflect(m[:, 0, 0] * x + m[:, 0, 1] * y[:, None] + m[:, 0, 2] + (w - 1) / 2, w)
    rows = reflect(m[:, 1, 0] * x + m[:, 1, 1] * y[:, None] + m[:, 1, 2] + (h - 1) / 2, h)
    top, left = tf.floor(rows), tf.floor(columns)
    below, right = rows - top, columns - left
    first = (tf.range(b)[:, None, None] * h + tf.cast(top, tf.int32)) * w + tf.cast(left, tf.int32)
    down, aside = tf.where(top < h - 1.0, w, 0), tf.where(left < w - 1.0, 1, 0)  # beyond the last pixel the share is 0
    shares = [
        (first, (1.0 - below) * (1.0 - right)),
        (first + aside, (1.0 - below) * right),
        (first + down, below * (1.0 - right)),
        (first + down + aside, below * right),
    ]
    pixels = tf.reshape(images, (b * h * w, c))
    return tf.add_n([tf.gather(pixels, place) * share[..., None] for place, share in shares])
