"""DCGAN with the label at every layer. Radford et al. 2016, the authors' conditional MNIST code: the one-hot label is concatenated to the input of
each layer of both networks, as k constant maps before a convolution.

Differs from the code: moving statistics of batch norm at sampling; its floor is 1e-5.
"""

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts


def generator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 100, width: int = 64, units: int = 1024, num_classes: int = 10,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b]} -> {"image": [b, h, w, c]}: two dense layers, two 5x5 transposed convolutions, a sigmoid.

    The image is stretched to [-1, 1]. Height and width are multiples of 4. `width`: channels of the last hidden map, the one before has twice as
    many; `units`: of the first layer.
    """
    rows, columns = _quarter(image_shape)
    inputs = parts.generator_inputs(latent_size, num_classes)
    label = _one_hot(inputs, num_classes)
    x = _rectified_norm(dense.Dense(units, use_bias=False, kernel_initializer=parts.normal())(_beside(inputs["latents"], label)))
    x = _rectified_norm(dense.Dense(rows * columns * 2 * width, use_bias=False, kernel_initializer=parts.normal())(_beside(x, label)))
    x = keras.layers.Reshape((rows, columns, 2 * width))(x)
    x = _rectified_norm(_up(_beside(x, label), width))
    x = keras.layers.Activation("sigmoid", dtype="float32")(_up(_beside(x, label), image_shape[2]))
    return keras.Model(inputs, {"image": 2.0 * x - 1.0}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 64, units: int = 1024, num_classes: int = 10, norm: str = "batch",
    spectral_norm: bool = False, gain: float = 1.0,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b]} -> {"logits": [b], "features": [b, units + k]}: the generator's layers in reverse, leaky.

    `norm`: a name in `layers.normalization.NORMALIZATIONS`, on the second and third layer; with `batch` score views in separate passes. Without
    one, and with spectral norm, these layers have biases. `gain`: kernels in use are gain * W / sigma(W).
    """
    _quarter(image_shape)
    inputs = parts.discriminator_inputs(image_shape, num_classes, "projection")
    label = _one_hot(inputs, num_classes)
    options = {"use_bias": False, "spectral_norm": spectral_norm, "gain": gain, "kernel_initializer": parts.normal()}
    normed = options | {"use_bias": norm == "none"}
    plain = {"center": False, "scale": False} if norm == "batch" else {}
    x = keras.layers.LeakyReLU(0.2)(convolution.Convolution(width, 5, strides=2, **options)(_beside(inputs["image"], label)))
    x = convolution.Convolution(2 * width, 5, strides=2, **normed)(_beside(x, label))
    x = keras.layers.Flatten()(keras.layers.LeakyReLU(0.2)(normalization.create(norm, **plain)(x)))
    x = dense.Dense(units, **normed)(_beside(x, label))
    x = keras.layers.LeakyReLU(0.2)(normalization.create(norm, **plain)(x))
    return keras.Model(inputs, parts.heads(keras.ops.cast(_beside(x, label), "float32"), inputs, **options), name="discriminator")


def _one_hot(inputs, num_classes):
    return keras.ops.one_hot(inputs["label"], num_classes, dtype="float32")


def _beside(x, label):
    """x [b, f] or [b, h, w, f] with the k numbers of label [b, k] as further features."""
    if len(x.shape) == 4:
        label = keras.ops.tile(keras.ops.reshape(label, (-1, 1, 1, label.shape[1])), (1, x.shape[1], x.shape[2], 1))
    return keras.layers.Concatenate()([x, keras.ops.cast(label, x.dtype)])


def _up(x, filters):
    return convolution.TransposedConvolution(filters, 5, strides=2, use_bias=False, kernel_initializer=parts.normal())(x)


def _rectified_norm(x):
    return keras.layers.ReLU()(batch_norm.BatchNorm(center=False, scale=False)(x))


def _quarter(image_shape) -> tuple[int, int]:
    rows, columns, _ = image_shape
    if rows % 4 or columns % 4:
        raise ValueError(
            f"The conditional DCGAN needs height and width that are multiples of 4; received image_shape={tuple(image_shape)}. Set image_size."
        )
    return rows // 4, columns // 4
