"""The compiled function that the training loop calls."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfgan_suite.core import gan


def compiled(model: gan.Gan, strategy: tf.distribute.Strategy, *, steps: int, jit_compile: bool) -> Callable[[Any], dict[str, tf.Tensor]]:
    """One compiled function: `steps` times `strategy.run(model.train_step)`; returns the last step's logs, means over replicas."""
    step = tf.function(model.train_step, jit_compile=True, autograph=False) if jit_compile else model.train_step

    def once(batch, i):
        logs = strategy.run(lambda b, j: step({key: value[j] for key, value in b.items()}), args=(batch, i))
        return {name: strategy.reduce("MEAN", value, axis=None) for name, value in logs.items()}

    @tf.function(autograph=False)
    def execute(batch):
        logs = once(batch, tf.constant(0))
        if steps > 1:
            rest = lambda i, _: (i + 1, once(batch, i))  # noqa: E731
            _, logs = tf.while_loop(lambda i, _: i < steps, rest, (tf.constant(1), logs))
        return logs

    return execute
