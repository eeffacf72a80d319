"""A discriminator that classifies: K classes of real images and one of generated ones. Salimans et al. 2016, section 5.

The logit of class K + 1 is 0, so K logits l are enough: D(x) = Z / (Z + 1) = sigmoid(L) with L = log Z = log sum_k exp l_k. What is [b] below is L,
what is [b, k] is l.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import term


def supervised(class_logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """-E log p(y | x, y <= K) = E [L - l_y]: cross-entropy over the K real classes alone. class_logits [b, k], labels integers [b]."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, class_logits))


def unsupervised(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """-E log D(x) - E log(1 - D(G(z))) = E [sp(L) - L] + E sp(L), with the L of real [n] and fake [m] images."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def saturating_generator(fake: tf.Tensor) -> tf.Tensor:
    """E log(1 - D(G(z))) = -E sp(L), what the authors' code minimises beside minibatch discrimination."""
    return -tf.reduce_mean(tf.nn.softplus(fake))


def non_saturating_generator(fake: tf.Tensor) -> tf.Tensor:
    """-E log D(G(z)) = E sp(-L). Goodfellow et al. 2014, section 3."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


GENERATORS = {"none": lambda fake: tf.zeros([]), "saturating": saturating_generator, "non_saturating": non_saturating_generator}
"""What the generator is told by this term; with `none` another term, such as FeatureMatching, has to tell it something."""


@dataclasses.dataclass(kw_only=True)
class SemiSupervised(term.Term):
    """Classifies the batch's few labelled images and tells all real ones from fakes.

    Reads the batch keys `labelled_image` and `labelled_label`, and the heads `class_logits` [b, k] and `logits` [b], which must be L.
    """

    heads: ClassVar[tuple[str, ...]] = ("class_logits",)
    needs: ClassVar[tuple[str, ...]] = ("labelled_image", "labelled_label")
    needs_whole_examples: ClassVar[bool] = True

    unlabelled_weight: float = 0.5
    """Of the unsupervised part: 0.5 is the authors' code, 1 the paper's equation, 0 the classifier on its labelled images alone."""
    generator: str = "none"
    """A name in `GENERATORS`."""

    def __post_init__(self):
        if self.generator not in GENERATORS:
            raise ValueError(f"SemiSupervised: generator={self.generator!r} is unknown. It is one of {', '.join(GENERATORS)}.")

    def views(self, views, step):
        return {"labelled": {"image": step.batch["labelled_image"], "label": step.batch["labelled_label"]}}

    def discriminator_loss(self, views, scores, step):
        loss = supervised(scores["labelled"]["class_logits"], views["labelled"]["label"])
        return loss + self.unlabelled_weight * unsupervised(scores["real"]["logits"], scores["fake"]["logits"])

    def generator_loss(self, views, scores, step):
        return GENERATORS[self.generator](scores["fake"]["logits"])
