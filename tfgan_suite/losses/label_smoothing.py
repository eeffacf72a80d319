"""One-sided label smoothing: real images are only probably real. Salimans et al. 2016, section 3.4.

Smoothing the fakes' target to beta as well would make D* = (alpha p + beta q) / (p + q), so the generator would be led to its own mistakes where p is
small: the fakes' target stays 0.
"""

import dataclasses
import math

import tensorflow as tf

from tfgan_suite.losses import term


def cross_entropy(logits: tf.Tensor, target: float) -> tf.Tensor:
    """-E [target log D + (1 - target) log(1 - D)] with D = sigmoid(logits [b]); least, the target's entropy, at D = target."""
    return tf.reduce_mean(target * tf.nn.softplus(-logits) + (1.0 - target) * tf.nn.softplus(logits))


def divergence(logits: tf.Tensor, target: float) -> tf.Tensor:
    """The same less the target's entropy, so that the least is 0: the form of the authors' ImageNet code. Equal gradients."""
    return cross_entropy(logits, target) + sum(p * math.log(p) for p in (target, 1.0 - target) if p > 0.0)


@dataclasses.dataclass(kw_only=True)
class SmoothedAdversarial(term.Term):
    """The non-saturating game with targets of choice, in place of `Adversarial`."""

    real_target: float = 0.9
    """For real images in the discriminator's loss; 0.75 in the authors' ImageNet code."""
    generator_target: float = 1.0
    """For fakes in the generator's loss. The authors' ImageNet code takes half the real target, where D is at equilibrium."""
    weight: float = 1.0

    def __post_init__(self):
        for name in ("real_target", "generator_target"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"SmoothedAdversarial: {name} is a probability in (0, 1]. Received: {getattr(self, name)}.")

    def discriminator_loss(self, views, scores, step):
        real, fake = (scores[view]["logits"] for view in ("real", "fake"))
        return self.weight * (divergence(real, self.real_target) + divergence(fake, 0.0))

    def generator_loss(self, views, scores, step):
        return self.weight * divergence(scores["fake"]["logits"], self.generator_target)
