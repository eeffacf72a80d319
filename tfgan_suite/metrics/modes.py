"""Which modes of a known mixture, or which classes, a generator produces, and how evenly: mode collapse in numbers.

A point is of high quality if it lies within three standard deviations (the data's, not the sample's) of the nearest center: 1 - exp(-4.5) = 98.9 % of
the points of a perfect sampler in the plane. Srivastava et al. 2017 (VEEGAN), section 4.1; Lin et al. 2018 (PacGAN), section 4.1.
"""

import dataclasses

import numpy as np

THRESHOLD = 3.0
"""Deviations from the nearest center up to which a point is of high quality."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coverage:
    """What a sample covers of a mixture of k modes."""

    modes: int
    """Modes with a point of high quality."""
    assigned_modes: int
    """Modes that are the nearest to any point, however far away: the looser count of Dumoulin et al. 2017 (ALI)."""
    high_quality: float
    """Share of points of high quality."""
    missing: list[int]
    """Numbers of the modes without a point of high quality."""
    reverse_kl: float
    """KL(share of each of the k modes among the points of high quality || 1 / k), natural logarithm; NaN without such points."""
    std_ratios: dict[int, float]
    """Mode -> standard deviation of its points of high quality about their own mean, over the data's: 0.974 for a perfect sampler, whose tails the
    threshold cuts, and 0 for a single picture. Of modes with two such points or more."""

    @property
    def std_ratio(self) -> float:
        """Mean over the modes: how much variety there is within the modes that were found. NaN where no mode has two points."""
        return float(np.mean(list(self.std_ratios.values()))) if self.std_ratios else float("nan")

    def figures(self) -> dict[str, float]:
        """The numbers by name, without those that do not exist for this sample."""
        names = ("modes", "high_quality", "assigned_modes", "reverse_kl", "std_ratio")
        found = {name: float(getattr(self, name)) for name in names}
        return {name: value for name, value in found.items() if not np.isnan(value)}


def coverage(points: np.ndarray, centers: np.ndarray, deviation: float) -> Coverage:
    """points [n, d] against round Gaussians at `centers` [k, d] with this standard deviation along every axis."""
    points, centers = np.asarray(points, np.float64), np.asarray(centers, np.float64)
    if points.ndim != 2 or points.shape[1:] != centers.shape[1:] or not len(points):
        raise ValueError(f"Points [n, d] and centers [k, d] must have the same d. Received: {points.shape} and {centers.shape}.")
    nearest, distance = _nearest(points, centers)
    good = distance < THRESHOLD * deviation
    counts = np.bincount(nearest[good], minlength=len(centers))
    spread = {int(i): np.sqrt(points[good & (nearest == i)].var(0).mean()) / deviation for i in np.flatnonzero(counts >= 2)}
    return Coverage(
        modes=int((counts > 0).sum()),
        assigned_modes=len(np.unique(nearest)),
        high_quality=float(good.mean()),
        missing=np.flatnonzero(counts == 0).tolist(),
        reverse_kl=kl_to_uniform(counts) if good.any() else float("nan"),
        std_ratios={mode: float(ratio) for mode, ratio in spread.items()},
    )


def kl_to_uniform(counts: np.ndarray) -> float:
    """KL(counts / sum || 1 / k) of counts [k], natural logarithm, 0 log 0 = 0: between 0 and log k.

    Plugged-in counts overestimate: by about (k - 1) / 2n for a perfect generator, 0.019 for 1000 modes and 26,000 samples.
    """
    counts = np.asarray(counts, np.float64)
    if counts.ndim != 1 or counts.sum() <= 0 or (counts < 0).any():
        raise ValueError(f"A divergence needs counts [k], not negative and not all zero. Received: shape {counts.shape}, sum {counts.sum():g}.")
    shares = counts[counts > 0] / counts.sum()
    return float((shares * np.log(shares * len(counts))).sum())


def _nearest(points: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest center of each point, and its distance: [n] and [n]."""
    squares = sum((points[:, None, axis] - centers[None, :, axis]) ** 2 for axis in range(centers.shape[1]))
    nearest = squares.argmin(1)
    return nearest, np.sqrt(squares[np.arange(len(points)), nearest])
