"""Feature matching: fakes whose features have the mean of the real ones'. Salimans et al. 2016, section 3.1."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import term
from tfgan_suite.ops import replicas

KINDS = {
    "l2_sum": lambda difference: tf.reduce_sum(tf.square(difference)),
    "l2_mean": lambda difference: tf.reduce_mean(tf.square(difference)),
    "l1_mean": lambda difference: tf.reduce_mean(tf.abs(difference)),
}
"""Kind -> function of the difference of the means [f]: the paper's squared norm, the authors' MNIST code, their CIFAR-10 and SVHN code."""


def feature_matching(real: tf.Tensor, fake: tf.Tensor, kind: str = "l2_sum") -> tf.Tensor:
    """Distance between the means over the global batches of real [n, f] and fake [m, f] features; no gradient flows to the real ones."""
    mean_real, mean_fake = (replicas.mean(tf.reduce_mean(features, 0)) for features in (tf.stop_gradient(real), fake))
    return KINDS[kind](mean_real - mean_fake)


@dataclasses.dataclass(kw_only=True)
class FeatureMatching(term.Term):
    """The generator matches the head `features` of its samples to that of the step's real batch. The discriminator is left alone."""

    heads: ClassVar[tuple[str, ...]] = ("features",)

    kind: str = "l2_sum"
    """A name in `KINDS`."""
    weight: float = 1.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"FeatureMatching: kind={self.kind!r} is unknown. It is one of {', '.join(KINDS)}.")

    def generator_views(self, views, step):
        return {"real": step.batch}

    def generator_loss(self, views, scores, step):
        return self.weight * feature_matching(scores["real"]["features"], scores["fake"]["features"], self.kind)
