import numpy as np
import pytest

from tfgan_suite.layers import attention, convolution, spectral_norm
from tfgan_suite.networks import resnet


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_wgan_gp_players_have_the_published_parameters():
    assert count(resnet.generator(width=128)) == 1_204_483
    assert count(resnet.discriminator(spectral_norm=False, pool="mean")) == 1_053_825


def test_conditional_wgan_gp_players_have_the_published_parameters():
    assert count(resnet.generator(width=128, num_classes=10)) == 1_218_307
    assert count(resnet.discriminator(spectral_norm=False, pool="mean", num_classes=10, conditioning="auxiliary")) == 1_055_115


def test_sn_gan_players_have_the_published_parameters():
    assert count(resnet.generator()) == 4_276_739
    assert count(resnet.generator(num_classes=10)) == 4_304_387
    assert count(resnet.discriminator(num_classes=10, use_bias=False)) == 1_055_104
    assert count(resnet.discriminator(num_classes=10)) == 1_055_105


def test_studiogan_players_at_64_pixels_have_their_parameters():
    shape = (64, 64, 3)
    assert count(resnet.generator(image_shape=shape, width=64, multipliers=(16, 8, 4, 2, 1), num_classes=100)) == 12_790_915
    assert count(resnet.discriminator(image_shape=shape, width=64, multipliers=(1, 2, 4, 8, 16), smallest=4, num_classes=100)) == 19_645_121


def test_every_kernel_of_the_discriminator_is_spectrally_normalised():
    network = resnet.discriminator(width=4, num_classes=3)
    kernels = [layer for layer in network._flatten_layers() if isinstance(layer, spectral_norm.WeightLayer)]
    assert len(kernels) == 12 and all(layer.spectral_norm for layer in kernels)  # 3 + 3 + 2 + 2 convolutions, the logit, the projection


@pytest.mark.parametrize("make", [resnet.generator, resnet.discriminator])
def test_fused_and_plain_networks_agree(make):
    fused, plain = (make(width=16, fused=value) for value in (True, False))
    for a, b in zip(plain.variables, fused.variables, strict=True):
        a.assign(b)
    generator = np.random.default_rng(0)
    inputs = {x.name: generator.standard_normal((4, *x.shape[1:])).astype(np.float32) for x in fused.inputs}
    for head, expected in plain(inputs).items():
        np.testing.assert_allclose(fused(inputs)[head], expected, rtol=0, atol=1e-5 * max(1.0, np.abs(expected).max()), err_msg=head)


def test_the_shortcut_sees_the_input_before_the_relu():
    network = resnet.discriminator(width=4)
    shortcuts = [layer for layer in network.layers if isinstance(layer, convolution.Convolution) and layer.kernel_size == 1]
    names = [layer.input._keras_history.operation.name for layer in shortcuts]
    assert len(names) == 2 and not any(name.startswith("re_lu") for name in names)


def test_a_critic_without_normalisation_scores_examples_one_by_one():
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (4, 16, 16, 1)).astype(np.float32)
    changed = images.copy()
    changed[0] *= -0.5
    for norm in ("none", "layer"):
        critic = resnet.discriminator(image_shape=(16, 16, 1), width=8, norm=norm, spectral_norm=False)
        before, after = (critic({"image": x}, training=True)["logits"].numpy() for x in (images, changed))
        np.testing.assert_allclose(before[1:], after[1:], atol=1e-6)
        assert abs(before[0] - after[0]) > 1e-6


@pytest.mark.parametrize(
    "options, message",
    [
        ({"image_shape": (48, 48, 3)}, "The ResNet makes square images"),
        ({"image_shape": (32, 64, 3)}, "The ResNet makes square images"),
        ({"multipliers": (4, 2)}, r"2 widths, \(4, 2\), and these images need 4. Choose another model.body, or set data.image_size"),
    ],
)
def test_unusable_shapes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resnet.generator(**options)


def test_attention_follows_the_halved_maps_of_the_given_sides_and_no_later_map_of_the_same_side():
    networks = resnet.generator(width=8, attention=(8, 16)), resnet.discriminator(width=8, attention=(8, 16))
    for network in networks:
        layers = [layer for layer in network.layers if isinstance(layer, attention.SelfAttention)]
        assert sorted(layer.output.shape[1] for layer in layers) == [8, 16]  # the discriminator has three maps of side 8


def test_attention_at_a_side_that_no_block_makes_is_refused_with_the_sides():
    with pytest.raises(ValueError, match=r"no block makes a map of side 64. It is some of 8, 16, 32"):
        resnet.generator(attention=(64,))
    with pytest.raises(ValueError, match=r"no block makes a map of side 4. It is some of 8, 16\."):
        resnet.discriminator(attention=(4,))
