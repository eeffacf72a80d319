"""From an image's features to word vectors: the multimodal players of conditional GAN. Mirza and Osindero 2014, section 4.2.

A vector of d numbers is an image of the shape (1, d, 1), drawn by a linear layer: nothing bounds it. The paper does not give initial values;
these are Glorot's.
"""

import keras

from tfgan_suite.layers import dense, dropout, maxout
from tfgan_suite.networks import parts


def generator(
    *, image_shape: tuple[int, int, int] = (1, 200, 1), feature_size: int = 4096, latent_size: int = 100, width: int = 2000, masked: bool = False,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "features": [b, f]} -> {"image": [b, 1, d, 1]}: width / 4 units see the latents (500 in the paper), `width` the features.

    `masked`: one more input, `mask` [b, units], that the hidden layer is multiplied with: for dropout in training, ones otherwise.
    """
    inputs = parts.generator_inputs(latent_size, 0) | {"features": keras.Input((feature_size,), name="features")}
    x = keras.layers.Concatenate()([_hidden(inputs["latents"], width // 4), _hidden(inputs["features"], width)])
    if masked:
        x = parts.masks(inputs, (x.shape[-1],))[0](x)
    x = dense.Dense(image_shape[0] * image_shape[1] * image_shape[2], dtype="float32")(keras.ops.cast(x, "float32"))
    return keras.Model(inputs, {"image": keras.layers.Reshape(image_shape, dtype="float32", name="image")(x)}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (1, 200, 1), feature_size: int = 4096, width: int = 1000, keep: float = 1.0,
) -> keras.Model:  # fmt: skip
    """{"image": [b, 1, d, 1], "features": [b, f]} -> {"logits": [b], "features": [b, width]}.

    width / 2 units see the word, 6 width / 5 the image (500 and 1200 in the paper); both join in `width` maxout units of 3 pieces. `keep`: the part
    of the units of either layer that dropout keeps; below 1 there is one more input, `dropout_noise` [b, units] of uniform numbers in [0, 1).
    """
    inputs = parts.discriminator_inputs(image_shape, 0, "projection") | {"features": keras.Input((feature_size,), name="features")}
    x = keras.layers.Concatenate()([_hidden(keras.layers.Flatten()(inputs["image"]), width // 2), _hidden(inputs["features"], 6 * width // 5)])
    joint = maxout.Maxout(width, pieces=3)
    if keep < 1.0:
        noise = inputs["dropout_noise"] = keras.Input((x.shape[-1] + width,), name="dropout_noise")
        split = x.shape[-1]
        x = dropout.Dropout(keep)(joint(dropout.Dropout(keep)(x, noise[:, :split])), noise[:, split:])
    else:
        x = joint(x)
    return keras.Model(inputs, parts.heads(keras.ops.cast(x, "float32"), inputs), name="discriminator")


def _hidden(x, width):
    return keras.layers.ReLU()(dense.Dense(width)(x))
