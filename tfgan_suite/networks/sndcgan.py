"""SNDCGAN: the convolutional network of SN-GAN. Miyato et al. 2018, table 3; flat batch norm and slope 0.1 as in google/compare_gan.

Every layer of the discriminator is spectrally normalised; the generator has batch norm.
"""

import keras

from tfgan_suite.layers import convolution, dense, normalization
from tfgan_suite.networks import parts

FIRST_NORMS = ("flat", "map", "none")


def generator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), latent_size: int = 128, width: int = 64, num_classes: int = 0, first_norm: str = "flat",
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}, height and width multiples of 8.

    `first_norm`: batch norm after the dense layer over its units (`flat`, the published one), over the channels of the map (`map`) or left out
    (`none`, StudioGAN's). With classes every batch norm has a gain and an offset per class.
    """
    if first_norm not in FIRST_NORMS:
        raise ValueError(f"first_norm={first_norm!r} is unknown. It is one of {', '.join(FIRST_NORMS)}.")
    rows, columns = _eighth(image_shape)
    inputs = parts.generator_inputs(latent_size, num_classes)
    norm = parts.label_norm(inputs, num_classes)
    x = dense.Dense(rows * columns * 8 * width, kernel_initializer=parts.normal())(inputs["latents"])
    x = norm(x) if first_norm == "flat" else x
    x = keras.layers.Reshape((rows, columns, 8 * width))(x)
    x = keras.layers.ReLU()(norm(x) if first_norm == "map" else x)
    for filters in (4 * width, 2 * width, width):
        x = up_block(x, filters, norm)
    x = convolution.TransposedConvolution(image_shape[2], 3, kernel_initializer=parts.normal())(x)
    return keras.Model(inputs, {"image": parts.image(x)}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 64, num_classes: int = 0, conditioning: str = "projection",
    embedding_size: int = parts.EMBEDDING_SIZE, norm: str = "none", spectral_norm: bool = True, gain: float = 1.0, pool: str = "flatten",
    slope: float = 0.1, soft_labels: bool = False,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b] if `conditioning` reads it} -> {"logits": [b], "features": [b, f]} and the heads of the `conditioning`.

    Height and width are multiples of 8. `norm`: a name in `layers.normalization.NORMALIZATIONS`, on all but the first convolution; with `batch`
    score views in separate passes. `slope`: of the leaky ReLUs. `conditioning` and `pool`: names in `parts.CONDITIONINGS` and `parts.POOLS`.
    `embedding_size`: of the contrastive head.
    `soft_labels`: read "soft_label" [b, k], shares of the classes, in place of "label".
    """
    _eighth(image_shape)
    options = {"spectral_norm": spectral_norm, "gain": gain, "kernel_initializer": parts.normal()}
    inputs = parts.discriminator_inputs(image_shape, num_classes, conditioning, soft_labels)
    x = inputs["image"]
    for multiple in (1, 2, 4):
        first = "none" if multiple == 1 else norm
        x = down_block(x, multiple * width, 2 * multiple * width, slope, (first, norm), **options)
    x = convolution.Convolution(8 * width, 3, **options)(x)
    x = keras.layers.LeakyReLU(slope)(normalization.create(norm)(x))
    options |= {"num_classes": num_classes, "conditioning": conditioning, "embedding_size": embedding_size}
    outputs = parts.heads(parts.pool(x, pool), inputs, **options)
    return keras.Model(inputs, outputs, name="discriminator")


def up_block(x, filters: int, norm: parts.Norm):
    """[b, h, w, c] -> [b, 2h, 2w, filters]: a 4x4 transposed convolution of stride 2, norm, ReLU."""
    x = convolution.TransposedConvolution(filters, 4, strides=2, kernel_initializer=parts.normal())(x)
    return keras.layers.ReLU()(norm(x))


def down_block(x, filters: int, down_filters: int, slope: float, norms: tuple[str, str] = ("none", "none"), **options):
    """[b, h, w, c] -> [b, h/2, w/2, down_filters]: a 3x3 convolution to `filters`, then a 4x4 one of stride 2, each with norm and leaky ReLU."""
    x = convolution.Convolution(filters, 3, **options)(x)
    x = keras.layers.LeakyReLU(slope)(normalization.create(norms[0])(x))
    x = convolution.Convolution(down_filters, 4, strides=2, **options)(x)
    return keras.layers.LeakyReLU(slope)(normalization.create(norms[1])(x))


def _eighth(image_shape) -> tuple[int, int]:
    rows, columns, _ = image_shape
    if rows % 8 or columns % 8:
        raise ValueError(f"SNDCGAN needs height and width that are multiples of 8; received image_shape={tuple(image_shape)}. Set image_size.")
    return rows // 8, columns // 8
