"""A caller's inputs as the arrays that a signature takes, checked before anything is sent."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from export.client import metadata

_KINDS = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}
"""Kind of an input's type -> kinds of values that it holds without a loss that the caller would not expect: no 3.7 for an integer."""


def prepare(signature: metadata.Signature, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Arrays [b, ...] for every input of `signature`, each from an array of b rows or from one value for all rows; b is 1 if all are single values.

    Raises ValueError, listing the signature's inputs, for an unknown or missing name, another type or shape, and different numbers of rows.
    """
    unknown, missing = sorted(set(inputs) - set(signature.inputs)), sorted(set(signature.inputs) - set(inputs))
    if unknown or missing:
        problems = [f"unknown: {', '.join(unknown)}"] * bool(unknown) + [f"missing: {', '.join(missing)}"] * bool(missing)
        raise _refused(signature, f"Inputs are {'; '.join(problems)}.")
    arrays = {name: _array(signature, name, inputs[name]) for name in signature.inputs}
    single = {name for name, array in arrays.items() if _is_single(signature.inputs[name], array)}
    counts = {name: len(array) for name, array in arrays.items() if name not in single}
    if len(set(counts.values())) > 1:
        raise _refused(signature, f"Every input has as many rows, or is one value for all of them; received {_listed(counts)}.")
    rows = next(iter(counts.values()), 1)
    if rows == 0:
        raise _refused(signature, "There are no rows.")
    return {name: np.broadcast_to(array, (rows, *array.shape)) if name in single else array for name, array in arrays.items()}


def split(inputs: Mapping[str, np.ndarray], most: int) -> Iterator[dict[str, np.ndarray]]:
    """The same rows in order, at most so many at a time."""
    for start in range(0, len(next(iter(inputs.values()))), most):
        yield {name: array[start : start + most] for name, array in inputs.items()}


def numbers(value: Any, dtype: str) -> np.ndarray | None:
    """Values, nested lists or an array, as an array of `dtype`; None where they are not of its kind or do not fit."""
    try:
        wanted, given = np.dtype(dtype), np.asarray(value)
    except (TypeError, ValueError):  # a type that NumPy does not have; rows of unequal lengths
        return None
    if given.size == 0:
        return given.astype(wanted)
    if given.dtype.kind not in _KINDS.get(wanted.kind, ""):
        return None
    if wanted.kind in "iu" and (given.min() < np.iinfo(wanted).min or given.max() > np.iinfo(wanted).max):
        return None
    with np.errstate(over="ignore"):
        return given.astype(wanted)


def _array(signature: metadata.Signature, name: str, value: Any) -> np.ndarray:
    tensor = signature.inputs[name]
    array = _strings(value) if tensor.dtype == "string" else numbers(value, tensor.dtype)
    if array is None:
        raise _refused(signature, f"The input {name!r} must be {tensor.dtype}; received {_shown(value)}.")
    if tensor.shape is None:
        wrong = not array.ndim
    else:
        sizes = tensor.shape[1:] if _is_single(tensor, array) else tensor.shape
        wrong = array.ndim != len(sizes) or any(size not in (None, given) for size, given in zip(sizes, array.shape, strict=True))
    if wrong:
        raise _refused(signature, f"The input {name!r} must be {tensor}, or one row of that; received an array of shape {list(array.shape)}.")
    return array


def _is_single(tensor: metadata.Tensor, array: np.ndarray) -> bool:
    """Whether it is a row without the batch's axis."""
    return tensor.shape is not None and array.ndim == len(tensor.shape) - 1


def _strings(value: Any) -> np.ndarray | None:
    """An array of bytes, text as UTF-8; None where something is neither."""
    given = np.array(value, dtype=object)
    if not all(isinstance(item, str | bytes) for item in given.flat):
        return None
    encoded = np.empty(given.shape, dtype=object)
    for i, item in enumerate(given.flat):  # one by one: assigned as a list they would become an array of NumPy's own, which drops zeros at the end
        encoded.flat[i] = item.encode() if isinstance(item, str) else item
    return encoded


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {name!r}" for name, count in counts.items())


def _refused(signature: metadata.Signature, text: str) -> ValueError:
    return ValueError(f"{text} The signature is {signature}.")
