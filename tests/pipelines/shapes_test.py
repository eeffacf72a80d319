import dataclasses
import hashlib
import subprocess
import sys

import numpy as np
import pytest

from pipelines import shape_scenes, shapes


def _draw(kind, indices, size=32, split="train"):
    return shapes.render(shape_scenes.scenes(kind, split, np.asarray(indices)), size)


def _of_shape(name, count=40):
    """Indices of `count` studio images of one shape."""
    indices = np.arange(5 * count)
    return indices[shape_scenes.labels("studio", "train", indices).shape == shape_scenes.SHAPES.index(name)]


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
@pytest.mark.parametrize("size", [32, 64])
def test_an_image_is_the_same_alone_and_in_any_batch(kind, size):
    indices = np.array([3, 41, 57, 111, 19_999])
    together = _draw(kind, indices, size)
    shuffled = _draw(kind, np.concatenate([np.arange(200, 240), indices[::-1]]), size)
    for row, index in enumerate(indices):
        alone = _draw(kind, [index], size)
        for key in alone:
            np.testing.assert_array_equal(together[key][row], alone[key][0])
            np.testing.assert_array_equal(shuffled[key][-1 - row], alone[key][0])


@pytest.mark.parametrize(("kind", "digest"), [("studio", "9ae384fd78981c1c"), ("scenes", "55ef6b03142b809c")])
def test_pixels_of_version_1_never_change(kind, digest):
    """Whoever changes the pictures gives `CaptionedShapes` a new version: prepared copies are told apart by it alone."""
    drawn = _draw(kind, np.arange(80))
    assert hashlib.sha256(b"".join(drawn[key].tobytes() for key in ("image", "normal", "mask"))).hexdigest()[:16] == digest


def test_images_differ_with_the_index_and_the_split():
    images = np.concatenate([_draw("studio", np.arange(0, 4000, 40))["image"], _draw("studio", np.arange(0, 4000, 40), split="test")["image"]])
    assert len({image.tobytes() for image in images}) == 200


def test_the_mask_of_a_sphere_has_the_area_of_its_disc():
    indices = _of_shape("sphere")
    scenes = shape_scenes.scenes("studio", "train", indices)
    mask = shapes.render(scenes, 64)["mask"]
    radius = scenes.scale * 0.88 * 32  # In pixels; 0.88 is the radius of the unit sphere.
    np.testing.assert_allclose((mask == 255).sum((1, 2, 3)), np.pi * radius**2, rtol=0.02)  # A pixel half covered counts whole.


def test_normals_of_a_sphere_are_those_of_the_hemisphere_that_is_seen():
    scenes = shape_scenes.scenes("studio", "train", _of_shape("sphere", 8))
    drawn = shapes.render(scenes, 64)
    steps = (np.arange(64) + 0.5) / 32 - 1
    for row in range(len(scenes)):
        radius = scenes.scale[row] * 0.88
        x = (steps[None, :] - scenes.center[row, 0]) / radius
        y = (-steps[:, None] - scenes.center[row, 1]) / radius
        inside = x * x + y * y < 0.9
        z = np.sqrt(np.maximum(1 - x * x - y * y, 0))
        expected = (np.stack(np.broadcast_arrays(x, y, z), -1) + 1) / 2 * 255
        np.testing.assert_allclose(drawn["normal"][row][inside], expected[inside], atol=2)


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
def test_normals_are_unit_vectors_in_the_mask_and_zero_outside(kind):
    drawn = _draw(kind, np.arange(0, 2000, 13))
    inside = drawn["mask"][..., 0] == 255
    assert set(np.unique(drawn["mask"])) == {0, 255}
    assert (drawn["normal"][~inside] == 128).all()
    length = np.linalg.norm(drawn["normal"][inside] / 127.5 - 1, axis=-1)
    np.testing.assert_allclose(length, 1, atol=0.02)


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
def test_the_larger_picture_shows_the_same_scene(kind):
    small, large = _draw(kind, np.arange(60)), _draw(kind, np.arange(60), 64)
    pooled = large["image"].reshape(60, 32, 2, 32, 2, 3).mean((2, 4))
    assert np.abs(pooled - small["image"]).mean() < 3


def test_a_cube_always_shows_its_top_and_two_sides():
    drawn = _draw("studio", _of_shape("cube"), 64)
    for normal, mask in zip(drawn["normal"], drawn["mask"][..., 0] == 255, strict=True):
        faces, counts = np.unique(normal[mask] // 4, axis=0, return_counts=True)
        largest = np.sort(counts)[::-1][:3] / mask.sum()
        assert largest.min() > 0.1 and largest.sum() > 0.9, (faces, counts)


def test_the_faces_of_a_cube_differ_in_brightness():
    indices = _of_shape("cube")
    drawn = _draw("studio", indices, 64)
    for image, normal, mask in zip(drawn["image"], drawn["normal"], drawn["mask"][..., 0] == 255, strict=True):
        right = mask & (normal[..., 1] < 128) & (normal[..., 0] > 150)
        left = mask & (normal[..., 1] < 128) & (normal[..., 0] < 106)
        sides = image[right].astype(float).max(-1).mean(), image[left].astype(float).max(-1).mean()
        assert abs(sides[0] - sides[1]) > 5


def test_the_hole_of_a_ring_is_seen():
    for mask in _draw("studio", _of_shape("torus"))["mask"][..., 0] == 255:
        rows, columns = np.nonzero(mask)
        middle = mask[round(rows.mean()) - 1 : round(rows.mean()) + 2, round(columns.mean()) - 1 : round(columns.mean()) + 2]
        assert not middle.all()


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
def test_the_color_can_be_read_from_the_pixels_of_the_object(kind):
    indices = np.arange(0, 20_000, 37)
    drawn = _draw(kind, indices, 64)
    linear = (drawn["image"] / 255.0) ** 2
    mask = drawn["mask"] == 255
    mask = mask & np.roll(mask, 1, 1) & np.roll(mask, -1, 1) & np.roll(mask, 1, 2) & np.roll(mask, -1, 2)  # No pixel shared with the floor.
    mean = (linear * mask).sum((1, 2)) / mask.sum((1, 2))
    palette = (np.array(list(shape_scenes.COLORS.values())) / 255.0) ** 2
    cosine = (mean / np.linalg.norm(mean, axis=-1, keepdims=True)) @ (palette / np.linalg.norm(palette, axis=-1, keepdims=True)).T
    np.testing.assert_array_equal(cosine.argmax(-1), shape_scenes.labels(kind, "train", indices).color)


def test_an_object_darkens_the_floor_around_it():
    scenes = shape_scenes.scenes("studio", "train", np.arange(200))
    away = dataclasses.replace(scenes, center=scenes.center + 40.0)
    with_object, without = shapes.render(scenes, 32), shapes.render(away, 32)["image"].astype(float)
    floor = (with_object["mask"] == 0)[..., 0]
    shade = np.where(floor, (with_object["image"] / without).mean(-1), np.nan)
    assert (np.nanmin(shade, axis=(1, 2)) < 0.85).all()
    assert (np.nanmean(shade, axis=(1, 2)) > 0.7).all()


def test_the_renderer_needs_numpy_alone():
    code = "import sys; from pipelines import shapes, shape_scenes, captions, png; print({'tensorflow', 'tensorflow_datasets'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "set()"
