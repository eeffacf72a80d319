"""Host-side augmentations of real images, applied to whole batches in tf.data.

Each is a config that is also the function. It takes images [b, h, w, c] float32 in [-1, 1] and gives the same shape, in [-1, 1]. Its random
numbers are a function of (seed, its place in the list, the global index of the example), so neither a resume, nor the batch size, nor the number
of hosts changes what happens to an example (a resume to the bit, the others to rounding). Of the other keys of a batch nothing is changed: where
left and right are part of a label or a text, leave `Flip` out. Differentiable augmentation inside the step is `tfgan_suite.augment`.
"""

import dataclasses
import hashlib
import math
from typing import ClassVar

import tensorflow as tf

from tfgan_suite import compat

_PHILOX = 1  # tf.random.Algorithm.PHILOX


class Draws:
    """Random numbers for consecutive examples, by their global index.

    Philox is a counter-based generator: block i of four numbers is a function of (key, i). An example that needs n numbers owns ceil(n / 4) blocks.
    """

    def __init__(self, seed: int, first: tf.Tensor | int, count: int):
        """For the examples `first` (an integer scalar) to `first + count - 1`."""
        self._seed, self._first, self._count = str(seed), tf.cast(first, tf.uint64), count

    def fold(self, name: str) -> "Draws":
        """Numbers independent of these and of those under any other name."""
        return Draws(f"{self._seed}/{name}", self._first, self._count)

    def uniform(self, name: str, shape: tuple[int, ...] = (), low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """float32 [b, *shape] in [low, high)."""
        size = math.prod(shape)
        blocks = -(-size // 4)
        digest = hashlib.blake2b(f"{self._seed}/{name}".encode(), digest_size=8).digest()
        key = tf.constant([int.from_bytes(digest, "little")], tf.uint64)
        counter = tf.stack([self._first * tf.constant(blocks, tf.uint64), tf.zeros([], tf.uint64)])
        numbers = tf.raw_ops.StatelessRandomUniformV2(shape=[self._count, 4 * blocks], key=key, counter=counter, alg=_PHILOX, dtype=tf.float32)
        return low + (high - low) * tf.reshape(numbers[:, :size], (self._count, *shape))


@dataclasses.dataclass(kw_only=True)
class Augmentation:
    """The base of all."""

    moves_pixels: ClassVar[bool] = False
    """Whether another image of the same example (mask, normals) would no longer fit."""

    def check(self, shape: tuple[int, int, int]) -> None:
        """A ValueError where images of this shape cannot be augmented so."""

    def __call__(self, images: tf.Tensor, draws: Draws) -> tf.Tensor:
        raise NotImplementedError


@dataclasses.dataclass(kw_only=True)
class Flip(Augmentation):
    """Left and right exchanged."""

    probability: float = 0.5
    moves_pixels: ClassVar[bool] = True

    def __post_init__(self):
        _within(self, "probability", 0.0, 1.0)

    def __call__(self, images, draws):
        return _choose(draws.uniform("flip") < self.probability, tf.reverse(images, [2]), images)


@dataclasses.dataclass(kw_only=True)
class PadAndCrop(Augmentation):
    """Margins of `padding` pixels, then a random window of the old size: a shift by up to `padding` pixels (He et al. 2015, section 4.2: 4)."""

    padding: int = 4
    margins: str = "reflect"
    """A name in `MARGINS`."""
    moves_pixels: ClassVar[bool] = True

    def __post_init__(self):
        if self.padding < 1:
            raise ValueError(f"PadAndCrop.padding must be at least 1. Received: {self.padding}.")
        _among(self, "margins", MARGINS)

    def check(self, shape):
        if self.margins == "reflect" and self.padding >= min(shape[:2]):
            raise ValueError(f"PadAndCrop reflects at most {min(shape[:2]) - 1} pixels of images of shape {shape}. Received: padding={self.padding}.")

    def __call__(self, images, draws):
        b, h, w, _ = images.shape
        p = self.padding
        padded = MARGINS[self.margins](images, [[0, 0], [p, p], [p, p], [0, 0]])
        corner = tf.cast(draws.uniform("corner", (2,), 0.0, 2.0 * p + 1.0), tf.int32)
        rows = tf.gather(padded, corner[:, :1] + tf.range(h), axis=1, batch_dims=1)
        return tf.ensure_shape(tf.gather(rows, corner[:, 1:] + tf.range(w), axis=2, batch_dims=1), images.shape)


MARGINS = {
    "black": lambda images, paddings: tf.pad(images, paddings, constant_values=-1.0),
    "reflect": lambda images, paddings: tf.pad(images, paddings, mode="REFLECT"),
}


@dataclasses.dataclass(kw_only=True)
class ResizedCrop(Augmentation):
    """A random window scaled back to the image's size, bilinear (Szegedy et al. 2015; the ranges of SimCLR, Chen et al. 2020, appendix A)."""

    min_area: float = 0.08
    """The window's area is uniform in [min_area, 1] of the image's; a window longer than the image is cut to it."""
    max_aspect: float = 4 / 3
    """The logarithm of the window's aspect is uniform up to that of this, either way."""
    moves_pixels: ClassVar[bool] = True

    def __post_init__(self):
        _within(self, "min_area", 0.01, 1.0)
        _within(self, "max_aspect", 1.0, 10.0)

    def __call__(self, images, draws):
        b, h, w, _ = images.shape
        u = draws.uniform("window", (4,))
        area = self.min_area + (1.0 - self.min_area) * u[:, 0]
        aspect = tf.exp(math.log(self.max_aspect) * (2.0 * u[:, 1] - 1.0))
        size = tf.minimum(tf.stack([tf.sqrt(area / aspect), tf.sqrt(area * aspect)], 1), 1.0)
        corner = u[:, 2:] * (1.0 - size)
        cropped = tf.image.crop_and_resize(images, tf.concat([corner, corner + size], 1), tf.range(b), (h, w))
        return tf.clip_by_value(cropped, -1.0, 1.0)


@dataclasses.dataclass(kw_only=True)
class ColorJitter(Augmentation):
    """On v = (x + 1) / 2, image by image, clipped to [0, 1] after each: v * f; mean grey + (v - mean grey) * f; grey + (v - grey) * f.

    Each f is uniform in [1 - s, 1 + s], s being the strength (the factors of SimCLR, without hue). Grey images keep their saturation.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2

    def __post_init__(self):
        for name in ("brightness", "contrast", "saturation"):
            _within(self, name, 0.0, 1.0)

    def check(self, shape):
        if shape[-1] not in (1, 3):
            raise ValueError(f"ColorJitter needs grey or RGB images. Received: images of shape {shape}.")

    def __call__(self, images, draws):
        u = draws.uniform("factors", (3,), -1.0, 1.0)[:, :, None, None, None]
        v = (images + 1.0) / 2.0
        v = tf.clip_by_value(v * (1.0 + self.brightness * u[:, 0]), 0.0, 1.0)
        mean = tf.reduce_mean(_grey(v), axis=[1, 2, 3], keepdims=True)
        v = tf.clip_by_value(mean + (v - mean) * (1.0 + self.contrast * u[:, 1]), 0.0, 1.0)
        grey = _grey(v)
        v = tf.clip_by_value(grey + (v - grey) * (1.0 + self.saturation * u[:, 2]), 0.0, 1.0)
        return v * 2.0 - 1.0


def _grey(values: tf.Tensor) -> tf.Tensor:
    """[b, h, w, 1 or 3] -> luminance [b, h, w, 1] (ITU-R BT.601)."""
    return tf.image.rgb_to_grayscale(values) if values.shape[-1] == 3 else values


@dataclasses.dataclass(kw_only=True)
class Rotation(Augmentation):
    """A turn by an angle uniform in [-degrees, degrees], bilinear, the corners filled by reflection."""

    degrees: float = 15.0
    moves_pixels: ClassVar[bool] = True

    def __post_init__(self):
        _within(self, "degrees", 0.0, 180.0)

    def __call__(self, images, draws):
        angles = math.radians(self.degrees) * draws.uniform("angle", (), -1.0, 1.0)
        rotated = compat.tfa_image().rotate(images, angles, interpolation="bilinear", fill_mode="reflect")
        return tf.clip_by_value(tf.ensure_shape(rotated, images.shape), -1.0, 1.0)


@dataclasses.dataclass(kw_only=True)
class Blur(Augmentation):
    """A Gaussian blur of standard deviation `sigma` pixels, on some images."""

    sigma: float = 1.0
    probability: float = 0.5

    def __post_init__(self):
        _within(self, "sigma", 0.05, 50.0)
        _within(self, "probability", 0.0, 1.0)

    def check(self, shape):
        if self._radius() >= min(shape[:2]):
            raise ValueError(f"Blur reaches {self._radius()} pixels, three sigma, beyond images of shape {shape}. Received: sigma={self.sigma}.")

    def __call__(self, images, draws):
        blurred = compat.tfa_image().gaussian_filter2d(images, 2 * self._radius() + 1, self.sigma, padding="REFLECT")
        blurred = tf.clip_by_value(tf.ensure_shape(blurred, images.shape), -1.0, 1.0)
        return _choose(draws.uniform("chosen") < self.probability, blurred, images)

    def _radius(self) -> int:
        return math.ceil(3 * self.sigma)


@dataclasses.dataclass(kw_only=True)
class Dequantize(Augmentation):
    """2 (x / 256 - 1/2) + U(0, noise) for bytes x: the dequantisation of WGAN-GP's and SN-GAN's code, where noise is 1/128."""

    noise: float = 1 / 128

    def __post_init__(self):
        _within(self, "noise", 0.0, 1 / 128)

    def __call__(self, images, draws):
        return (images + 1.0) * (255.0 / 256.0) - 1.0 + draws.uniform("noise", tuple(images.shape[1:]), 0.0, self.noise)


AUGMENTATIONS = {
    "Blur": Blur,
    "ColorJitter": ColorJitter,
    "Dequantize": Dequantize,
    "Flip": Flip,
    "PadAndCrop": PadAndCrop,
    "ResizedCrop": ResizedCrop,
    "Rotation": Rotation,
}
"""Class name, as in an experiment's JSON -> class."""


def check(augmentations: tuple[Augmentation, ...], shape: tuple[int, int, int]) -> None:
    """ValueError unless all are configs of this module that suit images of `shape` (height, width, channels)."""
    for augmentation in augmentations:
        if not isinstance(augmentation, tuple(AUGMENTATIONS.values())):
            raise ValueError(f"data.augmentations are configs of pipelines.augment: {', '.join(AUGMENTATIONS)}. Received: {augmentation!r}.")
        augmentation.check(shape)


def apply(augmentations: tuple[Augmentation, ...], images: tf.Tensor, draws: Draws) -> tf.Tensor:
    """One after the other, each with its own numbers."""
    for i, augmentation in enumerate(augmentations):
        images = augmentation(images, draws.fold(f"{i} {type(augmentation).__name__}"))
    return images


def _choose(condition: tf.Tensor, there: tf.Tensor, here: tf.Tensor) -> tf.Tensor:
    """Images of `there` where `condition` [b], of `here` elsewhere. Twice as fast as tf.where, which broadcasts."""
    return tf.raw_ops.Select(condition=condition, x=there, y=here)


def _within(config: Augmentation, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    if not low <= value <= high:
        raise ValueError(f"{type(config).__name__}.{name} must lie in [{low:g}, {high:g}]. Received: {value}.")


def _among(config: Augmentation, name: str, table: dict) -> None:
    if getattr(config, name) not in table:
        raise ValueError(f"{type(config).__name__}.{name} must be one of {', '.join(table)}. Received: {getattr(config, name)!r}.")
