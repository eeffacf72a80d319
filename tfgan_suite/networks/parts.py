"""What the networks of this package share: inputs, normalisation by label, pooling, a discriminator's heads, the image."""

from collections.abc import Callable
from typing import Any

import keras

from tfgan_suite.layers import batch_norm, conditional_batch_norm, dense
from tfgan_suite.ops import unit

Norm = Callable[[keras.KerasTensor], keras.KerasTensor]
"""Applies a new normalisation layer."""
POOLS = {
    "flatten": lambda x: keras.ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3])),
    "mean": lambda x: keras.ops.mean(x, axis=(1, 2)),
    "sum": lambda x: keras.ops.sum(x, axis=(1, 2)),
}


EMBEDDING_SIZE = 512
"""Of the contrastive head, where nothing else is said: ContraGAN's and ReACGAN's for CIFAR-10."""


def normal() -> keras.Initializer:
    """N(0, 0.02), DCGAN's initial values and those of the networks after it."""
    return keras.initializers.RandomNormal(stddev=0.02)


def generator_inputs(latent_size: int, num_classes: int) -> dict[str, keras.KerasTensor]:
    """{"latents": [b, z]}, and {"label": integers [b]} for a conditional generator (`num_classes` above 0)."""
    return {"latents": keras.Input((latent_size,), name="latents")} | _label(num_classes)


def discriminator_inputs(
    image_shape: tuple[int, int, int], num_classes: int, conditioning: str, soft_labels: bool = False
) -> dict[str, keras.KerasTensor]:
    """{"image": [b, h, w, c]}, and {"label": integers [b]} where the `conditioning` reads it, or {"soft_label": [b, k]}, shares of the classes."""
    if conditioning not in CONDITIONINGS:
        raise ValueError(f"conditioning={conditioning!r} is unknown. It is one of {', '.join(CONDITIONINGS)}.")
    return {"image": keras.Input(image_shape, name="image")} | _label(num_classes if conditioning in READ_LABEL else 0, soft_labels)


def masks(inputs: dict[str, keras.KerasTensor], sizes: tuple[int, ...]) -> list[Norm]:
    """Adds the input "mask" [b, sum of sizes]; a function per layer of these sizes that multiplies it with its own columns."""
    inputs["mask"] = keras.Input((sum(sizes),), name="mask")
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [lambda x, a=end - size, b=end: x * inputs["mask"][:, a:b] for size, end in zip(sizes, ends, strict=True)]


def label_norm(inputs: dict[str, keras.KerasTensor], num_classes: int, *, per_class: dict[str, Any] | None = None, **options) -> Norm:
    """Batch norm, with a gain and an offset per class for `num_classes` above 0; `options` go to the layer, and with classes `per_class`, too."""
    if not num_classes:
        return lambda x: batch_norm.BatchNorm(**options)(x)
    return lambda x: conditional_batch_norm.ConditionalBatchNorm(num_classes=num_classes, **options, **per_class or {})(x, inputs["label"])


def image(x: keras.KerasTensor) -> keras.KerasTensor:
    """tanh in float32: the image [b, h, w, c] in [-1, 1]."""
    return keras.layers.Activation("tanh", dtype="float32", name="image")(x)


def pool(x: keras.KerasTensor, how: str) -> keras.KerasTensor:
    """[b, h, w, c] -> features [b, f] in float32 (sums overflow half precision): all elements, or the mean or sum over the map."""
    if how not in POOLS:
        raise ValueError(f"pool={how!r} is unknown. It is one of {', '.join(POOLS)}.")
    return POOLS[how](keras.ops.cast(x, "float32"))


def heads(
    features: keras.KerasTensor, inputs: dict, *, num_classes: int = 0, conditioning: str = "projection", embedding_size: int = EMBEDDING_SIZE,
    use_bias: bool = True, class_bias: bool = True, **options,
):  # fmt: skip
    """features [b, f] -> {"logits": [b], "features"} in float32 and what the `conditioning`, a name in `CONDITIONINGS`, makes of the classes.

    `projection` adds <embedding(label), features> to the logits; `auxiliary` adds the head "class_logits" [b, k]; `contrastive` the heads
    "embedding", of the features, and "proxy", of the label: unit vectors [b, embedding_size]. `use_bias`: of the logits; `class_bias`: of the class
    logits (StudioGAN's have none). `options` (spectral norm, gain, initializer) go to every layer.
    """
    logits = keras.ops.squeeze(dense.Dense(1, use_bias=use_bias, dtype="float32", name="logits", **options)(features), -1)
    outputs = {"logits": logits, "features": features}
    if not num_classes:
        return outputs
    return outputs | CONDITIONINGS[conditioning](outputs, inputs, num_classes, options, embedding_size=embedding_size, class_bias=class_bias)


def _label(num_classes, soft=False):
    if num_classes and soft:
        return {"soft_label": keras.Input((num_classes,), name="soft_label")}
    return {"label": keras.Input((), dtype="int32", name="label")} if num_classes else {}


def _given_label(inputs):
    """Integers [b], or shares of the classes [b, k]."""
    return inputs["label"] if "label" in inputs else inputs["soft_label"]


def _projection(outputs, inputs, num_classes, options, **_):
    """Miyato and Koyama 2018, eq. 5."""
    features = outputs["features"]
    embedding = dense.Embedding(num_classes, features.shape[-1], dtype="float32", name="projection", **options)(_given_label(inputs))
    return {"logits": outputs["logits"] + keras.ops.sum(embedding * features, axis=-1)}


def _auxiliary(outputs, inputs, num_classes, options, *, class_bias, **_):
    """Odena et al. 2017, section 3."""
    return {"class_logits": dense.Dense(num_classes, use_bias=class_bias, dtype="float32", name="class_logits", **options)(outputs["features"])}


def _contrastive(outputs, inputs, num_classes, options, *, embedding_size, **_):
    """Kang and Park 2020, section 3.2. The scores are those of the image alone."""
    embedding = dense.Dense(embedding_size, dtype="float32", name="embedding", **options)(outputs["features"])
    proxy = dense.Embedding(num_classes, embedding_size, dtype="float32", name="proxy", **options)(_given_label(inputs))
    return {"embedding": unit.unit(embedding), "proxy": unit.unit(proxy)}


CONDITIONINGS = {"projection": _projection, "auxiliary": _auxiliary, "contrastive": _contrastive}
READ_LABEL = ("projection", "contrastive")
