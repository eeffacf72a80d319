"""Affine maps of colours, one per image, as matrices [b, 4, 4] on (r, g, b, 1): composed first, then applied to all pixels at once.

Luma, saturation and hue are the position along the axis of greys (1, 1, 1), the distance from it and the angle around it.
"""

import tensorflow as tf

ALONG = ((1 / 3, 1 / 3, 1 / 3, 0.0),) * 3 + ((0.0, 0.0, 0.0, 0.0),)
"""The projection onto the axis of greys, v v^T for v = (1, 1, 1) / sqrt 3."""
AROUND = ((0.0, -(3**-0.5), 3**-0.5, 0.0), (3**-0.5, 0.0, -(3**-0.5), 0.0), (-(3**-0.5), 3**-0.5, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
"""The cross product with v."""
COLORS = (1.0, 1.0, 1.0, 0.0)


def brightness(amount: tf.Tensor) -> tf.Tensor:
    """Adds `amount` [b] to every channel."""
    unit = tf.eye(4, batch_shape=[amount.shape[0]])
    return unit + amount[:, None, None] * tf.constant(COLORS)[:, None] * tf.one_hot(3, 4)


def contrast(factor: tf.Tensor) -> tf.Tensor:
    """Multiplies every channel by `factor` [b]."""
    return tf.linalg.diag(factor[:, None] * tf.constant(COLORS) + tf.one_hot(3, 4))


def luma_flip(flipped: tf.Tensor) -> tf.Tensor:
    """Negates the luma where `flipped` [b] is true."""
    return tf.eye(4) - 2.0 * tf.cast(flipped, tf.float32)[:, None, None] * tf.constant(ALONG)


def saturation(factor: tf.Tensor) -> tf.Tensor:
    """Multiplies the distance from grey by `factor` [b]."""
    away = tf.linalg.diag(tf.constant(COLORS)) - tf.constant(ALONG)
    return tf.eye(4) + (factor[:, None, None] - 1.0) * away


def hue(angle: tf.Tensor) -> tf.Tensor:
    """Turns by `angle` [b] about the axis of greys (Rodrigues' formula)."""
    cosine, sine = tf.cos(angle)[:, None, None], tf.sin(angle)[:, None, None]
    away = tf.linalg.diag(tf.constant(COLORS)) - tf.constant(ALONG)
    return tf.eye(4) + (cosine - 1.0) * away + sine * tf.constant(AROUND)


def apply(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """[b, h, w, 3 or 1] through matrices [b, 4, 4]; a grey image is a colour one that has its channels averaged afterwards."""
    b, h, w, c = images.shape
    linear, offset = matrices[:, :3, :3], matrices[:, :3, 3]
    if c == 1:
        linear, offset = tf.reduce_sum(linear, (1, 2))[:, None, None] / 3, tf.reduce_mean(offset, 1, keepdims=True)
    pixels = tf.matmul(tf.reshape(images, (b, h * w, c)), linear, transpose_b=True)
    return tf.reshape(pixels + offset[:, None, :], images.shape)
