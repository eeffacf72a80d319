"""The least-squares game on raw scores. Mao, Li, Xie, Lau, Wang, Smolley 2017, arXiv:1611.04076."""

import dataclasses

import tensorflow as tf

from tfgan_suite import compat
from tfgan_suite.losses import term


def discriminator(real: tf.Tensor, fake: tf.Tensor, *, fake_target: float = 0.0, real_target: float = 1.0) -> tf.Tensor:
    """E (D(x) - b)^2 / 2 + E (D(G(z)) - a)^2 / 2 for scores [b], no sigmoid; least at (b p + a q) / (p + q). Mao et al. 2017, eq. 2 and 5."""
    loss = compat.tfgan_losses().least_squares_discriminator_loss
    return loss(real, fake, real_label=real_target, fake_label=fake_target, loss_collection=None)


def generator(fake: tf.Tensor, *, target: float = 1.0) -> tf.Tensor:
    """E (D(G(z)) - c)^2 / 2 for scores [b]. Mao et al. 2017, eq. 2."""
    return compat.tfgan_losses().least_squares_generator_loss(fake, real_label=target, loss_collection=None)


@dataclasses.dataclass(kw_only=True)
class LeastSquares(term.Term):
    """The game with targets of one's own. b - c = 1 and b - a = 2 make it Pearson's divergence between p + q and 2 q (eq. 8)."""

    fake_target: float = 0.0
    """a, what the discriminator should say of fakes."""
    real_target: float = 1.0
    """b, what it should say of real images."""
    generator_target: float = 1.0
    """c, what the generator wants it to say of fakes."""
    weight: float = 1.0

    def discriminator_loss(self, views, scores, step):
        real, fake = scores["real"]["logits"], scores["fake"]["logits"]
        return self.weight * discriminator(real, fake, fake_target=self.fake_target, real_target=self.real_target)

    def generator_loss(self, views, scores, step):
        return self.weight * generator(scores["fake"]["logits"], target=self.generator_target)
