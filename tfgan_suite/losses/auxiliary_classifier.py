"""The discriminator as a classifier besides: AC-GAN. Odena, Olah, Shlens 2017, section 3."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import term


def class_cross_entropy(class_logits: tf.Tensor, label: tf.Tensor, share: tf.Tensor | float = 1.0) -> tf.Tensor:
    """-E log P(C = label | x), the softmax cross-entropy of class_logits [b, k] and integers label [b]: -L_C of eq. 3 for one of its halves.

    `share` [b]: what part of the image is of this class; the rest is left to another call, since the cross-entropy is linear in its targets.
    """
    return tf.reduce_mean(share * tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=class_logits))


@dataclasses.dataclass(kw_only=True)
class AuxiliaryClassifier(term.Term):
    """Both players lower the classifier's cross-entropy: D on real images under their own labels, G on its images under those it was given.

    Reads the head "class_logits" [b, k]. The adversarial part is a term of its own.
    """

    heads: ClassVar[tuple[str, ...]] = ("class_logits",)

    discriminator_weight: float = 1.0
    generator_weight: float = 1.0
    """WGAN-GP's conditional model takes 0.1 (Gulrajani et al. 2017, the authors' code)."""
    fake_in_discriminator: bool = False
    """D also learns to classify generated images, as the paper prints it (eq. 3). Without, generated images cannot teach it; so do the
    codes of WGAN-GP and StudioGAN."""

    def __post_init__(self):
        term.check_weights(self, "discriminator_weight", "generator_weight")

    def discriminator_loss(self, views, scores, step):
        names = ("real", "fake") if self.fake_in_discriminator else ("real",)
        return self.discriminator_weight * tf.add_n([_loss(views[name], scores[name]) for name in names])

    def generator_loss(self, views, scores, step):
        return self.generator_weight * _loss(views["fake"], scores["fake"])


def _loss(view: term.View, heads: term.View) -> tf.Tensor:
    """Under both labels, in their shares, where images were mixed."""
    if "mixed_label" not in view:
        return class_cross_entropy(heads["class_logits"], view["label"])
    logits, share = heads["class_logits"], view["mix_weight"]
    return class_cross_entropy(logits, view["label"], share) + class_cross_entropy(logits, view["mixed_label"], 1.0 - share)
