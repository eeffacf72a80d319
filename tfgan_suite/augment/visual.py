"""Augmentations that change values and leave pixels in place: Zhao et al. 2020, arXiv:2006.02595, and instance noise.

Their strengths are those of values v = (x + 1) / 2 in [0, 1]. Clipped values pass no gradient.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.augment import policy


@dataclasses.dataclass(kw_only=True)
class Visual(policy.Graded):
    """The base: images to [0, 1] and back."""

    def transform(self, images, stream, state):
        return self.change((images + 1.0) / 2.0, stream, self.strength_at(state)) * 2.0 - 1.0

    def change(self, values: tf.Tensor, stream, strength: tf.Tensor) -> tf.Tensor:
        """float32 [b, h, w, c] in [0, 1] -> the same."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does to values")


@dataclasses.dataclass(kw_only=True)
class Brightness(Visual):
    """clip(v + a) for all channels; a ~ U(-strength, strength)."""

    def change(self, values, stream, strength):
        amount = stream.uniform((values.shape[0], 1, 1, 1), -1.0, 1.0) * strength
        return tf.clip_by_value(values + amount, 0.0, 1.0)


@dataclasses.dataclass(kw_only=True)
class Redness(Visual):
    """clip(v + a) for the red channel alone; a ~ U(-strength, strength)."""

    channel: ClassVar[int] = 0

    def check(self, shape):
        if shape[-1] != 3:
            raise ValueError(f"{type(self).__name__} needs images of three channels. Received: images of shape {shape}. Use Brightness.")

    def change(self, values, stream, strength):
        amount = stream.uniform((values.shape[0], 1, 1, 1), -1.0, 1.0) * strength
        return tf.clip_by_value(values + amount * tf.one_hot(self.channel, 3), 0.0, 1.0)


@dataclasses.dataclass(kw_only=True)
class Greenness(Redness):
    """`Redness` for the green channel."""

    channel: ClassVar[int] = 1


@dataclasses.dataclass(kw_only=True)
class Blueness(Redness):
    """`Redness` for the blue channel."""

    channel: ClassVar[int] = 2


@dataclasses.dataclass(kw_only=True)
class InstanceNoise(Visual):
    """v + n with n normal for each value, not clipped. Soenderby et al. 2017, arXiv:1610.04490, who anneal it to nothing."""

    measure: str = "deviation"
    """What the strength is of n: `deviation` or `variance`; "N(0, lambda)" in Zhao et al. may mean either."""
    clip: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.measure not in ("deviation", "variance"):
            raise ValueError(f"InstanceNoise.measure must be deviation or variance. Received: {self.measure!r}.")

    def change(self, values, stream, strength):
        values += stream.normal(values.shape) * (strength if self.measure == "deviation" else tf.sqrt(strength))
        return tf.clip_by_value(values, 0.0, 1.0) if self.clip else values
