import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import batch_norm, conditional_batch_norm, convolution
from tfgan_suite.networks import residual, sndcgan

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "network_blocks.npz")


@pytest.fixture(params=["float64", "float32"])
def precision(request):
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield {"float64": 1e-9, "float32": 1e-5}[request.param]
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def block(make, with_condition=False):
    """A network of one block on the golden input: make(x, condition) -> y."""
    x = keras.Input(GOLDEN["x"].shape[1:])
    condition = keras.Input(GOLDEN["cond"].shape[1:])
    return keras.Model([x, condition] if with_condition else x, make(x, condition))


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def give_convolutions(case, layers, names):
    for layer, name in zip(layers, names, strict=True):
        layer.kernel.assign(GOLDEN[f"{case}.{name}.weight"])
        layer.bias.assign(GOLDEN[f"{case}.{name}.bias"])


def give_moving_statistics(case, layers, names):
    for layer, name in zip(layers, names, strict=True):
        layer.moving_mean.assign(GOLDEN[f"{case}.{name}.running_mean"])
        layer.moving_variance.assign(GOLDEN[f"{case}.{name}.running_var"])


def give_gains(case, layers, names):
    for layer, name in zip(layers, names, strict=True):
        layer.gain.assign(GOLDEN[f"{case}.{name}.weight"])
        layer.offset.assign(GOLDEN[f"{case}.{name}.bias"])


def assert_golden(value, key, tolerance):
    np.testing.assert_allclose(value, GOLDEN[key], rtol=0, atol=tolerance * max(1.0, np.abs(GOLDEN[key]).max()), err_msg=key)


def run(network, *inputs):
    inputs = [tf.cast(GOLDEN[key], keras.config.floatx()) for key in inputs]
    return network(inputs if len(inputs) > 1 else inputs[0], training=True)


def plain_norm(x):
    return batch_norm.BatchNorm(epsilon=1e-4)(x)


def no_norm(x):
    return x


@pytest.mark.parametrize("fused", [True, False])
def test_unconditional_up_block_is_the_golden_one(precision, fused):
    case = "resnet_gblock_uncond"
    network = block(lambda x, _: residual.up_block(x, 8, plain_norm, fused=fused))
    give_convolutions(case, _by_size(network), ["conv2d0", "conv2d1", "conv2d2"])
    norms = layers_of(network, batch_norm.BatchNorm)
    give_gains(case, norms, ["bn1", "bn2"])
    give_moving_statistics(case, norms, ["bn1", "bn2"])
    assert_golden(run(network, "x"), f"{case}.out_train", precision)
    for layer, name in zip(norms, ["bn1", "bn2"], strict=True):
        assert_golden(layer.moving_mean, f"{case}.{name}.running_mean.after", max(precision, 1e-7))


def test_conditional_up_block_is_biggans(precision):
    case = "biggan_gblock"

    def make(x, condition):
        return residual.up_block(x, 8, lambda y: conditional_batch_norm.ConditionalBatchNorm(form="linear", epsilon=1e-4)(y, condition))

    network = block(make, with_condition=True)
    give_convolutions(case, _by_size(network), ["conv2d0", "conv2d1", "conv2d2"])
    norms = layers_of(network, conditional_batch_norm.ConditionalBatchNorm)
    give_moving_statistics(case, norms, ["bn1.bn", "bn2.bn"])
    for layer, name in zip(norms, ["bn1", "bn2"], strict=True):
        layer.condition_gain.kernel.assign(GOLDEN[f"{case}.{name}.gain.weight"])
        layer.condition_offset.kernel.assign(GOLDEN[f"{case}.{name}.bias.weight"])
    assert_golden(run(network, "x", "cond"), f"{case}.out_train", precision)


@pytest.mark.parametrize("fused", [True, False])
def test_down_block_is_the_golden_one_with_the_raw_input_on_its_shortcut(precision, fused):
    network = block(lambda x, _: residual.down_block(x, 8, no_norm, fused=fused))
    give_convolutions("dblock_down", _by_size(network), ["conv2d0", "conv2d1", "conv2d2"])
    assert_golden(run(network, "x"), "dblock_down.out_train", precision)


def test_down_block_of_equal_size_and_channels_has_an_identity_shortcut(precision):
    network = block(lambda x, _: residual.down_block(x, 6, no_norm, down=False))
    give_convolutions("dblock_same_channels_no_down", layers_of(network, convolution.Convolution), ["conv2d1", "conv2d2"])
    assert_golden(run(network, "x"), "dblock_same_channels_no_down.out_train", precision)


@pytest.mark.parametrize("fused", [True, False])
def test_first_block_is_the_golden_one(precision, fused):
    network = block(lambda x, _: residual.first_block(x, 8, fused=fused))
    give_convolutions("dblock_opt", _by_size(network), ["conv2d0", "conv2d1", "conv2d2"])
    assert_golden(run(network, "x"), "dblock_opt.out_train", precision)


def test_sndcgan_up_block_is_the_golden_one(precision):
    case = "deepconv_gblock"
    network = block(lambda x, _: sndcgan.up_block(x, 8, plain_norm))
    give_convolutions(case, layers_of(network, convolution.TransposedConvolution), ["deconv0"])
    give_gains(case, layers_of(network, batch_norm.BatchNorm), ["bn0"])
    assert_golden(run(network, "x"), f"{case}.out_train", precision)


def test_sndcgan_down_block_is_the_golden_one_with_slope_zero(precision):
    network = block(lambda x, _: sndcgan.down_block(x, 8, 8, 0.0))
    give_convolutions("deepconv_dblock", layers_of(network, convolution.Convolution), ["conv0", "conv1"])
    assert_golden(run(network, "x"), "deepconv_dblock.out_train", precision)


def test_initializers_differ_inside_and_outside_residual_branches_by_a_gain_of_root_two():
    inside, outside = residual.initializers("glorot")
    shape = (3, 3, 64, 64)
    np.testing.assert_allclose(keras.ops.std(inside(shape)) / keras.ops.std(outside(shape)), np.sqrt(2.0), rtol=0.02)
    np.testing.assert_allclose(np.abs(outside(shape)).max(), np.sqrt(6.0 / (2 * 9 * 64)), rtol=1e-3)


def test_an_unknown_initializer_is_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="glorot, normal, orthogonal"):
        residual.initializers("he")


def _by_size(network):
    """Convolutions in the golden order: the 1x1 shortcut, then the branch's in order."""
    return sorted(layers_of(network, convolution.Convolution), key=lambda layer: layer.kernel_size)
