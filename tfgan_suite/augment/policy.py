"""What every differentiable augmentation is: a config that is also the function, applied to a view inside the step.

Parameters are drawn per example from the stream, for the global batch. Pixels are augmented in float32, whatever the networks compute in; gradients
flow to the pixels, never to the parameters. Shapes are static, so XLA compiles it. Host-side augmentation of real images is `pipelines.augment`.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.ops import random

View = dict[str, tf.Tensor]
"""{"image": [b, h, w, c] in [-1, 1], "label": [b], ...}."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """What an augmentation may depend on beside its own settings."""

    progress: tf.Tensor
    """float32 scalar: the share of the training that is done, in [0, 1]."""
    probability: tf.Tensor
    """float32 scalar: with which each transformation of an adaptive augmentation is applied, in [0, 1]."""


class Augmentation:
    """The base of all. Subclasses are keyword-only dataclasses with a row in `registry.TYPES`."""

    mixes: ClassVar[bool] = False
    """Whether it blends examples of the batch with one another, labels included."""
    adaptive: ClassVar[bool] = False
    """Whether it reads `State.probability`, which the model then adapts."""

    def check(self, shape: tuple[int, int, int]) -> None:
        """A ValueError where images of this shape (height, width, channels) cannot be augmented so; for the model's constructor."""

    def __call__(self, view: View, stream: random.Stream, state: State) -> View:
        """The view with a new image of the same shape and dtype.

        One that `mixes` also gives, to a view with labels, `mixed_label` (those of the examples blended in, [b]) and `mix_weight` (the share of
        the original, float32 [b]).
        """
        raise NotImplementedError(f"{type(self).__name__} must say what it does to a view")
