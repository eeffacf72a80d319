import numpy as np
import pytest

from tfgan_suite.layers import batch_norm, convolution
from tfgan_suite.networks import dcgan


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.parametrize("side, generator, discriminator", [(64, 3_576_704, 2_765_568), (32, 1_068_928, 663_296)])
def test_parameter_counts_are_those_of_the_torch_code(side, generator, discriminator):
    assert count(dcgan.generator(image_shape=(side, side, 3))) == generator
    assert count(dcgan.discriminator(image_shape=(side, side, 3))) == discriminator


def test_parameter_counts_are_those_of_the_theano_code():
    assert count(dcgan.generator(width=128, kernel_size=5, first_norm="flat", epsilon=1e-8)) == 18_885_760
    assert count(dcgan.discriminator(width=128, kernel_size=5, epsilon=1e-8)) == 17_232_768


def test_parameter_counts_are_those_of_wgan_gp_for_cifar10():
    options = {"image_shape": (32, 32, 3), "width": 128, "kernel_size": 5, "use_bias": True, "initializer": "he"}
    assert count(dcgan.generator(latent_size=128, first_norm="flat", **options)) == 5_179_907
    assert count(dcgan.discriminator(norm="none", **options)) == 4_114_689


def test_at_128_pixels_there_is_one_more_level():
    generator, discriminator = (make(image_shape=(128, 128, 3), width=4) for make in (dcgan.generator, dcgan.discriminator))
    assert generator.output["image"].shape == (None, 128, 128, 3)
    assert discriminator.output["features"].shape == (None, 4 * 4 * 4 * 16)


def test_he_kernels_have_the_variance_of_the_wgan_gp_code_which_counts_the_stride():
    """4 / (fan in + fan out); the fan on the smaller map counts a quarter: its pixel meets a quarter of the kernel for each of the larger map's."""
    options = {"image_shape": (16, 16, 3), "width": 64, "kernel_size": 5, "initializer": "he"}
    up, down = (
        [layer for layer in network.layers if isinstance(layer, convolution.Convolution | convolution.TransposedConvolution)]
        for network in (dcgan.generator(**options), dcgan.discriminator(norm="none", **options))
    )
    np.testing.assert_allclose(up[0].kernel.numpy().var(), 4 / (25 * (128 / 4 + 64)), rtol=0.02)
    np.testing.assert_allclose(down[1].kernel.numpy().var(), 4 / (25 * (64 + 128 / 4)), rtol=0.02)


def test_the_first_batch_norm_is_over_units_or_over_channels():
    for first_norm, size in (("flat", 4 * 4 * 16), ("map", 16)):
        network = dcgan.generator(image_shape=(16, 16, 3), width=8, first_norm=first_norm)
        assert next(layer for layer in network.layers if isinstance(layer, batch_norm.BatchNorm)).gain.shape == (size,)


def test_initial_scores_of_random_images_have_the_deviation_of_the_initial_kernels():
    """The last kernel N(0, 0.02) sums 4 x 4 x 64 leaky ReLUs of normal numbers, whose mean square is (1 + 0.2^2) / 2."""
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (64, 64, 64, 3)).astype(np.float32)
    scores = dcgan.discriminator(width=8)({"image": images}, training=True)["logits"].numpy()
    np.testing.assert_allclose(scores.std(), 0.02 * np.sqrt(4 * 4 * 64 * 0.52), rtol=0.35)


def test_unknown_names_are_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="first_norm='units' is unknown. It is one of map, flat"):
        dcgan.generator(first_norm="units")
    with pytest.raises(ValueError, match="initializer='glorot' is unknown. It is one of normal, he"):
        dcgan.discriminator(initializer="glorot")


def test_initial_kernels_are_normal_with_deviation_two_hundredths():
    for network in (dcgan.generator(), dcgan.discriminator()):
        for layer in network.layers:
            if isinstance(layer, convolution.Convolution | convolution.TransposedConvolution) and layer.kernel.value.shape.num_elements() > 20_000:
                np.testing.assert_allclose(layer.kernel.numpy().std(), 0.02, rtol=0.05)
                assert abs(layer.kernel.numpy().mean()) < 1e-3


def test_initial_gains_are_normal_around_one():
    network = dcgan.generator()
    gains = np.concatenate([layer.gain.numpy() for layer in network.layers if isinstance(layer, batch_norm.BatchNorm)])
    assert abs(gains.mean() - 1.0) < 5e-3
    np.testing.assert_allclose(gains.std(), 0.02, rtol=0.1)


def test_batch_norm_follows_every_hidden_layer_but_the_first_of_the_discriminator():
    generator, discriminator = dcgan.generator(), dcgan.discriminator()
    assert sum(isinstance(layer, batch_norm.BatchNorm) for layer in generator.layers) == 4
    assert sum(isinstance(layer, batch_norm.BatchNorm) for layer in discriminator.layers) == 3
    assert all(layer.momentum == 0.9 and layer.epsilon == 1e-5 for layer in generator.layers if isinstance(layer, batch_norm.BatchNorm))


def test_a_critic_with_layer_norm_scores_examples_one_by_one_and_one_with_batch_norm_does_not():
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (4, 16, 16, 1)).astype(np.float32)
    changed = images.copy()
    changed[0] *= -0.5
    for norm, independent in (("layer", True), ("none", True), ("batch", False)):
        critic = dcgan.discriminator(image_shape=(16, 16, 1), width=8, norm=norm)
        before, after = (critic({"image": x}, training=True)["logits"].numpy() for x in (images, changed))
        assert (np.abs(before[1:] - after[1:]).max() < 1e-6) == independent, norm


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 64, 3), (8, 8, 3)])
def test_other_image_sizes_are_refused_with_the_remedy(shape):
    for make in (dcgan.generator, dcgan.discriminator):
        with pytest.raises(ValueError, match="image_size"):
            make(image_shape=shape)
