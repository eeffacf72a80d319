"""What each image of `captioned_shapes` shows: a pure function of the kind of dataset, the split and the index. It needs numpy alone.

Class and layout are dealt in turn, so every class is equally frequent in any long run of indices; light, pose and floor are drawn by hashing
(seed, kind, split, what is drawn, index), so a draw depends on nothing drawn before. The picture's size is no part of it: example i of `studio_64`
is example i of `studio`, seen at twice the resolution.
"""

import dataclasses
import zlib

import numpy as np

from pipelines import backdrops, shapes, solids

SHAPES = tuple(solids.SOLIDS)
COLORS = {
    "red": (214, 30, 38),
    "orange": (250, 128, 10),
    "yellow": (250, 222, 30),
    "green": (24, 150, 52),
    "cyan": (36, 206, 218),
    "blue": (32, 64, 206),
    "purple": (132, 44, 186),
    "pink": (252, 132, 190),
}
"""The name of a colour and its RGB in 0..255."""
SIZES = ("small", "large")
POSITIONS = ("center", "top left", "top right", "bottom left", "bottom right")
KINDS = ("studio", "scenes")
SPLITS = ("train", "test")
NUM_CLASSES = len(SHAPES) * len(COLORS)

_SEED = 20140610
_PLACES = np.array([(0, 0), (-1, 1), (1, 1), (-1, -1), (1, -1)]) * 0.45
"""Where each position is, in an image that spans [-1, 1]."""
_SCALES = {"studio": (0.77, 0.77), "scenes": (0.3, 0.45)}
"""Of a small and of a large object."""
_DRIFTS = {"studio": 0.05, "scenes": 0.03}
"""How far an object may be from its place."""

# Angles are the tangents of their halves, so that the sines and cosines come from divisions, which round alike on every machine.
_VIEW_TILT = (0.2217, 0.3346)  # 25 to 37 degrees.
_LIGHT_SIDE = (0.1763, 0.7673)  # 20 to 75 degrees, to the left or the right: the two sides of a cube are never equally bright.
_LIGHT_HEIGHT = (0.3249, 0.6009)  # 36 to 62 degrees.
_LEAN = 0.0349  # Up to 4 degrees.
_TURN_MIDDLE = np.array([0, 0.4142, 0, 0, 0])  # A cube's edge points to the viewer, 45 degrees,
_TURN_REACH = np.array([0, 0.1944, 0, 0, 0.4142])  # give or take 22, so that it shows two sides; a ring turns by up to 45 and shows its hole.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labels:
    """The facts of b images, int64 [b] each: indices into `SHAPES`, `COLORS`, `SIZES`, `POSITIONS` and `backdrops.KINDS`."""

    shape: np.ndarray
    color: np.ndarray
    size: np.ndarray
    position: np.ndarray
    backdrop: np.ndarray

    @property
    def label(self) -> np.ndarray:
        """The class, shape * 8 + color."""
        return self.shape * len(COLORS) + self.color

    @property
    def attributes(self) -> np.ndarray:
        """float32 [b, 20], multi-hot: 5 shapes, 8 colours, 2 sizes, 5 positions."""
        parts = ((self.shape, SHAPES), (self.color, COLORS), (self.size, SIZES), (self.position, POSITIONS))
        return np.concatenate([np.eye(len(names), dtype=np.float32)[index] for index, names in parts], axis=1)


def held_out(shape, color, size, position):
    """Whether `scenes` shows this combination in its test split only: one of each class's ten layouts, 40 combinations of 400.

    Arguments are indices, scalars or arrays. The rule is size = color mod 2 and position = (shape + 2 color) mod 5. Any three of the four values
    that a test image has still occur together in the training split: only the combination of all four is new.
    """
    return (np.asarray(size) == np.asarray(color) % 2) & (np.asarray(position) == (np.asarray(shape) + 2 * np.asarray(color)) % 5)


def _combinations(split: str) -> np.ndarray:
    """The combinations of `scenes` in the order they are dealt, [n, 4]: classes in turn, then each class's next layout."""
    layouts, classes = np.arange(len(SIZES) * len(POSITIONS)), np.arange(NUM_CLASSES)
    by_class = []
    for shape, color in zip(classes // len(COLORS), classes % len(COLORS), strict=True):
        size, position = layouts // len(POSITIONS), layouts % len(POSITIONS)
        rows = np.stack([np.full_like(size, shape), np.full_like(size, color), size, position], 1)
        by_class.append(rows[~held_out(*rows.T)] if split == "train" else rows)
    return np.stack(by_class, 1).reshape(-1, 4)


def labels(kind: str, split: str, indices: np.ndarray) -> Labels:
    """The facts of the examples `indices` int [b]. In `studio` every object is large and in the center."""
    indices = np.asarray(indices, np.int64)
    if kind == "studio":
        classes = indices % NUM_CLASSES
        zeros = np.zeros_like(classes)
        color = classes % len(COLORS)
        return Labels(shape=classes // len(COLORS), color=color, size=zeros + SIZES.index("large"), position=zeros, backdrop=zeros)
    combinations = _combinations(split)
    shape, color, size, position = combinations[indices % len(combinations)].T
    backdrop = (Draws(kind, split, indices).uniform("backdrop") * len(backdrops.KINDS)).astype(np.int64)
    return Labels(shape=shape, color=color, size=size, position=position, backdrop=backdrop)


class Draws:
    """Uniform numbers by name: each a hash (the output function of SplitMix64, Steele et al. 2014) of kind, split, name and index."""

    def __init__(self, kind: str, split: str, indices: np.ndarray):
        if kind not in KINDS or split not in SPLITS:
            raise ValueError(f"captioned_shapes has no {kind!r} images in a split {split!r}. Kinds: {', '.join(KINDS)}; splits: {', '.join(SPLITS)}.")
        self._stream = f"{_SEED}/{kind}/{split}/"
        self._indices = np.asarray(indices, np.uint64)

    def uniform(self, name: str, low: float = 0.0, high: float = 1.0, count: int = 0) -> np.ndarray:
        """float64 in [low, high): [b], or [b, count] when `count` is given."""
        stream = self._mix(np.uint64(zlib.crc32((self._stream + name).encode())) + np.zeros(1, np.uint64))
        bits = self._mix(stream + self._indices)[:, None]
        columns = np.arange(1, max(count, 1) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        unit = (self._mix(bits + columns) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        values = low + (high - low) * unit
        return values if count else values[:, 0]

    @staticmethod
    def _mix(z: np.ndarray) -> np.ndarray:
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _arc(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cosine and sine of the angle 2 atan(t): |t| <= 1 is a half turn, and no transcendental function rounds differently elsewhere."""
    return (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)


def _rotation(axis: int, cosine: np.ndarray, sine: np.ndarray) -> np.ndarray:
    """The matrices [b, 3, 3] that turn vectors around a coordinate axis, counterclockwise for who looks against it."""
    matrix = np.zeros([len(cosine), 3, 3])
    j, k = (axis + 1) % 3, (axis + 2) % 3
    matrix[:, axis, axis] = 1
    matrix[:, j, j] = matrix[:, k, k] = cosine
    matrix[:, j, k], matrix[:, k, j] = -sine, sine
    return matrix


def scenes(kind: str, split: str, indices: np.ndarray) -> shapes.Scenes:
    """What the renderer is to draw for the examples `indices` int [b]."""
    facts, draws = labels(kind, split, indices), Draws(kind, split, indices)
    rgb = np.array(list(COLORS.values()), np.float64)[facts.color] / 255
    shade = draws.uniform("shade", 0.9, 1.04)[:, None]
    scale = np.array(_SCALES[kind])[facts.size] * draws.uniform("scale", 0.93, 1.07)
    center = _PLACES[facts.position] + draws.uniform("center", -_DRIFTS[kind], _DRIFTS[kind], count=2)
    camera = _rotation(0, *_arc(draws.uniform("tilt", *_VIEW_TILT)))
    return shapes.Scenes(
        shape=facts.shape,
        albedo=np.minimum(rgb * rgb * shade, 1.0),
        scale=scale,
        center=center,
        rotation=_times(camera, _pose(facts.shape, draws)),
        up=camera[:, :, 1],
        light=_times(camera, _light(draws)[:, :, None])[:, :, 0],
        backdrop=_backdrop(facts.backdrop, draws),
    )


def _times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[b, i, j] times [b, j, k], summed in a fixed order (a library's product may fuse or reorder)."""
    return sum(a[:, :, j, None] * b[:, j, None, :] for j in range(a.shape[2]))


def _pose(shape: np.ndarray, draws: Draws) -> np.ndarray:
    """Object frame to world frame [b, 3, 3] (y up, z to the front): a turn around the vertical, then a slight lean to the side."""
    middle = _rotation(1, *_arc(_TURN_MIDDLE[shape]))
    turn = _rotation(1, *_arc(draws.uniform("turn", -1, 1) * _TURN_REACH[shape]))
    lean = _rotation(2, *_arc(draws.uniform("lean", -_LEAN, _LEAN)))
    return _times(lean, _times(turn, middle))


def _light(draws: Draws) -> np.ndarray:
    """The unit vector to the light in the world's frame [b, 3]: from above and the viewer's side, to the left or to the right."""
    cosine, sine = _arc(draws.uniform("light/side", *_LIGHT_SIDE))
    sine = np.where(draws.uniform("light/left") < 0.5, -sine, sine)
    level, high = _arc(draws.uniform("light/height", *_LIGHT_HEIGHT))
    return np.stack([level * sine, high, level * cosine], 1)


def _backdrop(kind: np.ndarray, draws: Draws) -> backdrops.Backdrops:
    """Floors of two muted tints, neither as bright nor as saturated as an object."""
    hue = draws.uniform("floor/hue")[:, None] + draws.uniform("floor/hue/difference", -0.12, 0.12, count=2)
    saturation = draws.uniform("floor/saturation", 0.02, 0.17, count=2)
    first = draws.uniform("floor/value", 0.62, 0.95)
    value = np.stack([first, first * draws.uniform("floor/contrast", 0.68, 0.85)], 1)
    wheel = np.abs((hue[:, :, None] + np.array([0, 2 / 3, 1 / 3])) % 1 * 6 - 3) - 1
    tints = value[:, :, None] * (1 - saturation[:, :, None] * (1 - np.clip(wheel, 0, 1)))
    cosine, sine = _arc(draws.uniform("floor/direction", -1, 1))
    half_turn = np.where(draws.uniform("floor/direction/half") < 0.5, -1.0, 1.0)
    return backdrops.Backdrops(
        kind=kind,
        tints=tints * tints,
        direction=np.stack([cosine * half_turn, sine], 1),
        phase=draws.uniform("floor/phase", count=2),
        period=draws.uniform("floor/period", 0.8, 1.3),
        lattice=draws.uniform("floor/noise", count=backdrops.LATTICE_POINTS),
    )
