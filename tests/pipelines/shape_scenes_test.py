import itertools

import numpy as np
import pytest

from pipelines import shape_scenes

COUNTS = {"train": 20_000, "test": 4_000}


def _combinations(split, *columns):
    facts = shape_scenes.labels("scenes", split, np.arange(COUNTS[split]))
    return set(zip(*(getattr(facts, column).tolist() for column in columns), strict=True))


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
@pytest.mark.parametrize("split", shape_scenes.SPLITS)
def test_the_40_classes_are_equally_frequent(kind, split):
    label = shape_scenes.labels(kind, split, np.arange(COUNTS[split])).label
    np.testing.assert_array_equal(np.bincount(label), [COUNTS[split] // 40] * 40)


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
def test_the_label_is_eight_times_the_shape_plus_the_color(kind):
    facts = shape_scenes.labels(kind, "train", np.arange(1000))
    np.testing.assert_array_equal(facts.label // 8, facts.shape)
    np.testing.assert_array_equal(facts.label % 8, facts.color)


@pytest.mark.parametrize("kind", shape_scenes.KINDS)
def test_attributes_mark_shape_color_size_and_position_in_this_order(kind):
    facts = shape_scenes.labels(kind, "train", np.arange(1000))
    assert facts.attributes.shape == (1000, 20) and facts.attributes.dtype == np.float32
    rows = np.arange(1000)
    for first, index in ((0, facts.shape), (5, facts.color), (13, facts.size), (15, facts.position)):
        assert (facts.attributes[rows, first + index] == 1).all()
    np.testing.assert_array_equal(facts.attributes.sum(1), 4)


def test_every_object_of_the_studio_is_large_and_in_the_center():
    facts = shape_scenes.labels("studio", "test", np.arange(4000))
    assert {shape_scenes.SIZES[i] for i in facts.size} == {"large"}
    assert {shape_scenes.POSITIONS[i] for i in facts.position} == {"center"}


def test_one_layout_of_every_class_is_held_out():
    held = [c for c in itertools.product(range(5), range(8), range(2), range(5)) if shape_scenes.held_out(*c)]
    assert len(held) == 40
    assert len({c[:2] for c in held}) == 40
    for value in range(2):
        assert sum(c[2] == value for c in held) == 20
    for value in range(5):
        assert sum(c[3] == value for c in held) == 8


def test_held_out_combinations_occur_in_the_test_split_only():
    columns = ("shape", "color", "size", "position")
    train, test = _combinations("train", *columns), _combinations("test", *columns)
    assert len(train) == 360 and not any(shape_scenes.held_out(*c) for c in train)
    assert len(test) == 400
    assert all(shape_scenes.held_out(*c) for c in test - train)


@pytest.mark.parametrize("columns", list(itertools.combinations(("shape", "color", "size", "position"), 3)))
def test_any_three_facts_of_a_test_image_occur_together_in_training(columns):
    assert _combinations("test", *columns) == _combinations("train", *columns)


def test_an_object_is_nearest_to_the_place_its_position_names():
    facts = shape_scenes.labels("scenes", "train", np.arange(720))
    center = shape_scenes.scenes("scenes", "train", np.arange(720)).center
    expected = {"center": (0, 0), "top left": (-1, 1), "top right": (1, 1), "bottom left": (-1, -1), "bottom right": (1, -1)}
    for (x, y), position in zip(center, facts.position, strict=True):
        name = shape_scenes.POSITIONS[position]
        assert (round(x / 0.45), round(y / 0.45)) == expected[name]


def test_a_large_object_is_always_larger_than_a_small_one():
    facts = shape_scenes.labels("scenes", "train", np.arange(20_000))
    scale = shape_scenes.scenes("scenes", "train", np.arange(20_000)).scale
    large = facts.size == shape_scenes.SIZES.index("large")
    assert scale[large].min() > 1.25 * scale[~large].max()


def test_rotations_are_rotations_and_light_comes_from_above():
    scenes = shape_scenes.scenes("scenes", "train", np.arange(500))
    product = np.einsum("bij,bkj->bik", scenes.rotation, scenes.rotation)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(scenes.rotation), 1, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(scenes.light, axis=1), 1, atol=1e-12)
    assert ((scenes.light * scenes.up).sum(1) > np.sin(np.radians(35))).all()


def test_draws_are_uniform_and_independent_of_each_other():
    draws = shape_scenes.Draws("studio", "train", np.arange(20_000))
    first, second = draws.uniform("first"), draws.uniform("second")
    histogram = np.bincount((first * 20).astype(int), minlength=20)
    assert ((histogram - 1000) ** 2 / 1000).sum() < 43.8  # Chi squared with 19 degrees of freedom, p = 0.001.
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.025
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.025
    columns = draws.uniform("columns", count=2)
    assert abs(np.corrcoef(columns[:, 0], columns[:, 1])[0, 1]) < 0.025


def test_a_draw_does_not_depend_on_the_others_of_its_batch():
    all_at_once = shape_scenes.Draws("scenes", "test", np.arange(50)).uniform("floor/noise", count=3)
    np.testing.assert_array_equal(shape_scenes.Draws("scenes", "test", np.array([31])).uniform("floor/noise", count=3)[0], all_at_once[31])


def test_an_unknown_kind_or_split_names_the_alternatives():
    with pytest.raises(ValueError, match="Kinds: studio, scenes; splits: train, test"):
        shape_scenes.Draws("studio", "validation", np.arange(2))
    with pytest.raises(ValueError, match="Kinds: studio, scenes"):
        shape_scenes.scenes("garden", "train", np.arange(2))
