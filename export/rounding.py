"""Weights stored in half precision: a version of half the size, which computes in float32 as before."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from export import expectations, signatures
from tfgan_suite.core import endpoint as endpoints_lib

PRECISIONS = {"float32": tf.float32, "bfloat16": tf.bfloat16, "float16": tf.float16}
"""What weights can be stored as."""


class _Stored:
    """Stands for networks whose weights are stored otherwise than they hold them."""

    def __init__(self, variables: Sequence[Any]):
        self.variables = list(variables)


def stored(endpoints: Sequence[endpoints_lib.Endpoint], precision: str) -> tuple[endpoints_lib.Endpoint, ...]:
    """The endpoints with each float32 weight rounded to `precision`, a key of `PRECISIONS`, once: they read it from a variable of that type and cast
    it to float32. Other variables stay, and so do the networks themselves.

    Raises ValueError for a weight that the type cannot hold.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"Weights cannot be stored as {precision!r}. Allowed: {', '.join(PRECISIONS)}.")
    if precision == "float32":
        return tuple(endpoints)
    rounded: dict[int, tf.Variable] = {}
    for variable in (variable for endpoint in endpoints for variable in _variables(endpoint)):
        if isinstance(variable, keras.Variable) and variable.dtype == "float32" and id(variable) not in rounded:
            rounded[id(variable)] = _rounded(variable, precision)
    return tuple(_reading(endpoint, rounded) for endpoint in endpoints)


def report(endpoints: Sequence[endpoints_lib.Endpoint], expected: dict[str, expectations.Expectation], precision: str) -> dict[str, Any]:
    """What the metadata say: {"weights": precision} and, unless that is float32, {"largest_difference": {endpoint: {output: number}}}: how far the
    rounding takes the outputs from those of `endpoints`, the float32 model's, on the example rows. `expected`: of what `stored` gave."""
    if precision == "float32":
        return {"weights": precision}
    return {"weights": precision, "largest_difference": {endpoint.name: _differences(endpoint, expected[endpoint.name]) for endpoint in endpoints}}


def _variables(endpoint: endpoints_lib.Endpoint) -> list[Any]:
    return list({id(variable): variable for network in endpoint.networks for variable in getattr(network, "variables", ())}.values())


def _rounded(variable: keras.Variable, precision: str) -> tf.Variable:
    value = variable.numpy()
    half = tf.cast(value, PRECISIONS[precision])
    if np.any(np.isinf(tf.cast(half, tf.float32)) & np.isfinite(value)):
        raise ValueError(
            f"The weight {variable.path!r} goes up to {np.abs(value).max():.3g}, more than {precision} holds ({float(half.dtype.max):.3g}). "
            "Export with bfloat16, whose range is that of float32, or float32."
        )
    return tf.Variable(half, trainable=False, name=variable.name)


def _reading(endpoint: endpoints_lib.Endpoint, rounded: dict[int, tf.Variable]) -> endpoints_lib.Endpoint:
    replaced = [(variable, rounded[id(variable)]) for variable in _variables(endpoint) if id(variable) in rounded]

    def function(**inputs):
        # Keras' own way to compute with other values of variables. Whatever evades it reads a variable of no listed network, which is refused.
        with keras.StatelessScope([(variable, tf.cast(half, tf.float32)) for variable, half in replaced]):
            return endpoint.function(**inputs)

    kept = [variable for variable in _variables(endpoint) if id(variable) not in rounded]
    resources = [network for network in endpoint.networks if not hasattr(network, "variables")]
    return dataclasses.replace(endpoint, function=function, networks=(_Stored([half for _, half in replaced] + kept), *resources))


def _differences(endpoint: endpoints_lib.Endpoint, expected: expectations.Expectation) -> dict[str, float]:
    with tf.device("CPU:0"):
        exact = signatures.outputs(endpoint, {key: tf.constant(value) for key, value in expected.inputs.items()})
    numbers = {name: value.numpy() for name, value in exact.items() if value.dtype.is_floating}
    return {name: float(np.abs(value - expected.outputs[name]).max()) for name, value in numbers.items()}
