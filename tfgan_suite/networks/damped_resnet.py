"""The ResNet of the R1 experiments: no normalisation anywhere, every residual branch damped to a tenth. Mescheder et al. 2018, the authors' code.

Kernels start as Torch's do, U(-1 / sqrt(fan in), 1 / sqrt(fan in)); biases start at zero.
"""

import keras

from tfgan_suite.layers import convolution, dense
from tfgan_suite.networks import parts

DAMPING = 0.1


def generator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), latent_size: int = 256, width: int = 64, widest: int = 512, num_classes: int = 0,
    embedding_size: int = 256,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}: a 4x4 map, then a block and nearest upsampling per doubling.

    `image_shape` is square, a power of two of at least 8. The last map has `width` channels, each one before it twice as many, up to `widest`. With
    classes, the label's embedding, scaled to length one, stands beside the latents.
    """
    channels = [min(width * 2**level, widest) for level in range(_doublings(image_shape) + 1)][::-1]
    inputs = parts.generator_inputs(latent_size, num_classes)
    x = inputs["latents"]
    if num_classes:
        like_latents = keras.initializers.RandomNormal(stddev=1.0)
        embedding = dense.Embedding(num_classes, embedding_size, name="embedding", kernel_initializer=like_latents)(inputs["label"])
        x = keras.layers.Concatenate()([x, keras.ops.normalize(embedding, axis=-1)])
    x = keras.layers.Reshape((4, 4, channels[0]))(dense.Dense(4 * 4 * channels[0], kernel_initializer=_torch())(x))
    for filters in channels[1:]:
        x = keras.layers.UpSampling2D(2)(block(x, filters))
    x = keras.layers.LeakyReLU(0.2)(block(x, width))
    return keras.Model(inputs, {"image": parts.image(_convolution(x, image_shape[2]))}, name="generator")


def discriminator(*, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 64, widest: int = 1024, num_classes: int = 0) -> keras.Model:
    """{"image": [b, h, w, c], "label": [b] if num_classes} -> {"logits": [b], "features": [b, f]}: a block, then 3x3 mean pooling and a block per
    halving. With classes there is a logit per class, and the one of the example's own label is taken."""
    inputs = parts.discriminator_inputs(image_shape, num_classes, "projection")
    x = block(_convolution(inputs["image"], width), width)
    for level in range(_doublings(image_shape)):
        x = keras.layers.AveragePooling2D(3, strides=2)(keras.layers.ZeroPadding2D(1)(x))  # the padding counts, as in Torch
        x = block(x, min(width * 2 ** (level + 1), widest))
    features = parts.pool(keras.layers.LeakyReLU(0.2)(x), "flatten")
    return keras.Model(inputs, {"logits": own_logit(features, inputs.get("label"), num_classes), "features": features}, name="discriminator")


def block(x, filters: int):
    """[b, h, w, c] -> [b, h, w, filters]: the input, or a 1x1 convolution of it where the channels change, plus a tenth of two leaky ReLUs each
    followed by a 3x3 convolution; between them there are the fewer channels of the two."""
    hidden = min(x.shape[-1], filters)
    y = _convolution(keras.layers.LeakyReLU(0.2)(x), hidden)
    y = _convolution(keras.layers.LeakyReLU(0.2)(y), filters)
    shortcut = x if x.shape[-1] == filters else convolution.Convolution(filters, 1, use_bias=False, kernel_initializer=_torch())(x)
    return shortcut + DAMPING * y


def own_logit(features, label, num_classes: int):
    """features [b, f] float32, label [b] -> logits [b]: of one output per class, the label's; of the only one without classes."""
    logits = dense.Dense(max(num_classes, 1), dtype="float32", name="logits", kernel_initializer=_torch())(features)
    if not num_classes:
        return keras.ops.squeeze(logits, -1)
    return keras.ops.sum(logits * keras.ops.one_hot(label, num_classes, dtype="float32"), axis=-1)


def _convolution(x, filters):
    return convolution.Convolution(filters, 3, kernel_initializer=_torch())(x)


def _torch():
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _doublings(image_shape) -> int:
    """Doublings from 4x4 to the image."""
    height, width, _ = image_shape
    if height != width or height < 8 or height & (height - 1):
        raise ValueError(
            f"The damped ResNet draws square images with a side of 8, 16, 32, ... pixels; received image_shape={tuple(image_shape)}. Set image_size "
            "in the dataset's config, or choose another body."
        )
    return height.bit_length() - 3
