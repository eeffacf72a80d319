import numpy as np
import pytest

from pipelines import solids


def _level(name, solid, x, y, z):
    """An implicit function of each solid, negative inside: its definition, written independently of the ray casting."""
    if name == "sphere":
        return np.sqrt(x * x + y * y + z * z) - solid.radius
    if name == "cube":
        return np.maximum(np.maximum(abs(x), abs(y)), abs(z)) - solid.half
    if name == "cylinder":
        return np.maximum(np.sqrt(x * x + z * z) - solid.radius, abs(y) - solid.half)
    if name == "cone":
        side = (np.sqrt(x * x + z * z) - solid.radius * (solid.top - y) / (solid.top - solid.bottom)) / np.sqrt(1 + solid.slope**2)
        return np.maximum(side, solid.bottom - y)
    return np.sqrt((np.sqrt(x * x + y * y) - solid.ring) ** 2 + z * z) - solid.tube


def _view(name, count=48):
    """Rays that cover a solid from a tilted view: origins and the direction to the viewer, as [1, n, n] and [1, 1, 1] planes."""
    tilt, turn = (np.radians(30), np.radians(35)) if name != "torus" else (np.radians(30), np.radians(-20))
    toward = np.array([np.sin(turn) * np.cos(tilt), np.sin(tilt), np.cos(turn) * np.cos(tilt)])
    right = np.array([np.cos(turn), 0, -np.sin(turn)])
    above = np.cross(toward, right)
    u, v = np.meshgrid(np.linspace(-1.3, 1.3, count), np.linspace(-1.3, 1.3, count))
    origin = tuple((u * right[i] + v * above[i]).astype(np.float32)[None] for i in range(3))
    return origin, tuple(np.float32(toward[i]).reshape(1, 1, 1) for i in range(3))


def _march(name, solid, origin, toward):
    """The first point inside the solid on each ray from the viewer, by brute force: whether there is one, and where."""
    t = np.linspace(1.5, -1.5, 3001).reshape(-1, 1, 1)
    points = [o.astype(np.float64) + t * d for o, d in zip(origin, toward, strict=True)]
    inside = _level(name, solid, *points) < 0
    first = inside.argmax(0)[None]
    return inside.any(0), [np.take_along_axis(p, first, 0)[0] for p in points]


@pytest.mark.parametrize("name", solids.SOLIDS)
def test_a_ray_hits_where_marching_along_it_enters_the_solid(name):
    solid = solids.SOLIDS[name]
    origin, toward = _view(name)
    hit, _ = solid.intersect(origin, toward)
    expected, _ = _march(name, solid, origin, toward)
    assert 0.1 < expected.mean() < 0.6
    assert (hit[0] != expected).mean() < 0.003  # Only rays that graze the solid may differ.


@pytest.mark.parametrize("name", solids.SOLIDS)
def test_normals_have_unit_length_and_are_the_gradient_of_the_implicit_function(name):
    solid = solids.SOLIDS[name]
    origin, toward = _view(name)
    hit, normal = solid.intersect(origin, toward)
    expected_hit, point = _march(name, solid, origin, toward)
    both = hit[0] & expected_hit
    normal = np.stack([np.broadcast_to(n, hit.shape)[0][both] for n in normal], -1).astype(np.float64)
    step = 1e-4
    gradient = np.stack(
        [
            _level(name, solid, *(p + step * (i == axis) for i, p in enumerate(point)))
            - _level(name, solid, *(p - step * (i == axis) for i, p in enumerate(point)))
            for axis in range(3)
        ],
        -1,
    )[both]
    gradient /= np.linalg.norm(gradient, axis=-1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1, atol=1e-3)
    agreement = (normal * gradient).sum(-1)
    assert np.mean(agreement > 0.99) > 0.97  # Edges, and rays that graze the solid, may differ.


@pytest.mark.parametrize("name", solids.SOLIDS)
def test_what_is_seen_faces_the_viewer(name):
    origin, toward = _view(name)
    hit, normal = solids.SOLIDS[name].intersect(origin, toward)
    assert (solids.dot(normal, toward)[hit] > -0.25).all()  # A torus is traced up to a tolerance, and so a little past its rim.


def test_sphere_normals_point_away_from_the_center():
    origin, toward = _view("sphere")
    sphere = solids.SOLIDS["sphere"]
    hit, normal = sphere.intersect(origin, toward)
    t = np.sqrt(np.maximum(sphere.radius**2 - sum(o.astype(np.float64) ** 2 for o in origin), 0))
    for o, d, n in zip(origin, toward, normal, strict=True):
        np.testing.assert_allclose(n[hit], ((o + t * d) / sphere.radius)[hit], atol=1e-5)


@pytest.mark.parametrize("name", solids.SOLIDS)
def test_the_outline_shown_to_a_light_is_the_one_shown_to_a_viewer(name):
    solid = solids.SOLIDS[name]
    origin, toward = _view(name)
    hit, _ = solid.intersect(origin, toward)
    distance = solid.silhouette(origin, toward)
    assert hit[distance < -0.04].all()
    assert not hit[distance > 0.04].any()


@pytest.mark.parametrize("name", solids.SOLIDS)
def test_a_solid_at_its_rest_height_touches_the_floor(name):
    solid = solids.SOLIDS[name]
    axis = np.linspace(-1.2, 1.2, 121)
    x, y, z = np.meshgrid(axis, axis, axis)
    inside = _level(name, solid, x, y, z) <= 0
    for up in ([0, 1, 0], [0.06, 0.998, 0.02], [0.3, 0.9, -0.3]):
        up = np.array(up) / np.linalg.norm(up)
        lowest = (x * up[0] + y * up[1] + z * up[2])[inside].min()
        height = solid.rest_height(tuple(np.float32(u).reshape(1, 1, 1) for u in up))
        assert height.item() == pytest.approx(-lowest, abs=0.03)


@pytest.mark.parametrize("name", solids.SOLIDS)
def test_no_part_of_a_solid_is_outside_its_bound(name):
    solid = solids.SOLIDS[name]
    axis = np.linspace(-1.3, 1.3, 101)
    x, y, z = np.meshgrid(axis, axis, axis)
    inside = _level(name, solid, x, y, z) < 0
    assert np.sqrt(x * x + y * y + z * z)[inside].max() <= solid.bound
