import json
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import attention, batch_norm, conditional_batch_norm, convolution, dense, spectral_norm
from tfgan_suite.networks import biggan, resnet

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
TINY = np.load(GOLDEN / "tiny_biggan.npz")
COUNTS = json.loads((GOLDEN / "parameter_counts.json").read_text())["summary"]
LATENTS = np.load(GOLDEN / "ortho_ema_split.npz")["hier_z.table"]


def square(side, **options):
    return {"image_shape": (side, side, 3)} | options


NETWORKS = {
    "studiogan/CIFAR10/BigGAN": (biggan, {"num_classes": 10}, {}, {}),
    "studiogan/CIFAR10/BigGAN-Uncond": (biggan, {}, {}, {}),
    "studiogan/Baby_ImageNet_64/BigGAN": (biggan, square(64, width=80, num_classes=100), {"latent_size": 100}, {}),
    "ic_gan/64_biggan": (
        biggan, square(64, width=64, num_classes=1000), {"latent_size": 120, "multipliers": (16, 16, 8, 4, 2)}, {}
    ),
    "biggan_pytorch/128_biggan": (biggan, square(128, num_classes=1000), {"latent_size": 120}, {}),
    "studiogan/CIFAR10/SAGAN": (resnet, {"num_classes": 10, "attention": (16,)}, {}, {}),
    "studiogan/Baby_ImageNet_64/SAGAN": (
        resnet,
        square(64, width=64, num_classes=100, attention=(32,)),
        {"multipliers": (16, 8, 4, 2, 1)},
        {"multipliers": (1, 2, 4, 8, 16), "smallest": 4},
    ),
    "sagan_official/128_attention32": (
        resnet,
        square(128, width=64, num_classes=1000, attention=(32,)),
        {"multipliers": (16, 16, 8, 4, 2, 1)},
        {"multipliers": (1, 2, 4, 8, 16, 16), "smallest": 4},
    ),
    "biggan_pytorch/128_sagan": (
        resnet,
        square(128, width=64, num_classes=1000, attention=(64,)),
        {"multipliers": (16, 16, 8, 4, 2, 1)},
        {"multipliers": (1, 2, 4, 8, 16, 16), "smallest": 4},
    ),
}  # fmt: skip
"""{the golden name: (module, options of both networks, of the generator, of the discriminator)}."""


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.parametrize("name", [name if "128" not in name else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS])
def test_networks_have_the_official_parameters_and_shapes(name):
    module, both, ours, theirs = NETWORKS[name]
    generator = module.generator(initializer="normal", **both, **ours)
    assert generator.output["image"].shape == (None, *both.get("image_shape", (32, 32, 3)))
    assert count(generator) == COUNTS[name]["generator"]
    del generator
    discriminator = module.discriminator(initializer="normal", **both, **theirs)
    assert discriminator.output["logits"].shape == (None,)
    assert count(discriminator) == COUNTS[name]["discriminator"]


def test_biggan_pytorch_s_players_for_cifar10_have_their_parameters():
    official = COUNTS["biggan_pytorch/cifar10"]
    options = {"num_classes": 10, "attention": (), "initializer": "normal"}
    assert count(resnet.generator(width=256, spectral_norm=True, **options)) == official["generator"]
    assert count(biggan.discriminator(width=64, multipliers=(4, 4, 4, 4), **options)) == official["discriminator"]


# The golden network: 32 pixels, 4 channels, 4 classes.


@pytest.fixture(params=[("float64", 1e-9), ("float32", 1e-4)], ids=["float64", "float32"])
def tiny_pair(request):
    """(generator, discriminator) with the golden weights and the singular vectors of one power iteration, tolerance."""
    policy, tolerance = request.param
    keras.config.set_floatx(policy)
    keras.config.set_dtype_policy(policy)
    generator = biggan.generator(latent_size=16, width=4, num_classes=4, embedding_size=6, epsilon=1e-4)
    discriminator = biggan.discriminator(width=4, num_classes=4)
    for network, player in ((generator, "G"), (discriminator, "D")):
        for prefix, layer in paired(network, player).items():
            give(layer, prefix)
        spectral_norm.power_iterations(network)
    yield generator, discriminator, tolerance
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def paired(network, player):
    """{the golden prefix: our layer} of all layers with weights."""
    layers = [layer for layer in network.layers if layer.weights]
    prefixes = list(dict.fromkeys(m[1] for m in (re.match(rf"({player}\.blocks\.\d+)\.", key) for key in TINY.files) if m))
    found, rest = {}, [layer for layer in layers if not isinstance(layer, attention.SelfAttention)]
    attentions = [layer for layer in layers if isinstance(layer, attention.SelfAttention)]
    for prefix in prefixes:
        block = f"{prefix}.0"
        if f"{block}.sigma" in TINY:
            layer = attentions.pop()
            names = {"query": "conv1x1_theta", "key": "conv1x1_phi", "value": "conv1x1_g", "back": "conv1x1_attn"}
            found |= {f"{block}.{name}": getattr(layer, ours) for ours, name in names.items()} | {block: layer}
            continue
        names = [n for n in ("bn1", "bn2") if f"{block}.{n}.gain.weight_orig" in TINY]
        for name in names:
            norm = take(rest, conditional_batch_norm.ConditionalBatchNorm)
            found |= {f"{block}.{name}.bn": norm, f"{block}.{name}.gain": norm.condition_gain, f"{block}.{name}.bias": norm.condition_offset}
        for size, name in ((3, "conv2d1"), (3, "conv2d2"), (1, "conv2d0")):
            if f"{block}.{name}.weight_orig" in TINY:
                found[f"{block}.{name}"] = take(rest, convolution.Convolution, size)
    if player == "G":
        return found | {
            "G.shared": take(rest, dense.Embedding),
            "G.linear0": take(rest, dense.Dense),
            "G.bn4": take(rest, batch_norm.BatchNorm),
            "G.conv2d5": take(rest, convolution.Convolution),
        }
    return found | {"D.linear1": take(rest, dense.Dense), "D.embedding": take(rest, dense.Embedding)}


def take(layers, kind, size=None):
    """The first of the layers of this kind (and kernel size), which is removed."""
    chosen = next(layer for layer in layers if type(layer) is kind and size in (None, getattr(layer, "kernel_size", None)))
    layers.remove(chosen)
    return chosen


def give(layer, prefix):
    """The golden values to one of our layers; the first dense layer's columns from channel-major to channels last."""
    if isinstance(layer, attention.SelfAttention):
        layer.gamma.assign(TINY[f"{prefix}.sigma"][0])
    elif isinstance(layer, batch_norm.BatchNorm):
        layer.moving_mean.assign(TINY[f"{prefix}.running_mean"])
        layer.moving_variance.assign(TINY[f"{prefix}.running_var"])
        if layer.scale:
            layer.gain.assign(TINY[f"{prefix}.weight"])
            layer.offset.assign(TINY[f"{prefix}.bias"])
    else:
        kernel = f"{prefix}.weight_orig"
        layer.kernel.assign(channels_last(prefix, TINY[kernel if kernel in TINY else f"{prefix}.weight"]))
        if getattr(layer, "use_bias", False):
            layer.bias.assign(channels_last(prefix, TINY[f"{prefix}.bias"]))
        if layer.spectral_norm:
            layer.u.assign(channels_last(prefix, TINY[f"{prefix}.weight_u"]))


def channels_last(prefix, value):
    if prefix != "G.linear0":
        return value
    columns = value.reshape(*value.shape[:-1], 16, 4, 4)
    return np.moveaxis(columns, -3, -1).reshape(value.shape)


def assert_close(value, expected, tolerance):
    np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max()))


def draw(generator, training):
    return generator({"latents": tf.cast(TINY["z"], keras.config.floatx()), "label": tf.constant(TINY["labels"])}, training=training)["image"]


def test_the_tiny_golden_networks_agree_in_training_and_in_inference(tiny_pair):
    generator, discriminator, tolerance = tiny_pair
    tolerance = max(tolerance, 1e-5)  # images and scores are float32 whatever the policy; so are the official running statistics
    for training, suffix in ((True, "train"), (False, "eval_after")):
        for prefix, layer in paired(generator, "G").items() if not training else ():
            if isinstance(layer, batch_norm.BatchNorm):
                layer.moving_variance.assign(TINY[f"{prefix.replace('G.', 'G_after.', 1)}.running_var"])  # Torch keeps the unbiased one
        image = draw(generator, training)
        assert_close(image, TINY[f"G_out_{suffix}"], tolerance)
        images = tf.cast(TINY[f"G_out_{suffix}"], keras.config.floatx())
        score = discriminator({"image": images, "label": tf.constant(TINY["labels"])}, training=training)
        assert_close(score["logits"], TINY[f"D_out_{suffix}_no_inplace"], tolerance)


def test_a_power_iteration_moves_the_singular_vectors_to_the_golden_ones(tiny_pair):
    generator, discriminator, tolerance = tiny_pair
    for network, player in ((generator, "G"), (discriminator, "D")):
        for prefix, layer in paired(network, player).items():
            if getattr(layer, "spectral_norm", False) and not isinstance(layer, (batch_norm.BatchNorm, attention.SelfAttention)):
                key = f"{prefix.replace(player, f'{player}_after', 1)}.weight_u"
                np.testing.assert_allclose(layer.u, channels_last(prefix, TINY[key]), atol=tolerance, err_msg=key)


# The promises of the generator.


def test_latents_of_a_chunk_leave_the_blocks_before_it_alone():
    generator = biggan.generator(latent_size=16, width=2, num_classes=3, embedding_size=5)
    sums = [operation.output for operation in generator.operations if type(operation).__name__ == "Add"]
    maps = keras.Model(generator.inputs, sums)
    assert [x.shape[1] for x in sums] == [8, 16, 32]
    latents, label = np.random.default_rng(0).standard_normal((2, 16)).astype(np.float32), np.array([0, 2])
    before = maps({"latents": latents, "label": label})
    for chunk in range(1, 4):
        changed = latents.copy()
        changed[:, 4 * chunk : 4 * chunk + 4] += 1.0
        after = maps({"latents": changed, "label": label})
        moved = {a.shape[1] for a, b in zip(after, before, strict=True) if np.abs(a - b).max() > 1e-6}
        assert moved == {4 * 2**i for i in range(chunk, 4)}  # block i makes the map of side 4 * 2 ** i


@pytest.mark.parametrize("size, side, chunks, chunk, used", LATENTS.tolist())
def test_latents_are_split_as_officially_and_a_remainder_is_refused(size, side, chunks, chunk, used):
    options = square(side, width=1, multipliers=(1,) * chunks, attention=())
    generator = biggan.generator(latent_size=used, **options)
    first = next(layer for layer in generator.layers if isinstance(layer, dense.Dense))
    assert first.kernel.shape[0] == chunk
    if size != used:
        with pytest.raises(ValueError, match=f"{chunks} equal chunks; received latent_size={size}. Take {used} or {used + chunks}"):
            biggan.generator(latent_size=size, **options)


def test_every_kernel_is_spectrally_normalised_except_the_generator_s_class_embedding():
    generator, discriminator = biggan.generator(width=2, num_classes=3), biggan.discriminator(width=4, num_classes=3)
    plain = [layer.name for n in (generator, discriminator) for layer in kernels(n) if not layer.spectral_norm]
    assert plain == ["embedding"]
    assert len(kernels(generator)) == 1 + 1 + 3 * (3 + 4) + 4 + 1  # embedding, dense; per block convolutions and batch norms' maps; attention; image
    assert len(kernels(discriminator)) == 3 + 3 + 2 + 2 + 4 + 2


def test_kernels_begin_orthogonal():
    for network in (biggan.generator(width=2, num_classes=3), biggan.discriminator(width=4, num_classes=3)):
        for layer in kernels(network):
            matrix = tf.reshape(layer.kernel, (-1, layer.kernel.shape[-1])).numpy()
            narrow = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
            np.testing.assert_allclose(narrow.T @ narrow, np.eye(narrow.shape[1]), atol=1e-5, err_msg=layer.path)


def test_a_side_without_a_table_needs_multipliers_and_attention():
    with pytest.raises(ValueError, match="32, 64, 128, 256.*Give multipliers and attention"):
        biggan.generator(image_shape=(16, 16, 3), latent_size=6)
    with pytest.raises(ValueError, match="Give multipliers and attention"):
        biggan.discriminator(image_shape=(16, 16, 3))
    with pytest.raises(ValueError, match="no block makes a map of side 12. It is some of 8, 16, 32"):
        biggan.generator(attention=(12,))


def kernels(network):
    return [layer for layer in network._flatten_layers() if isinstance(layer, spectral_norm.WeightLayer)]
