"""How the gradient changes on its way through a deep critic. Gulrajani et al. 2017, figure 1b: under weight clipping it explodes or vanishes."""

import io
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib import figure


def gradient_norms(critic: keras.Model, points: Any) -> np.ndarray:
    """Mean over `points` [n, 1, d, 1] of |d f(x) / d h_l| for the hidden layers h_1 (next to the input) to h_L of a critic f: [L].

    By the activations and not by the kernels: the gradient of a kernel is the product of what comes forwards and of what comes backwards, in which
    the factors of all layers occur once, wherever the kernel is.
    """
    hidden = [layer.output for layer in critic.layers if isinstance(layer, keras.layers.Activation)]
    network = keras.Model(critic.inputs, [*hidden, critic.output["logits"]])
    with tf.GradientTape() as tape:
        *values, logits = network({"image": tf.constant(points, tf.float32)})
        total = tf.reduce_sum(logits)
    return np.array([float(tf.reduce_mean(tf.norm(gradient, axis=1))) for gradient in tape.gradient(total, values)])


def factor(norms: np.ndarray) -> float:
    """By how much the norm is multiplied from a layer to the one before it, geometric mean: above 1 it explodes towards the input, below it vanishes.

    Over the layers that float32 gives a norm above 0; NaN where those are fewer than two.
    """
    above = np.flatnonzero(norms > 0)
    if len(above) < 2:
        return float("nan")
    first, last = above[0], above[-1]
    return float((norms[first] / norms[last]) ** (1.0 / (last - first)))


def draw(norms: Mapping[str, np.ndarray]) -> bytes:
    """PNG: a line per critic, the norm on a logarithmic scale over the layer."""
    drawing = figure.Figure(figsize=(6, 3.6), layout="constrained")
    axes = drawing.add_subplot()
    for name, values in norms.items():
        axes.semilogy(range(1, len(values) + 1), values, marker="o", markersize=3, label=name)
    axes.set(xlabel="hidden layer, from the input", ylabel="mean gradient norm of the score")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    return buffer.getvalue()
