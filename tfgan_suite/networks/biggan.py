"""BigGAN's networks. Brock, Donahue, Simonyan 2019, arXiv:1809.11096, appendix B; at 32 pixels, which the paper lacks, those of StudioGAN.

The discriminator is `networks.resnet`'s with these widths, orthogonal initial values and self-attention. The generator has the same blocks, but
hierarchical latents and one embedding of the classes for all its batch norms.
"""

from typing import NamedTuple

import keras

from tfgan_suite.layers import batch_norm, conditional_batch_norm, convolution, dense
from tfgan_suite.networks import parts, residual, resnet


class Table(NamedTuple):
    """The networks for one image size: channels as multiples of the width, and where they attend."""

    generator: tuple[int, ...]
    """Of the 4x4 map and of each block."""
    discriminator: tuple[int, ...]
    """Of each block."""
    smallest: int
    """Side of the discriminator's last map."""
    attention: tuple[int, ...]
    """Sides of the maps with self-attention, in both players."""


TABLES = {
    32: Table(generator=(4, 4, 4, 4), discriminator=(2, 2, 2, 2), smallest=8, attention=(16,)),
    64: Table(generator=(16, 8, 4, 2, 1), discriminator=(1, 2, 4, 8, 16), smallest=4, attention=(32,)),
    128: Table(generator=(16, 16, 8, 4, 2, 1), discriminator=(1, 2, 4, 8, 16, 16), smallest=4, attention=(64,)),
    256: Table(generator=(16, 16, 8, 8, 4, 2, 1), discriminator=(1, 2, 4, 8, 8, 16, 16), smallest=4, attention=(64,)),
}
"""{side of the image: networks}. 32 and 64: StudioGAN's. Elsewhere the 64-pixel generator is (16, 16, 8, 4, 2) (BigGAN-PyTorch) and the 32-pixel
discriminator (4, 4, 4, 4)."""


def generator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), latent_size: int = 80, width: int = 96, num_classes: int = 0, embedding_size: int = 128,
    multipliers: tuple[int, ...] = (), attention: tuple[int, ...] | None = None, attention_form: str = "pooled", spectral_norm: bool = True,
    initializer: str = "orthogonal", epsilon: float = 1e-5, fused: bool = True,
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}: a 4x4 map, then up-blocks, each conditioned by its own latents.

    The latents are split into equal chunks, of which z must be a multiple: one for the 4x4 map and one for each block, where it feeds the batch norms
    beside the class's embedding of `embedding_size`, one for all blocks and not spectrally normalised. Without classes it feeds them alone.
    `multipliers` and `attention` are those in `TABLES`, which has sides 32, 64, 128 and 256, unless given; other sides need both. `epsilon`: of the
    batch norms. `initializer`: a name in `residual.INITIALIZERS`. `attention_form`: of `layers.attention`.
    """
    blocks = resnet.halvings(image_shape, 4)
    attention = _table(image_shape).attention if attention is None else attention
    channels = resnet.widths(width, multipliers or _table(image_shape).generator, blocks + 1, "generator")
    resnet.check_attention(attention, [8 * 2**i for i in range(blocks)])
    weights = {"spectral_norm": spectral_norm, "initializer": initializer}
    kernels = {"spectral_norm": spectral_norm, "kernel_initializer": residual.initializers(initializer)[1]}
    inputs = parts.generator_inputs(latent_size, num_classes)
    first, *conditions = _conditions(inputs, blocks + 1, num_classes, embedding_size, kernels["kernel_initializer"])
    x = keras.layers.Reshape((4, 4, channels[0]))(dense.Dense(4 * 4 * channels[0], **kernels)(first))
    for filters, condition in zip(channels[1:], conditions, strict=True):
        x = residual.up_block(x, filters, _norm(condition, **kernels, epsilon=epsilon), fused=fused, **weights)
        x = residual.attend(x, attention, form=attention_form, **weights)
    x = keras.layers.ReLU()(batch_norm.BatchNorm(epsilon=epsilon)(x))
    return keras.Model(inputs, {"image": parts.image(convolution.Convolution(image_shape[2], 3, **kernels)(x))}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 96, num_classes: int = 0, conditioning: str = "projection",
    multipliers: tuple[int, ...] = (), attention: tuple[int, ...] | None = None, initializer: str = "orthogonal", **options,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b] if it is read} -> {"logits": [b], "features": [b, f], what the `conditioning` adds}.

    `multipliers` and `attention` are those in `TABLES` unless given; other sides than its need both, and halve the map down to 4x4. `conditioning`: a
    name in `parts.CONDITIONINGS`. `options` go to `resnet.discriminator`.
    """
    smallest = TABLES[image_shape[0]].smallest if image_shape[0] in TABLES else 4
    return resnet.discriminator(
        image_shape=image_shape,
        width=width,
        multipliers=multipliers or _table(image_shape).discriminator,
        smallest=smallest,
        num_classes=num_classes,
        conditioning=conditioning,
        attention=_table(image_shape).attention if attention is None else attention,
        initializer=initializer,
        **options,
    )


def _table(image_shape) -> Table:
    if image_shape[0] not in TABLES:
        sides = ", ".join(map(str, TABLES))
        raise ValueError(
            f"BigGAN has widths for images of side {sides}; received image_shape={tuple(image_shape)}. "
            "Give multipliers and attention of your own; in an experiment choose another model.body, or set data.image_size."
        )
    return TABLES[image_shape[0]]


def _conditions(inputs, count: int, num_classes: int, embedding_size: int, initializer) -> list:
    """What enters at the bottom, then what conditions each block: a chunk of the latents, for the blocks after the class's embedding."""
    latents = inputs["latents"]
    size, rest = divmod(latents.shape[1], count)
    if rest or not size:
        near = f"{count * size} or {count * (size + 1)}" if size else str(count)
        raise ValueError(f"BigGAN splits the latents into {count} equal chunks; received latent_size={latents.shape[1]}. Take {near}.")
    first, *chunks = keras.ops.split(latents, count, axis=1)
    if not num_classes:
        return [first, *chunks]
    embedding = dense.Embedding(num_classes, embedding_size, name="embedding", kernel_initializer=initializer)(inputs["label"])
    return [first, *(keras.layers.Concatenate()([embedding, chunk]) for chunk in chunks)]


def _norm(condition, **options) -> parts.Norm:
    return lambda x: conditional_batch_norm.ConditionalBatchNorm(form="linear", **options)(x, condition)
