"""The networks of LSGAN for LSUN at 112 pixels. Mao et al. 2017, figure 1, as in the authors' code: 3x3 transposed convolutions, some of which keep
the map's size, against a discriminator of 5x5 convolutions; biases throughout, batch norm everywhere but at the image."""

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts

UP = ((4, 2), (4, 1), (4, 2), (4, 1), (2, 2), (1, 2))
"""(channels as a multiple of the width, stride) of the generator's hidden transposed convolutions."""
DOWN = (1, 2, 4, 8)
"""Channels of the discriminator's convolutions, as multiples of the width."""


def generator(*, image_shape: tuple[int, int, int] = (112, 112, 3), latent_size: int = 1024, width: int = 64) -> keras.Model:
    """{"latents": [b, z]} -> {"image": [b, h, w, c]}, height and width multiples of 16: a map of a sixteenth (7x7 in the paper), doubled four times.

    `width`: channels of the last hidden map.
    """
    rows, columns = _sixteenth(image_shape)
    latents = keras.Input((latent_size,), name="latents")
    x = dense.Dense(rows * columns * 4 * width, kernel_initializer=parts.normal())(latents)
    x = keras.layers.Reshape((rows, columns, 4 * width))(x)
    x = keras.layers.ReLU()(batch_norm.BatchNorm()(x))
    for multiple, strides in UP:
        x = convolution.TransposedConvolution(multiple * width, 3, strides=strides, kernel_initializer=parts.normal())(x)
        x = keras.layers.ReLU()(batch_norm.BatchNorm()(x))
    x = convolution.TransposedConvolution(image_shape[2], 3, kernel_initializer=parts.normal())(x)
    return keras.Model({"latents": latents}, {"image": parts.image(x)}, name="generator")


def discriminator(*, image_shape: tuple[int, int, int] = (112, 112, 3), width: int = 64, norm: str = "batch") -> keras.Model:
    """{"image": [b, h, w, c]} -> {"logits": [b], "features": [b, f]}: four 5x5 convolutions of stride 2, then a linear score.

    `norm`: a name in `layers.normalization.NORMALIZATIONS`, on all but the first convolution; with `batch` score views in separate passes.
    """
    _sixteenth(image_shape)
    image = keras.Input(image_shape, name="image")
    x = image
    for multiple in DOWN:
        x = convolution.Convolution(multiple * width, 5, strides=2, kernel_initializer=parts.normal())(x)
        x = keras.layers.LeakyReLU(0.2)(normalization.create(norm if multiple > 1 else "none")(x))
    return keras.Model({"image": image}, parts.heads(parts.pool(x, "flatten"), {}, kernel_initializer=parts.normal()), name="discriminator")


def _sixteenth(image_shape) -> tuple[int, int]:
    rows, columns, _ = image_shape
    if rows % 16 or columns % 16:
        raise ValueError(
            f"LSGAN's network draws images whose height and width are multiples of 16; received image_shape={tuple(image_shape)}. Set image_size in "
            "the dataset's config, or choose another body."
        )
    return rows // 16, columns // 16
