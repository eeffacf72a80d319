"""Drawing from the averaged generator: a stream of judged samples, and the fixed grid that shows training at a glance."""

import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgan_suite.core import gan, picture
from tfgan_suite.ops import random

MOST_COLUMNS = 40
_POINT = (1, 2, 1)
_POINTS = 2500
_MARGIN = 0.25


def samples(model: gan.Gan, count: int, *, batch_size: int, seed: int, truncation: float = math.inf) -> Iterator[dict[str, np.ndarray]]:
    """`count` images [b, h, w, c] in [-1, 1], in batches {"image", "label" if conditional}; labels go round the classes, so they are balanced.

    Sample i depends on the weights, `seed` and `batch_size` alone. Call `model.ready()` first.
    """
    stream = random.Stream(seed, "samples")

    @tf.function(autograph=False)
    def draw(i):
        batch = stream.fold(i)
        conditions = _conditions(model, tf.range(batch_size) + tf.cast(i, tf.int32) * batch_size, batch)
        return {"image": model.sample(model.sample_latents(batch.fold("latents"), batch_size, truncation), conditions), **conditions}

    for i in range(math.ceil(count / batch_size)):
        batch = draw(tf.constant(i, tf.int64))
        yield {key: value.numpy()[: count - i * batch_size] for key, value in batch.items()}


def grid(model: gan.Gan, *, rows: int, seed: int, truncation: float = math.inf) -> np.ndarray:
    """A uint8 picture of fixed latents: rows x rows of an unconditional model, a column per class (at most 40) of a class-conditional one.

    Of a model of the plane: 2,500 points, over the range of the data and a quarter of it more on every side.
    """
    if model.data.image_shape == _POINT:
        return _plane(model, random.Stream(seed, "grid"), truncation)
    columns = min(model.data.num_classes, MOST_COLUMNS) if "label" in model.condition_keys else rows
    count = rows * columns
    stream = random.Stream(seed, "grid")
    conditions = _conditions(model, tf.range(count) % columns, stream)
    images = model.sample(model.sample_latents(stream.fold("latents"), count, truncation), conditions)
    return picture.grid(images.numpy(), columns, scale=max(1, 64 // model.data.image_shape[0]))


def _plane(model: gan.Gan, stream: random.Stream, truncation: float) -> np.ndarray:
    conditions = _conditions(model, tf.range(_POINTS), stream)
    points = model.sample(model.sample_latents(stream.fold("latents"), _POINTS, truncation), conditions)
    feature = model.data.features["image"]
    margin = _MARGIN * (feature.high - feature.low)
    return picture.plane(points.numpy().reshape(_POINTS, 2), feature.low - margin, feature.high + margin)


def _conditions(model: gan.Gan, numbers: tf.Tensor, stream: random.Stream) -> dict[str, tf.Tensor]:
    if tuple(model.condition_keys) == ("label",):
        return {"label": numbers % model.data.num_classes}
    return model.sample_conditions(stream.fold("conditions"), numbers.shape[0])
