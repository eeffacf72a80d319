"""Optimizers and learning-rate schedules as configuration. A schedule counts generator steps, also for a player that moves several times in one."""

import dataclasses
import math

import keras
import tensorflow as tf


@dataclasses.dataclass(kw_only=True)
class Constant:
    """The learning rate stays as it is."""

    def factor(self, step: tf.Tensor, steps: int) -> tf.Tensor:
        """step: float32 scalar, generator steps done; steps: the length of the phase. Returns what the learning rate is multiplied with."""
        return tf.ones_like(step)


@dataclasses.dataclass(kw_only=True)
class LinearDecay:
    """Falls linearly from 1 to `end_factor`, beginning when `start` (a fraction of the phase in [0, 1)) is done."""

    start: float = 0.0
    end_factor: float = 0.0

    def __post_init__(self):
        if not 0.0 <= self.start < 1.0:
            raise ValueError(f"LinearDecay.start is the fraction of the phase after which the decay begins, in [0, 1). Received: {self.start}.")
        if not 0.0 <= self.end_factor < math.inf:
            raise ValueError(f"LinearDecay.end_factor, which the learning rate ends multiplied by, is at least 0. Received: {self.end_factor}.")

    def factor(self, step: tf.Tensor, steps: int) -> tf.Tensor:
        done = tf.clip_by_value((step - self.start * steps) / ((1.0 - self.start) * steps), 0.0, 1.0)
        return 1.0 + done * (self.end_factor - 1.0)


@dataclasses.dataclass(kw_only=True)
class ExponentialDecay:
    """Divided by `divisor` at every step, never below `minimum` times the initial rate."""

    divisor: float = 1.000004
    minimum: float = 1e-5

    def __post_init__(self):
        if not (1.0 <= self.divisor < math.inf and 0.0 <= self.minimum <= 1.0):
            raise ValueError(f"ExponentialDecay needs divisor >= 1 and minimum in [0, 1]. Received: divisor={self.divisor}, minimum={self.minimum}.")

    def factor(self, step: tf.Tensor, steps: int) -> tf.Tensor:
        return tf.maximum(tf.exp(-step * math.log(self.divisor)), self.minimum)


class _Rate(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, learning_rate: float, schedule, steps: int, updates_per_step: int):
        self._learning_rate, self._schedule, self._steps, self._updates_per_step = learning_rate, schedule, steps, updates_per_step

    def __call__(self, iterations):
        step = tf.cast(tf.cast(iterations, tf.int64) // self._updates_per_step, tf.float32)
        return self._learning_rate * self._schedule.factor(step, self._steps)


@dataclasses.dataclass(kw_only=True)
class Optimizer:
    """One player's optimizer."""

    learning_rate: float = 2e-4
    schedule: Constant | LinearDecay | ExponentialDecay = dataclasses.field(default_factory=Constant)
    clip_norm: float = math.inf
    """The global gradient (over all replicas) is scaled down to this norm; infinity leaves it alone."""

    def __post_init__(self):
        if not (0.0 <= self.learning_rate < math.inf and self.clip_norm > 0.0):
            raise ValueError(
                f"{type(self).__name__} needs a finite learning_rate >= 0 and clip_norm > 0. "
                f"Received: learning_rate={self.learning_rate}, clip_norm={self.clip_norm}."
            )

    def build(self, *, steps: int, updates_per_step: int = 1, float16: bool = False) -> keras.optimizers.Optimizer:
        """The Keras optimizer of a player that moves `updates_per_step` times in each of `steps` generator steps."""
        rate = self.learning_rate if isinstance(self.schedule, Constant) else _Rate(self.learning_rate, self.schedule, steps, updates_per_step)
        optimizer = self._build(rate, steps * updates_per_step)
        return keras.optimizers.LossScaleOptimizer(optimizer) if float16 else optimizer

    def _check_decays(self, *names: str) -> None:
        """Raises a ValueError unless these fields, weights of the past in a running mean, are in [0, 1)."""
        for name in names:
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{type(self).__name__}.{name} must be in [0, 1). Received: {getattr(self, name)}.")

    def _build(self, rate, updates: int) -> keras.optimizers.Optimizer:
        raise NotImplementedError(f"{type(self).__name__} must build a Keras optimizer")


@dataclasses.dataclass(kw_only=True)
class Adam(Optimizer):
    """Kingma and Ba 2015."""

    beta_1: float = 0.5
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self):
        super().__post_init__()
        self._check_decays("beta_1", "beta_2")

    def _build(self, rate, updates):
        return keras.optimizers.Adam(rate, beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)


@dataclasses.dataclass(kw_only=True)
class RMSprop(Optimizer):
    """Tieleman and Hinton 2012."""

    rho: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self):
        super().__post_init__()
        self._check_decays("rho")

    def _build(self, rate, updates):
        return keras.optimizers.RMSprop(rate, rho=self.rho, epsilon=self.epsilon)


@dataclasses.dataclass(kw_only=True)
class SGD(Optimizer):
    """Gradient descent; `momentum` moves linearly to `final_momentum` over the phase (Goodfellow et al. 2014: 0.5 to 0.7)."""

    learning_rate: float = 0.1
    momentum: float = 0.0
    final_momentum: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        self._check_decays("momentum", "final_momentum")

    def _build(self, rate, updates):
        if self.momentum == self.final_momentum:
            return keras.optimizers.SGD(rate, momentum=self.momentum)
        return _MomentumSchedule(rate, self.momentum, self.final_momentum, updates)


class _MomentumSchedule(keras.optimizers.SGD):
    def __init__(self, rate, momentum: float, final_momentum: float, updates: int):
        # Without a momentum Keras makes no slots; the name that it makes of this class is not allowed as a scope of a graph.
        super().__init__(rate, momentum=max(momentum, final_momentum), name="sgd")
        self._start, self._end, self._updates = momentum, final_momentum, updates

    def update_step(self, gradient, variable, learning_rate):
        done = tf.minimum(tf.cast(self.iterations.value, tf.float32) / self._updates, 1.0)
        slot = self.momentums[self._get_variable_index(variable)]
        velocity = (self._start + done * (self._end - self._start)) * slot - gradient * tf.cast(learning_rate, gradient.dtype)
        self.assign(slot, velocity)
        self.assign_add(variable, velocity)
