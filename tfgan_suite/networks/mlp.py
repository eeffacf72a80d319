"""Fully connected networks: the MNIST players of GAN (Goodfellow et al. 2014, the authors' code) and of conditional GAN (Mirza and Osindero 2014).

Differs from the papers: no dropout in the discriminator (Keras' draws equal masks on every replica), and the generator's last bias starts at zero,
not at the logit of the data's mean.
"""

import keras

from tfgan_suite.layers import dense, maxout
from tfgan_suite.networks import parts


def generator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 100, width: int = 1200, num_classes: int = 0,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}: two hidden layers, then a sigmoid stretched to [-1, 1].

    With classes the first hidden layer is in two: a sixth of it sees the latents, the rest the one-hot label (200 and 1000 in the paper).
    """
    inputs = parts.generator_inputs(latent_size, num_classes)
    if num_classes:
        latents = _hidden(inputs["latents"], width // 6)
        x = keras.layers.Concatenate()([latents, _hidden(_one_hot(inputs, num_classes), width - width // 6)])
    else:
        x = _hidden(inputs["latents"], width)
    x = dense.Dense(image_shape[0] * image_shape[1] * image_shape[2], kernel_initializer=_uniform(0.05))(_hidden(x, width))
    x = keras.layers.Activation("sigmoid", dtype="float32")(keras.layers.Reshape(image_shape)(x))
    return keras.Model(inputs, {"image": 2.0 * x - 1.0}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 240, pieces: tuple[int, int] = (5, 5), num_classes: int = 0,
    label_width: int = 50,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b] if num_classes} -> {"logits": [b], "features": [b, width]}: two maxout layers on pixels in [0, 1].

    `pieces`: linear maps per unit of the two layers; (5, 4) in the conditional paper. With classes, maxout units of the one-hot label join the
    first layer's (`label_width` of them).
    """
    inputs = parts.discriminator_inputs(image_shape, num_classes, "projection")
    x = keras.layers.Flatten()((inputs["image"] + 1.0) / 2.0)
    x = maxout.Maxout(width, pieces=pieces[0], kernel_initializer=_uniform(0.005))(x)
    if num_classes:
        label = maxout.Maxout(label_width, pieces=pieces[0], kernel_initializer=_uniform(0.005))(_one_hot(inputs, num_classes))
        x = keras.layers.Concatenate()([x, label])
    x = maxout.Maxout(width, pieces=pieces[1], kernel_initializer=_uniform(0.005))(x)
    outputs = parts.heads(keras.ops.cast(x, "float32"), inputs, kernel_initializer=_uniform(0.005))
    return keras.Model(inputs, outputs, name="discriminator")


def critic(*, image_shape: tuple[int, int, int] = (28, 28, 1), widths: tuple[int, ...] = (512, 512, 512)) -> keras.Model:
    """{"image": [b, h, w, c]} -> {"logits": [b], "features": [b, f]}: ReLU layers of the given widths, He initial values, no normalisation."""
    inputs = parts.discriminator_inputs(image_shape, 0, "projection")
    x = keras.layers.Flatten()(inputs["image"])
    for width in widths:
        x = keras.layers.ReLU()(dense.Dense(width, kernel_initializer="he_normal")(x))
    return keras.Model(inputs, parts.heads(keras.ops.cast(x, "float32"), inputs), name="critic")


def _hidden(x, width):
    return keras.layers.ReLU()(dense.Dense(width, kernel_initializer=_uniform(0.05))(x))


def _one_hot(inputs, num_classes):
    return keras.ops.one_hot(inputs["label"], num_classes, dtype="float32")


def _uniform(limit):
    return keras.initializers.RandomUniform(-limit, limit)
