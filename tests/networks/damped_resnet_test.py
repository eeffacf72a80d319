import pathlib

import keras
import numpy as np
import pytest

from tfgan_suite.layers import convolution
from tfgan_suite.networks import damped_resnet

HEADS = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "discriminator_heads.npz")


def convolutions(network):
    return [layer for layer in network.layers if isinstance(layer, convolution.Convolution)]


def channels(network):
    """(in, out) of every 3x3 convolution, in order."""
    return [tuple(layer.kernel.shape[2:]) for layer in convolutions(network) if layer.kernel_size == 3]


def test_channels_double_towards_the_smallest_map_up_to_the_widest():
    generator = damped_resnet.generator(image_shape=(32, 32, 3), width=8, widest=32, latent_size=4)
    assert channels(generator) == [(32, 32), (32, 32), (32, 16), (16, 16), (16, 8), (8, 8), (8, 8), (8, 8), (8, 3)]
    discriminator = damped_resnet.discriminator(image_shape=(32, 32, 3), width=8, widest=32)
    assert channels(discriminator) == [(3, 8), (8, 8), (8, 8), (8, 8), (8, 16), (16, 16), (16, 32), (32, 32), (32, 32)]
    for network in (generator, discriminator):
        shortcuts = [layer for layer in convolutions(network) if layer.kernel_size == 1]
        assert len(shortcuts) == 2 and not any(layer.use_bias for layer in shortcuts)


def test_nothing_is_normalised():
    for network in (damped_resnet.generator(width=4), damped_resnet.discriminator(width=4)):
        assert not any("Norm" in type(layer).__name__ for layer in network.layers)


@pytest.mark.parametrize("filters", [3, 5])
def test_a_block_adds_a_tenth_of_its_branch_to_its_shortcut(filters):
    inputs = keras.Input((6, 6, 3))
    network = keras.Model(inputs, damped_resnet.block(inputs, filters))
    first, second, *shortcut = sorted(convolutions(network), key=lambda layer: -layer.kernel_size)
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype(np.float32)

    def leaky(y):
        return np.where(y > 0, y, 0.2 * y).astype(np.float32)

    branch = second(leaky(first(leaky(x)).numpy())).numpy()
    skipped = shortcut[0](x).numpy() if shortcut else x
    assert len(shortcut) == (filters != 3) and first.filters == 3
    np.testing.assert_allclose(network(x), skipped + 0.1 * branch, atol=1e-5)


def test_pooling_takes_nine_pixels_and_counts_the_padding():
    network = damped_resnet.discriminator(image_shape=(8, 8, 1), width=2)
    pad = next(i for i, layer in enumerate(network.layers) if isinstance(layer, keras.layers.ZeroPadding2D))
    pooled = network.layers[pad + 1](network.layers[pad](np.ones((1, 8, 8, 2), np.float32))).numpy()
    expected = np.ones((4, 4))
    expected[0, :], expected[:, 0], expected[0, 0] = 6 / 9, 6 / 9, 4 / 9
    np.testing.assert_allclose(pooled[0, :, :, 0], expected, rtol=1e-6)


def test_the_logit_of_the_own_label_is_the_golden_one():
    pooled = HEADS["pooled"].astype(np.float32)
    features, label = keras.Input((pooled.shape[1],)), keras.Input((), dtype="int32")
    network = keras.Model([features, label], damped_resnet.own_logit(features, label, HEADS["multi_output.kernel"].shape[1]))
    network.get_layer("logits").kernel.assign(HEADS["multi_output.kernel"])
    network.get_layer("logits").bias.assign(HEADS["multi_output.bias"])
    np.testing.assert_allclose(network([pooled, HEADS["labels"]]), HEADS["multi_output.adv_output"], rtol=1e-5, atol=1e-5)


def test_the_labels_embedding_reaches_the_generator_at_length_one():
    network = damped_resnet.generator(image_shape=(8, 8, 1), latent_size=3, width=2, num_classes=4, embedding_size=5)
    first = next(layer for layer in network.layers if type(layer).__name__ == "Dense")
    probe = keras.Model(network.inputs, first.input)
    values = probe({"latents": np.zeros((4, 3), np.float32), "label": np.arange(4)}).numpy()
    np.testing.assert_allclose(np.linalg.norm(values[:, 3:], axis=1), np.ones(4), rtol=1e-5)
    table = network.get_layer("embedding").kernel
    before = network({"latents": np.ones((4, 3), np.float32), "label": np.arange(4)})["image"].numpy()
    table.assign(7.0 * table)
    np.testing.assert_allclose(network({"latents": np.ones((4, 3), np.float32), "label": np.arange(4)})["image"], before, atol=1e-5)


def test_initial_kernels_are_torchs():
    layer = convolutions(damped_resnet.discriminator(width=32))[1]
    limit = 1 / np.sqrt(9 * 32)
    np.testing.assert_allclose([layer.kernel.numpy().max(), layer.kernel.numpy().std()], [limit, limit / np.sqrt(3)], rtol=0.02)


def test_sides_that_are_no_powers_of_two_are_refused():
    for make in (damped_resnet.generator, damped_resnet.discriminator):
        with pytest.raises(ValueError, match="8, 16, 32, ... pixels"):
            make(image_shape=(28, 28, 1))
