"""Images in [-1, 1] as 8-bit pixels and as image files."""

import tensorflow as tf

from tfgan_suite.ops import pixels as quantization

CHANNELS = {"png": (1, 3, 4)}
"""Image file format -> the channel counts it is written with here."""

_ENCODERS = {"png": tf.io.encode_png}
_DECODERS = {"png": tf.io.decode_png}


def pixels(images: tf.Tensor) -> tf.Tensor:
    """Images in [-1, 1] -> uint8 of the same shape, as the metrics see them."""
    return quantization.quantize(images)


def encode(images: tf.Tensor, encoding: str) -> tf.Tensor:
    """Images [b, h, w, c] in [-1, 1] -> one file's bytes per row, string [b]. `encoding`: a key of `CHANNELS`."""
    return _ENCODERS[encoding](pixels(images))


def decode(image_bytes: bytes, encoding: str) -> tf.Tensor:
    """One file's bytes -> uint8 [h, w, c], its channels as stored."""
    return _DECODERS[encoding](image_bytes)
