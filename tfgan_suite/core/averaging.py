"""The averaged generator: what is judged, sampled and exported."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf


@dataclasses.dataclass(kw_only=True)
class Average:
    """Exponential moving average of trained weights: average <- decay * average + (1 - decay) * live (Karras et al. 2018; Brock et al. 2019)."""

    decay: float = 0.999
    """0 judges and exports the live weights."""
    start: int = 0
    """Up to this generator step the average equals the live weights."""

    def __post_init__(self):
        if not 0.0 <= self.decay < 1.0 or self.start < 0:
            raise ValueError(f"Average needs decay in [0, 1) and start >= 0. Received: decay={self.decay}, start={self.start}.")


def twin(live: keras.Model, build: Callable[[], keras.Model]) -> keras.Model:
    """A second build of the network `live`, with its values, that no optimizer moves."""
    second = build()
    second.trainable = False
    set_equal(second, live)
    return second


def set_equal(average: keras.Model, live: keras.Model) -> None:
    """Gives `average`, a second build of the same network, every value of `live`."""
    for a, v in zip(average.variables, live.variables, strict=True):
        a.assign(v)


def update(average: keras.Model, live: keras.Model, decay: tf.Tensor) -> None:
    """One step of the moving average over the trained weights. `decay`: float32 scalar."""
    for a, v in pairs(average, live):
        a.assign(decay * a + (1.0 - decay) * v)


def pairs(average: keras.Model, live: keras.Model) -> list[tuple[keras.Variable, keras.Variable]]:
    """Each trained weight of `live` with its average before it (the average itself has none that are trained: it is frozen)."""
    trained = {id(v) for v in live.trainable_variables}
    return [(a, v) for a, v in zip(average.variables, live.variables, strict=True) if id(v) in trained]


def copy_state(average: keras.Model, live: keras.Model) -> None:
    """Copies what is not trained (spectral-norm vectors, moving statistics) from the live network."""
    trained = {id(v) for v in live.trainable_variables}
    for a, v in zip(average.variables, live.variables, strict=True):
        if id(v) not in trained:
            a.assign(v)


def normalization_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """All batch normalisations inside `network`: the layers that keep a moving mean and variance."""
    layers = network._flatten_layers(include_self=False, recursive=True)
    return [layer for layer in layers if hasattr(layer, "moving_mean") and hasattr(layer, "moving_variance")]


def collect_statistics(networks: list[keras.Model], generate, batches: int) -> None:
    """Standing statistics (Brock et al. 2019): sets moving mean and variance to their means over `batches` calls of `generate(i)` in training mode.

    `generate` runs `networks` once on batch i (an int64 scalar tensor).
    """
    layers = [layer for network in networks for layer in normalization_layers(network)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    statistics = [v for layer in layers for v in (layer.moving_mean, layer.moving_variance)]
    for layer in layers:
        layer.momentum = 0.0  # one training call leaves the batch's own statistics in the moving variables

    @tf.function(autograph=False)
    def batch_statistics(i):
        generate(i)
        return [tf.convert_to_tensor(v) for v in statistics]

    sums = [0.0] * len(statistics)
    try:
        for i in range(batches):
            sums = [s + v.numpy() for s, v in zip(sums, batch_statistics(tf.constant(i, tf.int64)), strict=True)]
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for variable, total in zip(statistics, sums, strict=True):
        variable.assign(total / batches)
