"""Consistency regularisation: the discriminator's answer stays as it is when the image is augmented or the latents are moved a little.

CR: Zhang, Zhang, Odena, Lee 2020, arXiv:1910.12027. bCR, zCR and ICR, which is both: Zhao, Singh, Lee, Zhang, Odena, Zhang 2021, arXiv:2002.04724.
bCR under the augmentations of one's choice: Zhao, Zhang, Chen, Singh, Zhang 2020, arXiv:2006.02595, Algorithm 1.

Gradients flow through both sides of every difference. Each is a mean over the batch, so a weight does not depend on its size.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.augment import flip_and_shift, policy
from tfgan_suite.losses import term


def mean_square(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """E (a - b)^2 over all elements of a, b [b, ...], in float32."""
    return tf.reduce_mean(tf.math.squared_difference(tf.cast(a, tf.float32), tf.cast(b, tf.float32)))


def mixed(scores: tf.Tensor, weight: tf.Tensor, partner: tf.Tensor) -> tf.Tensor:
    """w_i s_i + (1 - w_i) s_j for scores [b, ...], shares w [b] and partners j [b]: what an example that is such a mixture should score."""
    weight = tf.reshape(weight, [-1] + [1] * (len(scores.shape) - 1))
    return weight * scores + (1.0 - weight) * tf.gather(scores, partner)


def distance(scores: term.View, others: term.View, heads: tuple[str, ...], view: term.View | None = None) -> tf.Tensor:
    """The sum over `heads` of E (D(x) - D(T(x)))^2. Zhang et al. 2020, eq. 3, with the last layer alone.

    `view`: T(x), where T may have mixed x with a partner x' in shares of w and 1 - w: then D(x) gives way to w D(x) + (1 - w) D(x').
    """
    total = tf.zeros([])
    for head in heads:
        target = scores[head]
        if view is not None and "mix_weight" in view:
            target = mixed(target, view["mix_weight"], view["mix_partner"])
        total += mean_square(target, others[head])
    return total


@dataclasses.dataclass(kw_only=True)
class Consistency(term.Term):
    """The base of the terms below: which heads are compared."""

    pairs_views: ClassVar[bool] = True

    further_heads: tuple[str, ...] = ()
    """Heads compared beside the logits, under the same weight: "class_logits" of an auxiliary classifier, "embedding" of a contrastive one
    (StudioGAN's code)."""

    @property
    def heads(self) -> tuple[str, ...]:
        return self.further_heads

    @property
    def compared(self) -> tuple[str, ...]:
        """All heads that are compared."""
        return ("logits", *self.further_heads)


@dataclasses.dataclass(kw_only=True)
class Augmented(Consistency):
    """The base of those that compare a view with its augmentation, under the same label."""

    augmentation: policy.Augmentation = dataclasses.field(default_factory=flip_and_shift.FlipAndShift)
    """T. The default is CR's."""

    @property
    def augmentations(self):
        return (self.augmentation,)

    def augmented(self, names: tuple[str, ...], views, step) -> dict[str, term.View]:
        """{"<name>_<log name>": T(view)}, with parameters of its own for each, and noise of its own where D is noisy."""
        return {f"{name}_{self.log_name}": step.augment(self.augmentation, views[name], name) for name in names}

    def distance(self, name: str, views, scores) -> tf.Tensor:
        other = f"{name}_{self.log_name}"
        return distance(scores[name], scores[other], self.compared, views[other])


@dataclasses.dataclass(kw_only=True)
class ConsistencyRegularization(Augmented):
    """CR: D answers alike to a real image and its augmentation. Zhang et al. 2020, eq. 3 and Algorithm 1."""

    weight: float = 10.0
    """lambda of the paper."""

    def __post_init__(self):
        term.check_weights(self, "weight")

    def views(self, views, step):
        return self.augmented(("real",), views, step)

    def discriminator_loss(self, views, scores, step):
        return self.weight * self.distance("real", views, scores)


@dataclasses.dataclass(kw_only=True)
class BalancedConsistency(Augmented):
    """bCR: the same for fakes, under an augmentation drawn anew. Zhao et al. 2021, Algorithm 1. G's update has no part of it."""

    real_weight: float = 10.0
    """Equal weights are the one lambda_BCR of Zhao et al. 2020."""
    fake_weight: float = 10.0

    def __post_init__(self):
        term.check_weights(self, "real_weight", "fake_weight")

    def views(self, views, step):
        return self.augmented(("real", "fake"), views, step)

    def discriminator_loss(self, views, scores, step):
        return self.real_weight * self.distance("real", views, scores) + self.fake_weight * self.distance("fake", views, scores)


@dataclasses.dataclass(kw_only=True)
class LatentConsistency(Consistency):
    """zCR: D answers alike to G(z) and G(z + noise), and G makes them differ. Zhao et al. 2021, Algorithm 2.

    The reward of G is without bound: keep its weight small, and watch `generator/latent_consistency`.
    """

    discriminator_weight: float = 20.0
    """lambda_dis of the paper; the defaults are StudioGAN's for BigGAN on CIFAR-10."""
    generator_weight: float = 0.5
    """lambda_gen."""
    sigma: float = 0.05
    """Standard deviation of the noise."""

    def __post_init__(self):
        term.check_weights(self, "discriminator_weight", "generator_weight")
        if not self.sigma > 0.0:
            raise ValueError(f"LatentConsistency.sigma, the noise's standard deviation, must be above 0. Received: {self.sigma}.")

    def views(self, views, step):
        return {f"fake_{self.log_name}": self._near(views["fake"], step)}

    def discriminator_loss(self, views, scores, step):
        return self.discriminator_weight * distance(scores["fake"], scores[f"fake_{self.log_name}"], self.compared)

    def generator_loss(self, views, scores, step):
        """Minus the mean squared difference of the pixels, as G made them."""
        fake = views["fake"]
        return -self.generator_weight * mean_square(fake.get("clean", fake["image"]), self._near(fake, step)["image"])

    def _near(self, fake: term.View, step) -> term.View:
        """The fake view at latents nearby, under the same labels."""
        latents = fake["latents"]
        return step.generate(fake | {"latents": latents + self.sigma * step.random.fold("near").normal(latents.shape)})
