"""The servable functions that every generator has."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipelines import spec
from tfgan_suite.core import endpoint
from tfgan_suite.ops import priors, random

_ENCODINGS = ("png", "jpeg", "uint8")


def of(model: Any, networks: Sequence[keras.Model]) -> tuple[endpoint.Endpoint, ...]:
    """The endpoints of a `Gan`; `networks`: what `model.sample` reads.

    - `serving_default`: latents in, clipped to the row's truncation.
    - `sample`: a seed per row in; the latents are drawn from the prior, resampled beyond the row's truncation.
    - `interpolate`: two seeds per row and a position between their latents, 0 to 1 and clipped to that, on the way of the prior (`ops.priors`).
      At 0 and at 1 it answers what `sample` does.
    - `generate_default`: latents in and nothing else, for what takes one input, such as `keras.layers.TFSMLayer`. They are not clipped. The
      conditions are drawn as in training (from their whole range where training takes them from its data) by a seed made from the row's latents,
      so equal latents have equal images.

    All but the last also take each condition of the model. What has no answer is an InvalidArgument error that says what is allowed: latents and
    conditions of real numbers that are not finite, a truncation that is negative or not a number (infinite is none), a position that is not a number,
    an integer condition out of its range.
    """
    requests = _Requests(model)
    shared = {"truncation": tf.TensorSpec([None], tf.float32)} | {key: _input(feature) for key, feature in requests.features.items()}
    latents, seed = tf.TensorSpec([None, requests.size], tf.float32), tf.TensorSpec([None], tf.int64)
    between = {"seed": seed, "other_seed": seed, "position": tf.TensorSpec([None], tf.float32)}
    encodings = () if model.data.is_vector else _ENCODINGS

    def made(name, function, inputs, examples, encodings=()):
        return endpoint.Endpoint(name=name, function=function, inputs=inputs, networks=tuple(networks), examples=examples, encodings=encodings)

    return (
        made("serving_default", requests.serving_default, {"latents": latents} | shared, requests.latents_and_more),
        made("sample", requests.sample, {"seed": seed} | shared, requests.seeds_and_more, encodings),
        made("interpolate", requests.interpolate, between | shared, requests.pairs_and_more, encodings),
        made("generate_default", requests.generate_default, {"latents": latents}, requests.latents),
    )


class _Requests:
    """The functions themselves, and examples of what they take."""

    def __init__(self, model: Any):
        self.features = {key: model.condition_feature(key) for key in model.condition_keys}
        self.size = model.config.latent_size
        self._model, self._prior = model, priors.PRIORS[model.config.prior]

    def serving_default(self, latents, truncation, **conditions):
        limit = _truncation(truncation)[:, None]
        latents = tf.clip_by_value(_finite("latents", latents), -limit, limit)
        return {"images": self._model.sample(latents, self._checked(conditions))}

    def sample(self, seed, truncation, **conditions):
        latents = self._prior.rows(seed, self.size, _truncation(truncation))
        return {"images": self._model.sample(latents, self._checked(conditions)), "latents": latents}

    def interpolate(self, seed, other_seed, position, truncation, **conditions):
        position = tf.clip_by_value(_refused("position must be a number", position, tf.math.is_nan(position)), 0.0, 1.0)
        both = self._prior.rows(tf.concat([seed, other_seed], 0), self.size, tf.tile(_truncation(truncation), [2]))
        latents = self._prior.between(*tf.split(both, 2), position)
        return {"images": self._model.sample(latents, self._checked(conditions)), "latents": latents}

    def generate_default(self, latents):
        latents = _finite("latents", latents)
        return {"images": self._model.sample(latents, self._drawn(random.row_seeds(latents)))}

    def _drawn(self, seeds: tf.Tensor) -> dict[str, tf.Tensor]:
        """Conditions [b, ...] from one seed per row: the model's own way of drawing them; it may take those that it cannot draw from a batch."""
        if not self.features:
            return {}
        types = {key: tf.TensorSpec(feature.shape, tf.int32 if _whole(feature) else tf.float32) for key, feature in self.features.items()}

        def draw(seed):
            stream = random.Stream(0, "conditions", seed)
            anything = {key: _uniform(feature, stream.fold(key)) for key, feature in self.features.items()}
            drawn = self._model.sample_conditions(stream, 1, anything)
            return {key: tf.ensure_shape(drawn[key][0], kind.shape) for key, kind in types.items()}

        return tf.map_fn(draw, seeds, fn_output_signature=types)

    def _checked(self, conditions: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Conditions of a request as the generator takes them."""
        checked = dict(conditions)
        for key, feature in self.features.items():
            if not _whole(feature):
                checked[key] = _finite(key, conditions[key])
                continue
            value, low, end = conditions[key], int(feature.low), int(feature.high) + 1
            checked[key] = tf.cast(_refused(f"{key} must be in [{low}, {end})", value, (value < low) | (value >= end)), tf.int32)
        return checked

    def latents(self, rows):
        return {"latents": random.row_truncated_normal(tf.range(rows, dtype=tf.int64), self.size, tf.fill([rows], 3.0)).numpy()}

    def latents_and_more(self, rows):
        return self.latents(rows) | self._more(rows)

    def seeds_and_more(self, rows):
        return {"seed": np.arange(rows, dtype=np.int64)} | self._more(rows)

    def pairs_and_more(self, rows):
        position = np.linspace(0.0, 1.0, rows + 2, dtype=np.float32)[1:-1]
        return self.seeds_and_more(rows) | {"other_seed": np.arange(rows, dtype=np.int64) + 1000, "position": position}

    def _more(self, rows):
        truncation = {"truncation": np.linspace(0.5, 2.0, rows, dtype=np.float32)}
        return truncation | {key: _example(feature, rows) for key, feature in self.features.items()}


def _whole(feature: spec.Feature) -> bool:
    return feature.dtype.startswith("int")


def _input(feature: spec.Feature) -> tf.TensorSpec:
    return tf.TensorSpec([None, *feature.shape], tf.int64 if _whole(feature) else tf.float32)


def _bounds(feature: spec.Feature) -> tuple[float, float]:
    """The range of a feature of real numbers; [-1, 1] of it where that is any number."""
    return max(feature.low, -1.0), min(feature.high, 1.0)


def _example(feature: spec.Feature, rows: int) -> np.ndarray:
    """Rows that differ, within the range."""
    count = int(np.prod(feature.shape))
    if _whole(feature):
        values = int(feature.low) + np.arange(rows * count, dtype=np.int64) % int(feature.high - feature.low + 1)
    else:
        low, high = _bounds(feature)
        values = low + (high - low) * random.row_uniform(tf.range(rows, dtype=tf.int64), count).numpy()
    return values.reshape(rows, *feature.shape)


def _uniform(feature: spec.Feature, stream: random.Stream) -> tf.Tensor:
    """One row [1, ...], anything within the range."""
    if _whole(feature):
        return int(feature.low) + stream.integers((1, *feature.shape), int(feature.high - feature.low) + 1)
    return stream.uniform((1, *feature.shape), *_bounds(feature))


def _truncation(value: tf.Tensor) -> tf.Tensor:
    # Not ~(value >= 0): TensorFlow's graph optimizer takes that for value < 0, which lets NaN pass.
    return _refused("truncation must be a number from 0", value, tf.math.is_nan(value) | (value < 0.0))


def _finite(key: str, value: tf.Tensor) -> tf.Tensor:
    return _refused(f"{key} must be finite", value, ~tf.math.is_finite(value))


def _refused(rule: str, value: tf.Tensor, wrong: tf.Tensor) -> tf.Tensor:
    """`value`, after an InvalidArgument error if anything in it is `wrong`."""
    check = tf.debugging.Assert(~tf.reduce_any(wrong), [f"{rule}, received", tf.gather_nd(value, tf.where(wrong))])
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(value)
