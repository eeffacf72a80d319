"""What every reader of a source gives, and how its stored examples become rows of fixed shape and type.

A stored image is an encoded file (PNG, JPEG, BMP, GIF: its first frame, WebP) or a uint8 array. 8-bit BMP files are read as grey. Under the key
`image` a source may also have numbers of the shape (1, d, 1): vectors, which are neither resized nor brought to [-1, 1].
"""

import abc
import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from pipelines import spec

KINDS = {"image": tf.uint8, "mask": tf.uint8, "integer": tf.int32, "number": tf.float32}
"""Kind of a column -> the type in which its rows are held. The kind `text` is known of but not read."""

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in JPEG


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One key of the stored examples."""

    kind: str
    """A name in `KINDS`, or `text`."""
    shape: tuple[int | None, ...] = ()
    """Without the example axis; None where it differs between examples or is not known before reading."""
    low: float = 0.0
    high: float = 0.0
    """The closed range of an integer or a number."""
    names: tuple[str, ...] = ()
    """Names of an integer's values, where they have any."""

    def feature(self) -> spec.Feature:
        """What a batch shows of this column."""
        if self.kind in ("image", "mask"):
            return spec.Feature(shape=self.shape, dtype="float32", low=-1.0 if self.kind == "image" else 0.0, high=1.0)
        return spec.Feature(shape=self.shape, dtype=KINDS[self.kind].name, low=self.low, high=self.high)


class NoSuchSplit(ValueError):
    """A source has no split of this name."""


class Reader(abc.ABC):
    """A source that is ready to be read. Splits are named as in TFDS, slices included: `train`, `train[:90%]`, `train[1000:]`."""

    name: str
    columns: dict[str, Column]
    class_groups: dict[str, tuple[str, ...]] = {}
    mixture: spec.Mixture | None = None
    dictionary: np.ndarray | None = None
    """Vectors of all words [v, d] float32, where the examples' `image` is one of them."""

    @abc.abstractmethod
    def count(self, split: str) -> int:
        """Examples in `split`. A NoSuchSplit names the splits there are."""

    @abc.abstractmethod
    def records(self, split: str, keys: Sequence[str], *, shard: tuple[int, int] = (0, 1), shuffle_seed: int = -1) -> tf.data.Dataset:
        """Stored examples `{key: tensor}` of `split`, of its part i of n for `shard=(i, n)`, in a fixed order.

        A `shuffle_seed` >= 0 allows, not demands, that each pass reads the files in a new order that depends on the seed alone.
        """

    @abc.abstractmethod
    def stamp(self, split: str) -> str:
        """A text that changes when the stored examples of `split` may have changed. Costs no decoding."""

    def files(self, split: str) -> list[str]:
        """The files of the examples in order, where each image is a file of its own; else none."""
        return []

    def locate(self, split: str, index: int) -> str:
        """Names one example for an error: a file, or a position."""
        files = self.files(split)
        return files[index] if files else f"example {index} of the split {split!r} of {self.name!r}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """The rows that training sees: `columns` have complete shapes, images of the size `size`."""

    columns: dict[str, Column]
    size: tuple[int, int]
    """(0, 0) leaves the stored size, which the reader of the rows has to compare with `columns`."""
    resize: str

    def row(self, record: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """A stored example as uint8 images, int32 integers and float32 numbers. tf.errors.InvalidArgumentError where a file is no image."""
        row = {}
        for key, column in self.columns.items():
            if column.kind in ("image", "mask"):
                row[key] = pixels(record[key], channels=column.shape[-1], size=self.size, resize=self.resize)
            else:
                # Saturating: an integer beyond 32 bits must not turn into one that looks right.
                row[key] = tf.saturate_cast(tf.ensure_shape(record[key], column.shape), KINDS[column.kind])
        return row

    def equal_rows(self, record: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`row`, and an error where its shape is not the stated one."""
        return {key: tf.ensure_shape(value, self.columns[key].shape) for key, value in self.row(record).items()}

    def batch(self, rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Rows as training wants them: images float32 in [-1, 1], masks float32 in {0, 1}, the others as they are."""
        return {key: _FROM_BYTES[self.columns[key].kind](value) if value.dtype == tf.uint8 else value for key, value in rows.items()}


def _signed(values: tf.Tensor) -> tf.Tensor:
    """Bytes -> [-1, 1]. In float32, 255 / 127.5 is exactly 2, so the ends are exact."""
    return tf.cast(values, tf.float32) / 127.5 - 1.0


def _binary(values: tf.Tensor) -> tf.Tensor:
    """Bytes -> {0, 1}."""
    return tf.cast(values > 127, tf.float32)


_FROM_BYTES = {"image": _signed, "mask": _binary}


def pixels(stored: tf.Tensor, *, channels: int, size: tuple[int, int], resize: str) -> tf.Tensor:
    """uint8 [h, w, channels] from an encoded image (a string) or uint8 [h, w, n]."""
    image = decode(stored)
    if size != (0, 0):
        image = RESIZES[resize](image, size)
    image = with_channels(image, channels)
    return tf.cast(tf.clip_by_value(tf.round(image), 0.0, 255.0), tf.uint8) if image.dtype != tf.uint8 else image


def decode(stored: tf.Tensor) -> tf.Tensor:
    """uint8 [h, w, n] with the stored number of channels."""
    if stored.dtype == tf.string:
        stored = tf.io.decode_image(stored, expand_animations=False)
    return tf.ensure_shape(stored, [None, None, None])


def with_channels(image: tf.Tensor, channels: int) -> tf.Tensor:
    """[h, w, n] -> [h, w, channels]: grey is repeated, colour becomes luminance, a missing alpha is opaque, an unwanted one is dropped."""
    if image.shape[-1] == channels:
        return image
    n, dtype = tf.shape(image)[-1], image.dtype

    def convert():
        values = tf.cast(image, tf.float32)
        color = values[..., : tf.where(n < 3, 1, 3)]
        if channels < 3:
            color = tf.cond(n < 3, lambda: color, lambda: tf.reduce_sum(color * _LUMINANCE, -1, keepdims=True))
        else:
            color = tf.broadcast_to(color, tf.concat([tf.shape(color)[:2], [3]], 0))
        alpha = tf.cond(n % 2 == 0, lambda: values[..., -1:], lambda: tf.fill(tf.shape(values[..., :1]), 255.0))
        converted = tf.concat([color, alpha], -1) if channels % 2 == 0 else color
        return tf.cast(tf.round(converted), dtype) if dtype == tf.uint8 else converted

    image = tf.cond(n == channels, lambda: image, convert)
    return tf.ensure_shape(image, [None, None, channels])


def _scale(image: tf.Tensor, size) -> tf.Tensor:
    """Bilinear with antialiasing (a triangle filter as wide as the reduction); an image of this size stays as it is, bit for bit."""
    same = tf.reduce_all(tf.shape(image)[:2] == size)
    return tf.cond(same, lambda: tf.cast(image, tf.float32), lambda: tf.image.resize(image, size, antialias=True))


def crop(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """The largest centred window of the wanted aspect, scaled to `size`: nothing is distorted, the longer sides lose their ends."""
    h, w = tf.unstack(tf.shape(image)[:2])
    tall = h * size[1] > w * size[0]
    window_h = tf.maximum(tf.where(tall, w * size[0] // size[1], h), 1)
    window_w = tf.maximum(tf.where(tall, w, h * size[1] // size[0]), 1)
    window = tf.image.crop_to_bounding_box(image, (h - window_h) // 2, (w - window_w) // 2, window_h, window_w)
    return _fixed(_scale(window, size), size)


def stretch(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Each axis scaled for itself: everything is seen, the aspect changes."""
    return _fixed(_scale(image, size), size)


def pad(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Scaled to fit, black margins: everything is seen, undistorted."""
    h, w = tf.unstack(tf.shape(image)[:2])
    tall = h * size[1] > w * size[0]
    fit_h = tf.maximum(tf.where(tall, size[0], h * size[1] // w), 1)
    fit_w = tf.maximum(tf.where(tall, w * size[0] // h, size[1]), 1)
    return _fixed(tf.image.resize_with_crop_or_pad(_scale(image, tf.stack([fit_h, fit_w])), *size), size)


def margin(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """No scaling: centred on a black canvas (28x28 digits on 32x32 get two pixels on each side); an axis longer than the canvas loses its ends."""
    return _fixed(tf.cast(tf.image.resize_with_crop_or_pad(image, *size), tf.float32), size)


def _fixed(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return tf.ensure_shape(image, [*size, None])


RESIZES = {"crop": crop, "stretch": stretch, "pad": pad, "margin": margin}
"""Name of a policy -> function(image [h, w, n], (height, width)) -> float32 [height, width, n] in [0, 255]."""


_SPLIT = re.compile(r"([\w.-]+)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?")


def split_range(split: str, counts: dict[str, int], who: str) -> tuple[str, int, int]:
    """`train[:90%]` -> (`train`, 0, 900) for the `counts` of a source. A NoSuchSplit names the splits there are."""
    match = _SPLIT.fullmatch(split)
    if not match:
        raise ValueError(f"A split is written name, name[a:b] or name[a%:b%], for example train[:90%]. Received: {split!r} for {who}.")
    name, start, stop = match.groups()
    if name not in counts:
        raise NoSuchSplit(f"{who} has no split {name!r}. It has: {', '.join(counts)}. A part of a split is written {next(iter(counts))}[:90%].")
    count = counts[name]
    first, last = _bound(start, count, 0), _bound(stop, count, count)
    if first >= last:
        raise ValueError(f"The split {split!r} of {who} is empty: {name!r} has {count} examples.")
    return name, first, last


def _bound(text: str | None, count: int, default: int) -> int:
    if text is None:
        return default
    value = round(int(text[:-1]) * count / 100) if text.endswith("%") else int(text)
    return min(max(value + count if value < 0 else value, 0), count)
