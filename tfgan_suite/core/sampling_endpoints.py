"""The two servable functions that every generator has."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipelines import spec
from tfgan_suite.core import endpoint
from tfgan_suite.ops import priors, random


def of(model: Any, networks: Sequence[keras.Model]) -> tuple[endpoint.Endpoint, ...]:
    """`serving_default` (latents in) and `sample` (one seed per row in) of a `Gan`, both with a truncation and each of its conditions per row;
    `networks`: what `model.sample` reads."""
    features = {key: model.condition_feature(key) for key in model.condition_keys}
    prior, size = priors.PRIORS[model.config.prior], model.config.latent_size
    conditions = {"truncation": tf.TensorSpec([None], tf.float32)} | {key: _input(feature) for key, feature in features.items()}

    def from_latents(latents, truncation, **given):
        limit = tf.abs(truncation)[:, None]
        return {"images": model.sample(tf.clip_by_value(latents, -limit, limit), _checked(given, features))}

    def from_seed(seed, truncation, **given):
        latents = prior.rows(seed, size, tf.abs(truncation))
        return {"images": model.sample(latents, _checked(given, features)), "latents": latents}

    def examples(rows, **first):
        truncation = {"truncation": np.linspace(0.5, 2.0, rows, dtype=np.float32)}
        return first | truncation | {key: _example(feature, rows) for key, feature in features.items()}

    def latent_examples(rows):
        return examples(rows, latents=random.row_truncated_normal(tf.range(rows, dtype=tf.int64), size, tf.fill([rows], 3.0)).numpy())

    return (
        endpoint.Endpoint(
            name="serving_default",
            function=from_latents,
            inputs={"latents": tf.TensorSpec([None, size], tf.float32)} | conditions,
            networks=tuple(networks),
            examples=latent_examples,
        ),
        endpoint.Endpoint(
            name="sample",
            function=from_seed,
            inputs={"seed": tf.TensorSpec([None], tf.int64)} | conditions,
            networks=tuple(networks),
            examples=lambda rows: examples(rows, seed=np.arange(rows, dtype=np.int64)),
            encodings=() if model.data.is_vector else ("png",),
        ),
    )


def _whole(feature: spec.Feature) -> bool:
    return feature.dtype.startswith("int")


def _input(feature: spec.Feature) -> tf.TensorSpec:
    return tf.TensorSpec([None, *feature.shape], tf.int64 if _whole(feature) else tf.float32)


def _example(feature: spec.Feature, rows: int) -> np.ndarray:
    """Rows that differ, within the range (of numbers of any size, within [-1, 1])."""
    count = int(np.prod(feature.shape))
    if _whole(feature):
        values = int(feature.low) + np.arange(rows * count, dtype=np.int64) % int(feature.high - feature.low + 1)
    else:
        low, high = max(feature.low, -1.0), min(feature.high, 1.0)
        values = low + (high - low) * random.row_uniform(tf.range(rows, dtype=tf.int64), count).numpy()
    return values.reshape(rows, *feature.shape)


def _checked(given: dict[str, tf.Tensor], features: dict[str, spec.Feature]) -> dict[str, tf.Tensor]:
    """Conditions of a request as the generator takes them; an integer out of range is an InvalidArgument error."""
    checked = dict(given)
    for key, feature in features.items():
        if not _whole(feature):
            continue
        value, low, end = given[key], int(feature.low), int(feature.high) + 1
        allowed = tf.debugging.Assert(tf.reduce_all((value >= low) & (value < end)), [f"{key} must be in [{low}, {end}), received", value])
        with tf.control_dependencies([allowed] if allowed is not None else []):
            checked[key] = tf.cast(value, tf.int32)
    return checked
