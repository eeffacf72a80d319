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
