import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import batch_norm, convolution, dense
from tfgan_suite.networks import conditional_dcgan

SHAPE, K = (8, 8, 2), 3
SMALL = {"image_shape": SHAPE, "num_classes": K, "width": 4, "units": 8}


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_players_have_the_weights_of_the_authors_code():
    """nz 100, ny 10, ngf 64, ngfc 1024, npx 28: no biases, batch norm without gain and offset."""
    assert count(conditional_dcgan.generator()) == 110 * 1024 + 1034 * 128 * 7 * 7 + 25 * 138 * 64 + 25 * 74
    assert count(conditional_dcgan.discriminator()) == 25 * 11 * 64 + 25 * 74 * 128 + (128 * 7 * 7 + 10) * 1024 + 1034


def kernels(network):
    """Every kernel with its input features last but one (in front of the filters of a transposed convolution), in the order of the layers."""
    found = []
    for layer in network.layers:
        if isinstance(layer, convolution.TransposedConvolution):
            found.append((layer.kernel, 3))
        elif isinstance(layer, convolution.Convolution | dense.Dense):
            found.append((layer.kernel, len(layer.kernel.shape) - 2))
    return found


@pytest.mark.parametrize("build", [conditional_dcgan.generator, conditional_dcgan.discriminator])
def test_the_label_is_among_the_inputs_of_every_layer(build):
    """The last k input features of each layer are the label's: only the row of the label given gets a gradient."""
    network = build(**SMALL)
    numbers = np.random.default_rng(0)
    values = {"latents": tf.constant(numbers.standard_normal((5, 100)), tf.float32), "label": tf.ones([5], tf.int32)}
    values["image"] = tf.constant(numbers.uniform(-1, 1, (5, *SHAPE)), tf.float32)
    with tf.GradientTape() as tape:
        outputs = network({i.name: values[i.name] for i in network.inputs}, training=False)
        loss = tf.reduce_sum(tf.sin(next(iter(outputs.values())) * 3.0))
    found = kernels(network)
    assert len(found) == 4
    for (_, axis), gradient in zip(found, tape.gradient(loss, [kernel.value for kernel, _ in found]), strict=True):
        of_labels = np.moveaxis(gradient.numpy(), axis, 0)[-K:]
        assert np.abs(of_labels[1]).max() > 0.0 and np.abs(of_labels[[0, 2]]).max() == 0.0


def test_a_zero_generator_draws_mid_grey_and_a_large_one_the_ends():
    network = conditional_dcgan.generator(**SMALL)
    values = {"latents": np.random.default_rng(0).standard_normal((4, 100)), "label": np.arange(4) % K}
    last = kernels(network)[-1][0]
    for factor, low, high in ((0.0, 0.0, 0.0), (1e6, -1.0, 1.0)):
        last.assign(factor * last)
        image = network(values, training=True)["image"].numpy()
        assert (image.min(), image.max()) == (low, high)
        last.assign(np.random.default_rng(1).standard_normal(last.shape))


def test_spectral_norm_takes_the_place_of_batch_norm_with_biases():
    network = conditional_dcgan.discriminator(**SMALL, norm="none", spectral_norm=True, gain=1.2)
    assert not [layer for layer in network.layers if isinstance(layer, batch_norm.BatchNorm)]
    assert len([v for v in network.trainable_variables if v.name == "bias"]) == 2
    assert all(layer.spectral_norm for layer in network.layers if isinstance(layer, convolution.Convolution | dense.Dense))


def test_sides_that_are_no_multiples_of_four_are_refused():
    for build in (conditional_dcgan.generator, conditional_dcgan.discriminator):
        with pytest.raises(ValueError, match=r"multiples of 4; received image_shape=\(8, 10, 1\)"):
            build(image_shape=(8, 10, 1))
