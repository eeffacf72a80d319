import numpy as np
import pytest

from tfgan_suite.layers import batch_norm, convolution, layer_norm
from tfgan_suite.networks import good_resnet


def convolutions(network):
    """(in, out, biased) of every convolution in order, with its kernel's size."""
    layers = [layer for layer in network.layers if isinstance(layer, convolution.Convolution)]
    return [(layer.kernel_size, *layer.kernel.shape[2:], layer.use_bias) for layer in layers]


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def down_block(a, b):
    """Parameters: two layer norms, 3x3 without bias at the input's width, 3x3 and 1x1 to the output's."""
    return 2 * 2 * a + 9 * a * a + 9 * a * b + b + a * b + b


def up_block(a, b):
    return 2 * a + 9 * a * b + 2 * b + 9 * b * b + b + a * b + b


def test_the_players_for_64_pixels_have_the_layers_of_the_authors_code():
    generator, discriminator = good_resnet.generator(), good_resnet.discriminator()
    ups = up_block(512, 512) + up_block(512, 256) + up_block(256, 128) + up_block(128, 64)
    assert count(generator) == 129 * 4 * 4 * 512 + ups + 2 * 64 + 9 * 64 * 3 + 3
    downs = down_block(64, 128) + down_block(128, 256) + down_block(256, 512) + down_block(512, 512)
    assert count(discriminator) == 9 * 3 * 64 + 64 + downs + 4 * 4 * 512 + 1
    assert sum(isinstance(layer, batch_norm.BatchNorm) for layer in generator.layers) == 9
    assert sum(isinstance(layer, layer_norm.LayerNorm) for layer in discriminator.layers) == 8


def test_the_first_convolution_of_a_block_has_no_bias_and_keeps_the_width_on_the_way_down():
    network = good_resnet.discriminator(image_shape=(8, 8, 3), width=4)
    assert convolutions(network) == [(3, 3, 4, True), (3, 4, 4, False), (3, 4, 8, True), (1, 4, 8, True)]
    network = good_resnet.generator(image_shape=(8, 8, 3), width=4)
    assert convolutions(network) == [(3, 32, 4, False), (3, 4, 4, True), (1, 32, 4, True), (3, 4, 3, True)]


def test_at_128_pixels_one_more_block_has_the_widest_maps():
    generator = good_resnet.generator(image_shape=(128, 128, 3), width=2)
    assert generator.output["image"].shape == (None, 128, 128, 3)
    assert [b for k, a, b, _ in convolutions(generator) if k == 1] == [16, 16, 8, 4, 2]
    discriminator = good_resnet.discriminator(image_shape=(128, 128, 3), width=2)
    assert [b for k, a, b, _ in convolutions(discriminator) if k == 1] == [4, 8, 16, 16, 16]


def test_the_critic_scores_examples_one_by_one():
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (4, 16, 16, 1)).astype(np.float32)
    changed = images.copy()
    changed[0] *= -0.5
    for norm, independent in (("layer", True), ("none", True), ("batch", False)):
        critic = good_resnet.discriminator(image_shape=(16, 16, 1), width=4, norm=norm)
        before, after = (critic({"image": x}, training=True)["logits"].numpy() for x in (images, changed))
        assert (np.abs(before[1:] - after[1:]).max() < 1e-6) == independent, norm


def test_sides_that_are_no_powers_of_two_are_refused():
    for make in (good_resnet.generator, good_resnet.discriminator):
        with pytest.raises(ValueError, match="8, 16, 32, ... pixels"):
            make(image_shape=(48, 48, 3))
