"""The 64-pixel ResNet of WGAN-GP, called GoodGenerator and GoodDiscriminator in the authors' code. Gulrajani et al. 2017, appendix.

Unlike `networks.resnet` it widens towards the 4x4 map; its blocks' first convolutions have no bias, and a down-block widens in its second. Its critic
is layer-normalised, begins with a plain convolution and ends without a ReLU.
"""

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts, residual

WIDEST = 8
"""Channels of the widest maps, as a multiple of the width."""


def generator(*, image_shape: tuple[int, int, int] = (64, 64, 3), latent_size: int = 128, width: int = 64) -> keras.Model:
    """{"latents": [b, z]} -> {"image": [b, h, w, c]}: a 4x4 map of 8 width channels, then an up-block per doubling, the last of `width` channels.

    `image_shape` is square, a power of two of at least 8.
    """
    doublings = _doublings(image_shape)
    latents = keras.Input((latent_size,), name="latents")
    x = keras.layers.Reshape((4, 4, WIDEST * width))(dense.Dense(4 * 4 * WIDEST * width)(latents))
    for level in reversed(range(doublings)):
        x = _up_block(x, width * min(2**level, WIDEST))
    x = keras.layers.ReLU()(batch_norm.BatchNorm()(x))
    inside, _ = residual.initializers("glorot")
    x = convolution.Convolution(image_shape[2], 3, kernel_initializer=inside)(x)
    return keras.Model({"latents": latents}, {"image": parts.image(x)}, name="generator")


def discriminator(*, image_shape: tuple[int, int, int] = (64, 64, 3), width: int = 64, norm: str = "layer") -> keras.Model:
    """{"image": [b, h, w, c]} -> {"logits": [b], "features": [b, f]}: a 3x3 convolution, then a down-block per halving to 4x4.

    `norm`: a name in `layers.normalization.NORMALIZATIONS`; under a gradient penalty `layer` or `none`, with `batch` score views in separate passes.
    """
    image = keras.Input(image_shape, name="image")
    x = convolution.Convolution(width, 3)(image)
    for level in range(_doublings(image_shape)):
        x = _down_block(x, width * min(2 ** (level + 1), WIDEST), norm)
    return keras.Model({"image": image}, parts.heads(parts.pool(x, "flatten"), {}), name="discriminator")


def _up_block(x, filters):
    inside, outside = residual.initializers("glorot")
    y = keras.layers.ReLU()(batch_norm.BatchNorm()(x))
    y = convolution.Convolution(filters, 3, resample="up", use_bias=False, kernel_initializer=inside)(y)
    y = keras.layers.ReLU()(batch_norm.BatchNorm()(y))
    y = convolution.Convolution(filters, 3, kernel_initializer=inside)(y)
    return y + convolution.Convolution(filters, 1, resample="up", kernel_initializer=outside)(x)


def _down_block(x, filters, norm):
    inside, outside = residual.initializers("glorot")
    y = keras.layers.ReLU()(normalization.create(norm)(x))
    y = convolution.Convolution(x.shape[-1], 3, use_bias=False, kernel_initializer=inside)(y)
    y = keras.layers.ReLU()(normalization.create(norm)(y))
    y = convolution.Convolution(filters, 3, resample="down", kernel_initializer=inside)(y)
    return y + convolution.Convolution(filters, 1, resample="down", kernel_initializer=outside)(x)


def _doublings(image_shape) -> int:
    """Doublings from 4x4 to the image."""
    height, width, _ = image_shape
    if height != width or height < 8 or height & (height - 1):
        raise ValueError(
            f"This ResNet draws square images with a side of 8, 16, 32, ... pixels; received image_shape={tuple(image_shape)}. Set image_size in the "
            "dataset's config, or choose another body."
        )
    return height.bit_length() - 3
