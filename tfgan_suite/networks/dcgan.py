"""DCGAN. Radford et al. 2016, in the layout of the authors' Torch code: strided 4x4 convolutions without biases, batch norm in both networks."""

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts


def generator(*, image_shape: tuple[int, int, int] = (64, 64, 3), latent_size: int = 100, width: int = 64, synchronized: bool = True) -> keras.Model:
    """{"latents": [b, z]} -> {"image": [b, h, w, c]}.

    `image_shape` is square, a power of two of at least 16. The map grows from 4x4 by doubling; the last hidden one has `width` channels and each
    one before it twice as many. `synchronized`: batch statistics over all replicas.
    """
    levels = _levels(image_shape)
    latents = keras.Input((latent_size,), name="latents")
    channels = width * 2 ** (levels - 1)
    x = dense.Dense(4 * 4 * channels, use_bias=False, kernel_initializer=parts.normal())(latents)  # equals a 4x4 transposed convolution of a 1x1 map
    x = _rectified_norm(keras.layers.Reshape((4, 4, channels))(x), synchronized)
    for level in reversed(range(levels - 1)):
        x = convolution.TransposedConvolution(width * 2**level, 4, strides=2, use_bias=False, kernel_initializer=parts.normal())(x)
        x = _rectified_norm(x, synchronized)
    x = convolution.TransposedConvolution(image_shape[2], 4, strides=2, use_bias=False, kernel_initializer=parts.normal())(x)
    return keras.Model({"latents": latents}, {"image": parts.image(x)}, name="generator")


def discriminator(*, image_shape: tuple[int, int, int] = (64, 64, 3), width: int = 64, norm: str = "batch", synchronized: bool = True) -> keras.Model:
    """{"image": [b, h, w, c]} -> {"logits": [b], "features": [b, 4 * 4 * width * 2^k]}, the features being the last map.

    `norm`: a name in `layers.normalization.NORMALIZATIONS`, on all but the first convolution. With `batch`, score real and fake images in
    separate passes; under a gradient penalty use `layer` or `none`. `synchronized`: batch statistics over all replicas.
    """
    image = keras.Input(image_shape, name="image")
    x = image
    for level in range(_levels(image_shape)):
        x = convolution.Convolution(width * 2**level, 4, strides=2, use_bias=False, kernel_initializer=parts.normal())(x)
        if level > 0:
            x = normalization.create(norm, **(_batch_norm_options(synchronized) if norm == "batch" else {}))(x)
        x = keras.layers.LeakyReLU(0.2)(x)
    features = parts.pool(x, "flatten")
    outputs = parts.heads(features, {}, use_bias=False, kernel_initializer=parts.normal())  # equals a 4x4 convolution to one number
    return keras.Model({"image": image}, outputs, name="discriminator")


def _rectified_norm(x, synchronized):
    return keras.layers.ReLU()(batch_norm.BatchNorm(**_batch_norm_options(synchronized))(x))


def _batch_norm_options(synchronized):
    return {"synchronized": synchronized, "gain_initializer": keras.initializers.RandomNormal(1.0, 0.02)}


def _levels(image_shape) -> int:
    """Doublings from 4x4 to the image."""
    height, width, _ = image_shape
    if height != width or height < 16 or height & (height - 1):
        raise ValueError(
            f"DCGAN draws square images with a side of 16, 32, 64, ... pixels; received image_shape={tuple(image_shape)}. Set image_size in the "
            "dataset's config (with resize='pad' for MNIST), or choose another network."
        )
    return height.bit_length() - 3
