"""What every differentiable augmentation is: a config that is also the function, applied to a view inside the step.

Parameters are drawn per example from the stream, for the global batch. Pixels are augmented in float32, whatever the networks compute in; gradients
flow to the pixels, never to the parameters. Shapes are static, so XLA compiles it. Host-side augmentation of real images is `pipelines.augment`.
The operations and their strengths are those of Zhao et al. 2020, "Image Augmentations for GAN Training", arXiv:2006.02595, whose appendix defines
them; the definitions here are a reading of it that has not been compared with code of the authors.
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

        One that `mixes` also gives `mix_partner` (int32 [b]: which example of the view was blended in) and `mix_weight` (float32 [b]: the share of
        the original), and to a view with labels `mixed_label` ([b], those of the partners).
        """
        raise NotImplementedError(f"{type(self).__name__} must say what it does to a view")


class ImageAugmentation(Augmentation):
    """One that looks at the pixels alone."""

    def __call__(self, view, stream, state):
        image = view["image"]
        return view | {"image": tf.cast(self.transform(tf.cast(image, tf.float32), stream, state), image.dtype)}

    def transform(self, images: tf.Tensor, stream: random.Stream, state: State) -> tf.Tensor:
        """float32 [b, h, w, c] in [-1, 1] -> the same."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does to images")


@dataclasses.dataclass(kw_only=True)
class Steady:
    """The same strength throughout."""

    def at(self, strength: float, progress: tf.Tensor) -> tf.Tensor:
        """The strength when the share `progress` of the training is done: float32 scalar."""
        return tf.constant(strength, tf.float32)


@dataclasses.dataclass(kw_only=True)
class Annealing:
    """Linear in the training's progress, from the augmentation's strength to `end`. Zhao et al. 2020 found no gain in it over `Steady`."""

    end: float = 0.0

    def __post_init__(self):
        check_share("Annealing.end", self.end)

    def at(self, strength: float, progress: tf.Tensor) -> tf.Tensor:
        """The strength when the share `progress` of the training is done: float32 scalar."""
        return strength + (self.end - strength) * progress


@dataclasses.dataclass(kw_only=True)
class Graded(ImageAugmentation):
    """One with a strength, the lambda_aug of Zhao et al. 2020: at 0 it is the identity."""

    strength: float = 0.1
    """In [0, 1]; each operation says what it bounds."""
    schedule: Steady | Annealing = dataclasses.field(default_factory=Steady)

    def __post_init__(self):
        check_share(f"{type(self).__name__}.strength", self.strength)

    def strength_at(self, state: State) -> tf.Tensor:
        """The strength now: float32 scalar."""
        return self.schedule.at(self.strength, state.progress)


@dataclasses.dataclass(kw_only=True)
class Sequence(Augmentation):
    """One after the other, each with its own strength and its own random numbers. Empty, it is the identity."""

    augmentations: tuple[Augmentation, ...] = ()

    def __post_init__(self):
        wrong = [a for a in self.augmentations if not isinstance(a, Augmentation)]
        if wrong:
            raise ValueError(f"Sequence.augmentations are configs of tfgan_suite.augment. Received: {wrong[0]!r}.")
        mixing = [type(a).__name__ for a in self.augmentations if a.mixes]
        if len(mixing) > 1:
            raise ValueError(f"A Sequence mixes at most once: a mixed example has two labels. Received: {', '.join(mixing)}. Leave all but one out.")

    @property
    def mixes(self) -> bool:
        return any(a.mixes for a in self.augmentations)

    @property
    def adaptive(self) -> bool:
        return any(a.adaptive for a in self.augmentations)

    def check(self, shape):
        for augmentation in self.augmentations:
            augmentation.check(shape)

    def __call__(self, view, stream, state):
        for i, augmentation in enumerate(self.augmentations):
            view = augmentation(view, stream.fold(i), state)
        return view


def check_share(name: str, value: float) -> None:
    """Raises a ValueError unless `value` lies in [0, 1]."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must lie in [0, 1]. Received: {value}.")
