"""Sliced Wasserstein distance of the patches at each resolution. Karras et al. 2018, section 5, with the constants of their code.

128 patches of 7x7 pixels from every image at every level of a Laplacian pyramid down to 16 pixels; each set's patches are normalised, per channel, by
the mean and deviation of the whole set; the distance is the mean, over 4 times 128 random directions, of the mean distance of the sorted projections.
Published values are times 1000 and of 16,384 images: the figure falls with the number of images.

The pyramid is TF-GAN's. Its `sliced_wasserstein_distance` is not used: it normalises each patch by its own deviation, so that it is NaN as soon as
one patch is of one color, takes images of three channels only, and draws from global generators.
"""

import numpy as np
import tensorflow as tf

from tfgan_suite import compat

PATCH, PATCHES, SMALLEST = 7, 128, 16
REPEATS, DIRECTIONS = 4, 128
_TILE = 256  # images whose pyramid is computed at once


def distances(real: np.ndarray, fake: np.ndarray, *, seed: int = 0) -> dict[str, float]:
    """`sliced_wasserstein_<height>` for each resolution, finest first, of images [n, h, w, c] in [0, 255]; before them their mean,
    `sliced_wasserstein`. Not times 1000.

    As many images are taken of either set as the smaller one has.
    """
    if real.shape[1:] != fake.shape[1:] or real.ndim != 4 or min(real.shape[1:3]) < SMALLEST or not len(real) or not len(fake):
        raise ValueError(
            f"Sliced Wasserstein distances need two sets of images [n, h, w, c] of one size, at least {SMALLEST} pixels a side. "
            f"Received: {real.shape} and {fake.shape}."
        )
    count = min(len(real), len(fake))
    random = np.random.RandomState(seed)
    found = {}
    for a, b in zip(_pyramid(real[:count]), _pyramid(fake[:count]), strict=True):
        rows = _normalised(_patches(a, random)), _normalised(_patches(b, random))
        found[f"sliced_wasserstein_{a.shape[1]}"] = sliced_distance(*rows, random)
    return {"sliced_wasserstein": float(np.mean(list(found.values())))} | found


def sliced_distance(a: np.ndarray, b: np.ndarray, random: np.random.RandomState) -> float:
    """Mean over random directions of the first Wasserstein distance between the projections of rows a [n, d] and b [n, d]."""
    values = []
    for _ in range(REPEATS):
        directions = random.standard_normal((a.shape[1], DIRECTIONS))
        directions = (directions / np.linalg.norm(directions, axis=0)).astype(np.float32)
        values.append(np.abs(np.sort(a @ directions, 0) - np.sort(b @ directions, 0)).mean(dtype=np.float64))
    return float(np.mean(values))


def levels(height: int, width: int) -> int:
    """Levels of the pyramid: halvings while both sides are even and stay at least 16, and the image itself."""
    number = 1
    while height % 2 == width % 2 == 0 and min(height, width) // 2 >= SMALLEST:
        height, width, number = height // 2, width // 2, number + 1
    return number


def _pyramid(images: np.ndarray) -> list[np.ndarray]:
    """The Laplacian pyramid [n, h / 2^i, w / 2^i, c] float32, finest first."""
    number, build = levels(*images.shape[1:3]), compat.tfgan_eval().sliced_wasserstein.laplacian_pyramid
    tiles = [[level.numpy() for level in build(tf.constant(images[i : i + _TILE], tf.float32), number)] for i in range(0, len(images), _TILE)]
    return [np.concatenate(level) for level in zip(*tiles, strict=True)]


def _patches(images: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """[n * 128, 7, 7, c] at random places."""
    n, height, width, _ = images.shape
    rows = random.randint(height - PATCH + 1, size=(n, PATCHES, 1, 1)) + np.arange(PATCH)[:, None]
    columns = random.randint(width - PATCH + 1, size=(n, PATCHES, 1, 1)) + np.arange(PATCH)
    return images[np.arange(n)[:, None, None, None], rows, columns].reshape(n * PATCHES, PATCH, PATCH, -1)


def _normalised(patches: np.ndarray) -> np.ndarray:
    """Rows [n, 7 * 7 * c] with mean 0 and deviation 1 in every channel; a channel of one value becomes 0."""
    mean, deviation = (f((0, 1, 2), dtype=np.float64).astype(np.float32) for f in (patches.mean, patches.std))
    return ((patches - mean) / np.where(deviation > 0, deviation, 1.0)).reshape(len(patches), -1)
