"""Images in [-1, 1] as 8-bit pixels and as image files."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfgan_suite.ops import pixels as quantization

_JPEG_QUALITY = 95


class Encoding(NamedTuple):
    """A form in which 8-bit pixels leave a model."""

    output: str
    """The name of the signature's output."""
    channels: tuple[int, ...] | None
    """The channel counts that it holds; None: any."""
    encode: Callable[[tf.Tensor], tf.Tensor]
    """Pixels uint8 [b, h, w, c] -> the output [b, ...]."""
    decode: Callable[[Any], tf.Tensor]
    """One row of the output -> uint8 [h, w, c]."""
    levels: int
    """Grey levels that a value may differ by where the model's images differ by rounding alone: a value on the boundary of two levels."""
    share: float
    """The share of the values that may differ so."""


def _jpeg(pixels: tf.Tensor) -> tf.Tensor:
    return tf.map_fn(lambda row: tf.io.encode_jpeg(row, quality=_JPEG_QUALITY), pixels, fn_output_signature=tf.TensorSpec([], tf.string))


ENCODINGS = {
    "png": Encoding("image_bytes", (1, 3, 4), tf.io.encode_png, tf.io.decode_png, 1, 1e-3),
    # One level in one pixel can move a coefficient of its block by a step, and with it every pixel of the block: up to 8 levels were seen.
    "jpeg": Encoding("image_bytes", (1, 3), _jpeg, tf.io.decode_jpeg, 12, 1.0),
    "uint8": Encoding("images", None, tf.identity, tf.convert_to_tensor, 1, 1e-3),
}
"""A signature's suffix -> what it answers."""


def pixels(images: tf.Tensor) -> tf.Tensor:
    """Images in [-1, 1] -> uint8 of the same shape, as the metrics see them."""
    return quantization.quantize(images)


def encode(images: tf.Tensor, encoding: str) -> dict[str, tf.Tensor]:
    """Images [b, h, w, c] in [-1, 1] -> {output name: a row for each}. `encoding`: a key of `ENCODINGS`."""
    form = ENCODINGS[encoding]
    return {form.output: form.encode(pixels(images))}


def decode(rows: Any, encoding: str) -> list[np.ndarray]:
    """Rows of an output of `encode` -> the pixels uint8 [h, w, c] of each."""
    return [ENCODINGS[encoding].decode(row).numpy() for row in rows]
