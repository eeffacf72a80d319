"""The renderer of `captioned_shapes`: one lit solid on a floor, by analytic ray casting, many images at a time. It needs numpy alone.

The view is parallel and looks down at a tilt, so that the top of a cube tells it from a cylinder. Camera axes are x right, y up and z towards the
viewer; the image spans [-1, 1] in x and y. Every pixel is made of +, -, *, / and square roots, so an image is the same to the last bit on every
machine, alone or in any batch. Colours are linear; the picture is their square root (a gamma of 2).
"""

import dataclasses

import numpy as np

from pipelines import backdrops, solids

_SAMPLES = 2  # Rays per pixel along each axis.
_AMBIENT = np.float32(0.42)
_SUN = np.float32(0.7)
_SHINE = np.float32(0.3)
_SUN_SHADOW, _SKY_SHADOW = np.float32(0.62), np.float32(0.55)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenes:
    """What is in each of b images. Arrays are float64 unless said otherwise."""

    shape: np.ndarray
    """int [b], an index into `solids.SOLIDS`."""
    albedo: np.ndarray
    """[b, 3], the object's linear colour in [0, 1]."""
    scale: np.ndarray
    """[b], the size of a unit solid, as a part of half the image's width."""
    center: np.ndarray
    """[b, 2], where the object's centre is seen (x right, y up)."""
    rotation: np.ndarray
    """[b, 3, 3], takes a vector of the object's frame to the camera's; its rows are the camera's axes in the object's frame."""
    up: np.ndarray
    """[b, 3], the floor's unit normal in the camera's frame."""
    light: np.ndarray
    """[b, 3], the unit vector to the light in the camera's frame."""
    backdrop: backdrops.Backdrops
    """What the floor looks like."""

    def __len__(self) -> int:
        return len(self.shape)

    def rows(self, rows: np.ndarray) -> "Scenes":
        """The scenes of these row numbers."""
        parts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Scenes(**{name: part.rows(rows) if name == "backdrop" else part[rows] for name, part in parts.items()})


def render(scenes: Scenes, size: int) -> dict[str, np.ndarray]:
    """Draws the scenes at `size` x `size` pixels.

    Returns uint8 arrays: `image` [b, h, w, 3]; `mask` [b, h, w, 1], 255 where the object covers at least half of the pixel and 0 elsewhere;
    `normal` [b, h, w, 3], round((n + 1) / 2 * 255) of the surface's unit normal n in the camera's frame, and of n = 0 where the mask is 0.
    """
    surface = _surfaces(scenes, size)
    coverage, sun, shine, normal = surface[0], surface[1], surface[2], surface[3:]
    floor = backdrops.colors(scenes.backdrop, scenes.up, size) * _floor_light(scenes, size)
    up = _vectors(scenes.up)
    sky = np.float32(0.5) * coverage + np.float32(0.5) * solids.dot(tuple(normal), up)
    light = _AMBIENT * sky + _SUN * sun
    albedo = scenes.albedo.astype(np.float32).T[:, :, None, None]
    linear = floor * (np.float32(1) - coverage) + albedo * light + _SHINE * shine
    mask = coverage >= np.float32(0.5)
    length = np.sqrt(np.maximum(solids.dot(tuple(normal), tuple(normal)), np.float32(1e-12)))
    return {"image": _bytes(np.sqrt(linear)), "normal": _bytes((normal / length * mask + np.float32(1)) / np.float32(2)), "mask": _bytes(mask[None])}


def _vectors(vectors: np.ndarray) -> solids.Planes:
    """[b, 3] to three planes [b, 1, 1]."""
    return tuple(vectors.astype(np.float32).T[:, :, None, None])


def _bytes(planes: np.ndarray) -> np.ndarray:
    """[c, b, h, w] in [0, 1] to uint8 [b, h, w, c]."""
    levels = np.minimum(np.maximum(planes, np.float32(0)), np.float32(1)) * np.float32(255) + np.float32(0.5)
    return np.ascontiguousarray(np.moveaxis(levels.astype(np.uint8), 0, -1))


def _local(planes: solids.Planes, rotation: np.ndarray) -> solids.Planes:
    """Vectors of the camera's frame in the object's: the transpose of `rotation` [b, 3, 3] times them."""
    columns = rotation.astype(np.float32)[:, :, :, None, None]
    return tuple(solids.dot(planes, tuple(columns[:, row, axis] for row in range(3))) for axis in range(3))


def _floor_light(scenes: Scenes, size: int) -> np.ndarray:
    """How bright the floor is in each pixel, [b, h, w] in [0, 1]: two soft shadows, of the light and of the sky above."""
    x, y = backdrops.grid(size)
    center, scale = scenes.center.astype(np.float32), scenes.scale.astype(np.float32)[:, None, None]
    u, v = (x - center[:, 0, None, None]) / scale, (y - center[:, 1, None, None]) / scale
    up, light = _vectors(scenes.up), _vectors(scenes.light)
    height = np.zeros([len(scenes), 1, 1], np.float32)
    for rows, solid in _by_solid(scenes):
        height[rows] = solid.rest_height(_local(_vectors(scenes.up[rows]), scenes.rotation[rows]))
    point = (u, v, -(height + up[1] * v) / up[2])
    sunless = _shadow(scenes, point, light, np.float32(0.1), np.float32(0.09))
    skyless = _shadow(scenes, point, up, np.float32(0.34), np.float32(0.12))
    return (np.float32(1) - _SUN_SHADOW * sunless) * (np.float32(1) - _SKY_SHADOW * skyless)


def _shadow(scenes: Scenes, point: solids.Planes, toward: solids.Planes, sharpness: np.float32, spread: np.float32) -> np.ndarray:
    """The part of the light from `toward` that the object keeps from each floor point, [b, h, w]: softer the further away the object is."""
    distance = -solids.dot(point, toward)
    across = tuple(p + distance * d for p, d in zip(point, toward, strict=True))
    width = sharpness + spread * np.maximum(distance, np.float32(0))
    depth = np.empty(distance.shape, np.float32)
    for rows, solid in _by_solid(scenes):
        rotation = scenes.rotation[rows]
        depth[rows] = solid.silhouette(_local(tuple(a[rows] for a in across), rotation), _local(tuple(t[rows] for t in toward), rotation))
    inside = np.minimum(np.maximum(np.float32(0.5) - depth / (np.float32(2) * width), np.float32(0)), np.float32(1))
    behind = np.minimum(np.maximum(distance + np.float32(0.5), np.float32(0)), np.float32(1))
    return inside * inside * (np.float32(3) - np.float32(2) * inside) * behind


def _by_solid(scenes: Scenes):
    """The row numbers of each solid that occurs, and the solid."""
    for number, solid in enumerate(solids.SOLIDS.values()):
        rows = np.flatnonzero(scenes.shape == number)
        if len(rows):
            yield rows, solid


def _surfaces(scenes: Scenes, size: int) -> np.ndarray:
    """The object alone, averaged over each pixel's rays: [6, b, h, w] coverage, light received, highlight, and the normal's x, y, z."""
    planes = np.zeros([6, len(scenes), size, size], np.float32)
    for rows, solid in _by_solid(scenes):
        reach = np.ceil(scenes.scale[rows] * solid.bound * size / 8).astype(np.int64) * 4 + 2
        for half in np.unique(reach):
            some = rows[reach == half]
            side = min(2 * half, size)
            left = _window(scenes.center[some, 0], side, size)
            top = _window(-scenes.center[some, 1], side, size)
            window = _trace(scenes.rows(some), solid, size, side, left, top)
            for i, row in enumerate(some):
                planes[:, row, top[i] : top[i] + side, left[i] : left[i] + side] = window[:, i]
    return planes


def _window(middle: np.ndarray, side: int, size: int) -> np.ndarray:
    """The first pixel of a window of `side` pixels around `middle` in [-1, 1], kept within the image."""
    first = np.floor((middle + 1) / 2 * size + 0.5).astype(np.int64) - side // 2
    return np.minimum(np.maximum(first, 0), size - side)


def _trace(scenes: Scenes, solid, size: int, side: int, left: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Casts the rays of a window of `side` pixels whose corner is (`left`, `top`) [b]: planes [6, b, side, side] as in `_surfaces`."""
    steps = (np.arange(side * _SAMPLES) + 0.5) / _SAMPLES
    x = (left[:, None] + steps) * (2 / size) - 1
    y = 1 - (top[:, None] + steps) * (2 / size)
    u = ((x - scenes.center[:, :1]) / scenes.scale[:, None]).astype(np.float32)[:, None, :]
    v = ((y - scenes.center[:, 1:]) / scenes.scale[:, None]).astype(np.float32)[:, :, None]
    axes = scenes.rotation.astype(np.float32)[:, :, :, None, None]
    toward = tuple(axes[:, 2, i] for i in range(3))
    origin = tuple(u * axes[:, 0, i] + v * axes[:, 1, i] for i in range(3))
    hit, normal = solid.intersect(origin, toward)
    light = _local(_vectors(scenes.light), scenes.rotation)
    half = _local(_vectors(_halfway(scenes.light)), scenes.rotation)
    hit = hit.astype(np.float32)
    normal = tuple(n * hit for n in normal)
    sun = np.maximum(solids.dot(normal, light), np.float32(0))
    shine = np.maximum(solids.dot(normal, half), np.float32(0))
    for _ in range(5):
        shine *= shine  # Blinn-Phong with the exponent 32.
    coverage, sun, shine, *normal = (_average(plane) for plane in (hit, sun, shine, *normal))
    camera = tuple(solids.dot(tuple(normal), tuple(axes[:, row, i] for i in range(3))) for row in range(3))
    return np.stack([coverage, sun, shine, *camera])


def _halfway(light: np.ndarray) -> np.ndarray:
    """The unit vector between the light and the viewer, [b, 3]."""
    x, y, z = light[:, 0], light[:, 1], light[:, 2] + 1
    return np.stack([x, y, z], 1) / np.sqrt(x * x + y * y + z * z)[:, None]


def _average(plane: np.ndarray) -> np.ndarray:
    """The mean over each pixel's 2 x 2 rays."""
    rows = plane[:, 0::2] + plane[:, 1::2]
    return (rows[:, :, 0::2] + rows[:, :, 1::2]) * np.float32(0.25)
