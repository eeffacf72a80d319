"""Distributions of the latents: drawn from a stream in training, from one seed per row in an exported model."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfgan_suite.ops import random


class Prior(NamedTuple):
    """A distribution of latents, drawn in the two ways that are needed."""

    draw: Callable[[random.Stream, tuple[int, int], float], tf.Tensor]
    """(stream, (b, z), truncation) -> latents [b, z] with magnitudes up to `truncation`, which may be infinite."""
    rows: Callable[[tf.Tensor, int, tf.Tensor], tf.Tensor]
    """(seeds [b] int64, z, truncation [b]) -> latents [b, z]; row i is a function of seeds[i] and truncation[i] alone."""


def _normal(stream, shape, truncation):
    return stream.normal(shape) if math.isinf(truncation) else stream.truncated_normal(shape, truncation)


def _uniform(limit: float) -> Prior:
    def draw(stream, shape, truncation):
        bound = min(limit, truncation)
        return stream.uniform(shape, -bound, bound)

    def rows(seeds, size, truncation):
        return (2.0 * random.row_uniform(seeds, size) - 1.0) * tf.minimum(truncation, limit)[:, None]

    return Prior(draw, rows)


PRIORS = {
    "normal": Prior(_normal, lambda seeds, size, truncation: random.row_truncated_normal(seeds, size, truncation)),
    "uniform": _uniform(1.0),
    "uniform_unit_variance": _uniform(math.sqrt(3.0)),
}
"""`normal`: N(0, 1), truncated by resampling. `uniform`: U(-1, 1). `uniform_unit_variance`: U(-sqrt 3, sqrt 3) (Goodfellow et al. 2014)."""
