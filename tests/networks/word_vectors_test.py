import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.networks import word_vectors

SMALL = {"image_shape": (1, 3, 1), "feature_size": 4}


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_players_have_the_layers_of_the_paper():
    """G: 100 -> 500, 4096 -> 2000, 2500 -> 200. D: 200 -> 500, 4096 -> 1200, 1700 -> 1000 units of 3 pieces -> 1."""
    assert count(word_vectors.generator()) == 101 * 500 + 4097 * 2000 + 2501 * 200
    assert count(word_vectors.discriminator()) == 201 * 500 + 4097 * 1200 + 1701 * 3000 + 1001


def test_nothing_bounds_a_word_vector():
    network = word_vectors.generator(**SMALL, latent_size=2, width=8)
    inputs = {"latents": np.full((2, 2), 1e4, np.float32), "features": np.full((2, 4), 1e4, np.float32)}
    words = network(inputs)["image"]
    assert words.shape == (2, 1, 3, 1) and words.dtype == tf.float32
    assert np.abs(words).max() > 100.0
    np.testing.assert_allclose(network({key: 2 * value for key, value in inputs.items()})["image"], 2 * words, rtol=1e-5)  # no bias yet: homogeneous


def test_the_mask_multiplies_the_hidden_units():
    network = word_vectors.generator(**SMALL, latent_size=2, width=8, masked=True)
    values = {"latents": np.ones((1, 2), np.float32), "features": np.ones((1, 4), np.float32)}
    units = next(i.shape[1] for i in network.inputs if i.name == "mask")
    assert units == 10
    words = [network(values | {"mask": np.full((1, units), m, np.float32)})["image"].numpy() for m in (0.0, 1.0, 2.0)]
    np.testing.assert_allclose(words[0], 0.0, atol=1e-7)
    np.testing.assert_allclose(words[2], 2.0 * words[1], rtol=1e-5)


def test_dropout_drops_both_hidden_layers_as_told():
    network = word_vectors.discriminator(**SMALL, width=10, keep=0.5)
    units = next(i.shape[1] for i in network.inputs if i.name == "dropout_noise")
    assert units == 5 + 12 + 10
    values = {"image": np.ones((1, 1, 3, 1), np.float32), "features": np.ones((1, 4), np.float32)}

    def score(first, second):
        noise = np.concatenate([np.full((1, 17), first), np.full((1, 10), second)], axis=1).astype(np.float32)
        return float(network(values | {"dropout_noise": noise})["logits"][0])

    assert score(0.9, 0.1) == score(0.1, 0.9) == 0.0  # biases start at zero
    plain = word_vectors.discriminator(**SMALL, width=10)
    for a, b in zip(plain.variables, network.variables, strict=True):
        a.assign(b)
    assert score(0.1, 0.1) == pytest.approx(4.0 * float(plain(values)["logits"][0]), rel=1e-5)  # each layer doubled


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_words_and_scores_are_float32_under_every_policy(policy):
    keras.config.set_dtype_policy(policy)
    try:
        generator, discriminator = word_vectors.generator(**SMALL, latent_size=2, width=8, masked=True), word_vectors.discriminator(**SMALL, width=10)
    finally:
        keras.config.set_dtype_policy("float32")
    values = {"latents": np.ones((2, 2), np.float32), "features": np.ones((2, 4), np.float32), "mask": np.ones((2, 10), np.float32)}
    words = generator(values)["image"]
    heads = discriminator({"image": words, "features": tf.constant(values["features"])})
    assert words.dtype == heads["logits"].dtype == heads["features"].dtype == tf.float32
    assert np.isfinite(heads["logits"]).all()
