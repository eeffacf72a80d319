"""Mirrored half of the time, then moved by a few pixels: the augmentation of consistency regularisation.

Zhang et al. 2020, arXiv:1910.12027, with the ranges and the reflected margins of StudioGAN, Kang et al. 2023, arXiv:2206.09479.
"""

import dataclasses

import tensorflow as tf

from tfgan_suite.augment import policy, sampling


@dataclasses.dataclass(kw_only=True)
class FlipAndShift(policy.ImageAugmentation):
    """Left and right exchanged, then a shift by whole pixels, uniform up to a share of each side either way."""

    flip: float = 0.5
    """The probability of the exchange."""
    shift: float = 0.125
    """The largest shift as a share of the side, rounded down to pixels."""

    def __post_init__(self):
        policy.check_share("FlipAndShift.flip", self.flip)
        policy.check_share("FlipAndShift.shift", self.shift)

    def transform(self, images, stream, state):
        b, h, w, _ = images.shape
        flipped = stream.fold("flip").uniform((b,)) < self.flip
        place = stream.fold("shift").uniform((b, 2))
        return flip_and_shift(images, flipped, whole(place[:, 0], int(h * self.shift)), whole(place[:, 1], int(w * self.shift)))


def whole(place: tf.Tensor, most: int) -> tf.Tensor:
    """Uniform [0, 1) -> uniform whole numbers from -most to most, float32."""
    return tf.floor(place * (2 * most + 1)) - most


def flip_and_shift(images: tf.Tensor, flipped: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """[b, h, w, c] with left and right exchanged where `flipped` [b], then moved by `down` and `right` [b] whole pixels, with reflected margins."""
    _, h, w, _ = images.shape
    columns = sampling.reflect(sampling.shifted(w, right), w)
    columns = tf.where(flipped[:, None], w - 1.0 - columns, columns)
    return sampling.resample(images, sampling.shifted(h, down), columns)
