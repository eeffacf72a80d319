import itertools
import json
import math

import numpy as np
import pytest

from pipelines import augment, build, spec, toys, validate

MIXTURES = list(toys.MIXTURES)


def opened(name, data_dir="", keys=(), **config):
    return build.build(spec.DatasetConfig(source=f"toy:{name}", **config), data_dir, keys=keys, seed=0)


def examples(data, split="test"):
    [batch] = data.examples(split, batch_size=200_000)
    return batch


@pytest.fixture
def few(monkeypatch):
    """Splits of 20,000 and 1,000 points, which are read in no time."""
    monkeypatch.setattr(toys, "SIZES", {"train": 20_000, "test": 1_000})


def centers(name):
    return np.asarray(toys.MIXTURES[name].centers)


def least_distance(points):
    return min(math.dist(a, b) for a, b in itertools.combinations(points, 2))


@pytest.mark.parametrize(
    ("name", "radius", "deviation"), [("ring8", 1.0, 0.01), ("ring8_unrolled", 2.0, 0.02), ("ring8_wgan_gp", 2.0 / 1.414, 0.02 / 1.414)]
)
def test_a_ring_has_eight_distinct_centers_on_its_circle(name, radius, deviation):
    assert centers(name).shape == (8, 2)
    np.testing.assert_allclose(np.hypot(*centers(name).T), radius)
    assert least_distance(centers(name)) == pytest.approx(radius * 0.765367, rel=1e-6)  # 2 sin(pi / 8)
    assert toys.MIXTURES[name].deviation == deviation


@pytest.mark.parametrize(("name", "spacing", "deviation"), [("grid25", 2.0, 0.05), ("grid25_wgan_gp", 2.0 / 2.828, 0.05 / 2.828)])
def test_a_grid_has_25_centers(name, spacing, deviation):
    wanted = {(round(spacing * x, 9), round(spacing * y, 9)) for x in (-2, -1, 0, 1, 2) for y in (-2, -1, 0, 1, 2)}
    assert {tuple(np.round(c, 9)) for c in centers(name)} == wanted
    assert toys.MIXTURES[name].deviation == deviation


@pytest.mark.parametrize("name", MIXTURES)
def test_points_are_round_gaussians_about_the_center_that_their_label_names(few, name):
    batch = examples(opened(name, keys=["label"]), "train")
    assert batch["image"].shape == (20_000, 1, 2, 1) and batch["image"].dtype == np.float32
    offsets = batch["image"].reshape(-1, 2).astype(np.float64) - centers(name)[batch["label"]]
    deviation = toys.MIXTURES[name].deviation
    np.testing.assert_allclose(offsets.mean(0), 0.0, atol=5 * deviation / math.sqrt(2e4))
    np.testing.assert_allclose(np.cov(offsets.T), deviation**2 * np.eye(2), atol=0.06 * deviation**2)
    modes = len(centers(name))
    np.testing.assert_allclose(np.bincount(batch["label"], minlength=modes) / 2e4, 1 / modes, atol=5 * math.sqrt(1 / modes / 2e4))


def test_the_swiss_roll_is_a_spiral_of_one_and_a_half_to_four_and_a_half_pi_and_has_no_labels(few):
    data = opened("swiss_roll")
    points = examples(data, "train")["image"].reshape(-1, 2).astype(np.float64) * 7.5
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])  # both t, up to the noise
    assert radius.min() > 1.5 * math.pi - 1.5 and radius.max() < 4.5 * math.pi + 1.5
    turn = np.angle(np.exp(1j * (radius - angle)))
    a = 1.5 * math.pi
    assert turn.std() == pytest.approx(0.25 * math.sqrt(1.0 + 1.0 / (3.0 * a * a)), rel=0.02)  # 0.25 along the radius, 0.25 / t across
    assert radius.mean() == pytest.approx(3 * math.pi, abs=0.05)  # uniform in t
    assert data.spec.num_classes == 0 and "label" not in data.spec.features and data.spec.mixture is None


@pytest.mark.parametrize("name", toys.TOYS)
def test_the_stated_range_is_that_of_the_points(few, name):
    data = opened(name)
    points = np.concatenate([examples(data, split)["image"] for split in ("train", "test")])
    feature = data.spec.features["image"]
    assert (feature.shape, feature.low, feature.high) == ((1, 2, 1), points.min(), points.max())
    assert data.spec.is_vector and feature.high != 1.0


def test_the_spec_with_its_modes_survives_json():
    found = build.describe(spec.DatasetConfig(source="toy:grid25"), "")
    assert found.mixture == toys.MIXTURES["grid25"] and found.num_classes == 25
    assert spec.DataSpec.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert (found.size, found.test_size) == (100_000, 10_000)


def test_points_are_the_same_each_time_differ_between_splits_and_do_not_move_with_a_slice(few):
    first, again = examples(opened("ring8")), examples(opened("ring8"))
    np.testing.assert_array_equal(first["image"], again["image"])
    assert not np.array_equal(first["image"][:100], examples(opened("ring8"), "train")["image"][:100])
    part = examples(opened("ring8", test_split="test[100:200]"))
    np.testing.assert_array_equal(part["image"], first["image"][100:200])


def test_training_batches_are_addressed_by_position(few):
    data = opened("ring8", keys=["label"])
    whole = next(iter(data.batches(start=0, batch_size=12)))
    later = next(iter(data.batches(start=4, batch_size=8)))
    np.testing.assert_array_equal(whole["image"][4:], later["image"])
    assert data.addressed


@pytest.mark.parametrize("config", [{"image_size": (4, 4)}, {"augmentations": (augment.Dequantize(),)}])
def test_vectors_are_neither_resized_nor_augmented(config):
    with pytest.raises(ValueError, match=f"'toy:ring8' holds vectors, no pictures: data.{next(iter(config))} must be left"):
        opened("ring8", **config)


@pytest.mark.parametrize("name", ["ring8", "swiss_roll"])
def test_validation_finds_nothing_wrong_and_plots_the_points(few, name):
    report = validate.validate(spec.DatasetConfig(source=f"toy:{name}", split="train[:400]", test_split="test[:50]"), "")
    assert report.problems == []
    assert report.splits["train[:400]"].readable == 400
    assert report.grid.shape == (256, 256, 1) and report.grid.max() == 255
    if name == "ring8":
        rows, columns = np.nonzero(report.grid[..., 0])
        assert rows.min() < 30 < 225 < rows.max() and columns.min() < 30 < 225 < columns.max()
        assert report.grid[100:156, 100:156].max() == 0  # nothing inside the ring


def test_a_point_outside_of_the_stated_range_is_noticed(monkeypatch):
    monkeypatch.setattr(toys.Toy, "_draw", lambda self, split, count: {"image": np.full((2, 1, 2, 1), 0.5, np.float32)})
    monkeypatch.setattr(toys, "SIZES", {"train": 2, "test": 2})
    toy = toys.Toy("swiss_roll", "")
    toy.columns["image"] = type(toy.columns["image"])(kind="number", shape=(1, 2, 1), low=0.6, high=1.0)
    monkeypatch.setattr(validate.catalog, "open_source", lambda source, data_dir: toy)
    report = validate.validate(spec.DatasetConfig(source="toy:swiss_roll"), "")
    assert "train: image goes from 0.5 to 0.5, its stated range is 0.6 to 1" in report.problems
