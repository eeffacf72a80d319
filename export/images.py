"""Images in [-1, 1] as 8-bit pixels and as image files."""

import tensorflow as tf

CHANNELS = {"png": (1, 3, 4)}
"""Image file format -> the channel counts it is written with here."""

_ENCODERS = {"png": tf.io.encode_png}
_DECODERS = {"png": tf.io.decode_png}


def pixels(images: tf.Tensor) -> tf.Tensor:
    """Images in [-1, 1] -> uint8 of the same shape: 127.5 (x + 1) rounded half up, clipped. -1 is 0, 0 is 128, 1 is 255: the metrics' quantiser."""
    return tf.cast(tf.clip_by_value(tf.floor((tf.cast(images, tf.float32) + 1.0) * 127.5 + 0.5), 0.0, 255.0), tf.uint8)


def encode(images: tf.Tensor, encoding: str) -> tf.Tensor:
    """Images [b, h, w, c] in [-1, 1] -> one file's bytes per row, string [b]. `encoding`: a key of `CHANNELS`."""
    return _ENCODERS[encoding](pixels(images))


def decode(image_bytes: bytes, encoding: str) -> tf.Tensor:
    """One file's bytes -> uint8 [h, w, c], its channels as stored."""
    return _DECODERS[encoding](image_bytes)
