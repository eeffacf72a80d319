"""The players of Salimans et al. 2016, as in the authors' MNIST, CIFAR-10 and SVHN code, and a head that classifies.

Discriminators are weight-normalised with a fixed scale, noisy (`networks.noise`), and meant to be set up from data (`layers.data_dependent`). They
give {"logits": [b], "features": [b, f]}, the features being those to be matched, and with classes "class_logits" [b, k], where "logits" is
log sum_k exp class_logits_k: the logit of the (k+1)-th class, generated, is 0.
"""

from collections.abc import Callable

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, virtual_batch_norm, weight_norm
from tfgan_suite.networks import compact, noise, parts

Join = Callable[[keras.KerasTensor], keras.KerasTensor]
"""What lies between the features and the last layer: minibatch discrimination, or nothing."""
INPUT_NOISES = {"dropout": lambda source, x: source.dropout(x, 0.2), "gaussian": lambda source, x: source.gaussian(x, 0.2)}
"""What happens to the image before the convolutional discriminator: `gaussian` beside minibatch discrimination."""


def _nothing(features):
    return features


def mlp_generator(*, image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 100, width: int = 500) -> keras.Model:
    """{"latents": [b, z]} -> {"image": [b, h, w, c]}: two softplus layers with batch norm, then a sigmoid stretched to [-1, 1]."""
    inputs = parts.generator_inputs(latent_size, 0)
    x = inputs["latents"]
    for _ in range(2):
        x = keras.layers.Activation("softplus")(_norm(dense.Dense(width, use_bias=False)(x)))
    size = image_shape[0] * image_shape[1] * image_shape[2]
    x = weight_norm.Dense(size, train_scale=True, initial_deviation=0.0, kernel_initializer="glorot_uniform", name="pixels")(x)
    x = keras.layers.Activation("sigmoid", dtype="float32")(keras.layers.Reshape(image_shape)(x))
    return keras.Model(inputs, {"image": 2.0 * x - 1.0}, name="generator")


def mlp_discriminator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 1000, num_classes: int = 0, noisy: bool = True, join: Join = _nothing,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], its noise} -> heads: ReLU layers of width, 1/2, 1/4, 1/4 and 1/4 of it on pixels in [0, 1], noise before each."""
    inputs, source = parts.discriminator_inputs(image_shape, 0, "projection"), noise.Noise(noisy)
    x = source.gaussian(keras.layers.Flatten()((inputs["image"] + 1.0) / 2.0), 0.3)
    for i, units in enumerate((width, width // 2, width // 4, width // 4, width // 4)):
        x = source.gaussian(x, 0.5) if i else x
        x = keras.layers.ReLU()(weight_norm.Dense(units, kernel_initializer=keras.initializers.RandomNormal(stddev=0.1))(x))
    features = keras.ops.cast(x, "float32")
    outputs = _heads(features, source.gaussian(join(features), 0.5), num_classes, initial_deviation=1.0)
    return keras.Model(inputs | source.inputs, outputs, name="discriminator")


def convolutional_generator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), latent_size: int = 100, width: int = 128, reference_size: int = 0, reference="random_normal",
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z]} -> {"image": [b, h, w, c]}: 5x5 transposed convolutions of stride 2 with `width` channels in the last hidden map.

    Height and width are multiples of 8. `reference_size` above 0: virtual batch norm with as many reference latents, drawn once from the
    initializer `reference`; a row's image depends on its own latents alone.
    """
    rows, columns = _eighth(image_shape)
    inputs = parts.generator_inputs(latent_size, 0)
    norm = _virtual_norm(reference_size) if reference_size else _norm
    x = virtual_batch_norm.ReferenceBatch(reference_size, initializer=reference)(inputs["latents"]) if reference_size else inputs["latents"]
    initial = {"use_bias": False, "kernel_initializer": keras.initializers.RandomNormal(stddev=0.05)}
    x = keras.layers.ReLU()(norm(dense.Dense(rows * columns * 4 * width, **initial)(x)))
    x = keras.layers.Reshape((rows, columns, 4 * width))(x)
    for filters in (2 * width, width):
        x = keras.layers.ReLU()(norm(convolution.TransposedConvolution(filters, 5, strides=2, **initial)(x)))
    x = weight_norm.TransposedConvolution(image_shape[2], 5, strides=2, train_scale=True, initial_deviation=0.1, name="pixels")(x)
    x = parts.image(virtual_batch_norm.DropReference(reference_size)(x) if reference_size else x)
    return keras.Model(inputs, {"image": x}, name="generator")


def convolutional_discriminator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 96, num_classes: int = 0, noisy: bool = True, join: Join = _nothing,
    input_noise: str = "dropout",
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], its noise} -> heads: nine convolutions of `width` and 2 width channels, pooled by their mean over the map.

    Height and width are multiples of 4, at least 12. `width`: 96 for CIFAR-10, 64 for SVHN. `input_noise`: a name in `INPUT_NOISES`.
    """
    if input_noise not in INPUT_NOISES:
        raise ValueError(f"input_noise={input_noise!r} is unknown. It is one of {', '.join(INPUT_NOISES)}.")
    if image_shape[0] % 4 or image_shape[1] % 4 or min(image_shape[:2]) < 12:
        raise ValueError(f"This network needs height and width that are multiples of 4, at least 12; received {tuple(image_shape)}. Set image_size.")
    inputs, source = parts.discriminator_inputs(image_shape, 0, "projection"), noise.Noise(noisy)
    x = INPUT_NOISES[input_noise](source, inputs["image"])
    for filters in (width, 2 * width):
        for strides in (1, 1, 2):
            x = keras.layers.LeakyReLU(0.2)(weight_norm.Convolution(filters, 3, strides=strides)(x))
        x = source.dropout(x, 0.5)
    x = keras.layers.LeakyReLU(0.2)(weight_norm.Convolution(2 * width, 3, padding="valid")(x))
    for _ in range(2):
        x = keras.layers.LeakyReLU(0.2)(weight_norm.Convolution(2 * width, 1)(x))
    features = parts.pool(x, "mean")
    outputs = _heads(features, join(features), num_classes, initial_deviation=0.1)
    return keras.Model(inputs | source.inputs, outputs, name="discriminator")


def compact_discriminator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 32, num_classes: int = 0, noisy: bool = True, join: Join = _nothing,
    gain: float = 1.0, dropout: float = 0.5,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], its noise} -> heads on the body of `networks.compact`, spectrally normalised, and `dropout` of its features."""
    body, source = compact.discriminator(image_shape=image_shape, width=width, gain=gain), noise.Noise(noisy and dropout > 0.0)
    features = body.output["features"]
    outputs = _heads(features, join(source.dropout(features, dropout)), num_classes, initial_deviation=0.1)
    return keras.Model({"image": body.inputs[0]} | source.inputs, outputs, name="discriminator")


def _heads(features, last, num_classes, *, initial_deviation):
    """features [b, f] and what the last layer reads [b, g] -> the heads."""
    layer = weight_norm.Dense(max(num_classes, 1), train_scale=True, initial_deviation=initial_deviation, dtype="float32", name="last")
    y = layer(last)
    if not num_classes:
        return {"logits": keras.ops.squeeze(y, -1), "features": features}
    return {"logits": keras.ops.logsumexp(y, axis=-1), "features": features, "class_logits": y}


def _norm(x):
    return batch_norm.BatchNorm(scale=False, epsilon=1e-6)(x)


def _virtual_norm(reference_size):
    return lambda x: virtual_batch_norm.VirtualBatchNorm(reference_size)(x)


def _eighth(image_shape) -> tuple[int, int]:
    rows, columns, _ = image_shape
    if rows % 8 or columns % 8:
        raise ValueError(f"This network needs height and width that are multiples of 8; received image_shape={tuple(image_shape)}. Set image_size.")
    return rows // 8, columns // 8
