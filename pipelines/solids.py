"""Five solids, seen by parallel rays: where a ray meets them, the outline they show to a light, and how high they rest on a floor.

A solid lives in its own frame, its centre at the origin and its extent about 1. Planes are float32 [b, h, w], one per coordinate, and vectors
are triples of planes that broadcast to that. Only +, -, *, / and square roots are used: IEEE 754 fixes their last bit, so every machine gets
the same numbers.
"""

import numpy as np

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A vector per pixel: x, y, z, each broadcastable to [b, h, w]."""

_NEVER_ZERO = np.float32(1e-3)


def dot(a: Planes, b: Planes) -> np.ndarray:
    """The scalar product, summed in a fixed order."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _along(origin: Planes, direction: Planes, distance: np.ndarray) -> Planes:
    return tuple(o + distance * d for o, d in zip(origin, direction, strict=True))


def _root(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(x, np.float32(0)))


class Sphere:
    """A ball."""

    radius = np.float32(0.88)
    bound = 0.88

    def intersect(self, origin: Planes, toward: Planes) -> tuple[np.ndarray, Planes]:
        """What a viewer at infinity in the direction `toward` sees: (hit bool [b, h, w], outward unit normal, valid where hit).

        `origin` is the point of each ray in the plane through the centre across `toward`, a unit vector.
        """
        inside = self.radius * self.radius - dot(origin, origin)
        x, y, z = _along(origin, toward, _root(inside))
        return inside >= 0, (x / self.radius, y / self.radius, z / self.radius)

    def silhouette(self, point: Planes, toward: Planes) -> np.ndarray:
        """About the signed distance, negative inside, of `point` (in the plane through the centre across `toward`) to the outline of the solid."""
        return _root(dot(point, point)) - self.radius

    def rest_height(self, up: Planes) -> np.ndarray:
        """How far the centre is above a floor with the unit normal `up` that the solid touches."""
        return self.radius + np.float32(0) * up[0]


class Box:
    """A cube with axis-parallel faces."""

    half = np.float32(0.67)
    bound = 0.67 * 3**0.5

    def intersect(self, origin: Planes, toward: Planes) -> tuple[np.ndarray, Planes]:
        """See `Sphere.intersect`. The cube is three slabs; the last face a ray towards the viewer leaves is the one that is seen."""
        leaves, enters = [], []
        for o, d in zip(origin, toward, strict=True):
            d = np.where(np.abs(d) < _NEVER_ZERO, _NEVER_ZERO, d)
            reach, middle = np.abs(self.half / d), o / d
            leaves.append(reach - middle)
            enters.append(-reach - middle)
        hit = np.minimum(np.minimum(*leaves[:2]), leaves[2]) >= np.maximum(np.maximum(*enters[:2]), enters[2])
        by_x = (leaves[0] <= leaves[1]) & (leaves[0] <= leaves[2])
        by_y = ~by_x & (leaves[1] <= leaves[2])
        return hit, tuple(face * np.sign(d) for face, d in zip((by_x, by_y, ~(by_x | by_y)), toward, strict=True))

    def silhouette(self, point: Planes, toward: Planes) -> np.ndarray:
        """See `Sphere.silhouette`. The outline is a hexagon: three bands, each across one direction of edges."""
        bands = []
        for axis in range(3):
            j, k = (axis + 1) % 3, (axis + 2) % 3
            length = np.maximum(_root(toward[j] * toward[j] + toward[k] * toward[k]), _NEVER_ZERO)
            width = self.half * (np.abs(toward[j]) + np.abs(toward[k])) / length
            bands.append(np.abs(point[j] * (toward[k] / length) - point[k] * (toward[j] / length)) - width)
        return np.maximum(np.maximum(*bands[:2]), bands[2])

    def rest_height(self, up: Planes) -> np.ndarray:
        """See `Sphere.rest_height`."""
        return self.half * (np.abs(up[0]) + np.abs(up[1]) + np.abs(up[2]))


def _axial(point: Planes, axis: np.ndarray, toward_axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A point in the plane of an outline, seen from the axis of a solid of revolution: along the projected axis, and how far across it.

    `axis`, `toward_axis`: the axial coordinates of the point and of the direction of projection.
    """
    along = axis / np.maximum(_root(np.float32(1) - toward_axis * toward_axis), _NEVER_ZERO)
    return along, _root(dot(point, point) - along * along)


def _stretch(toward_axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the coordinate along a projected axis is divided by to turn discs back to circles, and how long a unit of the axis is then."""
    cosine = np.maximum(np.abs(toward_axis), np.float32(0.2))
    return cosine, _root(np.float32(1) - toward_axis * toward_axis) / cosine


def _to_ellipse(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The distance of (x, y), both at least 0, to the ellipse with the half axes a >= b.

    The nearest point (a c, b s) is found by steps along the circles of curvature (C. Elek, "Computing the distance between a point and an ellipse").
    """
    difference = a * a - b * b
    c = s = np.float32(0.5**0.5) + np.zeros_like(x)
    for _ in range(3):
        evolute_x, evolute_y = difference / a * (c * c * c), -difference / b * (s * s * s)
        radius = np.sqrt((a * c - evolute_x) ** 2 + (b * s - evolute_y) ** 2)
        scale = radius / np.maximum(np.sqrt((x - evolute_x) ** 2 + (y - evolute_y) ** 2), _NEVER_ZERO)
        c = np.minimum(np.maximum(((x - evolute_x) * scale + evolute_x) / a, np.float32(0)), np.float32(1))
        s = np.minimum(np.maximum(((y - evolute_y) * scale + evolute_y) / b, np.float32(0)), np.float32(1))
        length = np.maximum(np.sqrt(c * c + s * s), _NEVER_ZERO)
        c, s = c / length, s / length
    return np.sqrt((x - a * c) ** 2 + (y - b * s) ** 2)


class Cylinder:
    """An upright cylinder around the y axis."""

    radius, half = np.float32(0.7), np.float32(0.78)
    bound = (0.7**2 + 0.78**2) ** 0.5

    def intersect(self, origin: Planes, toward: Planes) -> tuple[np.ndarray, Planes]:
        """See `Sphere.intersect`. A tube and a slab; the normal is that of whichever the ray leaves first."""
        (ox, oy, oz), (dx, dy, dz) = origin, toward
        dy = np.where(np.abs(dy) < _NEVER_ZERO, _NEVER_ZERO, dy)
        a = np.maximum(dx * dx + dz * dz, _NEVER_ZERO)
        b = (ox * dx + oz * dz) / a
        discriminant = b * b - (ox * ox + oz * oz - self.radius * self.radius) / a
        root = _root(discriminant)
        side, cap = root - b, np.abs(self.half / dy) - oy / dy
        seen = np.minimum(side, cap)
        hit = (discriminant >= 0) & (seen >= np.maximum(-root - b, -np.abs(self.half / dy) - oy / dy))
        on_side = (side <= cap).astype(np.float32)
        x, z = ox + side * dx, oz + side * dz
        return hit, (on_side * x / self.radius, (np.float32(1) - on_side) * np.sign(dy), on_side * z / self.radius)

    def silhouette(self, point: Planes, toward: Planes) -> np.ndarray:
        """See `Sphere.silhouette`. Stretched along the axis, the outline is a segment with round ends."""
        along, across = _axial(point, point[1], toward[1])
        squash, unit = _stretch(toward[1])
        beyond = np.maximum(np.abs(along / squash) - self.half * unit, np.float32(0))
        return np.sqrt(beyond * beyond + across * across) - self.radius

    def rest_height(self, up: Planes) -> np.ndarray:
        """See `Sphere.rest_height`."""
        return self.half * np.abs(up[1]) + self.radius * _root(up[0] * up[0] + up[2] * up[2])


class Cone:
    """An upright cone around the y axis."""

    radius, top, bottom = np.float32(0.84), np.float32(1.08), np.float32(-0.62)
    bound = 1.09
    slope = radius / (top - bottom)

    def intersect(self, origin: Planes, toward: Planes) -> tuple[np.ndarray, Planes]:
        """See `Sphere.intersect`. The viewer stands outside the cone's opening angle, so a ray crosses one nappe in one piece."""
        (ox, oy, oz), (dx, dy, dz) = origin, toward
        dy = np.where(np.abs(dy) < _NEVER_ZERO, _NEVER_ZERO, dy)
        squared = self.slope * self.slope
        depth = self.top - oy
        a = np.maximum(dx * dx + dz * dz - squared * dy * dy, _NEVER_ZERO)
        b = (ox * dx + oz * dz + squared * depth * dy) / a
        discriminant = b * b - (ox * ox + oz * oz - squared * depth * depth) / a
        root = _root(discriminant)
        ends = (self.top - oy) / dy, (self.bottom - oy) / dy
        side, cap = root - b, np.maximum(*ends)
        seen = np.minimum(side, cap)
        hit = (discriminant >= 0) & (seen >= np.maximum(-root - b, np.minimum(*ends)))
        on_side = (side <= cap).astype(np.float32)
        x, y, z = _along(origin, toward, side)
        distance = np.maximum(self.slope * (self.top - y), np.float32(1e-6))
        length = np.sqrt(np.float32(1) + squared)
        outward = on_side / (distance * length)
        return hit, (outward * x, on_side * self.slope / length + (np.float32(1) - on_side) * np.sign(dy), outward * z)

    def silhouette(self, point: Planes, toward: Planes) -> np.ndarray:
        """See `Sphere.silhouette`. Stretched along the axis, the outline is a circle and the tangents to it from the apex."""
        along, across = _axial(point, point[1], toward[1])
        squash, unit = _stretch(toward[1])
        along, distance = along / squash - self.bottom * unit, (self.top - self.bottom) * unit
        sine = np.minimum(self.radius / np.maximum(distance, _NEVER_ZERO), np.float32(1))
        cosine = _root(np.float32(1) - sine * sine)
        place = cosine * along - sine * across
        base = np.sqrt(along * along + across * across) - self.radius
        apex = np.sqrt((along - distance) * (along - distance) + across * across)
        outline = np.where(place > cosine * distance, apex, cosine * across + sine * along - self.radius)
        return np.where((place < 0) | (distance <= self.radius), base, outline)

    def rest_height(self, up: Planes) -> np.ndarray:
        """See `Sphere.rest_height`."""
        return np.maximum(-self.top * up[1], -self.bottom * up[1] + self.radius * _root(up[0] * up[0] + up[2] * up[2]))


class Torus:
    """A ring around the z axis."""

    ring, tube = np.float32(0.66), np.float32(0.27)
    bound = 0.93
    _steps = 28
    _close = np.float32(0.008)

    def intersect(self, origin: Planes, toward: Planes) -> tuple[np.ndarray, Planes]:
        """See `Sphere.intersect`. Sphere tracing (Hart 1996): from the bounding sphere, steps as long as the distance to the surface."""
        (ox, oy, oz), (dx, dy, dz) = origin, toward
        far = _root((self.ring + self.tube) * (self.ring + self.tube) - dot(origin, origin))
        t = far.copy()
        for _ in range(self._steps):
            t -= self._distance(ox + t * dx, oy + t * dy, oz + t * dz)[0]
        x, y, z = _along(origin, toward, t)
        distance, from_axis = self._distance(x, y, z)
        across = (from_axis - self.ring) / np.maximum(from_axis, _NEVER_ZERO)
        x, y = x * across, y * across
        length = np.maximum(np.sqrt(x * x + y * y + z * z), _NEVER_ZERO)
        return (distance < self._close) & (t > -far) & (far > 0), (x / length, y / length, z / length)

    def _distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The signed distance to the surface, and the distance from the axis."""
        from_axis = np.sqrt(x * x + y * y)
        outward = from_axis - self.ring
        return np.sqrt(outward * outward + z * z) - self.tube, from_axis

    def silhouette(self, point: Planes, toward: Planes) -> np.ndarray:
        """See `Sphere.silhouette`. A band around an ellipse."""
        along, across = _axial(point, point[2], toward[2])
        narrow = self.ring * np.maximum(np.abs(toward[2]), np.float32(0.05))
        return _to_ellipse(across, np.abs(along), self.ring, narrow) - self.tube

    def rest_height(self, up: Planes) -> np.ndarray:
        """See `Sphere.rest_height`."""
        return self.ring * _root(np.float32(1) - up[2] * up[2]) + self.tube


SOLIDS = {"sphere": Sphere(), "cube": Box(), "cylinder": Cylinder(), "cone": Cone(), "torus": Torus()}
"""Every solid by its name, in the order of the class labels."""
