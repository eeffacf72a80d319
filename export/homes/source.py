"""A published version as another format takes it: one function from latents and conditions to images, with examples of what it must answer."""

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from export import expectations, linter
from tfgan_suite.ops import priors

SIGNATURE = "serving_default"
"""What is converted. The signatures that take seeds draw random numbers row by row, which other formats have no operation for."""
LATENTS, TRUNCATION, IMAGES = "latents", "truncation", "images"
_HIGHEST_PROBED = 2**20
"""An integer input that accepts this is taken to accept any."""
_PRIOR_TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Input:
    """One input of the converted function. What lies outside of `low` to `high` (None: no bound) is answered as the nearest of the two."""

    name: str
    shape: tuple[int, ...]
    """Without the batch, which is axis 0."""
    dtype: tf.DType
    low: float | None
    high: float | None

    def spec(self, rows: int | None) -> tf.TensorSpec:
        """Its tensor, with `rows` rows or any number of them."""
        return tf.TensorSpec([rows, *self.shape], self.dtype, name=self.name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Version:
    """A version opened for conversion."""

    model: str
    number: str
    inputs: tuple[Input, ...]
    image_shape: tuple[int, ...]
    expected: expectations.Expectation
    """Of `SIGNATURE`."""
    prior: str | None
    """The name in `ops.priors` by which its `sample` draws latents from a seed; None where it is none of them."""
    function: Callable[..., dict[str, tf.Tensor]]
    """Takes `inputs` in this order, clamped as they say; returns {"images": float32 [b, h, w, c]}."""
    module: Any
    """Holds the variables that `function` reads."""

    def concrete(self, rows: int | None) -> Any:
        """`function` traced for `rows` rows, or for any number of them."""
        traced = tf.function(self.function, autograph=False)
        return traced.get_concrete_function(*(each.spec(rows) for each in self.inputs))


def open_version(directory: str) -> Version:
    """Opens `<model>/<number>` as `tfgan-export` wrote it. ValueError where it is no such version, or its `serving_default` takes no latents."""
    linter.read(directory)
    expected = expectations.read(directory)
    try:
        module = tf.saved_model.load(directory)
    except (tf.errors.OpError, OSError) as error:
        raise ValueError(f"{directory} cannot be loaded: {error}") from error
    signature = module.signatures.get(SIGNATURE)
    if signature is None or SIGNATURE not in expected or LATENTS not in expected[SIGNATURE].inputs or IMAGES not in expected[SIGNATURE].outputs:
        raise ValueError(
            f"{directory} cannot be converted: only a signature {SIGNATURE!r} from {LATENTS!r} to {IMAGES!r} can. It has {sorted(module.signatures)}."
        )
    model_directory, number = os.path.split(os.path.abspath(directory))
    inputs = _inputs(signature, expected[SIGNATURE])
    return Version(
        model=os.path.basename(model_directory),
        number=number,
        inputs=inputs,
        image_shape=expected[SIGNATURE].outputs[IMAGES].shape[1:],
        expected=expected[SIGNATURE],
        prior=_prior(expected),
        function=functools.partial(_clamped, signature, inputs),
        module=module,
    )


def _clamped(signature: Any, inputs: tuple[Input, ...], *values: tf.Tensor) -> dict[str, tf.Tensor]:
    given = {}
    for each, value in zip(inputs, values, strict=True):
        value = value if each.low is None else tf.maximum(value, tf.constant(each.low, each.dtype))
        given[each.name] = value if each.high is None else tf.minimum(value, tf.constant(each.high, each.dtype))
    return {IMAGES: signature(**given)[IMAGES]}


def _inputs(signature: Any, expected: expectations.Expectation) -> tuple[Input, ...]:
    """The latents, the truncation, then the conditions by name."""
    specs = signature.structured_input_signature[1]
    words = sorted(name for name, spec in specs.items() if not (spec.dtype.is_floating or spec.dtype.is_integer))
    if words:
        raise ValueError(f"The inputs {words} hold no numbers, which is all that another format takes.")
    found = []
    for name in sorted(specs, key=lambda name: (name != LATENTS, name != TRUNCATION, name)):
        low, high = _range(signature, expected.inputs, name) if specs[name].dtype.is_integer else (0.0 if name == TRUNCATION else None, None)
        found.append(Input(name=name, shape=tuple(specs[name].shape[1:]), dtype=specs[name].dtype, low=low, high=high))
    return tuple(found)


def _range(signature: Any, examples: dict[str, np.ndarray], name: str) -> tuple[int | None, int | None]:
    """The integers that the version accepts as `name`, found by asking it; None at an end that was not found."""

    def accepts(value: int) -> bool:
        row = {key: tf.constant(array[:1]) for key, array in examples.items()}
        row[name] = tf.fill(tf.shape(row[name]), tf.constant(value, row[name].dtype))
        try:
            with tf.device("CPU:0"):  # a GPU reads beyond a table without an error
                signature(**row)
        except tf.errors.InvalidArgumentError:
            return False
        return True

    return _last(accepts, int(examples[name].min()), -1), _last(accepts, int(examples[name].max()), 1)


def _last(accepts: Callable[[int], bool], accepted: int, direction: int) -> int | None:
    """The last accepted integer from `accepted` on in `direction`: by doubled steps until one is refused, then by halved ones."""
    step = 1
    while accepts(accepted + direction * step):
        accepted, step = accepted + direction * step, 2 * step
        if abs(accepted) > _HIGHEST_PROBED:
            return None
    while step > 1:
        step //= 2
        if accepts(accepted + direction * step):
            accepted += direction * step
    return accepted


def _prior(expected: dict[str, expectations.Expectation]) -> str | None:
    """The prior that gives the latents which `sample` gave."""
    sample = expected.get("sample")
    if sample is None or not {"seed", TRUNCATION} <= sample.inputs.keys() or LATENTS not in sample.outputs:
        return None
    latents = sample.outputs[LATENTS]
    for name, prior in priors.PRIORS.items():
        drawn = prior.rows(tf.constant(sample.inputs["seed"]), latents.shape[1], tf.constant(sample.inputs[TRUNCATION]))
        if np.allclose(drawn, latents, rtol=0.0, atol=_PRIOR_TOLERANCE):
            return name
    return None
