"""Augmentations that blend examples of one view: CutMix and MixUp as Zhao et al. 2020, arXiv:2006.02595, use them.

Reals are mixed with reals and fakes with fakes, so the game's targets stay; labels are for the discriminator to mix, in the shares given. The partner
is the example k >= 1 places before, with one random k for the view. It is sought among the rows that this replica has: several replicas see the
distribution of one, not its numbers.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.augment import policy, rectangle

ATTEMPTS = 32
"""Candidates for a Beta number; at the worst, strength 1, one in 2^32 examples has none accepted."""


@dataclasses.dataclass(kw_only=True)
class Mixing(policy.Graded):
    """The base: finds partners, and tells who was mixed with whom."""

    mixes: ClassVar[bool] = True

    def __call__(self, view, stream, state):
        image = view["image"]
        rows = image.shape[0]
        if rows < 2:
            raise ValueError(f"{type(self).__name__} mixes examples of one replica with each other and needs two. Received: {rows} per replica.")
        shift = 1 + stream.fold("partner").integers((1,), rows - 1)[0]
        images = tf.cast(image, tf.float32)
        mixed, weight = self.blend(images, tf.roll(images, shift, 0), stream.fold("blend"), self.strength_at(state))
        mixed = view | {"image": tf.cast(mixed, image.dtype), "mix_partner": tf.roll(tf.range(rows), shift, 0), "mix_weight": weight}
        return mixed | ({"mixed_label": tf.roll(view["label"], shift, 0)} if "label" in view else {})

    def blend(self, images: tf.Tensor, partners: tf.Tensor, stream, strength: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """float32 [b, h, w, c], twice -> (the same, share of the originals [b])."""
        raise NotImplementedError(f"{type(self).__name__} must say how it blends")


@dataclasses.dataclass(kw_only=True)
class CutMix(Mixing):
    """A rectangle of round(a h) by round(a w) pixels, at a uniform place inside, of the partner; a ~ U(0, strength). Yun et al. 2019."""

    def blend(self, images, partners, stream, strength):
        b, h, w, _ = images.shape
        mask, area = rectangle.draw(stream.fold("place"), stream.fold("amount").uniform((b,)) * strength, h, w)
        return tf.where(mask, partners, images), 1.0 - area


@dataclasses.dataclass(kw_only=True)
class MixUp(Mixing):
    """a x + (1 - a) x' with a = max(a', 1 - a'), a' ~ Beta(strength, strength). Zhang et al. 2018."""

    def blend(self, images, partners, stream, strength):
        weight = larger_share(stream, images.shape[0], strength)
        a = weight[:, None, None, None]
        return a * images + (1.0 - a) * partners, weight


def larger_share(stream, rows: int, strength: tf.Tensor) -> tf.Tensor:
    """max(a, 1 - a) [rows] for a ~ Beta(s, s) with a scalar s in [0, 1]; 1 at s = 0.

    Joehnk 1964: for uniform u, v the share u^(1/s) / (u^(1/s) + v^(1/s)) is Beta(s, s), given that the sum is at most 1. In logarithms, since u^(1/s)
    underflows for small s.
    """
    s = tf.maximum(strength, 1e-6)
    u = tf.math.log(1.0 - stream.fold("u").uniform((rows, ATTEMPTS))) / s
    v = tf.math.log(1.0 - stream.fold("v").uniform((rows, ATTEMPTS))) / s
    accepted = tf.maximum(u, v) + tf.math.softplus(-tf.abs(u - v)) <= 0.0
    first = tf.argmax(tf.cast(accepted, tf.int32), axis=1, output_type=tf.int32)
    chosen = tf.reduce_sum(tf.sigmoid(tf.abs(u - v)) * tf.one_hot(first, ATTEMPTS), axis=1)
    return tf.where(strength > 0.0, chosen, 1.0)
