"""Random images for the benchmarks, whose speed does not depend on what they show."""

import os

import numpy as np
import tensorflow as tf


def folder(path: str, *, count: int, side: int, classes: int = 8) -> str:
    """Writes `count` PNGs into class folders; returns the source's name for a dataset's config."""
    numbers = np.random.default_rng(0)
    for i in range(count):
        directory = os.path.join(path, f"class_{i % classes}")
        os.makedirs(directory, exist_ok=True)
        picture = numbers.integers(0, 256, (side, side, 3), dtype=np.uint8)
        tf.io.write_file(os.path.join(directory, f"{i:06d}.png"), tf.io.encode_png(picture))
    return f"folder:{path}"


def batch(*, rows: int, side: int, classes: int = 8) -> dict[str, tf.Tensor]:
    """{"image": [rows, side, side, 3] in [-1, 1], "label": [rows]}."""
    numbers = np.random.default_rng(0)
    image = numbers.uniform(-1.0, 1.0, (rows, side, side, 3)).astype(np.float32)
    return {"image": tf.constant(image), "label": tf.constant(numbers.integers(0, classes, rows), tf.int32)}
