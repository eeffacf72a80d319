"""What the discriminator makes of images: one of its heads, on real and on generated ones, for TensorBoard's embedding projector and as a PCA figure.

The projector computes t-SNE and UMAP in the browser: `tensorboard --logdir=<output>`. For ContraGAN's head, Kang and Park 2020, figure 5.
"""

import io
import math
import os
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib import figure

from tfgan_suite.analysis import subject as subjects
from tfgan_suite.core import files, picture, sampling
from tfgan_suite.metrics import examples, extractor
from tfgan_suite.ops import random

_BATCH = 100
_SPRITE_SIDE = 8192  # pixels; the projector takes no larger picture
_CONFIG = """embeddings {{
  tensor_name: "discriminator/{head}"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {width}
    single_image_dim: {height}
  }}
}}
"""


class Points(NamedTuple):
    """n images and what the discriminator says of them."""

    images: np.ndarray
    labels: np.ndarray
    """Classes [n], -1 where there are none."""
    real: np.ndarray
    """bool [n]."""
    values: np.ndarray
    """The head's output [n, d]."""


def run(subject: subjects.Subject, options: subjects.Options, output: str) -> list[str]:
    """Writes `tensors.tsv`, `metadata.tsv`, `sprite.png`, `projector_config.pbtxt` and `pca.png`; returns the paths."""
    head = options.head or ("embedding" if "embedding" in subject.model.discriminator.output else "features")
    points = measure(subject, options, head)
    height, width = points.images.shape[1:3]
    rows = ["\t".join(("source", "class"))]
    rows += [f"{_source(r)}\t{subject.class_name(c) if c >= 0 else ''}" for r, c in zip(points.real, points.labels, strict=True)]
    contents = {
        "tensors.tsv": "".join("\t".join(f"{v:.6g}" for v in row) + "\n" for row in points.values),
        "metadata.tsv": "\n".join(rows) + "\n",
        "sprite.png": picture.png(sprite(points.images)),
        "projector_config.pbtxt": _CONFIG.format(head=head, width=width, height=height),
        "pca.png": plot(points, subject, head),
    }
    for name, content in contents.items():
        files.write(os.path.join(output, name), content)
    return [os.path.join(output, name) for name in contents]


def measure(subject: subjects.Subject, options: subjects.Options, head: str) -> Points:
    """Half real and half generated images. Raises a ValueError if the discriminator has no such head, or it is no vector."""
    model, each = subject.model, options.samples // 2
    shapes = {name: tuple(value.shape) for name, value in model.discriminator.output.items()}
    if len(shapes.get(head, ())) != 2:
        vectors = ", ".join(name for name, shape in shapes.items() if len(shape) == 2)
        raise ValueError(f"The discriminator of {type(model).__name__} has no vector {head!r}. Choose --head from: {vectors or 'none'}.")
    judge = subject.judge(("fid",))
    real = _joined(list(examples.of(judge.data, "test" if judge.data.spec.test_size else "train", each)))
    options_of_samples = {"seed": options.seed, "truncation": options.truncation, "held_out": judge.held_out}
    fake = _joined(list(sampling.samples(model, each, batch_size=_BATCH, **options_of_samples)))
    keys = [key for key in real if key in fake]
    both = {key: np.concatenate([real[key], fake[key]]) for key in keys}
    count = len(both["image"])
    labels = both.get("label", np.full(count, -1, np.int32))
    sources = np.arange(count) < len(real["image"])
    return Points(images=both["image"], labels=labels, real=sources, values=outputs(subject, both, head, options.seed))


def outputs(subject: subjects.Subject, images: dict[str, np.ndarray], head: str, seed: int) -> np.ndarray:
    """The head [n, d] of {"image", and what else the discriminator reads}; noise that it reads is drawn."""
    model, found = subject.model, []
    for i in range(0, len(images["image"]), _BATCH):
        view = {key: tf.constant(value[i : i + _BATCH]) for key, value in images.items()}
        view = model.with_noise({"real": view}, random.Stream(seed, "embedding", i))["real"]
        scores = model.discriminator(model.inputs_of(view), training=False)
        found.append(scores[head].numpy().astype(np.float64))
    return np.concatenate(found)


def principal_components(values: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """(coordinates [n, count] of rows [n, d] along the directions of greatest variance, the share of the variance along each [count])."""
    centred = values - values.mean(0)
    left, scales, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :count] * scales[:count], scales[:count] ** 2 / max(np.sum(scales**2), np.finfo(float).tiny)


def sprite(images: np.ndarray) -> np.ndarray:
    """All images [n, h, w, c] in one square picture without gaps, row by row, as the projector reads it."""
    tiles = extractor.quantise(images)
    tiles = np.repeat(tiles[..., :1], 3, axis=-1) if tiles.shape[-1] < 3 else tiles
    n, height, width, channels = tiles.shape
    side = math.ceil(math.sqrt(n))
    if side * max(height, width) > _SPRITE_SIDE:
        raise ValueError(f"{n} images of {height}x{width} exceed the projector's picture of {_SPRITE_SIDE} pixels a side. Lower --samples.")
    sheet = np.zeros((side * side, height, width, channels), np.uint8)
    sheet[:n] = tiles
    return sheet.reshape(side, side, height, width, channels).swapaxes(1, 2).reshape(side * height, side * width, channels)


def plot(points: Points, subject: subjects.Subject, head: str) -> bytes:
    """A PNG of the first two principal components: a colour per class, dots for real images and crosses for generated ones."""
    coordinates, shares = principal_components(points.values)
    drawing = figure.Figure(figsize=(9, 7), layout="constrained")
    axes = drawing.add_subplot()
    for real, marker in ((True, "o"), (False, "x")):
        for number, label in enumerate(np.unique(points.labels)):
            chosen = (points.real == real) & (points.labels == label)
            name = f"{_source(real)} {subject.class_name(label) if label >= 0 else ''}".strip()
            axes.scatter(*coordinates[chosen].T[:2], s=12, marker=marker, color=f"C{number % 10}", alpha=0.6, linewidths=0.8, label=name)
    if len(np.unique(points.labels)) <= 10:
        axes.legend(fontsize="x-small", ncols=2)
    axes.set(xlabel=f"first component ({shares[0]:.0%})", ylabel=f"second component ({shares[1]:.0%})", title=f"discriminator, {head}")
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _joined(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}


def _source(real: bool) -> str:
    return "real" if real else "generated"
