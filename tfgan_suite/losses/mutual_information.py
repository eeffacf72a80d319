"""Codes that images should tell, and the bound on the mutual information between the two: InfoGAN. Chen et al. 2016, section 5.

I(c; G(z, c)) >= E log Q(c | G(z, c)) + H(c), eq. 5, where Q is any guess at the code given the image. Several codes are independent; their vectors
stand side by side in one, and so do the parameters of their Q.
"""

import dataclasses
import math
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import term
from tfgan_suite.ops import random


@dataclasses.dataclass(kw_only=True)
class Code:
    """One code: its distribution, and the form of Q about it."""

    @property
    def size(self) -> int:
        """Length of its vector."""
        raise NotImplementedError(f"{type(self).__name__} must say its size")

    @property
    def parameters(self) -> int:
        """Numbers that Q gives about it."""
        return self.size

    def draw(self, stream: random.Stream, batch_size: int) -> tf.Tensor:
        """Vectors [b, size]."""
        raise NotImplementedError(f"{type(self).__name__} must be drawn")

    def information(self, code: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """log Q(c | x) - log p(c) [b], in nats, of vectors [b, size] and Q's parameters [b, parameters] in float32: its mean is the bound."""
        raise NotImplementedError(f"{type(self).__name__} must say what Q tells")

    def sweep(self, steps: int) -> tf.Tensor:
        """Vectors [steps, size] from one end of the code to the other."""
        raise NotImplementedError(f"{type(self).__name__} must be swept")


@dataclasses.dataclass(kw_only=True)
class Categorical(Code):
    """One of `classes`, each as likely as the others, as a one-hot vector; Q gives logits. The bound ends at log(classes)."""

    classes: int = 10

    def __post_init__(self):
        if self.classes < 2:
            raise ValueError(f"A categorical code needs at least 2 classes. Received: {self.classes}.")

    @property
    def size(self):
        return self.classes

    def draw(self, stream, batch_size):
        return tf.one_hot(stream.integers((batch_size,), self.classes), self.classes)

    def information(self, code, parameters):
        return categorical_log_likelihood(code, parameters) + math.log(self.classes)

    def sweep(self, steps):
        """Class after class, round and round."""
        return tf.one_hot(tf.range(steps) % self.classes, self.classes)


@dataclasses.dataclass(kw_only=True)
class Continuous(Code):
    """A number, uniform in (-1, 1); Q is a normal distribution of which it gives the mean.

    The entropy is reckoned under N(0, 1), as in the authors' code: the bound of a deviation of 1 ends at 1/6 (that is E c^2 / 2), and is 0 for a mean
    of 0. The true entropy, log 2, is a constant too, so the gradients are the same.
    """

    learned_deviation: bool = False
    """Q also gives the logarithm of its standard deviation, which is 1 otherwise (as in the authors' MNIST run)."""

    @property
    def size(self):
        return 1

    @property
    def parameters(self):
        return 2 if self.learned_deviation else 1

    def draw(self, stream, batch_size):
        return stream.uniform((batch_size, 1), -1.0, 1.0)

    def information(self, code, parameters):
        log_deviation = parameters[:, 1:] if self.learned_deviation else tf.zeros_like(code)
        zeros = tf.zeros_like(code)
        return normal_log_likelihood(code, parameters[:, :1], log_deviation) - normal_log_likelihood(code, zeros, zeros)

    def sweep(self, steps):
        return tf.linspace(-1.0, 1.0, steps)[:, tf.newaxis]


def draw(codes: tuple[Code, ...], stream: random.Stream, batch_size: int) -> tf.Tensor:
    """All codes side by side [b, c]."""
    return tf.concat([code.draw(stream.fold(f"code {i}"), batch_size) for i, code in enumerate(codes)], axis=1)


def sweeps(codes: tuple[Code, ...], vectors: tf.Tensor, steps: int) -> dict[str, dict[str, tf.Tensor]]:
    """{name of a code: {"codes": [steps, c]}}: one vector [1, c] of all codes, in which that code alone goes from one end to the other."""
    parts = tf.split(vectors, [code.size for code in codes], axis=1)
    rows = {}
    for i, code in enumerate(codes):
        moved = [code.sweep(steps) if j == i else tf.repeat(part, steps, axis=0) for j, part in enumerate(parts)]
        rows[f"{type(code).__name__.lower()} {i}"] = {"codes": tf.concat(moved, axis=1)}
    return rows


def categorical_log_likelihood(code: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """log Q(c) [b] of one-hot vectors [b, k] under logits [b, k]."""
    return tf.reduce_sum(code * tf.nn.log_softmax(logits), axis=1)


def normal_log_likelihood(code: tf.Tensor, mean: tf.Tensor, log_deviation: tf.Tensor) -> tf.Tensor:
    """log Q(c) [b] of numbers [b, n] under independent normal distributions, given means and logarithms of standard deviations [b, n]."""
    squares = tf.square((code - mean) * tf.exp(-log_deviation))
    return -tf.reduce_sum(0.5 * math.log(2.0 * math.pi) + log_deviation + 0.5 * squares, axis=1)


@dataclasses.dataclass(kw_only=True)
class MutualInformation(term.Term):
    """-weight (E log Q(c | G(z, c)) + H(c)) for both players: eq. 6, about one code.

    Reads the model's `config.codes`, the fakes' "codes" [b, c] and the head "codes" [b, q], on generated images alone. As Q is a head of D, D's
    update teaches both Q and their common layers. Divided by -weight, the value logged is the bound in nats.
    """

    heads: ClassVar[tuple[str, ...]] = ("codes",)
    needs_whole_examples: ClassVar[bool] = True

    code: int = 0
    """Which of the model's codes, counted from 0."""
    weight: float = 1.0
    """lambda of eq. 6; the authors take 1 for either kind of code, the paper a smaller one for continuous codes."""

    @property
    def log_name(self):
        return f"mutual_information_{self.code}"

    def discriminator_loss(self, views, scores, step):
        return -self.weight * bound(step.model.config.codes, self.code, views["fake"]["codes"], scores["fake"]["codes"])

    def generator_loss(self, views, scores, step):
        return self.discriminator_loss(views, scores, step)


def bound(codes: tuple[Code, ...], which: int, vectors: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
    """E log Q(c | x) + H(c), a scalar, of code number `which`, from the vectors [b, c] of all codes and Q's parameters [b, q] about all of them."""
    code = codes[which]
    first, at = sum(c.size for c in codes[:which]), sum(c.parameters for c in codes[:which])
    return tf.reduce_mean(code.information(vectors[:, first : first + code.size], parameters[:, at : at + code.parameters]))
