"""Precision, recall, density and coverage of generated features, from nearest neighbours.

Improved precision and recall: Kynkaanniemi et al. 2019. Density and coverage: Naeem et al. 2020, eqs. 4 and 5. A set's manifold is the union of balls
around its points with the distance to the k-th nearest other point as radius; inside means strictly inside.

    precision  share of generated points inside any real ball
    recall     share of real points inside any generated ball
    density    mean number of real balls around a generated point, over k (may exceed 1)
    coverage   share of real balls with a generated point inside

TF-GAN has none of these. Distances are squared, in float64, tile by tile: memory grows with `tile`, not with the number of points.
"""

from collections.abc import Iterator

import numpy as np


def precision_recall_density_coverage(real: np.ndarray, fake: np.ndarray, *, k: int = 5, tile: int = 4096) -> dict[str, float]:
    """The four figures of features real [n, f] and fake [m, f] by name. Both need more than k rows."""
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"Both sets must have features [n, f] of one extractor. Received shapes {real.shape} and {fake.shape}.")
    if k < 1 or min(len(real), len(fake)) <= k:
        raise ValueError(f"Radii need more than k points in each set. Received: k {k} for {len(real)} and {len(fake)} rows.")
    centre = real.mean(0, dtype=np.float64)
    real, fake = real.astype(np.float64) - centre, fake.astype(np.float64) - centre
    real_radii, fake_radii = squared_radii(real, k, tile), squared_radii(fake, k, tile)
    balls_around = np.zeros(len(fake), np.int64)  # real balls that hold the generated point
    recalled, nearest = np.zeros(len(real), bool), np.full(len(real), np.inf)
    for rows, columns, distances in _tiles(real, fake, tile):
        balls_around[columns] += (distances < real_radii[rows, None]).sum(0)
        recalled[rows] |= (distances < fake_radii[None, columns]).any(1)
        nearest[rows] = np.minimum(nearest[rows], distances.min(1))
    return {
        "precision": float((balls_around > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(balls_around.mean() / k),
        "coverage": float((nearest < real_radii).mean()),
    }


def squared_radii(points: np.ndarray, k: int, tile: int = 4096) -> np.ndarray:
    """Squared distance [n] from each of points [n, f] to its k-th nearest other point: the (k + 1)-th smallest, itself included."""
    nearest = np.full((len(points), k + 1), np.inf)
    others = points.copy()  # numpy multiplies an array by itself along another path, which rounds otherwise than the comparison of two sets
    for rows, _, distances in _tiles(points, others, tile):
        candidates = np.concatenate([nearest[rows], distances], axis=1)
        nearest[rows] = np.partition(candidates, k, axis=1)[:, : k + 1]
    return nearest.max(1)


def _tiles(a: np.ndarray, b: np.ndarray, tile: int) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Squared distances of rows of a against rows of b, [tile, tile] at a time, with the slices they belong to."""
    norms_a, norms_b = (a * a).sum(1), (b * b).sum(1)
    for i in range(0, len(a), tile):
        for j in range(0, len(b), tile):
            rows, columns = slice(i, i + tile), slice(j, j + tile)
            sizes = norms_a[rows, None] + norms_b[None, columns]
            distances = sizes - 2.0 * (a[rows] @ b[columns].T)
            distances[distances < 1e-13 * sizes] = 0.0  # rounding of equal points: a copy must be at distance 0, not at 1e-8
            yield rows, columns, distances
