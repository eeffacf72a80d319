"""Frechet distance between two sets of features, each read as a Gaussian: FID when the features are those of the 2015 Inception graph.

    ||m_r - m_g||^2 + Tr(S_r + S_g - 2 (S_r S_g)^(1/2))        Heusel et al. 2017, eq. 6

m the mean over n rows, S the covariance over n - 1, all in float64 and outside compiled functions. The trace of the root is TF-GAN's; the moments
are ours, because TF-GAN takes all features at once and these stream over batches.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from tfgan_suite import compat


class Moments:
    """Mean and covariance of rows that arrive in batches, in memory that does not grow with their number.

    The sums are kept about the first batch's mean, since `sum x x^T - n m m^T` loses all its digits when the mean is large against the spread.
    """

    def __init__(self):
        self.count = 0
        self._shift = np.zeros(0)
        self._sum = np.zeros(0)
        self._outer = np.zeros((0, 0))

    @classmethod
    def of(cls, features: np.ndarray | Iterable[np.ndarray]) -> "Moments":
        """Of one array [n, f], or of an iterable of such arrays."""
        moments = cls()
        for batch in [features] if isinstance(features, np.ndarray) else features:
            moments.update(batch)
        return moments

    @classmethod
    def restored(cls, count: int, mean: np.ndarray, covariance: np.ndarray) -> "Moments":
        """From what `count`, `mean` and `covariance` gave; more rows may be added."""
        moments = cls()
        moments.count, moments._shift, moments._sum = int(count), mean, np.zeros_like(mean)
        moments._outer = covariance * (count - 1)
        return moments

    def update(self, features: np.ndarray) -> None:
        """Adds rows [b, f]."""
        rows = np.asarray(features, np.float64)
        if rows.ndim != 2:
            raise ValueError(f"Features must have the shape [b, f]. Received: {rows.shape}.")
        if not np.isfinite(rows).all():
            raise ValueError("Features contain NaN or infinity, so no distance is defined. The images or the extractor's weights are not finite.")
        if not len(rows):
            return
        if self.count == 0:
            self._shift = rows.mean(0)
            self._sum = np.zeros_like(self._shift)
            self._outer = np.zeros((rows.shape[1], rows.shape[1]))
        elif rows.shape[1] != len(self._shift):
            raise ValueError(f"Features of one set must have one width. Received {rows.shape[1]} after {len(self._shift)}.")
        rows = rows - self._shift
        self.count += len(rows)
        self._sum += rows.sum(0)
        self._outer += rows.T @ rows

    @property
    def mean(self) -> np.ndarray:
        """[f] float64."""
        self._require(1)
        return self._shift + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """[f, f] float64 over n - 1."""
        self._require(2)
        centre = self._sum / self.count
        return (self._outer - self.count * np.outer(centre, centre)) / (self.count - 1)

    def _require(self, rows: int) -> None:
        if self.count < rows:
            raise ValueError(f"A Frechet distance needs at least 2 rows of features in each set. Received: {self.count}.")


def trace_of_root(covariance_a: np.ndarray, covariance_b: np.ndarray) -> float:
    """Tr (A B)^(1/2) of two covariances [f, f], singular ones included.

    TF-GAN's `trace_sqrt_product`: eigenvalues of A^(1/2) B A^(1/2) by SVD in float64. It leaves singular values below 1e-10 unrooted, which is right
    for features of size one and wrong for small ones (a set against itself at a scale of 1e-5 would not give 0), so both are brought to a
    mean variance of one first: Tr (sA tB)^(1/2) = (st)^(1/2) Tr (A B)^(1/2).
    """
    scale_a, scale_b = np.trace(covariance_a) / len(covariance_a), np.trace(covariance_b) / len(covariance_b)
    if scale_a <= 0.0 or scale_b <= 0.0:
        return 0.0
    with tf.device("CPU"):
        root = compat.tfgan_eval().classifier_metrics.trace_sqrt_product(
            tf.constant(covariance_a / scale_a, tf.float64), tf.constant(covariance_b / scale_b, tf.float64)
        )
    return float(root) * float(np.sqrt(scale_a) * np.sqrt(scale_b))


def frechet_distance(a: Moments, b: Moments) -> float:
    """The distance between the Gaussians with the moments `a` and `b`. Finite also when n < f, where it says little (use 2,048 rows or more)."""
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"Both sets must have features of one extractor. Received widths {len(a.mean)} and {len(b.mean)}.")
    return gaussian_distance(a.mean, a.covariance, b.mean, b.covariance)


def gaussian_distance(mean_a: np.ndarray, covariance_a: np.ndarray, mean_b: np.ndarray, covariance_b: np.ndarray) -> float:
    """The same from means [f] and covariances [f, f]."""
    difference = mean_a - mean_b
    spread = np.trace(covariance_a) + np.trace(covariance_b) - 2.0 * trace_of_root(covariance_a, covariance_b)
    return float(difference @ difference + spread)
