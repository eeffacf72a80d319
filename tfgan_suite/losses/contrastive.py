"""Contrast within a batch: ContraGAN's conditional contrastive loss (2C), Kang and Park 2020, arXiv:2006.12681, and NT-Xent, which it grew from, Chen
et al. 2020, arXiv:2002.05709.

Every loss is a difference of masked log-sum-exps of cosines in float32: finite at any temperature, and of static shapes, so that XLA compiles it.
Rows of all replicas are compared with each other: the mean over replicas of a loss, and of its gradient, is that of one replica with the whole batch.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import term
from tfgan_suite.ops import replicas, unit

EXCLUDED = -1e9
"""Stands for minus infinity among scores that go into a log-sum-exp."""
GATHERS = {"exact": (replicas.gather, replicas.rows), "none": (lambda x: x, lambda x: x)}
"""Name -> ([b, ...] -> the rows that this replica's are compared with, and this replica's rows of as many). `exact`: those of all replicas. `none`:
its own, so that n replicas have an n-th of the pairs."""


def check_gather(owner: str, gather: str) -> None:
    """Raises a ValueError for a name that is not in `GATHERS`."""
    if gather not in GATHERS:
        raise ValueError(f"{owner}: gather={gather!r} is unknown. It is one of {', '.join(GATHERS)}.")


def check_temperature(owner: str, temperature: float) -> None:
    """Raises a ValueError unless scores can be divided by `temperature`."""
    if not temperature > 0.0:
        raise ValueError(f"{owner}: temperature must be above 0, cosines are divided by it. Received: {temperature}.")


def dominant_label(view: term.View) -> tf.Tensor:
    """Integers [b]: a view's labels; where examples were mixed, those of which there is more."""
    if "mixed_label" not in view:
        return view["label"]
    return tf.where(view["mix_weight"] >= 0.5, view["label"], view["mixed_label"])


def pairs(embedding: tf.Tensor, label: tf.Tensor, gather: str = "exact") -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Embeddings [b, d] and labels [b] against the n gathered ones: (cosines, whether the classes are equal, whether it is the row itself) [b, n]."""
    everyone, own = GATHERS[gather]
    directions = unit.unit(embedding)
    cosines = tf.matmul(directions, everyone(directions), transpose_b=True)
    same_class = label[:, None] == everyone(label)[None, :]
    return cosines, same_class, own(tf.eye(cosines.shape[1])) > 0.0


def log_sum_exp(scores: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """log sum exp over those of each row of scores [b, n] that the mask [b, n] keeps: [b]; about `EXCLUDED` where it keeps none."""
    return tf.reduce_logsumexp(tf.where(mask, scores, EXCLUDED), axis=1)


def conditional_contrast(
    embedding: tf.Tensor, proxy: tf.Tensor, label: tf.Tensor, *, temperature: float = 1.0, gather: str = "exact"
) -> tf.Tensor:  # fmt: skip
    """The 2C loss. Kang and Park 2020, eq. 8.

    For embeddings f [b, d] of any length and the proxies v [b, d] of their classes `label` [b], with s the cosine over the temperature, the mean of
    -log (e^s(f_i, v_i) + sum_k e^s(f_i, f_k) over the others of its class) / (e^s(f_i, v_i) + sum_k e^s(f_i, f_k) over all others).
    A row is never compared with itself: the printed indicator may be read otherwise, the authors' code leaves it out.
    """
    cosines, same_class, itself = pairs(embedding, label, gather)
    to_proxy = tf.reduce_sum(unit.unit(embedding) * unit.unit(proxy), axis=1, keepdims=True)
    scores = tf.concat([to_proxy, cosines], 1) / temperature
    first = tf.ones_like(to_proxy, tf.bool)
    others = tf.concat([first, ~itself], 1)
    positives = tf.concat([first, same_class & ~itself], 1)
    return tf.reduce_mean(log_sum_exp(scores, others) - log_sum_exp(scores, positives))


def nt_xent(first: tf.Tensor, second: tf.Tensor, *, temperature: float = 0.5, gather: str = "exact") -> tf.Tensor:
    """The normalised, temperature-scaled cross-entropy of two views [b, d] of the same b examples. Chen et al. 2020, eq. 1 and Algorithm 1.

    Each of the 2 b embeddings is to name its partner among the others by cosine over the temperature. The mean over the 2 b of them, which is half of
    the authors' code's sum over the two views.
    """
    everyone, own = GATHERS[gather]
    first, second = unit.unit(first), unit.unit(second)
    candidates = tf.concat([everyone(first), everyone(second)], 0)
    scores = tf.matmul(tf.concat([first, second], 0), candidates, transpose_b=True) / temperature
    here = own(tf.eye(candidates.shape[0] // 2)) > 0.0
    elsewhere = tf.zeros_like(here)
    itself = tf.concat([tf.concat([here, elsewhere], 1), tf.concat([elsewhere, here], 1)], 0)
    partner = tf.concat([tf.concat([elsewhere, here], 1), tf.concat([here, elsewhere], 1)], 0)
    return tf.reduce_mean(log_sum_exp(scores, ~itself) - tf.reduce_sum(tf.where(partner, scores, 0.0), 1))


@dataclasses.dataclass(kw_only=True)
class ConditionalContrast(term.Term):
    """2C: D brings embeddings of real images near those of their class and its proxy, and away from the others; G does so with its images.

    Reads the heads "embedding" and "proxy" [b, d] (`conditioning="contrastive"` of a discriminator) and the labels. Real and generated images are
    never compared with each other. The adversarial part is a term of its own.
    """

    heads: ClassVar[tuple[str, ...]] = ("embedding", "proxy")

    weight: float = 1.0
    """lambda of the paper."""
    temperature: float = 1.0
    gather: str = "exact"
    """A name in `GATHERS`."""

    def __post_init__(self):
        term.check_weights(self, "weight")
        check_temperature("ConditionalContrast", self.temperature)
        check_gather("ConditionalContrast", self.gather)

    def discriminator_loss(self, views, scores, step):
        return self._loss(views["real"], scores["real"])

    def generator_loss(self, views, scores, step):
        return self._loss(views["fake"], scores["fake"])

    def _loss(self, view, heads):
        options = {"temperature": self.temperature, "gather": self.gather}
        return self.weight * conditional_contrast(heads["embedding"], heads["proxy"], dominant_label(view), **options)
