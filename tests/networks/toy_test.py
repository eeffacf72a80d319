import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.networks import toy


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def kernels(network):
    return [v.numpy() for v in network.trainable_variables if len(v.shape) == 2]


@pytest.mark.parametrize(
    ("body", "latents", "widths", "generator", "discriminator"),
    [
        ("relu_mlp", 2, (512, 512), 527_874, 527_361),  # WGAN-GP
        ("spectral_mlp", 2, (512, 512), 527_874, 527_361),
        ("tanh_mlp", 256, (128, 128), 49_666, 17_025),  # unrolled GAN
        ("maxout_mlp", 2, (400, 200), 3 * 400 + 3 * 401 * 400 + 8 * 400 + 2 * 401, 405_201),  # PacGAN with packing 1; gains and offsets of 4 norms
        ("deep_mlp", 2, (512, 512), 527_874, 3 * 512 + 11 * 513 * 512 + 513),
    ],
)
def test_players_have_the_parameters_of_their_papers(body, latents, widths, generator, discriminator):
    build_generator, build_discriminator = toy.BODIES[body]
    assert count(build_generator(image_shape=(1, 2, 1), latent_size=latents, width=widths[0])) == generator
    assert count(build_discriminator(image_shape=(1, 2, 1), width=widths[1])) == discriminator


@pytest.mark.parametrize("body", toy.BODIES)
def test_vectors_of_any_length_go_through_as_images_of_one_row(body):
    build_generator, build_discriminator = toy.BODIES[body]
    generator, discriminator = build_generator(image_shape=(1, 5, 1), latent_size=3, width=8), build_discriminator(image_shape=(1, 5, 1), width=8)
    image = generator({"latents": tf.random.stateless_normal([6, 3], [1, 2])})["image"]
    heads = discriminator({"image": image})
    assert image.shape == (6, 1, 5, 1) and heads["logits"].shape == (6,) and heads["features"].shape == (6, 24 if body == "minibatch_mlp" else 8)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_generator_ends_linearly_in_float32(policy):
    keras.config.set_dtype_policy(policy)
    try:
        network = toy.generator(latent_size=2, width=4, depth=1)
    finally:
        keras.config.set_dtype_policy("float32")
    weights = [np.ones((2, 4)), np.zeros(4), np.full((4, 2), 1000.0), np.array([0.5, -0.5])]
    network.set_weights(weights)
    image = network({"latents": np.ones((1, 2), np.float32)})["image"]
    assert image.dtype == tf.float32
    np.testing.assert_allclose(image.numpy().ravel(), [8000.5, 7999.5])


def test_relu_layers_begin_with_the_deviation_of_he_and_tanh_layers_orthogonally():
    for kernel in kernels(toy.discriminator(width=512))[1:3]:
        assert kernel.std() == pytest.approx(np.sqrt(2.0 / 512), rel=0.02)
    for kernel in kernels(toy.discriminator(width=128, depth=2, activation="tanh"))[1:2]:
        np.testing.assert_allclose(kernel.T @ kernel, 1.4**2 * np.eye(128), atol=1e-4)


def test_no_two_layers_begin_with_the_same_numbers():
    first, second = kernels(toy.discriminator(width=16))[1:3]
    assert not np.allclose(first, second)


def test_the_discriminator_scores_each_point_by_itself():
    network = toy.discriminator(width=8, pieces=3)
    points = tf.random.stateless_normal([5, 1, 2, 1], [1, 2])
    together = network({"image": points})["logits"]
    alone = [network({"image": points[i : i + 1]})["logits"][0] for i in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="activation='sigmoid' is unknown. It is one of relu, tanh"):
        toy.generator(activation="sigmoid")
