import numpy as np
import pytest

from tfgan_suite.layers import spectral_norm
from tfgan_suite.networks import sndcgan


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.parametrize("first_norm, parameters", [("flat", 3_828_739), ("map", 3_813_379), ("none", 3_812_355)])
def test_generator_has_the_published_parameters(first_norm, parameters):
    assert count(sndcgan.generator(first_norm=first_norm)) == parameters


@pytest.mark.parametrize("side, parameters", [(32, 5_860_865), (128, 5_983_745)])
def test_discriminator_has_the_published_parameters(side, parameters):
    assert count(sndcgan.discriminator(image_shape=(side, side, 3))) == parameters


def test_every_kernel_of_the_discriminator_is_spectrally_normalised_and_none_of_the_generator():
    discriminator, generator = sndcgan.discriminator(width=4, num_classes=3), sndcgan.generator(width=4, num_classes=3)
    kernels = [layer for layer in discriminator._flatten_layers() if isinstance(layer, spectral_norm.WeightLayer)]
    assert len(kernels) == 9 and all(layer.spectral_norm for layer in kernels)  # seven convolutions, the logit, the projection
    assert not any(v.name in ("u", "v") for v in generator.variables)


def test_sizes_that_are_no_multiples_of_eight_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        sndcgan.generator(image_shape=(28, 28, 1))


def test_an_unknown_first_norm_is_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="flat, map, none"):
        sndcgan.generator(first_norm="layer")
