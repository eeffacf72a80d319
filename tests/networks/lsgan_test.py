import numpy as np
import pytest

from tfgan_suite.layers import batch_norm, convolution
from tfgan_suite.networks import lsgan


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_at_112_pixels_the_generator_grows_from_7_by_7_with_the_papers_channels():
    network = lsgan.generator(latent_size=1024)
    layers = [layer for layer in network.layers if isinstance(layer, convolution.TransposedConvolution)]
    assert [(layer.filters, layer.kernel_size, layer.strides) for layer in layers] == [
        (256, 3, 2), (256, 3, 1), (256, 3, 2), (256, 3, 1), (128, 3, 2), (64, 3, 2), (3, 3, 1),
    ]  # fmt: skip
    assert network.output["image"].shape == (None, 112, 112, 3)
    assert sum(isinstance(layer, batch_norm.BatchNorm) for layer in network.layers) == 7
    channels = (256, 256, 256, 256, 256, 128, 64)
    convolutions = sum(9 * a * b + b for a, b in zip(channels, (*channels[1:], 3), strict=True))
    assert count(network) == 1025 * 7 * 7 * 256 + convolutions + 2 * sum(channels)


def test_the_discriminator_is_that_of_dcgan_with_kernels_of_five_and_biases():
    network = lsgan.discriminator()
    channels = (3, 64, 128, 256, 512)
    convolutions = sum(25 * a * b + b for a, b in zip(channels, channels[1:], strict=False))
    assert count(network) == convolutions + 2 * (128 + 256 + 512) + 7 * 7 * 512 + 1
    assert network.output["features"].shape == (None, 7 * 7 * 512)


def test_at_32_pixels_it_grows_from_2_by_2():
    network = lsgan.generator(image_shape=(32, 32, 3), latent_size=8, width=4)
    assert network.layers[2].output.shape == (None, 2, 2, 16)
    assert network.output["image"].shape == (None, 32, 32, 3)


def test_sizes_that_are_no_multiples_of_sixteen_are_refused():
    for make in (lsgan.generator, lsgan.discriminator):
        with pytest.raises(ValueError, match="multiples of 16"):
            make(image_shape=(28, 28, 1))
