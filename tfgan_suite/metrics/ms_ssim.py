"""Multi-scale structural similarity of pairs of images: the mean over random pairs of a class tells how alike its images are.

Wang et al. 2003 with the constants of their code; its use as a measure of collapse: Odena et al. 2017, section 4.2. Lower is more diverse; read it
beside the value of real images. Windows are shrunk to images smaller than themselves, as in Karras et al. 2018, so 32 pixels a side are enough, which
TensorFlow's `ssim_multiscale` does not do.
"""

import numpy as np

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first."""
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2
_TILE = 50  # pairs compared at once


def similarity(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n] in [0, 1] of pairs of images [n, h, w, c] with values in [0, 255]: 1 for equal images. Symmetric.

    The product over scales of contrast times structure, and of the luminance at the coarsest; negative ones count as 0.
    """
    if x.shape != y.shape or x.ndim != 4:
        raise ValueError(f"Similarity needs two sets of images [n, h, w, c] of one shape. Received: {x.shape} and {y.shape}.")
    x, y, result = np.asarray(x, np.float64), np.asarray(y, np.float64), 1.0
    for i, weight in enumerate(WEIGHTS):
        whole, contrast = _one_scale(x, y)
        last = i == len(WEIGHTS) - 1
        result = result * np.maximum(whole if last else contrast, 0.0) ** weight
        x, y = (x, y) if last else (_halved(x), _halved(y))
    return result


def random_pairs(labels: np.ndarray, pairs: int, seed: int) -> np.ndarray:
    """Row numbers [m, 2] of two different images of one class each, `labels` [n]: as many of every class with two images or more, m about `pairs`."""
    classes, counts = np.unique(labels, return_counts=True)
    classes = classes[counts >= 2]
    if not len(classes) or pairs < 1:
        raise ValueError(f"Similarity needs at least one pair of two images of a class. Received: {len(labels)} images, {pairs} pairs.")
    random, chosen = np.random.RandomState(seed), []
    for c in classes:
        rows = np.flatnonzero(labels == c)
        first = random.randint(len(rows), size=-(-pairs // len(classes)))
        second = (first + 1 + random.randint(len(rows) - 1, size=len(first))) % len(rows)
        chosen.append(np.stack([rows[first], rows[second]], 1))
    return np.concatenate(chosen)


def mean_similarity(images: np.ndarray, labels: np.ndarray, *, pairs: int, seed: int) -> tuple[float, int]:
    """The mean over random pairs within the classes of uint8 images [n, h, w, c], and how many pairs there were. Without labels give zeros."""
    chosen = random_pairs(labels, pairs, seed)
    tiles = (chosen[i : i + _TILE] for i in range(0, len(chosen), _TILE))
    return float(np.concatenate([similarity(images[t[:, 0]], images[t[:, 1]]) for t in tiles]).mean()), len(chosen)


def _one_scale(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(SSIM, its contrast and structure alone), [n] each: means over pixels and channels."""
    size = min(_WINDOW, *x.shape[1:3])
    window = _gaussian(size, _SIGMA * size / _WINDOW)
    mean_x, mean_y = _filtered(x, window), _filtered(y, window)
    covariance = _filtered(x * y, window) - mean_x * mean_y
    variances = _filtered(x * x, window) - mean_x**2 + _filtered(y * y, window) - mean_y**2
    contrast = (2.0 * covariance + _C2) / (variances + _C2)
    luminance = (2.0 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _gaussian(size: int, sigma: float) -> np.ndarray:
    offsets = np.arange(size) - (size - 1) / 2.0
    window = np.exp(-0.5 * (offsets / sigma) ** 2)
    return window / window.sum()


def _filtered(x: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Images [n, h, w, c] under a window along both axes, where it fits."""
    size = len(window)
    rows = sum(weight * x[:, i : x.shape[1] - size + 1 + i] for i, weight in enumerate(window))
    return sum(weight * rows[:, :, i : x.shape[2] - size + 1 + i] for i, weight in enumerate(window))


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; an odd last row or column is repeated."""
    n, h, w, c = x.shape
    x = np.pad(x, [(0, 0), (0, h % 2), (0, w % 2), (0, 0)], mode="edge")
    return x.reshape(n, (h + 1) // 2, 2, (w + 1) // 2, 2, c).mean((2, 4))
