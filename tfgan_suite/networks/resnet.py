"""The ResNet of WGAN-GP and SN-GAN. Gulrajani et al. 2017, appendix F; Miyato et al. 2018, tables 4 and 5; conditional form Miyato and Koyama 2018.

The defaults are SN-GAN's for CIFAR-10 but for its `use_bias=False`. WGAN-GP's: width 128 in both players, `spectral_norm=False`, `pool="mean"`,
`epsilon=1e-5`. SAGAN's: spectral norm and `attention` in both players, `initializer="xavier"`.
"""

import keras

from tfgan_suite.layers import batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts, residual


def generator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), latent_size: int = 128, width: int = 256, multipliers: tuple[int, ...] = (),
    num_classes: int = 0, attention: tuple[int, ...] = (), attention_form: str = "pooled", spectral_norm: bool = False,
    class_gain: str = "table", initializer: str = "glorot", epsilon: float = 2e-5, fused: bool = True,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}: a 4x4 map, then up-blocks.

    `image_shape` is square, a power of two of at least 8. `multipliers`: channels of the 4x4 map and of each block as multiples of `width`; none
    means 1 throughout. With classes, the blocks' batch norms have a gain and an offset per class, the last one has not. `attention`: the sides of
    the blocks' maps that are followed by self-attention, in the form `attention_form`. `class_gain`: the form of the `ConditionalBatchNorm`, "table"
    or "one_hot", whose weights then begin as others do and are spectrally normalised with them. `epsilon`: of the batch norms. `initializer`: a name
    in `residual.INITIALIZERS`.
    """
    blocks = halvings(image_shape, 4)
    channels = widths(width, multipliers, blocks + 1, "generator")
    weights = {"spectral_norm": spectral_norm, "initializer": initializer}
    check_attention(attention, [8 * 2**i for i in range(blocks)])
    _, outside = residual.initializers(initializer)
    inputs = parts.generator_inputs(latent_size, num_classes)
    per_class = {"form": class_gain} | ({} if class_gain == "table" else {"spectral_norm": spectral_norm, "kernel_initializer": outside})
    norm = parts.label_norm(inputs, num_classes, per_class=per_class, epsilon=epsilon)
    x = dense.Dense(4 * 4 * channels[0], spectral_norm=spectral_norm, kernel_initializer=outside)(inputs["latents"])
    x = keras.layers.Reshape((4, 4, channels[0]))(x)
    for filters in channels[1:]:
        x = residual.up_block(x, filters, norm, fused=fused, **weights)
        x = residual.attend(x, attention, form=attention_form, **weights)
    x = keras.layers.ReLU()(batch_norm.BatchNorm(epsilon=epsilon)(x))
    x = convolution.Convolution(image_shape[2], 3, spectral_norm=spectral_norm, kernel_initializer=outside)(x)
    return keras.Model(inputs, {"image": parts.image(x)}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 128, multipliers: tuple[int, ...] = (), smallest: int = 8,
    num_classes: int = 0, conditioning: str = "projection", embedding_size: int = parts.EMBEDDING_SIZE, attention: tuple[int, ...] = (),
    attention_form: str = "pooled", norm: str = "none", norm_everywhere: bool = False, spectral_norm: bool = True, gain: float = 1.0,
    pool: str = "sum", use_bias: bool = True, class_bias: bool = True, initializer: str = "glorot", epsilon: float = 1e-5, fused: bool = True,
    soft_labels: bool = False,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b] if `conditioning` reads it} -> {"logits": [b], "features": [b, f]} and the heads of the `conditioning`.

    Blocks halve the map until it is `smallest` pixels wide, then two (or as many as `multipliers` leaves) keep it. `attention`: the sides of halved
    maps that are followed by self-attention, in the form `attention_form`. `norm`: a name in `layers.normalization.NORMALIZATIONS`, in all blocks
    but the first; `norm_everywhere`: in that and in the shortcuts, too (StudioGAN). With `batch`, of this `epsilon`, score views in separate passes.
    `use_bias`: of the logits (the authors of SN-GAN had none at 32 pixels); `class_bias`: of the class logits. `conditioning` and `pool`: names in
    `parts.CONDITIONINGS` and `parts.POOLS`. `embedding_size`: of the contrastive head. `soft_labels`: read "soft_label" [b, k], shares of the
    classes, in place of "label".
    """
    downs = halvings(image_shape, smallest)
    channels = widths(width, multipliers, max(downs, len(multipliers)) if multipliers else downs + 2, "discriminator")
    options = {"spectral_norm": spectral_norm, "gain": gain}
    weights = options | {"initializer": initializer}
    check_attention(attention, [smallest * 2**i for i in range(downs)])
    inputs = parts.discriminator_inputs(image_shape, num_classes, conditioning, soft_labels)
    norms = {"norm": lambda y: normalization.create(norm, **({"epsilon": epsilon} if norm == "batch" else {}))(y)}
    x = residual.first_block(inputs["image"], channels[0], fused=fused, **weights, **(norms if norm_everywhere else {}))
    x = residual.attend(x, attention, form=attention_form, **weights)
    for i, filters in enumerate(channels[1:], 1):
        x = residual.down_block(x, filters, **norms, down=i < downs, norm_shortcut=norm_everywhere, fused=fused, **weights)
        x = residual.attend(x, attention if i < downs else (), form=attention_form, **weights)
    features = parts.pool(keras.layers.ReLU()(x), pool)
    _, outside = residual.initializers(initializer)
    options |= {"num_classes": num_classes, "conditioning": conditioning, "embedding_size": embedding_size, "kernel_initializer": outside}
    return keras.Model(inputs, parts.heads(features, inputs, use_bias=use_bias, class_bias=class_bias, **options), name="discriminator")


def halvings(image_shape: tuple[int, int, int], smallest: int) -> int:
    """Halvings that lead from the image to a map of `smallest` by `smallest` pixels; a ValueError where none or no whole number does."""
    height, width, _ = image_shape
    count = (height // smallest).bit_length() - 1
    if height != width or count < 1 or height != smallest * 2**count:
        raise ValueError(
            f"The ResNet makes square images with a side of {smallest} times 2, 4, 8, ...; received image_shape={tuple(image_shape)}. Set image_size "
            "in the dataset's config, or choose another network."
        )
    return count


def widths(width: int, multipliers: tuple[int, ...], count: int, network: str) -> list[int]:
    """Channels of `count` maps; a ValueError unless there are as many multipliers, or none."""
    multipliers = multipliers or (1,) * count
    if len(multipliers) != count:
        raise ValueError(
            f"This body's {network} is made for images of another side: it has {len(multipliers)} widths, {tuple(multipliers)}, and these images "
            f"need {count}. Choose another model.body, or set data.image_size."
        )
    return [width * m for m in multipliers]


def check_attention(attention: tuple[int, ...], sides: list[int]) -> None:
    """Raises a ValueError unless there are maps with these sides."""
    unknown = sorted(set(attention) - set(sides))
    if unknown:
        raise ValueError(f"attention={tuple(attention)}: no block makes a map of side {unknown[0]}. It is some of {', '.join(map(str, sides))}.")
