"""The augmentations of adaptive discriminator augmentation, its pipeline "bgc". Karras et al. 2020, arXiv:2006.06676, appendix B.

Each transformation of each example happens with `State.probability`, which the model adapts. All movements of pixels are composed and sampled once,
and so are all changes of colour, which leave the range.

Differs from the paper: the sampling is bilinear, where theirs filters with orthogonal wavelets (sym6) at twice the resolution, so that an image that
is shrunk aliases a little. Margins mirror the image at any distance.
"""

import dataclasses
import math
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.augment import color, policy, sampling
from tfgan_suite.ops import random


def scaling(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """[b, 3, 3] that multiplies the two coordinates by factors [b]."""
    return tf.linalg.diag(tf.stack([x, y, tf.ones_like(x)], 1))


def rotation(cosine: tf.Tensor, sine: tf.Tensor) -> tf.Tensor:
    """[b, 3, 3] that turns (x, y) by the angle with this cosine and sine [b], and scales it where both are."""
    one, zero = tf.ones_like(cosine), tf.zeros_like(cosine)
    return tf.stack([tf.stack([cosine, -sine, zero], 1), tf.stack([sine, cosine, zero], 1), tf.stack([zero, zero, one], 1)], 1)


def moving(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """[b, 3, 3] that adds (x, y), each [b]."""
    one, zero = tf.ones_like(x), tf.zeros_like(x)
    return tf.stack([tf.stack([one, zero, x], 1), tf.stack([zero, one, y], 1), tf.stack([zero, zero, one], 1)], 1)


BLITS = ("flip", "quarters", "whole shift")
GEOMETRIES = ("scale", "turn before", "stretch", "turn after", "shift")
COLORS = ("brightness", "contrast", "luma flip", "hue", "saturation")
TRANSFORMATIONS = BLITS + GEOMETRIES + COLORS


class Chances:
    """Draws for `rows` examples: parameters that are 0 unless their transformation is chosen. All at once, since many small draws cost more."""

    def __init__(self, stream: random.Stream, rows: int, probability: tf.Tensor):
        self.probability = probability
        self._chosen = stream.fold("chosen").uniform((rows, len(TRANSFORMATIONS)))
        self._uniform = stream.fold("uniform").uniform((rows, len(TRANSFORMATIONS), 2))
        self._normal = stream.fold("normal").normal((rows, len(TRANSFORMATIONS), 2))

    def uniform(self, name: str, low: float, high: float, probability: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Two numbers [b] in [low, high), or 0 both."""
        return self._where_chosen(name, low + (high - low) * self._uniform[:, TRANSFORMATIONS.index(name)], probability)

    def normal(self, name: str, deviation: float) -> tuple[tf.Tensor, tf.Tensor]:
        """Two numbers [b] with this standard deviation, or 0 both."""
        return self._where_chosen(name, deviation * self._normal[:, TRANSFORMATIONS.index(name)], None)

    def _where_chosen(self, name, drawn, probability):
        chosen = self._chosen[:, TRANSFORMATIONS.index(name), None] < (self.probability if probability is None else probability)
        return tuple(tf.unstack(tf.where(chosen, drawn, 0.0), axis=1))


def blit(chances: Chances, height: int, width: int) -> tf.Tensor:
    """From the result's pixels to the image's [b, 3, 3]: mirrored, turned by quarters, moved by whole pixels up to an eighth of each side."""
    flip = 1.0 - 2.0 * tf.floor(chances.uniform("flip", 0.0, 2.0)[0])
    quarters = tf.floor(chances.uniform("quarters", 0.0, 4.0)[0]) * (math.pi / 2)
    x, y = chances.uniform("whole shift", -0.125, 0.125)
    inverse = scaling(flip, tf.ones_like(flip)) @ rotation(tf.round(tf.cos(quarters)), tf.round(tf.sin(quarters)))
    return inverse @ moving(-tf.round(x * width), -tf.round(y * height))


def geometry(chances: Chances, height: int, width: int) -> tf.Tensor:
    """From the result's pixels to the image's [b, 3, 3]: scaled, turned, stretched, turned again, moved. With p, there is a turn before or after."""
    once = 1.0 - tf.sqrt(tf.maximum(1.0 - chances.probability, 0.0))
    scale, stretch = tf.pow(2.0, -chances.normal("scale", 0.2)[0]), tf.pow(2.0, chances.normal("stretch", 0.2)[0])
    before, after = (chances.uniform(f"turn {when}", -math.pi, math.pi, once)[0] for when in ("before", "after"))
    x, y = chances.normal("shift", 0.125)
    inverse = rotation(scale * tf.cos(before), scale * tf.sin(before)) @ scaling(1.0 / stretch, stretch)
    return inverse @ rotation(tf.cos(after), tf.sin(after)) @ moving(-x * width, -y * height)


def colors(chances: Chances) -> tf.Tensor:
    """The map of colours [b, 4, 4]: brightness, then contrast, luma flip, hue, saturation."""
    matrix = color.contrast(tf.pow(2.0, chances.normal("contrast", 0.5)[0])) @ color.brightness(chances.normal("brightness", 0.2)[0])
    matrix = color.luma_flip(chances.uniform("luma flip", 0.0, 2.0)[0] >= 1.0) @ matrix
    matrix = color.hue(chances.uniform("hue", -math.pi, math.pi)[0]) @ matrix
    return color.saturation(tf.pow(2.0, chances.normal("saturation", 1.0)[0])) @ matrix


@dataclasses.dataclass(kw_only=True)
class AdaptiveAugmentation(policy.ImageAugmentation):
    """The pipeline: blit (mirror, quarter turns, whole shifts), geometry (scales, turns, shifts), colour."""

    adaptive: ClassVar[bool] = True
    groups: str = "bgc"
    """Which of the three, by their initials: the paper compares "b", "bg" and "bgc"."""

    def __post_init__(self):
        if not self.groups or set(self.groups) - set("bgc") or len(set(self.groups)) < len(self.groups):
            raise ValueError(f"AdaptiveAugmentation.groups must be some of the letters b, g and c, each once. Received: {self.groups!r}.")

    def check(self, shape):
        if shape[-1] not in (1, 3):
            raise ValueError(f"AdaptiveAugmentation needs grey or colour images. Received: images of shape {shape}.")

    def transform(self, images, stream, state):
        b, h, w, _ = images.shape
        chances = Chances(stream, b, state.probability)
        movements = [function(chances, h, w) for letter, function in (("b", blit), ("g", geometry)) if letter in self.groups]
        if movements:
            images = sampling.affine(images, movements[0] if len(movements) == 1 else movements[0] @ movements[1])
        return color.apply(images, colors(chances)) if "c" in self.groups else images
