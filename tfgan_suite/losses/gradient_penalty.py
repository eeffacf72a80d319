"""Penalties on the gradient of the critic's score in its input, and ProGAN's drift penalty.

The pure functions take a `score`: images [b, h, w, c] -> scores [b], where score i must depend on image i alone (no batch norm), because
the gradient of the sum is taken for the gradients of the summands. They return the mean over the batch, unweighted.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfgan_suite.losses import term
from tfgan_suite.ops import replicas

Score = Callable[[tf.Tensor], tf.Tensor]


def squared_gradient_norm(score: Callable[..., tf.Tensor], *inputs: tf.Tensor) -> tf.Tensor:
    """|d score(x)_i / d x_i|^2 over all elements of example i, of all `inputs` together: [b], differentiable in the critic's weights."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(score(*inputs))
    return tf.add_n([tf.reduce_sum(tf.square(g), axis=list(range(1, len(g.shape)))) for g in tape.gradient(total, inputs)])


def gradient_norm(score: Callable[..., tf.Tensor], *inputs: tf.Tensor) -> tf.Tensor:
    """The norm itself [b], kept from zero by 1e-12 under the root, where its own derivative would be infinite."""
    return tf.sqrt(squared_gradient_norm(score, *inputs) + 1e-12)


def interpolate(real: tf.Tensor, fake: tf.Tensor, epsilon: tf.Tensor) -> tf.Tensor:
    """epsilon real + (1 - epsilon) fake, with one epsilon per example: [b]."""
    epsilon = _per_example(epsilon, real)
    return epsilon * real + (1.0 - epsilon) * fake


def gradient_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, epsilon: tf.Tensor, target: float = 1.0) -> tf.Tensor:
    """E (|grad score(x^)| / target - 1)^2 at x^ between real and fake. Gulrajani et al. 2017, eq. 3; with a target, Karras et al. 2018."""
    return tf.reduce_mean(tf.square(gradient_norm(score, interpolate(real, fake, epsilon)) / target - 1.0))


def one_sided_gradient_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, epsilon: tf.Tensor, target: float = 1.0) -> tf.Tensor:
    """E max(0, |grad score(x^)| / target - 1)^2: gentler slopes are free. Gulrajani et al. 2017, section 4; Petzka et al. 2018, eq. 8."""
    return tf.reduce_mean(tf.square(tf.nn.relu(gradient_norm(score, interpolate(real, fake, epsilon)) / target - 1.0)))


def zero_centered_gradient_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, epsilon: tf.Tensor) -> tf.Tensor:
    """E |grad score(x^)|^2 at x^ between real and fake. Thanh-Tung et al. 2019."""
    return tf.reduce_mean(squared_gradient_norm(score, interpolate(real, fake, epsilon)))


def r1(score: Score, x: tf.Tensor) -> tf.Tensor:
    """E |grad score(x)|^2 / 2 at the given images. Mescheder et al. 2018, eq. 9 without gamma; their code leaves the half out."""
    return 0.5 * tf.reduce_mean(squared_gradient_norm(score, x))


def dragan(score: Score, real: tf.Tensor, epsilon: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """E (|grad score(x^)| - 1)^2 at x^ = real + epsilon 0.5 std noise, epsilon [b], noise like `real`. Kodali et al. 2017, their notebook.

    std is one number, the deviation of all pixels of the global batch (with n - 1).
    """
    mean = replicas.mean(tf.reduce_mean(real))
    variance = replicas.mean(tf.reduce_mean(tf.math.squared_difference(real, mean)))
    count = replicas.count() * real.shape.num_elements()
    deviation = tf.sqrt(variance * count / (count - 1))
    return tf.reduce_mean(tf.square(gradient_norm(score, real + _per_example(epsilon, real) * 0.5 * deviation * noise) - 1.0))


def matching_aware_gradient_penalty(score: Callable[..., tf.Tensor], image: tf.Tensor, condition: tf.Tensor, power: float = 6.0) -> tf.Tensor:
    """E |grad score(x, c)|^power in image and condition together. Tao et al. 2022, eq. 5; their code takes one joint norm, the paper adds two.

    Powers of the squared norm: the root would have an infinite second derivative at zero.
    """
    return tf.reduce_mean(squared_gradient_norm(score, image, condition) ** (power / 2.0))


def drift(logits: tf.Tensor) -> tf.Tensor:
    """E score(x)^2, which keeps a Wasserstein critic's scores from drifting. Karras et al. 2018, appendix A.1."""
    return tf.reduce_mean(tf.square(logits))


def _per_example(epsilon: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(epsilon, [-1] + [1] * (len(x.shape) - 1))


def _score(view: term.View, step: Any) -> Score:
    """Scores images under the view's other keys (label, text, ...)."""
    return lambda image: step.score(view | {"image": image})["logits"]


@dataclasses.dataclass(kw_only=True)
class GradientPenalty(term.Term):
    """WGAN-GP's penalty, between the real and the fake images as they were scored (augmented, if they were), under the real conditions."""

    weight: float = 10.0
    target: float = 1.0
    """The slope asked for; ProGAN takes 750 on CIFAR-10."""
    one_sided: bool = False
    """Penalise steeper slopes only."""

    def discriminator_loss(self, views, scores, step):
        penalty = one_sided_gradient_penalty if self.one_sided else gradient_penalty
        real, fake = views["real"]["image"], views["fake"]["image"]
        return self.weight * penalty(_score(views["real"], step), real, fake, step.random.uniform(real.shape[:1]), self.target)


@dataclasses.dataclass(kw_only=True)
class ZeroCenteredGradientPenalty(term.Term):
    """The penalty that asks for slope zero between real and fake images, under the real conditions."""

    weight: float = 10.0

    def discriminator_loss(self, views, scores, step):
        real, fake = views["real"]["image"], views["fake"]["image"]
        return self.weight * zero_centered_gradient_penalty(_score(views["real"], step), real, fake, step.random.uniform(real.shape[:1]))


@dataclasses.dataclass(kw_only=True)
class R1(term.Term):
    """gamma / 2 E |grad D(x)|^2 at the real images as they were scored: T(x) where they are augmented."""

    gamma: float = 10.0
    """The paper's; 20 reproduces the authors' code with its setting 10."""

    def discriminator_loss(self, views, scores, step):
        return self.gamma * r1(_score(views["real"], step), views["real"]["image"])


@dataclasses.dataclass(kw_only=True)
class R2(term.Term):
    """gamma / 2 E |grad D(G(z))|^2 at the fake images as they were scored. Mescheder et al. 2018, eq. 10."""

    gamma: float = 10.0

    def discriminator_loss(self, views, scores, step):
        return self.gamma * r1(_score(views["fake"], step), views["fake"]["image"])


@dataclasses.dataclass(kw_only=True)
class Dragan(term.Term):
    """DRAGAN's penalty around the real images."""

    weight: float = 10.0
    centered: bool = False
    """Noise in [-1, 1), the paper's noise around the data; the authors' notebook shifts to one side, [0, 1)."""

    def discriminator_loss(self, views, scores, step):
        real = views["real"]["image"]
        noise = step.random.fold("noise").uniform(real.shape, -1.0 if self.centered else 0.0, 1.0)
        return self.weight * dragan(_score(views["real"], step), real, step.random.fold("epsilon").uniform(real.shape[:1]), noise)


@dataclasses.dataclass(kw_only=True)
class MatchingAwareGradientPenalty(term.Term):
    """DF-GAN's MA-GP: at the real images with their own conditions."""

    weight: float = 2.0
    power: float = 6.0
    condition: str = "text"
    """The batch key of the condition, a float vector [b, d]."""

    def discriminator_loss(self, views, scores, step):
        def score(image, condition):
            return step.score(views["real"] | {"image": image, self.condition: condition})["logits"]

        return self.weight * matching_aware_gradient_penalty(score, views["real"]["image"], views["real"][self.condition], self.power)


@dataclasses.dataclass(kw_only=True)
class Drift(term.Term):
    """ProGAN's drift penalty on the real scores."""

    weight: float = 0.001

    def discriminator_loss(self, views, scores, step):
        return self.weight * drift(scores["real"]["logits"])
