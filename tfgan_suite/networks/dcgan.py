"""DCGAN. Radford et al. 2016: strided convolutions, batch norm in both networks.

The defaults are the layout of the authors' Torch code: 4x4 kernels without biases. Their Theano code, which made the paper's pictures, is width 128,
`kernel_size=5`, `first_norm="flat"`, `epsilon=1e-8`. The convolutional networks of WGAN-GP (Gulrajani et al. 2017, the authors' code for CIFAR-10)
are these with `use_bias=True`, `initializer="he"` and, in the critic, `norm="none"`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts


class Initial(NamedTuple):
    """Initial values of a network."""

    convolution: Callable[[float, float], keras.Initializer]
    """(fan in, fan out) -> of a kernel; of the fans, the one on the smaller map counts a quarter of its taps."""
    dense: Callable[[], keras.Initializer]
    gain: Callable[[], keras.Initializer]


INITIALIZERS = {
    "normal": Initial(lambda fan_in, fan_out: parts.normal(), parts.normal, lambda: keras.initializers.RandomNormal(1.0, 0.02)),
    "he": Initial(lambda fan_in, fan_out: _uniform(4.0 / (fan_in + fan_out)), keras.initializers.GlorotUniform, keras.initializers.Ones),
}
"""`normal`: N(0, 0.02), gains N(1, 0.02), DCGAN's. `he`: uniform of variance 4 / (fan in + fan out), WGAN-GP's."""
FIRST_NORMS = ("map", "flat")


def generator(
    *, image_shape: tuple[int, int, int] = (64, 64, 3), latent_size: int = 100, width: int = 64, kernel_size: int = 4, use_bias: bool = False,
    first_norm: str = "map", epsilon: float = 1e-5, initializer: str = "normal",
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z]} -> {"image": [b, h, w, c]}.

    `image_shape` is square, a power of two of at least 16. The map grows from 4x4 by doubling; the last hidden one has `width` channels and each
    one before it twice as many. `first_norm`: the dense layer's batch norm is over the channels of its map (`map`) or over its units (`flat`).
    `initializer`: a name in `INITIALIZERS`. `epsilon`: of the batch norms.
    """
    levels, initial = _levels(image_shape), _initial(initializer)
    if first_norm not in FIRST_NORMS:
        raise ValueError(f"first_norm={first_norm!r} is unknown. It is one of {', '.join(FIRST_NORMS)}.")

    def norm(x):
        return batch_norm.BatchNorm(epsilon=epsilon, gain_initializer=initial.gain())(x)

    def up(x, filters):
        kernel = initial.convolution(x.shape[-1] * kernel_size**2 / 4, filters * kernel_size**2)
        return convolution.TransposedConvolution(filters, kernel_size, strides=2, use_bias=use_bias, kernel_initializer=kernel)(x)

    latents = keras.Input((latent_size,), name="latents")
    channels = width * 2 ** (levels - 1)
    x = dense.Dense(4 * 4 * channels, use_bias=use_bias, kernel_initializer=initial.dense())(latents)  # a 4x4 transposed convolution of a 1x1 map
    x = keras.layers.Reshape((4, 4, channels))(norm(x) if first_norm == "flat" else x)
    x = keras.layers.ReLU()(norm(x) if first_norm == "map" else x)
    for level in reversed(range(levels - 1)):
        x = keras.layers.ReLU()(norm(up(x, width * 2**level)))
    return keras.Model({"latents": latents}, {"image": parts.image(up(x, image_shape[2]))}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (64, 64, 3), width: int = 64, kernel_size: int = 4, use_bias: bool = False, norm: str = "batch",
    epsilon: float = 1e-5, initializer: str = "normal",
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c]} -> {"logits": [b], "features": [b, 4 * 4 * width * 2^k]}, the features being the last map.

    `norm`: a name in `layers.normalization.NORMALIZATIONS`, on all but the first convolution. With `batch`, score real and fake images in
    separate passes; under a gradient penalty use `layer` or `none`. `initializer`: a name in `INITIALIZERS`. `epsilon`: of the batch
    norms.
    """
    initial = _initial(initializer)
    norm_options = {"epsilon": epsilon, "gain_initializer": initial.gain()} if norm == "batch" else {}
    image = keras.Input(image_shape, name="image")
    x = image
    for level in range(_levels(image_shape)):
        filters = width * 2**level
        kernel = initial.convolution(x.shape[-1] * kernel_size**2, filters * kernel_size**2 / 4)
        x = convolution.Convolution(filters, kernel_size, strides=2, use_bias=use_bias, kernel_initializer=kernel)(x)
        x = keras.layers.LeakyReLU(0.2)(normalization.create(norm, **norm_options)(x) if level > 0 else x)
    outputs = parts.heads(parts.pool(x, "flatten"), {}, use_bias=use_bias, kernel_initializer=initial.dense())  # a 4x4 convolution to one number
    return keras.Model({"image": image}, outputs, name="discriminator")


def _uniform(variance):
    limit = math.sqrt(3.0 * variance)
    return keras.initializers.RandomUniform(-limit, limit)


def _initial(name: str) -> Initial:
    if name not in INITIALIZERS:
        raise ValueError(f"initializer={name!r} is unknown. It is one of {', '.join(INITIALIZERS)}.")
    return INITIALIZERS[name]


def _levels(image_shape) -> int:
    """Doublings from 4x4 to the image."""
    height, width, _ = image_shape
    if height != width or height < 16 or height & (height - 1):
        raise ValueError(
            f"DCGAN draws square images with a side of 16, 32, 64, ... pixels; received image_shape={tuple(image_shape)}. Set image_size in the "
            "dataset's config (with resize='pad' for MNIST), or choose another network."
        )
    return height.bit_length() - 3
