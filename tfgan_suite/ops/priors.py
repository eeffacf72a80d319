"""Distributions of the latents: drawn from a stream in training, from one seed per row in an exported model; and the way between two of them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfgan_suite.ops import random


class Prior(NamedTuple):
    """A distribution of latents, drawn in the two ways that are needed, and how one of its latents turns into another."""

    draw: Callable[[random.Stream, tuple[int, int], float], tf.Tensor]
    """(stream, (b, z), truncation) -> latents [b, z] with magnitudes up to `truncation`, which may be infinite."""
    rows: Callable[[tf.Tensor, int, tf.Tensor], tf.Tensor]
    """(seeds [b] int64, z, truncation [b]) -> latents [b, z]; row i is a function of seeds[i] and truncation[i] alone."""
    between: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
    """(a [b, z], b [b, z], share [b] in [0, 1]) -> latents [b, z] on the way from a to b: a itself at 0, b itself at 1."""


def straight(a: tf.Tensor, b: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """(1 - t) a + t b, row by row; within the box that holds a and b."""
    return _ends(a, b, share, (1.0 - share[:, None]) * a + share[:, None] * b)


def spherical(a: tf.Tensor, b: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """sin((1 - t) w) / sin w a + sin(t w) / sin w b with w the angle between a and b, row by row; straight where they are parallel.

    Along the great circle a latent keeps the length at which the prior has nearly all its mass; a straight line would leave it (White 2016,
    arXiv:1609.04468, section 2.1). Single numbers of a row may exceed the largest of a and b on the way. The angle is Kahan's
    2 atan2(|p - q|, |p + q|) of the unit vectors p and q, which the arc cosine gives too roughly for near ones in float32.
    """
    p, q = (tf.math.divide_no_nan(x, tf.norm(x, axis=1, keepdims=True)) for x in (a, b))
    angle = 2.0 * tf.atan2(tf.norm(p - q, axis=1, keepdims=True), tf.norm(p + q, axis=1, keepdims=True))
    sine, t = tf.sin(angle), share[:, None]
    parallel = sine < 1e-6
    safe = tf.where(parallel, tf.ones_like(sine), sine)
    bent = (tf.sin((1.0 - t) * angle) * a + tf.sin(t * angle) * b) / safe
    return _ends(a, b, share, tf.where(parallel, straight(a, b, share), bent))


def _ends(a, b, share, way):
    """`way`, but a and b bit for bit at its ends."""
    return tf.where(share[:, None] <= 0.0, a, tf.where(share[:, None] >= 1.0, b, way))


def _normal(stream, shape, truncation):
    return stream.normal(shape) if math.isinf(truncation) else stream.truncated_normal(shape, truncation)


def _uniform(limit: float) -> Prior:
    def draw(stream, shape, truncation):
        bound = min(limit, truncation)
        return stream.uniform(shape, -bound, bound)

    def rows(seeds, size, truncation):
        return (2.0 * random.row_uniform(seeds, size) - 1.0) * tf.minimum(truncation, limit)[:, None]

    return Prior(draw, rows, straight)


PRIORS = {
    "normal": Prior(_normal, lambda seeds, size, truncation: random.row_truncated_normal(seeds, size, truncation), spherical),
    "uniform": _uniform(1.0),
    "uniform_unit_variance": _uniform(math.sqrt(3.0)),
}
"""`normal`: N(0, 1), truncated by resampling. `uniform`: U(-1, 1). `uniform_unit_variance`: U(-sqrt 3, sqrt 3) (Goodfellow et al. 2014)."""
