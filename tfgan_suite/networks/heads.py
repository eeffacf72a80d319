"""What the networks of this package share at their ends: named inputs, pooling, logits with the projection of the label, the image."""

import keras

from tfgan_suite.layers import dense

POOLS = {
    "flatten": lambda x: keras.ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3])),
    "mean": lambda x: keras.ops.mean(x, axis=(1, 2)),
    "sum": lambda x: keras.ops.sum(x, axis=(1, 2)),
}


def label_input(num_classes: int) -> dict[str, keras.KerasTensor]:
    """{"label": integers [b]} for a conditional network, nothing for `num_classes` 0."""
    return {"label": keras.Input((), dtype="int32", name="label")} if num_classes else {}


def pool(x: keras.KerasTensor, how: str) -> keras.KerasTensor:
    """[b, h, w, c] -> features [b, f] in float32 (sums overflow half precision): all elements, or the mean or sum over the map."""
    if how not in POOLS:
        raise ValueError(f"pool={how!r} is unknown. It is one of {', '.join(POOLS)}.")
    return POOLS[how](keras.ops.cast(x, "float32"))


def logits(features: keras.KerasTensor, inputs: dict, *, num_classes: int = 0, use_bias: bool = True, **options) -> keras.KerasTensor:
    """features [b, f] -> logits [b]: a linear map, plus <embedding(label), features> for a conditional network. Miyato and Koyama 2018, eq. 5.

    `options` (spectral norm, gain, initializer) go to both the linear map and the embedding.
    """
    score = keras.ops.squeeze(dense.Dense(1, use_bias=use_bias, dtype="float32", name="logits", **options)(features), -1)
    if not num_classes:
        return score
    embedding = dense.Embedding(num_classes, features.shape[-1], dtype="float32", name="projection", **options)(inputs["label"])
    return score + keras.ops.sum(embedding * features, axis=-1)


def image(x: keras.KerasTensor) -> keras.KerasTensor:
    """tanh in float32: the image [b, h, w, c] in [-1, 1]."""
    return keras.layers.Activation("tanh", dtype="float32", name="image")(x)
