"""Historical averaging: a player's weights are held near the mean of all they have been. Salimans et al. 2016, section 3.3."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from tfgan_suite.losses import term


def historical_averaging(pairs: Sequence[tuple[tf.Tensor, tf.Tensor]]) -> tf.Tensor:
    """sum over (1/t sum_i theta_i, theta) of |theta - 1/t sum_i theta_i|^2.

    The average is a constant: the share that the present weights have in it gets no gradient.
    """
    return tf.add_n([tf.reduce_sum(tf.math.squared_difference(weight, tf.stop_gradient(average))) for average, weight in pairs])


@dataclasses.dataclass(kw_only=True)
class HistoricalAveraging(term.Term):
    """Both players near their own past. The paper prints no coefficient."""

    needs_history: ClassVar[bool] = True

    generator_weight: float = 1.0
    discriminator_weight: float = 1.0

    def discriminator_loss(self, views, scores, step):
        return self.discriminator_weight * self.penalty(step)

    def generator_loss(self, views, scores, step):
        return self.generator_weight * self.penalty(step)

    def penalty(self, step) -> tf.Tensor:
        """Of the network that is being updated."""
        return historical_averaging(step.history)
