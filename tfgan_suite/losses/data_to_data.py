"""The data-to-data cross-entropy (D2D-CE) of ReACGAN. Kang et al. 2021, arXiv:2111.01118."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import contrastive, term
from tfgan_suite.ops import unit

FORMS = ("paper", "studiogan")


def data_to_data_cross_entropy(
    embedding: tf.Tensor, proxy: tf.Tensor, label: tf.Tensor, *, temperature: float = 0.5, margin: float = 0.98, form: str = "paper",
    gather: str = "exact",
) -> tf.Tensor:  # fmt: skip
    """The mean of -log e^-p / (e^-p + sum_j e^n_j), j over the rows of other classes: embeddings [b, d] of any length, proxies [b, d], labels [b].

    p = max(margin - cosine(f_i, v_i), 0) / temperature and n_j = max(cosine(f_i, f_j) - (1 - margin), 0) / temperature: a row near its proxy and
    far from a row of another class pushes neither. `form`: `studiogan` is the authors' code, which shifts the n_j, and them alone, by the
    largest (cosine - (1 - margin)) / temperature of the row with any other, taken as a constant.
    """
    cosines, same_class, itself = contrastive.pairs(embedding, label, gather)
    to_proxy = tf.reduce_sum(unit.unit(embedding) * unit.unit(proxy), axis=1, keepdims=True)
    positive = tf.nn.relu(margin - to_proxy) / temperature
    excess = (cosines - (1.0 - margin)) / temperature
    negatives = tf.nn.relu(excess)
    if form == "studiogan":
        negatives -= tf.stop_gradient(tf.reduce_max(tf.where(itself, contrastive.EXCLUDED, excess), axis=1, keepdims=True))
    scores = tf.concat([-positive, negatives], 1)
    mask = tf.concat([tf.ones_like(positive, tf.bool), ~same_class], 1)
    return tf.reduce_mean(contrastive.log_sum_exp(scores, mask) + positive[:, 0])


@dataclasses.dataclass(kw_only=True)
class DataToDataCrossEntropy(term.Term):
    """D2D-CE: D learns it on real images, G lowers it on its own. Reads the heads "embedding" and "proxy" [b, d], and the labels.

    The adversarial part is a term of its own.
    """

    heads: ClassVar[tuple[str, ...]] = ("embedding", "proxy")

    weight: float = 1.0
    temperature: float = 0.5
    margin: float = 0.98
    """Cosine with the proxy above which a row counts as near (m_p of the paper); rows of two classes count as apart below 1 - margin."""
    form: str = "paper"
    """`paper`, or `studiogan`, the authors' code."""
    gather: str = "exact"
    """A name in `contrastive.GATHERS`."""

    def __post_init__(self):
        term.check_weights(self, "weight")
        contrastive.check_temperature("DataToDataCrossEntropy", self.temperature)
        if not -1.0 <= self.margin <= 1.0:
            raise ValueError(f"DataToDataCrossEntropy.margin is a cosine, in [-1, 1]. Received: {self.margin}.")
        contrastive.check_gather("DataToDataCrossEntropy", self.gather)
        if self.form not in FORMS:
            raise ValueError(f"DataToDataCrossEntropy: form={self.form!r} is unknown. It is one of {', '.join(FORMS)}.")

    def discriminator_loss(self, views, scores, step):
        return self._loss(views["real"], scores["real"])

    def generator_loss(self, views, scores, step):
        return self._loss(views["fake"], scores["fake"])

    def _loss(self, view, heads):
        options = {"temperature": self.temperature, "margin": self.margin, "form": self.form, "gather": self.gather}
        return self.weight * data_to_data_cross_entropy(heads["embedding"], heads["proxy"], contrastive.dominant_label(view), **options)
