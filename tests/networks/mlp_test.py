import numpy as np
import pytest

from tfgan_suite.networks import mlp


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_players_of_2014_have_the_parameters_of_the_authors_code():
    assert count(mlp.generator()) == 2_503_984
    assert count(mlp.discriminator()) == 1_231_441


def test_conditional_players_have_the_layers_of_the_paper():
    """G: z 100 -> 200, y 10 -> 1000, 1200 -> 1200 -> 784; D: x -> 240 x 5, y -> 50 x 5, 290 -> 240 x 4 -> 1."""
    assert count(mlp.generator(num_classes=10)) == 101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784
    assert count(mlp.discriminator(num_classes=10, pieces=(5, 4))) == 785 * 1200 + 11 * 250 + 291 * 960 + 241


def test_initial_weights_are_uniform_in_the_published_ranges():
    for network, limit in ((mlp.generator(), 0.05), (mlp.discriminator(), 0.005)):
        kernels = np.concatenate([v.numpy().ravel() for v in network.trainable_variables if len(v.shape) == 2])
        np.testing.assert_allclose([kernels.min(), kernels.max(), kernels.std()], [-limit, limit, limit / np.sqrt(3.0)], rtol=0.01)


def test_a_zero_generator_draws_mid_grey():
    network = mlp.generator(width=12)
    for v in network.variables:
        v.assign(np.zeros(v.shape))
    np.testing.assert_allclose(network({"latents": np.ones((2, 100), np.float32)})["image"], np.zeros((2, 28, 28, 1)), atol=1e-7)


def test_dropout_keeps_the_published_parts_of_pixels_and_hidden_units_as_told():
    network = mlp.discriminator(keep=(0.8, 0.5))
    size = 784 + 240 + 240
    assert {x.name: tuple(x.shape) for x in network.inputs} == {"image": (None, 28, 28, 1), "dropout_noise": (None, size)}
    image = np.random.default_rng(0).uniform(-1.0, 1.0, (2, 28, 28, 1)).astype(np.float32)
    nothing_kept = np.ones((2, size), np.float32)
    bias = network.get_layer("logits").bias.numpy()
    np.testing.assert_array_equal(network({"image": image, "dropout_noise": nothing_kept})["logits"], np.repeat(bias, 2))
    all_kept = network({"image": image, "dropout_noise": np.zeros((2, size), np.float32)})["logits"]
    plain = mlp.discriminator()
    for a, b in zip(plain.variables, network.variables, strict=True):
        a.assign(b)
    x = (image + 1) / 2 / 0.8 * 2 - 1  # every pixel kept and rescaled; each hidden layer doubled, linearly as the biases are zero
    np.testing.assert_allclose(all_kept, 4.0 * plain({"image": x})["logits"], rtol=1e-4)


def test_hidden_layers_can_be_normalised_and_counted():
    """f-GAN: 100 -> 1200 -> 1200 -> 784 with a gain and an offset per hidden unit; DRAGAN: one hidden layer of 128."""
    assert count(mlp.generator(norm="batch")) == 2_503_984 + 2 * 2 * 1200
    assert count(mlp.generator(width=128, layers=1)) == 101 * 128 + 129 * 784
    assert count(mlp.generator(width=512, layers=4)) == 101 * 512 + 3 * 513 * 512 + 513 * 784


def test_critic_of_f_gan_has_exponential_linear_units():
    network = mlp.critic(image_shape=(1, 1, 1), widths=(1,), activation="elu", kernel_initializer="ones")
    assert count(mlp.critic(widths=(240, 240), activation="elu")) == 785 * 240 + 241 * 240 + 241
    x = np.array([-2.0, 0.5], np.float32).reshape(2, 1, 1, 1)
    np.testing.assert_allclose(network({"image": x})["features"], [[np.expm1(-2.0)], [0.5]], rtol=1e-6)


def test_the_mask_of_the_generator_multiplies_each_hidden_layer_by_its_own_half():
    network, plain = mlp.generator(width=12, num_classes=4, masked=True), mlp.generator(width=12, num_classes=4)
    for a, b in zip(plain.variables, network.variables, strict=True):
        a.assign(b)
    values = {"latents": np.ones((1, 100), np.float32), "label": np.array([2])}

    def image(first, second):
        mask = np.concatenate([np.full((1, 12), first), np.full((1, 12), second)], axis=1).astype(np.float32)
        return network(values | {"mask": mask})["image"].numpy()

    np.testing.assert_array_equal(image(1.0, 1.0), plain(values)["image"])
    np.testing.assert_allclose(image(1.0, 0.0), 0.0, atol=1e-6)  # biases start at zero: mid grey
    np.testing.assert_allclose(image(0.0, 1.0), 0.0, atol=1e-6)
    np.testing.assert_allclose(image(2.0, 3.0), image(6.0, 1.0), atol=1e-6)  # homogeneous
    assert np.abs(image(6.0, 1.0) - image(1.0, 1.0)).max() > 1e-4


@pytest.mark.parametrize("widths", [(), (16,), (512, 512, 512)])
def test_critic_has_the_given_widths(widths):
    network = mlp.critic(image_shape=(1, 1, 2), widths=widths)
    sizes = (2, *widths, 1)
    assert count(network) == sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))


def test_toy_critic_of_wgan_gp_has_its_published_parameters():
    assert count(mlp.critic(image_shape=(1, 1, 2))) == 527_361
