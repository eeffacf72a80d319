import dataclasses

import numpy as np
import pytest

from pipelines import backdrops, shape_scenes


def _one(kind, size=32):
    scenes = shape_scenes.scenes("scenes", "train", np.arange(12))
    floor = dataclasses.replace(scenes.backdrop, kind=np.full(12, backdrops.KINDS.index(kind)))
    return backdrops.colors(floor, scenes.up, size), floor


@pytest.mark.parametrize("kind", backdrops.KINDS)
def test_every_color_lies_between_the_two_tints(kind):
    colors, floor = _one(kind)
    low, high = (np.moveaxis(bound, 1, 0)[..., None, None] for bound in (floor.tints.min(1), floor.tints.max(1)))
    assert colors.shape == (3, 12, 32, 32)
    assert (colors <= high + 1e-6).all()
    assert (colors >= 0.8 * low - 1e-6).all()  # A vignette takes up to a fifth from the corners.


def test_a_checkerboard_shows_both_tints_about_equally():
    colors, floor = _one("checker", 64)
    middle = np.moveaxis(floor.tints.mean(1), 1, 0)[..., None, None] * 0.93
    assert 0.3 < (colors > middle).mean() < 0.7


def test_a_gradient_is_smoother_than_a_checkerboard():
    steps = {kind: np.abs(np.diff(_one(kind)[0], axis=-1)).max() for kind in ("gradient", "checker")}
    assert steps["gradient"] < 0.25 * steps["checker"]


def test_floors_of_one_kind_differ():
    for kind in backdrops.KINDS:
        colors, _ = _one(kind)
        assert len({plane.tobytes() for plane in np.moveaxis(colors, 1, 0)}) == 12
