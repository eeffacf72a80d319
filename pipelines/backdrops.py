"""The floors of `captioned_shapes`: two quiet tints, mixed in a smooth gradient, a checkerboard or a smooth noise. It needs numpy alone."""

import dataclasses

import numpy as np

KINDS = ("gradient", "checker", "noise")
_LATTICES = ((5, np.float32(0.68)), (10, np.float32(0.32)))
"""Cells along an axis and weight of each octave of the noise."""
LATTICE_POINTS = sum((cells + 1) ** 2 for cells, _ in _LATTICES)
"""Random numbers that the noise of one image is made of."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backdrops:
    """The floor of each of b images. Arrays are float64 unless said otherwise."""

    kind: np.ndarray
    """int [b], an index into `KINDS`."""
    tints: np.ndarray
    """[b, 2, 3], two linear colours in [0, 1]."""
    direction: np.ndarray
    """[b, 2], the unit vector in which the gradient runs and the rows of the checkerboard lie."""
    phase: np.ndarray
    """[b, 2] in [0, 1), where a checkerboard starts and where the gradient has its middle."""
    period: np.ndarray
    """[b], the width of two squares of a checkerboard, as a part of half the image's width."""
    lattice: np.ndarray
    """[b, LATTICE_POINTS] in [0, 1), the noise."""

    def rows(self, rows: np.ndarray) -> "Backdrops":
        """The floors of these row numbers."""
        return Backdrops(**{f.name: getattr(self, f.name)[rows] for f in dataclasses.fields(self)})


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel centres of an image that spans [-1, 1]: x [1, 1, w] to the right and y [1, h, 1] upwards, float32."""
    steps = ((np.arange(size) + 0.5) * (2 / size) - 1).astype(np.float32)
    return steps[None, None, :], -steps[None, :, None]


def colors(backdrops: Backdrops, up: np.ndarray, size: int) -> np.ndarray:
    """The floors' linear colours, float32 [3, b, h, w]. `up` [b, 3]: the floor's normal in the camera's frame."""
    mix = np.empty([len(up), size, size], np.float32)
    for number, pattern in enumerate((_gradient, _checker, _noise)):
        rows = np.flatnonzero(backdrops.kind == number)
        if len(rows):
            mix[rows] = pattern(backdrops.rows(rows), up[rows], size)
    x, y = grid(size)
    vignette = np.float32(1) - np.float32(0.1) * (x * x + y * y)
    first, second = np.moveaxis(backdrops.tints.astype(np.float32), (1, 2), (0, 1))[..., None, None]
    return (first + (second - first) * mix) * vignette


def _columns(vectors: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(vectors.astype(np.float32).T[:, :, None, None])


def _smooth(t: np.ndarray) -> np.ndarray:
    """The cubic from 0 to 1 with level ends."""
    t = np.minimum(np.maximum(t, np.float32(0)), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)


def _gradient(backdrops: Backdrops, up: np.ndarray, size: int) -> np.ndarray:
    x, y = grid(size)
    along, across = _columns(backdrops.direction)
    middle = _columns(backdrops.phase)[0] - np.float32(0.5)
    return _smooth(np.float32(0.5) + np.float32(0.4) * (x * along + y * across + middle))


def _checker(backdrops: Backdrops, up: np.ndarray, size: int) -> np.ndarray:
    """Squares that lie on the floor, so the view foreshortens them; their edges are as soft as a pixel is wide."""
    x, y = grid(size)
    depth = y / _columns(up)[2]
    cosine, sine = _columns(backdrops.direction)
    period = backdrops.period.astype(np.float32)[:, None, None]
    sign = np.float32(1)
    sharpness = period * np.float32(size / 6)
    positions = (x * cosine + depth * sine, depth * cosine - x * sine)
    for position, phase in zip(positions, _columns(backdrops.phase), strict=True):
        t = position / period + phase
        triangle = np.float32(4) * np.abs(t - np.floor(t + np.float32(0.5))) - np.float32(1)
        sign = sign * np.minimum(np.maximum(triangle * sharpness, np.float32(-1)), np.float32(1))
    return np.float32(0.5) + np.float32(0.5) * sign


def _noise(backdrops: Backdrops, up: np.ndarray, size: int) -> np.ndarray:
    """Value noise: random numbers on a lattice, joined smoothly, in two octaves."""
    total, used = np.float32(0), 0
    for cells, weight in _LATTICES:
        points = (cells + 1) ** 2
        lattice = backdrops.lattice[:, used : used + points].astype(np.float32).reshape(-1, cells + 1, cells + 1)
        used += points
        position = (np.arange(size) + 0.5) * (cells / size)
        cell = position.astype(np.int64)
        t = _smooth((position - cell).astype(np.float32))
        rows = lattice[:, cell] + (lattice[:, cell + 1] - lattice[:, cell]) * t[None, :, None]
        total = total + weight * (rows[:, :, cell] + (rows[:, :, cell + 1] - rows[:, :, cell]) * t)
    return _smooth(np.float32(1.6) * (total - np.float32(0.5)) + np.float32(0.5))
