import dataclasses
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from export import expectations, saved_model, signatures
from export.homes import source
from tfgan_suite.core import endpoint


@pytest.fixture(scope="module")
def opened(published):
    return source.open_version(published.directory)


def test_the_inputs_are_the_signatures_with_the_integers_that_it_accepts(opened, toy):
    described = [(each.name, each.shape, each.dtype, each.low, each.high) for each in opened.inputs]
    assert described == [
        ("latents", (toy.latent_size,), tf.float32, None, None),
        ("truncation", (), tf.float32, 0.0, None),
        ("label", (), tf.int64, 0, toy.classes - 1),
    ]
    assert (opened.model, opened.number, opened.image_shape) == ("toy", "1", (8, 8, 3))


def test_the_function_gives_the_models_images(opened, published, toy):
    latents = np.random.default_rng(3).normal(size=[2, toy.latent_size]).astype(np.float32)
    answer = opened.concrete(None)(tf.constant(latents), tf.constant([0.4, 5.0]), tf.constant([1, 3], tf.int64))
    clipped = np.clip(latents, [[-0.4], [-5.0]], [[0.4], [5.0]])
    expected = published.model({"latents": clipped, "label": np.array([1, 3], np.int32)}, training=False)["image"]
    np.testing.assert_allclose(answer["images"], expected, atol=1e-5)


def test_what_lies_outside_is_answered_as_the_nearest_inside(opened, toy):
    latents = tf.zeros([2, toy.latent_size]) + 0.5
    outside = opened.function(latents, tf.constant([-2.0, 1.0]), tf.constant([-7, 10**9], tf.int64))["images"]
    inside = opened.function(latents, tf.constant([0.0, 1.0]), tf.constant([0, toy.classes - 1], tf.int64))["images"]
    np.testing.assert_array_equal(outside, inside)


@pytest.mark.parametrize("low, high", [(0, 0), (0, 1), (0, 9), (-3, 1000), (5, 127), (0, None), (None, 0)])
def test_the_end_of_a_range_is_found_from_any_place_inside(low, high):
    def accepts(value):
        return (low is None or value >= low) and (high is None or value <= high)

    for start in {low, high} - {None}:
        assert source._last(accepts, start, -1) == low
        assert source._last(accepts, start, 1) == high


def threefry_uniform(seed, size):
    """Salmon et al. 2011 in NumPy: 24 bits of the first word for each number."""
    rotations = ((13, 15, 26, 6), (17, 29, 16, 24))
    with np.errstate(over="ignore"):
        keys = [np.uint32(seed & 0xFFFFFFFF), np.uint32((seed >> 32) & 0xFFFFFFFF)]
        keys.append(keys[0] ^ keys[1] ^ np.uint32(0x1BD11BDA))
        x, y = np.arange(size, dtype=np.uint32) + keys[0], np.zeros(size, np.uint32) + keys[1]
        for group in range(5):
            for distance in rotations[group % 2]:
                x = x + y
                y = ((y << np.uint32(distance)) | (y >> np.uint32(32 - distance))) ^ x
            x, y = x + keys[(group + 1) % 3], y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def test_the_prior_is_the_one_that_gives_the_samples_latents():
    def found(latents):
        inputs = {"seed": np.array([7, 2**40], np.int64), "truncation": np.array([0.5, 9.0], np.float32)}
        sample = expectations.Expectation(inputs=inputs, outputs={"latents": latents}, encoding="", tolerance=1e-5)
        return source._prior({"sample": sample})

    uniform = np.stack([2 * threefry_uniform(seed, 4) - 1 for seed in (7, 2**40)])
    assert found(uniform * [[0.5], [1.0]]) == "uniform"
    assert found(uniform * [[0.5], [3**0.5]]) == "uniform_unit_variance"
    assert found(uniform * [[0.5], [2.0]]) is None
    assert source._prior({}) is None


def test_a_version_with_latents_of_another_kind_has_no_known_prior(opened):
    assert opened.prior is None


def save(directory, *offered):
    built = signatures.build(offered)
    saved_model.save(built, str(directory))
    os.makedirs(directory / "assets.extra", exist_ok=True)
    expectations.write(str(directory), expectations.compute(built))
    return str(directory)


def test_what_cannot_be_converted_is_refused_with_the_reason(tmp_path, published):
    double = endpoint.Endpoint(
        name="double",
        function=lambda x: {"y": 2.0 * x},
        networks=(),
        inputs={"x": tf.TensorSpec([None, 2], tf.float32)},
        examples=lambda b: {"x": np.ones([b, 2])},
    )
    with pytest.raises(ValueError, match=r"only a signature 'serving_default' .* It has \['double'\]"):
        source.open_version(save(tmp_path / "double", double))
    worded = dataclasses.replace(
        double,
        name="serving_default",
        function=lambda latents, words: {"images": latents[:, None, :, None]},
        inputs={"latents": tf.TensorSpec([None, 2], tf.float32), "words": tf.TensorSpec([None], tf.string)},
        examples=lambda b: {"latents": np.ones([b, 2]), "words": np.array([b"red"] * b, dtype=object)},
    )
    with pytest.raises(ValueError, match=r"\['words'\] hold no numbers"):
        source.open_version(save(tmp_path / "worded", worded))
    with pytest.raises(ValueError, match="cannot be read as a SavedModel"):
        source.open_version(str(tmp_path / "nothing"))
    broken = str(tmp_path / "broken")
    shutil.copytree(published.directory, broken)
    os.remove(os.path.join(broken, "variables", "variables.index"))
    with pytest.raises(ValueError, match="cannot be loaded"):
        source.open_version(broken)
