"""Drawing from the averaged generator: a stream of judged samples, the fixed grid that shows training at a glance, and what each condition does."""

import math
import types
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfgan_suite.core import gan, picture
from tfgan_suite.ops import random

MOST_COLUMNS = 40
_POINT = (1, 2, 1)
_POINTS = 2500
_MARGIN = 0.25


def samples(
    model: gan.Gan, count: int, *, batch_size: int, seed: int, truncation: float = math.inf, held_out: Mapping[str, np.ndarray] | None = None
) -> Iterator[dict[str, np.ndarray]]:
    """`count` images [b, h, w, c] in [-1, 1], in batches {"image", conditions}; labels go round the classes, so they are balanced.

    held_out: conditions of real examples [n, ...] for a model whose conditions cannot be drawn; they are gone round in the same way. Sample i
    depends on the weights, `seed`, `batch_size` and its conditions alone. Call `model.ready()` first.
    """
    stream = random.Stream(seed, "samples")

    @tf.function(autograph=False)
    def draw(i):
        batch = stream.fold(i)
        conditions = _conditions(model, tf.range(batch_size) + tf.cast(i, tf.int32) * batch_size, batch, held_out or {})
        return {"image": model.sample(model.sample_latents(batch.fold("latents"), batch_size, truncation), conditions), **conditions}

    for i in range(math.ceil(count / batch_size)):
        batch = draw(tf.constant(i, tf.int64))
        yield {key: value.numpy()[: count - i * batch_size] for key, value in batch.items()}


def grid(model: gan.Gan, *, rows: int, seed: int, truncation: float = math.inf, classes: Sequence[int] = ()) -> np.ndarray:
    """A uint8 picture of fixed latents: rows x rows of an unconditional model, a column for each of the `classes` of a class-conditional one (unless
    told, all up to 40).

    Of a model of the plane: 2,500 points, over the range of the data and a quarter of it more on every side.
    """
    if model.data.image_shape == _POINT:
        return _plane(model, random.Stream(seed, "grid"), truncation)
    shown = columns_of(model, classes)
    columns = len(shown) or rows
    count = rows * columns
    stream = random.Stream(seed, "grid")
    numbers = tf.tile(tf.constant(shown, tf.int32), [rows]) if shown else tf.range(count)
    images = model.sample(model.sample_latents(stream.fold("latents"), count, truncation), _conditions(model, numbers, stream))
    return picture.grid(images.numpy(), columns, scale=_scale(model))


def _plane(model: gan.Gan, stream: random.Stream, truncation: float) -> np.ndarray:
    conditions = _conditions(model, tf.range(_POINTS), stream)
    points = model.sample(model.sample_latents(stream.fold("latents"), _POINTS, truncation), conditions)
    feature = model.data.features["image"]
    margin = _MARGIN * (feature.high - feature.low)
    return picture.plane(points.numpy().reshape(_POINTS, 2), feature.low - margin, feature.high + margin)


def columns_of(model: gan.Gan, classes: Sequence[int] = ()) -> list[int]:
    """The classes that have a column in `grid`: these, or all up to 40; none of an unconditional model. ValueError for one that there is not."""
    known = model.data.num_classes if "label" in model.condition_keys else 0
    unknown = [c for c in classes if not 0 <= c < known]
    if unknown:
        raise ValueError(f"There is no class {unknown[0]}: the model has {known}, counted from 0.")
    return list(classes) or list(range(min(known, MOST_COLUMNS)))


def sweep(model: gan.Gan, *, rows: int, columns: int, seed: int, truncation: float = math.inf) -> tuple[np.ndarray, list[str]]:
    """(a uint8 picture, the name of each of its rows): for each condition that can be swept, `rows` rows, along which it alone changes.

    Latents and all other conditions stay the same along a row; row i of every condition has the same. ValueError where nothing can be swept.
    """
    stream, images, names = random.Stream(seed, "sweep"), [], []
    latents = model.sample_latents(stream.fold("latents"), rows, truncation)
    conditions = _conditions(model, tf.range(rows), stream)
    swept = [model.sweeps({key: value[i : i + 1] for key, value in conditions.items()}, columns) for i in range(rows)]
    for name in swept[0]:
        for i in range(rows):
            images.append(model.sample(tf.repeat(latents[i : i + 1], columns, axis=0), swept[i][name]).numpy())
            names.append(name)
    if not images:
        raise ValueError(f"{type(model).__name__} has no condition that could be swept: it reads {', '.join(('latents', *model.condition_keys))}.")
    return picture.grid(np.concatenate(images), columns, scale=_scale(model)), names


def _scale(model: gan.Gan) -> int:
    return max(1, 64 // model.data.image_shape[0])


def _conditions(
    model: gan.Gan, numbers: tf.Tensor, stream: random.Stream, held_out: Mapping[str, np.ndarray] = types.MappingProxyType({})
) -> dict[str, tf.Tensor]:
    """Of the samples with these numbers [b]: labels and held-out conditions in turn, others drawn."""
    known = {key: tf.gather(held_out[key], numbers % len(held_out[key])) for key in model.condition_keys if key in held_out}
    if "label" in model.condition_keys:
        known["label"] = numbers % model.data.num_classes
    if len(known) == len(model.condition_keys):
        return known
    return model.sample_conditions(stream.fold("conditions"), numbers.shape[0]) | known
