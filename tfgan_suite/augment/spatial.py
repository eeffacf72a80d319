"""Augmentations that move or cover pixels: zooms, translations and CutOut of Zhao et al. 2020, arXiv:2006.02595.

The amount a of each example is drawn anew, up to the strength, and shifts and sides are rounded to whole pixels.

Differs from the paper: a zoom samples the image once on the scaled grid, where the paper crops and then resizes; they part within half a source pixel
of the window's edge. A CutOut of less than half a pixel cuts nothing.
"""

import dataclasses

import tensorflow as tf

from tfgan_suite.augment import policy, rectangle, sampling


@dataclasses.dataclass(kw_only=True)
class ZoomIn(policy.Graded):
    """A window of (1 - a) of each side at a uniform place, scaled to the image's size; a ~ U(0, strength)."""

    def transform(self, images, stream, state):
        b, h, w, _ = images.shape
        amount = stream.fold("amount").uniform((b,)) * self.strength_at(state)
        place = stream.fold("place").uniform((b, 2)) * amount[:, None]
        return sampling.resample(images, sampling.window(h, 1.0 - amount, place[:, 0] * h), sampling.window(w, 1.0 - amount, place[:, 1] * w))


@dataclasses.dataclass(kw_only=True)
class ZoomOut(policy.Graded):
    """Reflected margins of a of each side all around, then a window of (1 + a) of each side at a uniform place, scaled to the image's size;
    a ~ U(0, strength)."""

    def transform(self, images, stream, state):
        b, h, w, _ = images.shape
        amount = stream.fold("amount").uniform((b,)) * self.strength_at(state)
        place = stream.fold("place").uniform((b, 2)) * amount[:, None]
        return sampling.resample(images, sampling.window(h, 1.0 + amount, -place[:, 0] * h), sampling.window(w, 1.0 + amount, -place[:, 1] * w))


@dataclasses.dataclass(kw_only=True)
class Translation(policy.Graded):
    """A shift by round(a h) rows and round(a w) columns, a ~ U(-strength, strength) for each axis; what is laid bare mirrors the image."""

    margins: str = "reflect"
    """`reflect` mirrors at the centre of the outer pixel; `symmetric` at its edge, so that it appears twice."""

    def __post_init__(self):
        super().__post_init__()
        if self.margins not in ("reflect", "symmetric"):
            raise ValueError(f"{type(self).__name__}.margins must be reflect or symmetric. Received: {self.margins!r}.")

    def transform(self, images, stream, state):
        b, h, w, _ = images.shape
        amount = stream.uniform((b, 2), -1.0, 1.0) * self.strength_at(state)
        return self.move(images, sampling.shifted(h, tf.round(amount[:, 0] * h)), sampling.shifted(w, tf.round(amount[:, 1] * w)))

    def move(self, images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        """The images at these coordinates of both axes."""
        return sampling.resample(images, rows, columns, self.margins)


@dataclasses.dataclass(kw_only=True)
class TranslationX(Translation):
    """`Translation` to the left and right only."""

    def move(self, images, rows, columns):
        return sampling.resample(images, None, columns, self.margins)


@dataclasses.dataclass(kw_only=True)
class TranslationY(Translation):
    """`Translation` up and down only."""

    def move(self, images, rows, columns):
        return sampling.resample(images, rows, None, self.margins)


@dataclasses.dataclass(kw_only=True)
class CutOut(policy.Graded):
    """A rectangle of round(a h) by round(a w) pixels at a uniform place inside turns black; a ~ U(0, strength). No gradient passes there."""

    def transform(self, images, stream, state):
        b, h, w, _ = images.shape
        amount = stream.fold("amount").uniform((b,)) * self.strength_at(state)
        mask, _ = rectangle.draw(stream.fold("place"), amount, h, w)
        return tf.where(mask, -1.0, images)
