"""The adversarial game: pairs of losses on raw logits [b], and the term that plays one of them.

TF-GAN's functions are used where they equal the paper. Ours stand where they do not: its minimax generator loss carries an additive constant.
"""

import dataclasses
import functools
from collections.abc import Callable

import tensorflow as tf

from tfgan_suite import compat
from tfgan_suite.losses import least_squares, term


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialLoss:
    """A game between two players; both losses are minimised, float32 scalars, means over the batch."""

    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    """(real logits [b], fake logits [b]) -> scalar."""
    generator: Callable[[tf.Tensor], tf.Tensor]
    """Fake logits [b] -> scalar."""


def _tfgan(name: str, *logits: tf.Tensor, **options: float) -> tf.Tensor:
    """TF-GAN's loss `name`, kept out of TensorFlow 1's global loss collection."""
    return getattr(compat.tfgan_losses(), name)(*logits, loss_collection=None, **options)


def cross_entropy_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """-E log D(x) - E log(1 - D(G(z))) with D = sigmoid(logits). Goodfellow et al. 2014, eq. 1; least at log p(x) - log q(x)."""
    return _tfgan("modified_discriminator_loss", real, fake, label_smoothing=0.0)


def smoothed_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The same with the target 0.9 in place of 1 for real images. Salimans et al. 2016, section 3.4.

    TF-GAN smooths to both sides, a target of 1 - label_smoothing / 2.
    """
    return _tfgan("modified_discriminator_loss", real, fake, label_smoothing=0.2)


def halved_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Half of `cross_entropy_discriminator`, as the authors' code weighs it; it matters beside other terms, and for SGD."""
    return 0.5 * cross_entropy_discriminator(real, fake)


def non_saturating_generator(fake: tf.Tensor) -> tf.Tensor:
    """-E log D(G(z)). Goodfellow et al. 2014, section 3."""
    return _tfgan("modified_generator_loss", fake)


def minimax_generator(fake: tf.Tensor) -> tf.Tensor:
    """E log(1 - D(G(z))), which saturates where D rejects the fakes. Goodfellow et al. 2014, eq. 1."""
    return -tf.reduce_mean(tf.nn.softplus(fake))


def wasserstein_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """E f(G(z)) - E f(x). Arjovsky et al. 2017, Algorithm 1; the critic f must be kept Lipschitz by other means."""
    return _tfgan("wasserstein_discriminator_loss", real, fake)


def wasserstein_generator(fake: tf.Tensor) -> tf.Tensor:
    """-E f(G(z)). Arjovsky et al. 2017, Algorithm 1. Also the hinge generator's, and, on a cross-entropy D, the reverse KL divergence's."""
    return _tfgan("wasserstein_generator_loss", fake)


def hinge_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))). Lim and Ye 2017; Miyato et al. 2018, eq. 16."""
    return _tfgan("wasserstein_hinge_discriminator_loss", real, fake)


LOSSES = {
    "non_saturating": AdversarialLoss(discriminator=cross_entropy_discriminator, generator=non_saturating_generator),
    "non_saturating_halved": AdversarialLoss(discriminator=halved_discriminator, generator=non_saturating_generator),
    "non_saturating_smoothed": AdversarialLoss(discriminator=smoothed_discriminator, generator=non_saturating_generator),
    "minimax": AdversarialLoss(discriminator=cross_entropy_discriminator, generator=minimax_generator),
    "reverse_kl": AdversarialLoss(discriminator=cross_entropy_discriminator, generator=wasserstein_generator),
    "least_squares": AdversarialLoss(discriminator=least_squares.discriminator, generator=least_squares.generator),
    "least_squares_pearson": AdversarialLoss(
        discriminator=functools.partial(least_squares.discriminator, fake_target=-1.0),
        generator=functools.partial(least_squares.generator, target=0.0),
    ),
    "wasserstein": AdversarialLoss(discriminator=wasserstein_discriminator, generator=wasserstein_generator),
    "hinge": AdversarialLoss(discriminator=hinge_discriminator, generator=wasserstein_generator),
}


@dataclasses.dataclass(kw_only=True)
class Adversarial(term.Term):
    """The game itself: the discriminator tells `real` from `fake`, the generator answers."""

    loss: str = "non_saturating"
    """A name in `LOSSES`."""
    weight: float = 1.0

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise ValueError(f"Adversarial: loss={self.loss!r} is unknown. It is one of {', '.join(LOSSES)}.")

    def discriminator_loss(self, views, scores, step):
        return self.weight * LOSSES[self.loss].discriminator(scores["real"]["logits"], scores["fake"]["logits"])

    def generator_loss(self, views, scores, step):
        return self.weight * LOSSES[self.loss].generator(scores["fake"]["logits"])
