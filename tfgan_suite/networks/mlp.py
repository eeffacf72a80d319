"""Fully connected networks: the MNIST players of GAN (Goodfellow et al. 2014, the authors' code), of conditional GAN (Mirza and Osindero 2014) and,
by their arguments, of DRAGAN, f-GAN and WGAN.

Differs from the papers: the generator's last bias starts at zero, not at the logit of the data's mean.
"""

import keras

from tfgan_suite.layers import dense, dropout, maxout, normalization
from tfgan_suite.networks import parts


def generator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 100, width: int = 1200, num_classes: int = 0, layers: int = 2,
    norm: str = "none", kernel_initializer=None, masked: bool = False,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}: hidden ReLU layers, then a sigmoid stretched to [-1, 1].

    With classes the first hidden layer is in two: a sixth of it sees the latents, the rest the one-hot label (200 and 1000 in the paper). `norm`: a
    name in `layers.normalization.NORMALIZATIONS`, before each ReLU. `kernel_initializer`: U(-0.05, 0.05) unless given. `masked`:
    one more input, `mask` [b, layers width], that the hidden layers are multiplied with: for dropout in training, ones otherwise.
    """
    initializer = kernel_initializer or _uniform(0.05)
    inputs = parts.generator_inputs(latent_size, num_classes)
    if num_classes:
        latents = _hidden(inputs["latents"], width // 6, norm, initializer)
        x = keras.layers.Concatenate()([latents, _hidden(_one_hot(inputs, num_classes), width - width // 6, norm, initializer)])
    else:
        x = _hidden(inputs["latents"], width, norm, initializer)
    masks = parts.masks(inputs, (width,) * layers) if masked else [lambda y: y] * layers
    x = masks[0](x)
    for mask in masks[1:]:
        x = mask(_hidden(x, width, norm, initializer))
    x = dense.Dense(image_shape[0] * image_shape[1] * image_shape[2], kernel_initializer=initializer)(x)
    x = keras.layers.Activation("sigmoid", dtype="float32")(keras.layers.Reshape(image_shape)(x))
    return keras.Model(inputs, {"image": 2.0 * x - 1.0}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 240, pieces: tuple[int, int] = (5, 5), num_classes: int = 0,
    label_width: int = 50, keep: tuple[float, float] = (1.0, 1.0),
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b] if num_classes} -> {"logits": [b], "features": [b, width]}: two maxout layers on pixels in [0, 1].

    `pieces`: linear maps per unit of the two layers; (5, 4) in the conditional paper. With classes, maxout units of the one-hot label join the
    first layer's (`label_width` of them). `keep`: the parts of the pixels and of the hidden units that dropout keeps, (0.8, 0.5) in the papers;
    below 1 there is one more input, `dropout_noise` [b, pixels + hidden units] of uniform numbers in [0, 1), fresh for each update.
    """
    inputs = parts.discriminator_inputs(image_shape, num_classes, "projection")
    x = keras.layers.Flatten()((inputs["image"] + 1.0) / 2.0)
    sizes = (x.shape[-1], width + label_width * (num_classes > 0), width)
    drop = [lambda y: y] * 3
    if min(keep) < 1.0:
        inputs["dropout_noise"] = keras.Input((sum(sizes),), name="dropout_noise")
        drop = _dropouts(inputs["dropout_noise"], sizes, (keep[0], keep[1], keep[1]))
    x = maxout.Maxout(width, pieces=pieces[0], kernel_initializer=_uniform(0.005))(drop[0](x))
    if num_classes:
        label = maxout.Maxout(label_width, pieces=pieces[0], kernel_initializer=_uniform(0.005))(_one_hot(inputs, num_classes))
        x = keras.layers.Concatenate()([x, label])
    x = maxout.Maxout(width, pieces=pieces[1], kernel_initializer=_uniform(0.005))(drop[1](x))
    features = keras.ops.cast(x, "float32")
    logits = parts.heads(drop[2](features), inputs, kernel_initializer=_uniform(0.005))["logits"]
    return keras.Model(inputs, {"logits": logits, "features": features}, name="discriminator")


def critic(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), widths: tuple[int, ...] = (512, 512, 512), activation: str = "relu",
    kernel_initializer="he_normal",
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c]} -> {"logits": [b], "features": [b, f]}: layers of the given widths, no normalisation. `activation`: Keras' name."""
    inputs = parts.discriminator_inputs(image_shape, 0, "projection")
    x = keras.layers.Flatten()(inputs["image"])
    for width in widths:
        x = keras.layers.Activation(activation)(dense.Dense(width, kernel_initializer=kernel_initializer)(x))
    return keras.Model(inputs, parts.heads(keras.ops.cast(x, "float32"), inputs), name="critic")


def _dropouts(uniform, sizes, keeps):
    """A function per layer that drops its units by its own columns of `uniform`."""
    columns = keras.ops.split(uniform, [sizes[0], sizes[0] + sizes[1]], axis=1)
    return [lambda x, keep=keep, own=own: dropout.Dropout(keep)(x, own) for keep, own in zip(keeps, columns, strict=True)]


def _hidden(x, width, norm, initializer):
    return keras.layers.ReLU()(normalization.create(norm)(dense.Dense(width, kernel_initializer=initializer)(x)))


def _one_hot(inputs, num_classes):
    return keras.ops.one_hot(inputs["label"], num_classes, dtype="float32")


def _uniform(limit):
    return keras.initializers.RandomUniform(-limit, limit)
