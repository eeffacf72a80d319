"""Bringing images to a feature extractor's size. Which resizer was used is part of every protocol: at 32 -> 299 they differ by half a source pixel.

Every resizer is a matrix per axis, applied in float32, so it is exact, independent of the batch and alike on every device.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -0.5, as Pillow's bicubic."""
    x, a = np.abs(x), -0.5
    inner = (a + 2) * x**3 - (a + 3) * x**2 + 1
    outer = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))


def legacy_tf(size_in: int, size_out: int) -> np.ndarray:
    """TensorFlow 1 bilinear, the published FID's: source = target * scale, no antialias."""
    return _interpolation(np.arange(size_out) * (size_in / size_out), size_in)


def half_pixel(size_in: int, size_out: int) -> np.ndarray:
    """Bilinear with pixel centres at half: source = (target + 0.5) * scale - 0.5, no antialias (`tf.image.resize`, `F.interpolate`)."""
    return _interpolation((np.arange(size_out) + 0.5) * (size_in / size_out) - 0.5, size_in)


def clean(size_in: int, size_out: int) -> np.ndarray:
    """Pillow's bicubic: half-pixel centres, the kernel widened by the scale when shrinking. Parmar et al. 2022."""
    return _filtered(_cubic, 2.0, size_in, size_out)


def antialias(size_in: int, size_out: int) -> np.ndarray:
    """Bilinear with half-pixel centres, the kernel widened by the scale when shrinking (`tf.image.resize(antialias=True)`)."""
    return _filtered(_triangle, 1.0, size_in, size_out)


RESIZERS: dict[str, Callable[[int, int], np.ndarray]] = {"legacy_tf": legacy_tf, "half_pixel": half_pixel, "clean": clean, "antialias": antialias}


def resize(images: tf.Tensor, size: tuple[int, int], resizer: str) -> tf.Tensor:
    """Images [b, h, w, c] to float32 [b, *size, c]; equal sizes are left as they are."""
    rows, columns = matrix(resizer, images.shape[1], size[0]), matrix(resizer, images.shape[2], size[1])
    images = tf.cast(images, tf.float32)
    if images.shape[1] != size[0]:
        images = tf.einsum("oh,bhwc->bowc", rows, images)
    if images.shape[2] != size[1]:
        images = tf.einsum("pw,bowc->bopc", columns, images)
    return images


@functools.cache
def matrix(resizer: str, size_in: int, size_out: int) -> np.ndarray:
    """Weights [size_out, size_in] float32, every row summing to 1."""
    if resizer not in RESIZERS:
        raise ValueError(f"There is no resizer {resizer!r}. Choose one of: {', '.join(RESIZERS)}.")
    return RESIZERS[resizer](size_in, size_out).astype(np.float32)


def _interpolation(source: np.ndarray, size_in: int) -> np.ndarray:
    source = np.clip(source, 0, size_in - 1)
    return _triangle(source[:, None] - np.arange(size_in)[None])


def _filtered(kernel: Callable[[np.ndarray], np.ndarray], support: float, size_in: int, size_out: int) -> np.ndarray:
    scale = size_in / size_out
    width = max(scale, 1.0)
    centres = (np.arange(size_out) + 0.5) * scale
    offsets = (np.arange(size_in)[None] + 0.5 - centres[:, None]) / width
    weights = np.where(np.abs(offsets) <= support, kernel(offsets), 0.0)
    return weights / weights.sum(1, keepdims=True)
