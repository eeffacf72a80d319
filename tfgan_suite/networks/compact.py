"""A small network of our own that learns the built-in dataset in minutes on a CPU: one 4x4 convolution of stride 2 per level, in both players.

At 32x32 there are three levels: D has width, 2 width and 4 width channels, G the same in reverse from a 4x4 map. With classes, the latents and
the label's embedding feed every batch norm of G, as in BigGAN, and D projects the label.
"""

import keras

from tfgan_suite.layers import batch_norm, conditional_batch_norm, convolution, dense, normalization
from tfgan_suite.networks import parts, residual


def generator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), latent_size: int = 64, width: int = 32, num_classes: int = 0, embedding_size: int = 64,
    attention: tuple[int, ...] = (), attention_form: str = "pooled",
) -> keras.Model:  # fmt: skip
    """{"latents": [b, z], "label": [b] if num_classes} -> {"image": [b, h, w, c]}.

    `embedding_size`: length of the embedding of the label. `attention`: heights of maps that are followed by self-attention, of this form.
    """
    inputs = parts.generator_inputs(latent_size, num_classes)
    latents = inputs["latents"]
    condition = None
    if num_classes:
        like_latents = keras.initializers.RandomNormal(stddev=1.0)
        embedding = dense.Embedding(num_classes, embedding_size, name="embedding", kernel_initializer=like_latents)(inputs["label"])
        condition = keras.layers.Concatenate()([latents, embedding])
    rows, columns, levels = _geometry(image_shape)
    channels = width * 2 ** (levels - 1)
    x = dense.Dense(rows * columns * channels, use_bias=False, kernel_initializer=parts.normal())(latents)
    x = _rectified_norm(keras.layers.Reshape((rows, columns, channels))(x), condition)
    for level in reversed(range(levels - 1)):
        x = convolution.TransposedConvolution(width * 2**level, 4, strides=2, use_bias=False, kernel_initializer=parts.normal())(x)
        x = residual.attend(_rectified_norm(x, condition), attention, form=attention_form, initializer="normal")
    x = convolution.TransposedConvolution(image_shape[2], 4, strides=2, kernel_initializer=parts.normal())(x)
    return keras.Model(inputs, {"image": parts.image(x)}, name="generator")


def discriminator(
    *, image_shape: tuple[int, int, int] = (32, 32, 3), width: int = 32, num_classes: int = 0, conditioning: str = "projection",
    embedding_size: int = parts.EMBEDDING_SIZE, attention: tuple[int, ...] = (), attention_form: str = "pooled", norm: str = "none",
    spectral_norm: bool = True, gain: float = 1.0, pool: str = "flatten", soft_labels: bool = False,
) -> keras.Model:  # fmt: skip
    """{"image": [b, h, w, c], "label": [b] if `conditioning` reads it} -> {"logits": [b], "features": [b, f]} and the heads of the `conditioning`.

    `attention`: heights of the maps that are followed by self-attention. `norm`: a name in `layers.normalization.NORMALIZATIONS`, on all but the
    first convolution; with `batch`, score views in separate passes.
    `gain`: kernels in use are gain * W / sigma(W). In so shallow a network plain W / sigma(W) damps the signal: 1.2 to 1.3 learns faster, 1.5
    collapsed. `conditioning` and `pool`: names in `parts.CONDITIONINGS` and `parts.POOLS`. `embedding_size`: of the contrastive head.
    `soft_labels`: read "soft_label" [b, k], shares of the classes, in place of "label".
    """
    options = {"spectral_norm": spectral_norm, "gain": gain, "kernel_initializer": parts.normal()}
    inputs = parts.discriminator_inputs(image_shape, num_classes, conditioning, soft_labels)
    x = inputs["image"]
    for level in range(_geometry(image_shape)[2]):
        x = convolution.Convolution(width * 2**level, 4, strides=2, use_bias=norm == "none" or level == 0, **options)(x)
        x = keras.layers.LeakyReLU(0.2)(normalization.create(norm)(x) if level > 0 else x)
        x = residual.attend(x, attention, form=attention_form, initializer="normal", spectral_norm=spectral_norm, gain=gain)
    features = parts.pool(x, pool)
    options |= {"num_classes": num_classes, "conditioning": conditioning, "embedding_size": embedding_size}
    outputs = parts.heads(features, inputs, **options)
    return keras.Model(inputs, outputs, name="discriminator")


def _rectified_norm(x, condition):
    if condition is None:
        return keras.layers.ReLU()(batch_norm.BatchNorm()(x))
    return keras.layers.ReLU()(conditional_batch_norm.ConditionalBatchNorm(form="linear", kernel_initializer=parts.normal())(x, condition))


def _geometry(image_shape) -> tuple[int, int, int]:
    """The smallest map (rows, columns) and the number of halvings that lead to it: while both sides are even and more than 4 pixels."""
    rows, columns, levels = *image_shape[:2], 0
    while rows % 2 == columns % 2 == 0 and min(rows, columns) > 4:
        rows, columns, levels = rows // 2, columns // 2, levels + 1
    if not levels:
        raise ValueError(f"The compact network halves even sides above 4 pixels; received image_shape={tuple(image_shape)}. Choose 28, 32 or 64.")
    return rows, columns, levels
