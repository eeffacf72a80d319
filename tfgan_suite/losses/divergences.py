"""f-divergences D_f(P, Q) = E_Q f(p / q), f convex with f(1) = 0, as games. Nowozin, Cseke, Tomioka 2016, arXiv:1606.00709.

The discriminator's raw score v becomes the variational function T = g_f(v), g_f increasing onto the domain of the conjugate f*. Then
F = E_P g_f(v) - E_Q f*(g_f(v)) is at most D_f(P, Q), and equal to it where g_f(v) = f'(p / q).

f*(g_f(v)) is one expression in v throughout: the composition overflows or cancels in float32. Values are finite for every score in [-80, 80],
exponentials beyond e^30 being continued along their tangents.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from tfgan_suite.losses import term

LARGEST_EXPONENT = 30.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Divergence:
    """What the game needs of f: two functions of the raw score [b], float32 or float64, and a number."""

    activation: Callable[[tf.Tensor], tf.Tensor]
    """g_f(v)."""
    conjugate: Callable[[tf.Tensor], tf.Tensor]
    """f*(g_f(v))."""
    threshold: float = 0.0
    """The score v0 of p = q, g_f(v0) = f'(1): above it the discriminator says "real"."""


def kl(**_) -> Divergence:
    """KL(P, Q): f(u) = u log u."""
    return Divergence(activation=lambda v: v, conjugate=lambda v: _exp(v - 1.0), threshold=1.0)


def reverse_kl(**_) -> Divergence:
    """KL(Q, P): f(u) = -log u."""
    return Divergence(activation=lambda v: -_exp(-v), conjugate=lambda v: v - 1.0)


def pearson(**_) -> Divergence:
    """Pearson's chi^2: f(u) = (u - 1)^2."""
    return Divergence(activation=lambda v: v, conjugate=lambda v: 0.25 * tf.square(v) + v)


def neyman(**_) -> Divergence:
    """Neyman's chi^2, Pearson's with P and Q exchanged: f(u) = (1 - u)^2 / u."""
    return Divergence(activation=lambda v: 1.0 - _exp(-v), conjugate=lambda v: 2.0 - 2.0 * _exp(-0.5 * v))


def squared_hellinger(**_) -> Divergence:
    """f(u) = (sqrt(u) - 1)^2."""
    return Divergence(activation=lambda v: 1.0 - _exp(-v), conjugate=lambda v: _exp(v) - 1.0)


def jensen_shannon(**_) -> Divergence:
    """f(u) = u log u - (u + 1) log((u + 1) / 2): twice the usual Jensen-Shannon divergence."""
    return Divergence(activation=lambda v: math.log(2.0) - tf.nn.softplus(-v), conjugate=lambda v: tf.nn.softplus(v) - math.log(2.0))


def gan(**_) -> Divergence:
    """f(u) = u log u - (u + 1) log(u + 1): the game of Goodfellow et al. 2014, v being its logit. Here f(1) is -log 4, not 0."""
    return Divergence(activation=lambda v: -tf.nn.softplus(-v), conjugate=tf.nn.softplus)


def total_variation(**_) -> Divergence:
    """f(u) = |u - 1| / 2."""
    return Divergence(activation=lambda v: 0.5 * tf.tanh(v), conjugate=lambda v: 0.5 * tf.tanh(v))


def jensen_shannon_weighted(*, pi: float, **_) -> Divergence:
    """f(u) = pi u log u - (1 - pi + pi u) log(1 - pi + pi u), pi in (0, 1)."""
    if not 0.0 < pi < 1.0:
        raise ValueError(f"The weighted Jensen-Shannon divergence needs pi, the weight of P, in (0, 1). Received: {pi}.")
    offset = -pi * math.log(pi)
    return Divergence(
        activation=lambda v: offset - tf.nn.softplus(-v),
        conjugate=lambda v: (1.0 - pi) * (math.log(1.0 - pi) - tf.math.log(-tf.math.expm1(-tf.nn.softplus(-v) / pi))),
        threshold=-_inverse_softplus(offset),
    )


def alpha_divergence(*, alpha: float, **_) -> Divergence:
    """f(u) = (u^alpha - 1 - alpha (u - 1)) / (alpha (alpha - 1)); its limits at alpha 1 and 0 are `kl` and `reverse_kl`.

    Above 1 the conjugate is flat, -1 / alpha, where (alpha - 1) v < -1.
    """
    if alpha in (0.0, 1.0) or not math.isfinite(alpha):
        raise ValueError(f"The alpha divergence needs a finite alpha other than 0 (take reverse_kl) and 1 (take kl). Received: {alpha}.")
    power = alpha / (alpha - 1.0)
    if alpha > 1.0:
        return Divergence(activation=lambda v: v, conjugate=lambda v: (tf.nn.relu((alpha - 1.0) * v + 1.0) ** power - 1.0) / alpha)
    return Divergence(
        activation=lambda v: 1.0 / (1.0 - alpha) - tf.nn.softplus(-v),
        conjugate=lambda v: (_exp(power * (math.log(1.0 - alpha) + _log_softplus(-v))) - 1.0) / alpha,
        threshold=-_inverse_softplus(1.0 / (1.0 - alpha)),
    )


def jeffrey(**_) -> Divergence:
    """KL(P, Q) + KL(Q, P): f(u) = (u - 1) log u; f*(t) = W + 1 / W + t - 2 with W + log W = 1 - t (Lambert's function of e^(1 - t))."""

    def conjugate(v):
        capped = tf.minimum(v, LARGEST_EXPONENT)
        w = _omega(1.0 - capped)
        return w + 1.0 / w + capped - 2.0 + (v - capped) / w  # the derivative is 1 / W

    return Divergence(activation=lambda v: v, conjugate=conjugate)


DIVERGENCES = {
    "kl": kl,
    "reverse_kl": reverse_kl,
    "pearson": pearson,
    "neyman": neyman,
    "squared_hellinger": squared_hellinger,
    "jensen_shannon": jensen_shannon,
    "gan": gan,
    "total_variation": total_variation,
    "jensen_shannon_weighted": jensen_shannon_weighted,
    "alpha": alpha_divergence,
    "jeffrey": jeffrey,
}
"""{name: (pi=..., alpha=...) -> Divergence}; all but two take neither number."""


def objective(divergence: Divergence, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """F = E g_f(v(x)) - E f*(g_f(v(G(z)))) of raw scores [b]: what the discriminator ascends and, in theory, the generator descends."""
    return tf.reduce_mean(divergence.activation(real)) - tf.reduce_mean(divergence.conjugate(fake))


def theory_generator(divergence: Divergence, fake: tf.Tensor) -> tf.Tensor:
    """-E f*(g_f(v(G(z)))), the part of F that the generator moves. Nowozin et al. 2016, Algorithm 1, line 4."""
    return -tf.reduce_mean(divergence.conjugate(fake))


def alternative_generator(divergence: Divergence, fake: tf.Tensor) -> tf.Tensor:
    """-E g_f(v(G(z))), the form with the larger gradient at the start. Nowozin et al. 2016, section 3.2; for `gan` the non-saturating loss."""
    return -tf.reduce_mean(divergence.activation(fake))


GENERATORS = {"alternative": alternative_generator, "theory": theory_generator}


@dataclasses.dataclass(kw_only=True)
class FDivergence(term.Term):
    """The game that minimises an f-divergence."""

    divergence: str = "kl"
    """A name in `DIVERGENCES`."""
    generator: str = "alternative"
    """A name in `GENERATORS`."""
    pi: float = 0.5
    """Weight of P, in (0, 1); `jensen_shannon_weighted` alone reads it."""
    alpha: float = 0.5
    """Any number but 0 and 1; `alpha` alone reads it."""
    weight: float = 1.0

    def __post_init__(self):
        for field, table in (("divergence", DIVERGENCES), ("generator", GENERATORS)):
            if getattr(self, field) not in table:
                raise ValueError(f"FDivergence: {field}={getattr(self, field)!r} is unknown. It is one of {', '.join(table)}.")
        self.row()

    def row(self) -> Divergence:
        """The divergence with this term's numbers."""
        return DIVERGENCES[self.divergence](pi=self.pi, alpha=self.alpha)

    def discriminator_loss(self, views, scores, step):
        return -self.weight * objective(self.row(), scores["real"]["logits"], scores["fake"]["logits"])

    def generator_loss(self, views, scores, step):
        return self.weight * GENERATORS[self.generator](self.row(), scores["fake"]["logits"])


def _exp(x: tf.Tensor) -> tf.Tensor:
    """e^x, beyond x = 30 its tangent there: finite in float32, and with a slope that still pulls back."""
    capped = tf.minimum(x, LARGEST_EXPONENT)
    return tf.exp(capped) * (1.0 + (x - capped))


def _log_softplus(x: tf.Tensor) -> tf.Tensor:
    """log(log(1 + e^x)), which is x to float32's precision below -17; through the logarithm the gradient would overflow there."""
    return tf.where(x < -17.0, x, tf.math.log(tf.nn.softplus(tf.maximum(x, -17.0))))


def _omega(x: tf.Tensor) -> tf.Tensor:
    """The w > 0 with w + log w = x, by Newton's method; the last step alone carries the gradient, which is exact there: w / (1 + w)."""
    w = tf.stop_gradient(tf.nn.softplus(x))
    for _ in range(4):
        w = tf.stop_gradient(_newton(w, x))
    return _newton(w, x)


def _newton(w, x):
    return w * (1.0 + x - tf.math.log(w)) / (1.0 + w)


def _inverse_softplus(y: float) -> float:
    """The x with log(1 + e^x) = y > 0."""
    return y + math.log(-math.expm1(-y))
