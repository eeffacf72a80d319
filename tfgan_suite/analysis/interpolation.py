"""From one latent to another, and from one class to another: a generator that has learned more than its examples changes smoothly on the way.

Latents go the way of their prior (`ops.priors`): along the great circle where it is normal, straight otherwise. Classes go by their learned vectors
(Brock et al. 2019, figure 9; Miyato, Koyama 2018, section 6.1): every table that the generator looks a label up in, at the same share of both rows.
"""

import contextlib
import math
import os
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tfgan_suite.analysis import subject as subjects
from tfgan_suite.core import files, picture
from tfgan_suite.layers import dense
from tfgan_suite.ops import priors, random


@contextlib.contextmanager
def blended(network: keras.Model, num_classes: int, first: int, second: int) -> Iterator[Callable[[float], None]]:
    """Gives a function of a share t that makes the class `first` mean (1 - t) `first` + t `second` in every table of classes of the network.

    The network is as it was afterwards. A spectrally normalised table keeps its sigma on the way. Raises a ValueError without such a table.
    """
    tables = [layer for layer in network._flatten_layers() if isinstance(layer, dense.Embedding) and layer.rows == num_classes]
    if not tables:
        raise ValueError("The generator looks its label up in no table, so there is nothing between two classes. Interpolate latents instead.")
    before = [[v.numpy() for v in layer.variables] for layer in tables]
    kernels = [layer.kernel.numpy() for layer in tables]
    for layer in tables:
        if layer.spectral_norm:
            _without_row(layer, first)

    def blend(share: float) -> None:
        for layer, kernel in zip(tables, kernels, strict=True):
            row = (1.0 - share) * kernel[first] + share * kernel[second]
            layer.kernel.assign(np.concatenate([kernel[:first], row[None], kernel[first + 1 :]]))

    try:
        yield blend
    finally:
        for layer, values in zip(tables, before, strict=True):
            for variable, value in zip(layer.variables, values, strict=True):
                variable.assign(value)


def run(subject: subjects.Subject, options: subjects.Options, output: str) -> list[str]:
    """Writes `latents.png` and `.gif`, for a model of classes also `classes.png` and `.gif`; returns the paths. Rows are examples, columns shares."""
    paths = _write(output, "latents", latents(subject, options), subject.scale)
    if "label" in subject.model.condition_keys:
        paths += _write(output, "classes", classes(subject, options), subject.scale)
    return paths


def latents(subject: subjects.Subject, options: subjects.Options) -> np.ndarray:
    """Images [columns, rows, h, w, c]: each row from one latent to another, its conditions unchanged."""
    model, stream = subject.model, random.Stream(options.seed, "latent interpolation")
    ends = [model.sample_latents(stream.fold(name), options.rows, options.truncation) for name in ("from", "to")]
    conditions = subject.conditions(stream, options.classes, options.rows)
    between = priors.PRIORS[model.config.prior].between
    return np.stack([model.sample(between(*ends, tf.fill([options.rows], t)), conditions).numpy() for t in _shares(options)])


def classes(subject: subjects.Subject, options: subjects.Options) -> np.ndarray:
    """Images [columns per pair, rows, h, w, c]: each row one latent, from the first of the classes to the second, on to the third, ..."""
    model, stream = subject.model, random.Stream(options.seed, "class interpolation")
    chosen = subject.classes(options.classes)
    chosen = chosen if options.classes else chosen[:2]
    if len(chosen) < 2:
        raise ValueError(f"An interpolation goes between two classes or more. Received: {len(chosen)}. Name another in --classes.")
    z = model.sample_latents(stream.fold("latents"), options.rows, options.truncation)
    conditions, images = model.sample_conditions(stream.fold("conditions"), options.rows), []
    for first, second in zip(chosen, chosen[1:], strict=False):
        with blended(model.averaged_generator, model.data.num_classes, first, second) as blend:
            for share in _shares(options):
                blend(share)
                images.append(model.sample(z, conditions | {"label": tf.fill([options.rows], first)}).numpy())
    return np.stack(images)


def _shares(options: subjects.Options) -> np.ndarray:
    if options.columns < 2:
        raise ValueError(f"An interpolation has at least 2 columns, its ends. Received: --columns={options.columns}.")
    return np.linspace(0.0, 1.0, options.columns, dtype=np.float32)


def _without_row(layer: dense.Embedding, row: int) -> None:
    """Makes sigma independent of a row of the table, at its present value: u without that entry, the others scaled to make up for it."""
    sigma, u = float(layer.sigma()), layer.u.numpy()
    u[row] = 0.0
    layer.u.assign(u)
    layer.u.assign(u * (sigma / float(layer.sigma())))


def _write(output: str, name: str, images: np.ndarray, scale: int) -> list[str]:
    steps, rows = images.shape[:2]
    sheet = picture.grid(np.swapaxes(images, 0, 1).reshape(steps * rows, *images.shape[2:]), steps, scale=scale)
    frames = [picture.png(picture.grid(frame, math.ceil(math.sqrt(rows)), scale=scale)) for frame in images]
    paths = [os.path.join(output, f"{name}.{kind}") for kind in ("png", "gif")]
    files.write(paths[0], picture.png(sheet))
    files.write(paths[1], picture.animation(frames))
    return paths
