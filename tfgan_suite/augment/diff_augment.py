"""DiffAugment. Zhao, Liu, Lin, Zhu, Han 2020, arXiv:2006.10738, after the authors' code, on images in [-1, 1]: 0, its fill, is grey."""

import dataclasses

import tensorflow as tf

from tfgan_suite.augment import flip_and_shift, policy, rectangle, sampling

SHIFT = 0.125
"""The largest translation as a share of the side."""
HOLE = 0.5
"""The side of the hole as a share of the image's."""


def brightness(images: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """x + u - 1/2, for uniform u [b]."""
    return images + (u - 0.5)[:, None, None, None]


def saturation(images: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """The distance from each pixel's mean over channels times 2 u, for uniform u [b]."""
    grey = tf.reduce_mean(images, 3, keepdims=True)
    return grey + (images - grey) * (2.0 * u)[:, None, None, None]


def contrast(images: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """The distance from the image's mean times u + 1/2, for uniform u [b]."""
    mean = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    return mean + (images - mean) * (u + 0.5)[:, None, None, None]


def translate(images: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Moved by whole pixels [b], grey where the image has left."""
    _, h, w, _ = images.shape
    return sampling.resample(images, sampling.shifted(h, down), sampling.shifted(w, right), "zero")


def cut(images: tf.Tensor, row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
    """A hole of half of each side, grey, about the pixel (row, column), each float32 [b]; it may overhang the image."""
    _, h, w, _ = images.shape
    sides = [(centre - side // 2, tf.fill(centre.shape, float(side))) for centre, side in ((row, rounded(h * HOLE)), (column, rounded(w * HOLE)))]
    return tf.where(rectangle.mask(*sides, h, w), 0.0, images)


def rounded(x: float) -> int:
    """To the nearest whole number, halves up."""
    return int(x + 0.5)


def color(images, stream):
    """Brightness, saturation, contrast, each by a number of its own."""
    b = images.shape[0]
    for function in (brightness, saturation, contrast):
        images = function(images, stream.fold(function.__name__).uniform((b,)))
    return images


def translation(images, stream):
    """Whole pixels, uniform up to an eighth of each side either way."""
    b, h, w, _ = images.shape
    place = stream.uniform((b, 2))
    down, right = (flip_and_shift.whole(place[:, i], rounded(side * SHIFT)) for i, side in enumerate((h, w)))
    return translate(images, down, right)


def cutout(images, stream):
    """A hole about a uniform pixel; between pixels, borders included, if its side is even."""
    b, h, w, _ = images.shape
    place = stream.uniform((b, 2))
    row, column = (tf.floor(place[:, i] * (side + 1 - rounded(side * HOLE) % 2)) for i, side in enumerate((h, w)))
    return cut(images, row, column)


OPERATIONS = {"color": color, "translation": translation, "cutout": cutout}


@dataclasses.dataclass(kw_only=True)
class DiffAugment(policy.ImageAugmentation):
    """The operations of a policy, in its order."""

    policy: str = "color,translation,cutout"
    """Names in `OPERATIONS` with commas between them; the paper has "translation,cutout" for BigGAN on CIFAR-10. Empty is the identity."""

    def __post_init__(self):
        unknown = [name for name in self.names if name not in OPERATIONS]
        if unknown:
            raise ValueError(f"DiffAugment.policy: unknown operation {unknown[0]!r}. Allowed, with commas between them: {', '.join(OPERATIONS)}.")

    @property
    def names(self) -> list[str]:
        """The operations, in order."""
        return self.policy.split(",") if self.policy else []

    def transform(self, images, stream, state):
        for i, name in enumerate(self.names):
            images = OPERATIONS[name](images, stream.fold(i).fold(name))
        return images
