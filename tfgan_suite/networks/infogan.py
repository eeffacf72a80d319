"""InfoGAN's networks for MNIST, and codes for any other body. Chen et al. 2016, appendix C.1; the authors' code.

Differs from the code: batch norm momentum 0.9 and floor 1e-5; sides of the first map are a quarter of the image's, which need not be 28.
"""

from collections.abc import Callable

import keras

from tfgan_suite.layers import batch_norm, convolution, dense
from tfgan_suite.networks import parts

SLOPE = 0.1
"""Of the leaky ReLUs, in the paper; the authors' code has 0.01."""


def generator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 62, code_size: int = 12, width: int = 64, units: int = 1024,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "codes": [b, c]} -> {"image": [b, h, w, channels]}: two dense layers, two 4x4 transposed convolutions, a sigmoid.

    The image is stretched to [-1, 1]. Height and width are multiples of 4. `width`: channels of the last hidden map; `units`: of the first layer.
    """
    rows, columns = _quarter(image_shape)
    inputs = parts.generator_inputs(latent_size, 0) | {"codes": keras.Input((code_size,), name="codes")}
    x = keras.layers.Concatenate()([inputs["latents"], inputs["codes"]])
    x = _rectified_norm(dense.Dense(units, kernel_initializer=parts.normal())(x))
    x = _rectified_norm(dense.Dense(rows * columns * 2 * width, kernel_initializer=parts.normal())(x))
    x = keras.layers.Reshape((rows, columns, 2 * width))(x)
    x = _rectified_norm(convolution.TransposedConvolution(width, 4, strides=2, kernel_initializer=parts.normal())(x))
    x = convolution.TransposedConvolution(image_shape[2], 4, strides=2, kernel_initializer=parts.normal())(x)
    x = keras.layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model(inputs, {"image": 2.0 * x - 1.0}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), code_parameters: int = 12, width: int = 64, units: int = 1024, head_units: int = 128,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, channels]} -> {"logits": [b], "features": [b, units], "codes": [b, code_parameters]}.

    Two 4x4 convolutions and a dense layer for D and Q together, then a head for each. Batch norm, Q's included: score views in separate passes.
    """
    _quarter(image_shape)
    image = keras.Input(image_shape, name="image")
    x = keras.layers.LeakyReLU(SLOPE)(convolution.Convolution(width, 4, strides=2, kernel_initializer=parts.normal())(image))
    x = _leaky_norm(convolution.Convolution(2 * width, 4, strides=2, kernel_initializer=parts.normal())(x))
    x = _leaky_norm(dense.Dense(units, kernel_initializer=parts.normal())(keras.layers.Flatten()(x)))
    outputs = parts.heads(keras.ops.cast(x, "float32"), {}, kernel_initializer=parts.normal())
    codes = dense.Dense(code_parameters, kernel_initializer=parts.normal(), dtype="float32")
    q = _leaky_norm(dense.Dense(head_units, kernel_initializer=parts.normal())(x))
    return keras.Model({"image": image}, outputs | {"codes": codes(q)}, name="discriminator")


def with_codes(build: Callable[..., keras.Model], *, latent_size: int, code_size: int, **options) -> keras.Model:
    """The generator that `build` makes, with the codes beside its latents: {"latents": [b, z], "codes": [b, c]} -> {"image"}."""
    inner = build(latent_size=latent_size + code_size, **options)
    inputs = parts.generator_inputs(latent_size, 0) | {"codes": keras.Input((code_size,), name="codes")}
    return keras.Model(inputs, inner({"latents": keras.layers.Concatenate()(list(inputs.values()))}), name="coded_generator")


def with_code_head(inner: keras.Model, *, code_parameters: int, head_units: int = 128) -> keras.Model:
    """The discriminator `inner` with a head "codes" [b, code_parameters] on its "features": one hidden layer, no normalisation."""
    outputs = dict(inner.output)
    q = keras.layers.LeakyReLU(SLOPE)(dense.Dense(head_units, kernel_initializer=parts.normal())(outputs["features"]))
    codes = dense.Dense(code_parameters, kernel_initializer=parts.normal(), dtype="float32", name="codes")(q)
    return keras.Model({i.name: i for i in inner.inputs}, outputs | {"codes": codes}, name="coded_discriminator")


def _rectified_norm(x):
    return keras.layers.ReLU()(batch_norm.BatchNorm()(x))


def _leaky_norm(x):
    return keras.layers.LeakyReLU(SLOPE)(batch_norm.BatchNorm()(x))


def _quarter(image_shape) -> tuple[int, int]:
    rows, columns, _ = image_shape
    if rows % 4 or columns % 4:
        raise ValueError(
            f"InfoGAN's networks need height and width that are multiples of 4; received image_shape={tuple(image_shape)}. Set image_size."
        )
    return rows // 4, columns // 4
