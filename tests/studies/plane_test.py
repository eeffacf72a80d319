import io
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipelines import spec
from tfgan_suite.losses import adversarial, gradient_penalty
from tfgan_suite.studies import plane

SLOPE = np.array([2.0, -1.0], np.float32)


class Linear:
    """A generator that doubles its latents and a critic f(x) = <slope, x>, on data in [-1, 3]."""

    def __init__(self, loss="wasserstein", terms=()):
        feature = spec.Feature(shape=(1, 2, 1), dtype="float32", low=-1.0, high=3.0)
        self.data = spec.DataSpec(name="points", features={"image": feature}, size=1)
        self.config = types.SimpleNamespace(latent_size=2, terms=(adversarial.Adversarial(loss=loss), *terms))

    def sample(self, latents, conditions):
        return tf.reshape(2.0 * latents, (-1, 1, 2, 1))

    def score(self, view):
        return {"logits": tf.linalg.matvec(tf.reshape(view["image"], (-1, 2)), SLOPE)}


def test_the_field_of_a_wasserstein_critic_is_its_slope_everywhere():
    places = tf.constant(np.random.RandomState(0).uniform(-1, 3, (7, 1, 2, 1)), tf.float32)
    np.testing.assert_allclose(plane.field(Linear(), places).numpy().reshape(7, 2), np.tile(SLOPE, (7, 1)), rtol=1e-5)


def test_the_field_of_the_non_saturating_loss_fades_where_the_discriminator_is_convinced():
    """-d/dx softplus(-f) = sigmoid(-f) slope."""
    places = np.array([[0.0, 0.0], [2.0, 0.0], [-1.0, 1.0]], np.float32)
    scores = places @ SLOPE
    expected = SLOPE / (1.0 + np.exp(scores))[:, None]
    found = plane.field(Linear("non_saturating"), tf.constant(places.reshape(3, 1, 2, 1)))
    np.testing.assert_allclose(found.numpy().reshape(3, 2), expected, rtol=1e-5)


def test_penalties_of_the_discriminator_do_not_move_the_field():
    places = tf.zeros([4, 1, 2, 1])
    np.testing.assert_array_equal(plane.field(Linear(terms=(gradient_penalty.R1(),)), places), plane.field(Linear(), places))


def test_a_snapshot_covers_the_range_of_the_data_and_a_quarter_more():
    found = plane.snapshot(Linear())
    np.testing.assert_allclose(found["frame"], [-2.0, 4.0])
    side = found["logits"].shape[0]
    axis = np.linspace(-2.0, 4.0, side)
    np.testing.assert_allclose(found["logits"], 2.0 * axis[None, :] - axis[:, None], atol=1e-5)  # rows are the second coordinate
    assert found["points"].shape == (1000, 2) and found["points"].std() == pytest.approx(2.0, abs=0.1)
    assert found["field"].shape[2] == 2


def size(png):
    return Image.open(io.BytesIO(png)).size


def test_figures_grow_by_a_panel_per_snapshot_and_row():
    arrays, centers = plane.snapshot(Linear()), np.array([[0.0, 0.0], [1.0, 1.0]])
    one = size(plane.training({"a/b": [(10, arrays)]}, centers))
    many = size(plane.training({"a/b": [(10, arrays), (20, arrays)], "c/d": [(20, arrays)]}, centers))
    assert many[0] > 1.7 * one[0] and many[1] > 1.7 * one[1]
    assert size(plane.overview({"a": arrays}, centers))[0] < size(plane.overview({"a": arrays, "b": arrays}, centers))[0]


def test_a_diverged_or_constant_discriminator_is_drawn_all_the_same():
    arrays = plane.snapshot(Linear())
    constant = arrays | {"logits": np.zeros_like(arrays["logits"]), "field": np.zeros_like(arrays["field"])}
    broken = arrays | {"logits": np.full_like(arrays["logits"], np.nan), "field": np.full_like(arrays["field"], np.inf)}
    assert plane.overview({"constant": constant, "broken": broken}, np.zeros((0, 2)))[:4] == b"\x89PNG"
