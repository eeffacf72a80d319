"""`toy:<name>`: points of the plane drawn from distributions whose modes are known. A function of the name alone: nothing is downloaded.

A point is an image [1, 2, 1] under the key `image`, in a range of its own; `label` is the number of the mode it was drawn from. The modes themselves
are in the `DataSpec`. The sources print other angles for the ring, linspace(0, 2 pi, 8) with the end point, which gives seven modes; ours has eight.
"""

import math
import zlib

import numpy as np

from pipelines import in_memory, readers, spec

SIZES = {"train": 100_000, "test": 10_000}
"""Split -> points. 100,000 as in the experiments of Dumoulin et al. 2017 (ALI) and Lin et al. 2018 (PacGAN)."""


def _ring(radius: float) -> tuple[tuple[float, float], ...]:
    angles = [2.0 * math.pi * i / 8 for i in range(8)]
    return tuple((radius * math.cos(angle), radius * math.sin(angle)) for angle in angles)


def _grid(spacing: float) -> tuple[tuple[float, float], ...]:
    return tuple((spacing * x, spacing * y) for x in range(-2, 3) for y in range(-2, 3))


MIXTURES = {
    "ring8": spec.Mixture(centers=_ring(1.0), deviation=0.01),
    "ring8_unrolled": spec.Mixture(centers=_ring(2.0), deviation=0.02),
    "ring8_wgan_gp": spec.Mixture(centers=_ring(2.0 / 1.414), deviation=0.02 / 1.414),
    "grid25": spec.Mixture(centers=_grid(2.0), deviation=0.05),
    "grid25_wgan_gp": spec.Mixture(centers=_grid(2.0 / 2.828), deviation=0.05 / 2.828),
}
"""Name -> modes. `ring8` and `grid25`: PacGAN's code (the grid also ALI's). `ring8_unrolled`: Metz et al. 2017, the same ring twice as large.
`..._wgan_gp`: the code of Gulrajani et al. 2017, which divides all numbers, the deviation too."""

TOYS = (*MIXTURES, "swiss_roll")


def mixture_points(mixture: spec.Mixture, labels: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """A point [n, 2] around the center of each of `labels` [n]."""
    return np.asarray(mixture.centers)[labels] + mixture.deviation * random.standard_normal((len(labels), 2))


def swiss_roll_points(count: int, random: np.random.RandomState) -> np.ndarray:
    """[count, 2]: (t cos t, t sin t) with t = 1.5 pi (1 + 2 u), plus 0.25 N(0, 1), over 7.5, as in the code of Gulrajani et al. 2017."""
    t = 1.5 * math.pi * (1.0 + 2.0 * random.uniform(size=count))
    return (np.stack([t * np.cos(t), t * np.sin(t)], 1) + 0.25 * random.standard_normal((count, 2))) / 7.5


class Toy(in_memory.InMemory):
    """`toy:<name>`, a name in `TOYS`: 100,000 points to train on, 10,000 held out."""

    def __init__(self, name: str, data_dir: str):
        if name not in TOYS:
            raise ValueError(f"There is no toy distribution {name!r}. Choose one of: {', '.join(f'toy:{toy}' for toy in TOYS)}.")
        self.name = f"toy:{name}"
        self.mixture = MIXTURES.get(name)
        self.arrays = {split: self._draw(split, count) for split, count in SIZES.items()}
        points = np.concatenate([arrays["image"] for arrays in self.arrays.values()])
        self.columns = {"image": readers.Column(kind="number", shape=(1, 2, 1), low=float(points.min()), high=float(points.max()))}
        if self.mixture:
            modes = len(self.mixture.centers)
            self.columns["label"] = readers.Column(kind="integer", high=float(modes - 1), names=tuple(map(str, range(modes))))

    def _draw(self, split: str, count: int) -> dict[str, np.ndarray]:
        random = np.random.RandomState(zlib.crc32(f"{self.name} {split}".encode()))
        if self.mixture is None:
            return {"image": swiss_roll_points(count, random).astype(np.float32).reshape(count, 1, 2, 1)}
        labels = random.randint(len(self.mixture.centers), size=count)
        points = mixture_points(self.mixture, labels, random).astype(np.float32)
        return {"image": points.reshape(count, 1, 2, 1), "label": labels.astype(np.int32)}
