import types

import numpy as np
import pytest
import tensorflow as tf
import tiny

from pipelines import spec
from tfgan_suite.core import conditional, gan, sampling
from tfgan_suite.ops import pixels


class Echo:
    """A model whose images show what they were asked for: red the largest latent, green the label as a byte."""

    sample_latents, sample_conditions, sweeps = gan.Gan.sample_latents, gan.Gan.sample_conditions, conditional.LabelConditional.sweeps
    num_classes = conditional.LabelConditional.num_classes

    def __init__(self, classes: int = 0):
        self.config = types.SimpleNamespace(prior="normal", latent_size=6, conditional=classes > 0)
        self.condition_keys, self.data = ("label",) if classes else (), tiny.data_spec(classes=classes, side=16)

    def sample(self, latents, conditions):
        red = tf.reduce_max(tf.abs(latents), axis=1)
        green = tf.cast(conditions.get("label", tf.zeros_like(red)), tf.float32) / 127.5 - 1.0
        return tf.tile(tf.stack([red, green, tf.zeros_like(red)], axis=1)[:, None, None], [1, 16, 16, 1])


@pytest.fixture(scope="module")
def model():
    return tiny.build()


def drawn(model, count, **options):
    batches = list(sampling.samples(model, count, **({"batch_size": 4, "seed": 0} | options)))
    return batches, {key: np.concatenate([b[key] for b in batches]) for key in batches[0]}


def test_exactly_the_count_is_drawn_in_batches_with_balanced_labels(model):
    batches, joined = drawn(model, 10)
    assert [len(b["image"]) for b in batches] == [4, 4, 2]
    assert joined["image"].shape == (10, 8, 8, 3) and joined["image"].dtype == np.float32 and np.abs(joined["image"]).max() <= 1.0
    np.testing.assert_array_equal(joined["label"], np.arange(10) % 3)


def test_the_generator_is_asked_for_the_labels_that_are_reported():
    joined = drawn(Echo(3), 10)[1]
    np.testing.assert_array_equal(pixels.quantize(joined["image"][:, 0, 0, 1]), joined["label"])


def test_an_unconditional_model_gives_images_alone():
    assert set(drawn(Echo(), 3)[1]) == {"image"}


def test_the_first_samples_do_not_depend_on_how_many_follow(model):
    few, many = drawn(model, 5)[1], drawn(model, 9)[1]
    np.testing.assert_array_equal(few["image"], many["image"][:5])


def test_all_samples_differ_and_another_seed_gives_others(model):
    images = [drawn(model, 8, seed=seed)[1]["image"] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(images[0], images[1])
    assert len({image.tobytes() for image in (*images[0], *images[2])}) == 16


def test_truncation_bounds_the_latents_of_samples():
    free, bounded = (drawn(Echo(), 50, truncation=limit)[1]["image"][:, 0, 0, 0] for limit in (np.inf, 0.3))
    assert free.max() > 1.0 and 0.2 < bounded.max() <= 0.3


def centres(sheet, rows, columns):
    """The colour in the middle of each tile of 16 pixels, shown four times as large between gaps of 2 pixels."""
    assert sheet.shape == (4 * (rows * 18 + 2), 4 * (columns * 18 + 2), 3)
    return sheet[40::72, 40::72]


@pytest.mark.parametrize("classes, columns", [(3, 3), (40, 40), (1000, 40)])
def test_a_conditional_grid_has_a_column_for_each_of_the_first_forty_classes(classes, columns):
    tiles = centres(sampling.grid(Echo(classes), rows=2, seed=0), 2, columns)
    np.testing.assert_array_equal(tiles[..., 1], [range(columns)] * 2)


def test_an_unconditional_grid_is_square():
    centres(sampling.grid(Echo(), rows=5, seed=0), 5, 5)


def test_truncation_bounds_the_latents_of_a_grid():
    free, bounded = (centres(sampling.grid(Echo(), rows=5, seed=0, truncation=limit), 5, 5)[..., 0] for limit in (np.inf, 0.3))
    assert free.max() == 255 and bounded.max() <= pixels.quantize(0.3)


def test_a_grid_is_the_same_picture_at_every_call(model):
    first, again, other = (sampling.grid(model, rows=2, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_model_of_the_plane_is_shown_by_where_its_points_lie():
    model = Echo()
    feature = spec.Feature(shape=(1, 2, 1), dtype="float32", low=-2.0, high=2.0)
    model.data = spec.DataSpec(name="points", features={"image": feature}, size=1)
    model.sample = lambda latents, conditions: tf.tile(tf.constant([[[[1.0], [-2.0]]]]), [latents.shape[0], 1, 1, 1])
    sheet = sampling.grid(model, rows=4, seed=0)
    [[row, column]] = np.argwhere((sheet != 255).any(-1))  # the range is shown with a quarter more on every side: from -3 to 3
    assert (row, column) == (255 - 256 // 6, 256 * 4 // 6)


class Told(Echo):
    """The same on a condition that cannot be drawn: green is its first number."""

    def __init__(self):
        super().__init__()
        self.condition_keys = ("features",)

    def sample(self, latents, conditions):
        return super().sample(latents, {"label": conditions["features"][:, 0]})


def test_conditions_that_cannot_be_drawn_go_round_the_held_out_ones():
    features = np.array([[3.0, 0.0], [5.0, 0.0], [9.0, 0.0]], np.float32)
    joined = drawn(Told(), 8, held_out={"features": features})[1]
    np.testing.assert_array_equal(joined["features"], features[np.arange(8) % 3])
    np.testing.assert_array_equal(pixels.quantize(joined["image"][:, 0, 0, 1]), features[np.arange(8) % 3, 0])
    with pytest.raises(ValueError, match="'features' cannot be drawn"):
        drawn(Told(), 8)


def test_chosen_classes_have_a_column_each_in_the_order_given():
    tiles = centres(sampling.grid(Echo(1000), rows=2, seed=0, classes=[700 % 256, 3]), 2, 2)
    np.testing.assert_array_equal(tiles[..., 1], [[188, 3]] * 2)
    for model, unknown in ((Echo(3), 3), (Echo(), 0)):
        with pytest.raises(ValueError, match=f"There is no class {unknown}: the model has {unknown}, counted from 0"):
            sampling.grid(model, rows=2, seed=0, classes=[unknown])


def test_a_sweep_goes_through_the_classes_on_one_latent_per_row():
    sheet, names = sampling.sweep(Echo(5), rows=3, columns=7, seed=0, truncation=0.5)
    tiles = centres(sheet, 3, 7)
    assert names == ["label"] * 3
    np.testing.assert_array_equal(tiles[..., 1], [np.arange(7) % 5] * 3)
    assert all(len(np.unique(row)) == 1 for row in tiles[..., 0]) and len(np.unique(tiles[..., 0])) == 3


def test_a_model_without_conditions_cannot_be_swept():
    with pytest.raises(ValueError, match="Echo has no condition that could be swept: it reads latents"):
        sampling.sweep(Echo(), rows=1, columns=3, seed=0)
