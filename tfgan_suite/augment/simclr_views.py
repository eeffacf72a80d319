"""The views of contrastive learning: Chen et al. 2020, arXiv:2002.05709, appendix A, with the strength of their CIFAR-10 runs and without blur.

Differs from the authors' code: the four changes of colour come in one order, not in a random one, and values are clipped once, after the last; hue
turns about the axis of greys, not in HSV. All of it is then one affine map of colours.
"""

import dataclasses
import math

import tensorflow as tf

from tfgan_suite.augment import color, policy, sampling

LUMINANCE = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""


@dataclasses.dataclass(kw_only=True)
class SimclrViews(policy.ImageAugmentation):
    """A random window scaled to the image's size, mirrored half of the time; brightness, contrast, saturation and hue; sometimes grey."""

    min_area: float = 0.08
    """The window's area is uniform in [min_area, 1] of the image's; a window longer than the image is cut to it."""
    max_aspect: float = 4 / 3
    """The logarithm of the window's aspect is uniform up to that of this, either way."""
    flip: float = 0.5
    jitter: float = 0.8
    """The probability that colours change."""
    strength: float = 0.5
    """s: brightness, contrast and saturation are multiplied by numbers in 1 +- 0.8 s, hue turns by up to 0.2 s of the circle (1 for ImageNet)."""
    grey: float = 0.2
    """The probability that colours are lost."""

    def __post_init__(self):
        for name in ("flip", "jitter", "strength", "grey"):
            policy.check_share(f"SimclrViews.{name}", getattr(self, name))
        if not 0.0 < self.min_area <= 1.0:
            raise ValueError(f"SimclrViews.min_area must lie above 0 and not above 1. Received: {self.min_area}.")
        if not self.max_aspect >= 1.0:
            raise ValueError(f"SimclrViews.max_aspect must be at least 1. Received: {self.max_aspect}.")

    def check(self, shape):
        if shape[-1] != 3:
            raise ValueError(f"SimclrViews needs images of three channels. Received: images of shape {shape}. Use FlipAndShift or Translation.")

    def transform(self, images, stream, state):
        values = (self.cropped(images, stream.fold("crop")) + 1.0) / 2.0
        return tf.clip_by_value(color.apply(values, self.colors(values, stream.fold("colors"))), 0.0, 1.0) * 2.0 - 1.0

    def cropped(self, images: tf.Tensor, stream) -> tf.Tensor:
        """Windows of the images, mirrored or not."""
        b, h, w, _ = images.shape
        u = stream.uniform((b, 5))
        area = self.min_area + (1.0 - self.min_area) * u[:, 0]
        aspect = tf.exp(math.log(self.max_aspect) * (2.0 * u[:, 1] - 1.0))
        tall, wide = tf.minimum(tf.sqrt(area / aspect), 1.0), tf.minimum(tf.sqrt(area * aspect), 1.0)
        rows = sampling.window(h, tall, u[:, 2] * (1.0 - tall) * h)
        columns = sampling.window(w, wide, u[:, 3] * (1.0 - wide) * w)
        return sampling.resample(images, rows, tf.where((u[:, 4] < self.flip)[:, None], tf.reverse(columns, [1]), columns))

    def colors(self, values: tf.Tensor, stream) -> tf.Tensor:
        """The map of colours [b, 4, 4] for values [b, h, w, 3] in [0, 1], whose mean luminance is what contrast leaves as it is."""
        b = values.shape[0]
        u = stream.fold("jitter").uniform((b, 4), -1.0, 1.0)
        chance = stream.fold("chance").uniform((b, 2))
        u = tf.where(chance[:, :1] < self.jitter, u, 0.0) * self.strength
        brighter, contrast, saturation = (1.0 + 0.8 * u[:, i] for i in range(3))
        grey = tf.constant([[*LUMINANCE, 0.0]] * 3 + [[0.0] * 4]) + tf.linalg.diag(tf.one_hot(3, 4))
        mean = brighter * tf.reduce_sum(tf.reduce_mean(values, (1, 2)) * tf.constant(LUMINANCE), 1)
        matrix = color.brightness((1.0 - contrast) * mean) @ color.contrast(contrast * brighter)
        matrix = (grey + saturation[:, None, None] * (tf.eye(4) - grey)) @ matrix
        matrix = color.hue(0.2 * 2.0 * math.pi * u[:, 3]) @ matrix
        return tf.where((chance[:, 1] < self.grey)[:, None, None], grey @ matrix, matrix)
