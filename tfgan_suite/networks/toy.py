"""Fully connected networks for vectors: the players of the toy experiments of WGAN-GP, unrolled GAN, ALI and PacGAN.

A vector of d numbers is an image [1, d, 1]. Points of a toy distribution have a range of their own, so generators end linearly, in float32.
"""

import functools

import keras

from tfgan_suite.layers import dense, maxout, minibatch_discrimination, normalization
from tfgan_suite.networks import parts


def generator(
    *, image_shape: tuple[int, int, int] = (1, 2, 1), latent_size: int = 2, width: int = 512, depth: int = 3, activation: str = "relu",
    norm: str = "none",
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z]} -> {"image": [b, 1, d, 1]}, unbounded: `depth` hidden layers of `width` units.

    `activation`: a name in `ACTIVATIONS`. `norm`: a name in `layers.normalization.NORMALIZATIONS`, between layer and activation.
    """
    inputs = parts.generator_inputs(latent_size, 0)
    x = inputs["latents"]
    for _ in range(depth):
        x = dense.Dense(width, kernel_initializer=_initializer(activation))(x)
        x = keras.layers.Activation(activation)(normalization.create(norm)(x))
    x = dense.Dense(image_shape[1], kernel_initializer=_initializer(activation), dtype="float32")(keras.ops.cast(x, "float32"))
    return keras.Model(inputs, {"image": keras.layers.Reshape(image_shape, dtype="float32", name="image")(x)}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (1, 2, 1), width: int = 512, depth: int = 3, activation: str = "relu", pieces: int = 1,
    spectral_norm: bool = False, minibatch_kernels: int = 0,
) -> keras.Model:  # fmt: skip
    """{"image": [b, 1, d, 1]} -> {"logits": [b], "features": [b, width + minibatch_kernels]}: `depth` hidden layers of `width` units, not
    normalised.

    `activation`: a name in `ACTIVATIONS`; with `pieces` above 1 the layers are maxout over that many linear maps instead.
    `minibatch_kernels`: features of minibatch discrimination beside those of the last hidden layer.
    """
    inputs = parts.discriminator_inputs(image_shape, 0, "projection")
    x = keras.layers.Flatten()(inputs["image"])
    options = {"kernel_initializer": _initializer(activation), "spectral_norm": spectral_norm}
    for _ in range(depth):
        if pieces > 1:
            x = maxout.Maxout(width, pieces=pieces, **options)(x)
        else:
            x = keras.layers.Activation(activation)(dense.Dense(width, **options)(x))
    x = keras.ops.cast(x, "float32")
    if minibatch_kernels:
        x = minibatch_discrimination.MinibatchDiscrimination(minibatch_kernels, form="paper")(x)
    return keras.Model(inputs, parts.heads(x, inputs, **options), name="discriminator")


ACTIVATIONS = {"relu": keras.initializers.HeNormal, "tanh": functools.partial(keras.initializers.Orthogonal, gain=1.4)}
"""Activation -> initial values of the kernels: He et al. 2015 for ReLU (WGAN-GP's code), orthogonal with gain 1.4 for tanh (unrolled GAN's code)."""


def _initializer(activation: str) -> keras.Initializer:
    """A fresh one, so that no two layers begin with the same numbers."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation={activation!r} is unknown. It is one of {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[activation]()


BODIES = {
    "relu_mlp": (generator, discriminator),
    "spectral_mlp": (generator, functools.partial(discriminator, spectral_norm=True)),
    "minibatch_mlp": (generator, functools.partial(discriminator, minibatch_kernels=16)),
    "deep_mlp": (generator, functools.partial(discriminator, depth=12)),
    "tanh_mlp": (functools.partial(generator, depth=2, activation="tanh"), functools.partial(discriminator, depth=2, activation="tanh")),
    "maxout_mlp": (functools.partial(generator, depth=4, norm="batch"), functools.partial(discriminator, pieces=5)),
}
"""Body -> (generator, discriminator), which take `image_shape`, `latent_size`, `width`. Three hidden layers in both unless said otherwise.

`relu_mlp`: WGAN-GP's code. `spectral_mlp`: the same with spectral normalisation in the discriminator.
`minibatch_mlp`: the same with minibatch discrimination. `deep_mlp`: the critic of 12 hidden layers of
WGAN-GP's figure 1. `tanh_mlp`: two hidden layers, unrolled GAN. `maxout_mlp`: ALI and PacGAN, a generator of four layers with batch norm against
three of maxout."""
