"""Singular values of every layer's kernel in use, over the checkpoints of a run. Brock et al. 2019, section 4.1 and figures 3 and 5 to 8.

A first value that grows without bound announces the collapse; spectral normalisation holds it at its gain (Miyato et al. 2018, figure 3 shows whole
spectra).
"""

import io
import json
import os

import keras
import numpy as np
import tensorflow as tf
from matplotlib import figure

from tfgan_suite.analysis import subject as subjects
from tfgan_suite.core import files, gan
from tfgan_suite.layers import spectral_norm

Spectra = dict[str, np.ndarray]
"""{layer: its singular values, descending}."""


def run(subject: subjects.Subject, options: subjects.Options, output: str) -> list[str]:
    """Writes `singular_values.json` and `.png`, and TensorBoard events in `tensorboard/`: the largest value, the ratio to the smallest and the
    distribution for each layer and kept step. Returns the paths."""
    found = {step: spectra(subject.restore(step)) for step in subject.steps}
    paths = [os.path.join(output, name) for name in ("singular_values.json", "singular_values.png", "tensorboard")]
    values = {str(step): {name: s.tolist() for name, s in layers.items()} for step, layers in found.items()}
    files.write(paths[0], json.dumps(values, allow_nan=False) + "\n")
    files.write(paths[1], plot(found))
    writer = tf.summary.create_file_writer(paths[2])
    for step, layers in found.items():
        with writer.as_default(step):
            for name, s in layers.items():
                tf.summary.scalar(f"largest_singular_value/{name}", s[0])
                if s[-1] > 0.0:
                    tf.summary.scalar(f"condition_number/{name}", s[0] / s[-1])
                tf.summary.histogram(f"singular_values/{name}", s)
    writer.close()
    return paths


def spectra(model: gan.Gan) -> Spectra:
    """Of all kernels in the networks that are trained, `<network>/<position>_<layer>`; the matrix is [everything else, output channels]."""
    found = {}
    for name, network in model.networks().items():
        if network.trainable_variables:
            for i, layer in enumerate(kernels(network)):
                found[f"{name}/{i:02d}_{type(layer).__name__.lower()}"] = singular_values(layer)
    return found


def kernels(network: keras.Model) -> list[spectral_norm.WeightLayer]:
    """The layers with one kernel, at any depth, in the order in which the network was built."""
    return [layer for layer in network._flatten_layers() if isinstance(layer, spectral_norm.WeightLayer)]


def singular_values(layer: spectral_norm.WeightLayer) -> np.ndarray:
    """Descending, float64, of the kernel that the layer computes with: gain W / sigma(W) where it is spectrally normalised, W otherwise."""
    scale = layer.gain / float(layer.sigma()) if layer.spectral_norm else 1.0
    return np.linalg.svd(layer.matrix().numpy().astype(np.float64) * scale, compute_uv=False)


def plot(found: dict[int, Spectra]) -> bytes:
    """A PNG: the largest value of each layer over the steps, and the spectra at the last step, a row per network."""
    last = found[max(found)]
    networks = list(dict.fromkeys(name.partition("/")[0] for name in last))
    drawing = figure.Figure(figsize=(12, 4.5 * len(networks)), layout="constrained")
    for (left, right), network in zip(drawing.subplots(len(networks), 2, squeeze=False), networks, strict=True):
        for name in (n for n in last if n.partition("/")[0] == network):
            label = name.partition("/")[2]
            left.plot(list(found), [layers[name][0] for layers in found.values()], marker="o", label=label)
            right.plot(np.linspace(0.0, 1.0, len(last[name])), last[name], label=label)
        left.set(xlabel="generator step", ylabel="largest singular value", title=network)
        right.set(xlabel="rank, as a share", ylabel="singular value", title=f"{network}, step {max(found)}")
        right.legend(fontsize="x-small", ncols=2)
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
