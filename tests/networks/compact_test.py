import numpy as np
import pytest

from tfgan_suite.layers import attention, batch_norm, conditional_batch_norm, convolution, spectral_norm
from tfgan_suite.networks import compact


@pytest.mark.parametrize("shape, smallest", [((32, 32, 3), (4, 4)), ((28, 28, 1), (7, 7)), ((64, 64, 3), (4, 4)), ((32, 48, 3), (4, 6))])
def test_maps_are_halved_to_a_few_pixels(shape, smallest):
    generator, discriminator = compact.generator(image_shape=shape, width=4), compact.discriminator(image_shape=shape, width=4)
    assert generator.output["image"].shape == (None, *shape)
    last = [layer for layer in discriminator.layers if isinstance(layer, convolution.Convolution)][-1]
    assert tuple(last.output.shape[1:3]) == smallest


def test_at_32_pixels_the_discriminator_has_three_convolutions_of_width_two_and_four():
    layers = [layer for layer in compact.discriminator(width=32).layers if isinstance(layer, convolution.Convolution)]
    assert [(layer.filters, layer.kernel_size, layer.strides) for layer in layers] == [(32, 4, 2), (64, 4, 2), (128, 4, 2)]


def test_latents_and_label_feed_every_batch_norm_of_the_conditional_generator():
    network = compact.generator(num_classes=5, latent_size=10, embedding_size=6, width=4)
    norms = [layer for layer in network.layers if isinstance(layer, batch_norm.BatchNorm)]
    assert len(norms) == 3 and all(isinstance(layer, conditional_batch_norm.ConditionalBatchNorm) for layer in norms)
    assert all(tuple(layer.condition_gain.kernel.shape)[0] == 16 for layer in norms)


def test_gain_multiplies_every_normalised_kernel():
    network = compact.discriminator(num_classes=5, width=4, gain=1.25)
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, spectral_norm.WeightLayer)]
    spectral_norm.power_iterations(network, 500)
    assert len(layers) == 5
    for layer in layers:
        scale = np.linalg.norm(layer.weight()) / np.linalg.norm(layer.kernel)
        np.testing.assert_allclose(scale, 1.25 / np.linalg.norm(layer.matrix(), 2), rtol=1e-3)


@pytest.mark.parametrize("norm, layers", [("none", 0), ("batch", 2), ("layer", 2)])
def test_any_normalisation_goes_on_all_but_the_first_convolution(norm, layers):
    network = compact.discriminator(norm=norm, spectral_norm=False, width=4)
    assert sum(type(layer).__name__ in ("BatchNorm", "LayerNorm") for layer in network.layers) == layers
    assert not any(v.name in ("u", "v") for v in network.variables)


def test_auxiliary_conditioning_gives_class_logits_and_reads_no_label():
    network = compact.discriminator(num_classes=7, conditioning="auxiliary", width=4)
    assert [x.name for x in network.inputs] == ["image"]
    assert network.output["class_logits"].shape == (None, 7)


def test_sides_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="even sides"):
        compact.generator(image_shape=(25, 25, 3))


def test_attention_follows_the_maps_of_the_given_heights():
    for network in (compact.generator(width=8, attention=(8, 16)), compact.discriminator(width=8, attention=(8, 16))):
        layers = [layer for layer in network.layers if isinstance(layer, attention.SelfAttention)]
        assert sorted(layer.output.shape[1] for layer in layers) == [8, 16]
