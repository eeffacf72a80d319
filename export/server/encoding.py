"""The JSON of TF Serving's REST API to arrays and back: the row format ("instances") and the column format ("inputs").

After tensorflow_serving/util/json_tensor.cc and the page "RESTful API" of its documentation, error texts included. Types are strict: an integer
input takes no 3.0, a number no text. Differences: integers that do not fit a narrow type are refused rather than wrapped, and long values are cut
in messages.
"""

import base64
import binascii
import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

_BYTES_SUFFIX = "_bytes"
_SHOWN = 100
"""Characters of a wrong value that a message shows."""
_KINDS = {
    tf.float32: {float, int},
    tf.float64: {float, int},
    tf.bool: {bool},
    tf.string: {str, dict},
} | dict.fromkeys((tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64), {int})
"""Type of a tensor -> the Python types of its values in JSON."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """A decoded body."""

    signature_name: str
    inputs: dict[str, np.ndarray]
    by_row: bool
    """Whether it was in the row format; the answer is in the same."""


def decode(body: bytes, signature_of: Callable[[str], Any], max_rows: int) -> Request:
    """A request's body. `signature_of`: name -> SignatureDef. InvalidArgumentError for anything that is not as documented."""
    document = _parse(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise _invalid(f"JSON Value: {_shown(document)} not formatted correctly. 'signature_name' key must be a string value.")
    infos = dict(signature_of(name).inputs)
    if "instances" in document and "inputs" in document:
        raise _invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ")
    if "instances" in document:
        return Request(signature_name=name, inputs=_from_rows(document["instances"], infos, max_rows), by_row=True)
    if "inputs" in document:
        return Request(signature_name=name, inputs=_from_columns(document["inputs"], infos), by_row=False)
    raise _invalid("Missing 'inputs' or 'instances' key")


def encode(outputs: dict[str, np.ndarray], *, by_row: bool) -> bytes:
    """The body of an answer. A single output loses its name; strings are base64 where the output's name ends in `_bytes`.

    NaN and infinities are written as the tokens NaN, Infinity and -Infinity, as TF Serving does; a strict JSON parser refuses them.
    """
    values = {name: _plain(name, array) for name, array in sorted(outputs.items())}
    if not by_row:
        return json.dumps({"outputs": values if len(values) > 1 else next(iter(values.values()))}).encode()
    rows = None
    for name, array in sorted(outputs.items()):
        if not array.ndim:
            raise _invalid(f"Tensor name: {name} has no shape information ")
        if rows not in (None, len(array)):
            raise _invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}")
        rows = len(array)
    if len(values) == 1:
        return json.dumps({"predictions": next(iter(values.values()))}).encode()
    return json.dumps({"predictions": [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]}).encode()


def _parse(body: bytes) -> dict[str, Any]:
    if not body:
        raise _invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except RecursionError:
        raise _invalid("JSON Parse error: nested too deeply") from None
    except ValueError as error:  # wrong syntax, wrong UTF-8, a number of thousands of digits
        raise _invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise _invalid(f"JSON Value: {_shown(document)} Is not object")
    return document


def _from_rows(instances: Any, infos: dict[str, Any], max_rows: int) -> dict[str, np.ndarray]:
    if not isinstance(instances, list):
        raise _invalid("Excepting 'instances' to be an list/array")
    if not instances:
        raise _invalid("No values in 'instances' array")
    if len(instances) > max_rows:
        raise _invalid(f"Task size {len(instances)} is larger than maximum input batch size {max_rows}.")
    named = _is_object(instances[0])
    if not named and len(infos) > 1:
        raise _invalid("instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map")
    columns: dict[str, list[np.ndarray]] = {name: [] for name in infos}
    for i, item in enumerate(instances):
        if named != _is_object(item):
            raise _invalid(f"Expecting {'object but got list' if named else 'value/list but got object'} at item {i} of input list")
        row = item if named else {next(iter(infos)): item}
        for name, value in row.items():
            where = f"Failed to process element: {i}" + (f" key: {name[:_SHOWN]}" if named else "")
            try:
                _add_row(value, name, infos, columns)
            except tf.errors.InvalidArgumentError as error:
                raise _invalid(f"{where} of 'instances' list. Error: INVALID_ARGUMENT: {error.message}") from None
        if set(row) != set(infos):
            raise _invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object: {_shown(item)} keys must be equal to: {','.join(sorted(infos))}"
            )
    return {name: np.stack(rows) for name, rows in columns.items()}


def _add_row(value: Any, name: str, infos: dict[str, Any], columns: dict[str, list[np.ndarray]]) -> None:
    if name not in infos:
        raise _invalid(f"JSON object: does not have named input: {name[:_SHOWN]}")
    array = _tensor(value, infos[name])
    if columns[name] and columns[name][0].size != array.size:
        raise _invalid(f"Expecting tensor size: {columns[name][0].size} but got: {array.size}")
    if columns[name] and columns[name][0].shape != array.shape:
        raise _invalid(f"Expecting shape {list(columns[name][0].shape)} but got: {list(array.shape)}")
    columns[name].append(array)


def _from_columns(given: Any, infos: dict[str, Any]) -> dict[str, np.ndarray]:
    if not _is_object(given):
        if len(infos) > 1:
            raise _invalid("inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map")
        return {name: _tensor(given, info) for name, info in infos.items()}
    for name in sorted(infos):  # a protobuf map has an order of its own in every process
        if name not in given:
            raise _invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(given[name], info) for name, info in infos.items()}


def _is_object(value: Any) -> bool:
    """Whether it is an object of named values, and not bytes in base64."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def _tensor(value: Any, info: Any) -> np.ndarray:
    """Nested lists of equal lengths as an array of the input's type."""
    dtype = tf.as_dtype(info.dtype)
    if dtype not in _KINDS:
        raise tf.errors.UnimplementedError(None, None, f"Conversion of JSON Value: {_shown(value)} to type: {dtype.name}")
    shape: list[int] = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    flat: list[Any] = []
    _flatten(value, shape, 0, dtype, flat)
    if dtype == tf.string:
        array = np.empty(len(flat), dtype=object)
        array[:] = flat
        return array.reshape(shape)
    _check_range(flat, dtype)
    return np.array(flat, dtype=dtype.as_numpy_dtype).reshape(shape)


def _flatten(value: Any, shape: list[int], level: int, dtype: tf.DType, flat: list[Any]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise _invalid(f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {len(shape)}")
        flat.append(_scalar(value, dtype))
        return
    if level >= len(shape):
        raise _invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise _invalid(f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}")
    if level == len(shape) - 1 and dtype != tf.string and set(map(type, value)) <= _KINDS[dtype]:
        flat.extend(value)
        return
    for item in value:
        _flatten(item, shape, level + 1, dtype, flat)


def _scalar(value: Any, dtype: tf.DType) -> Any:
    if type(value) not in _KINDS[dtype]:  # not isinstance: True is an int
        raise _wrong_type(value, dtype)
    if isinstance(value, str):
        return _utf8(value)
    if not isinstance(value, dict):
        return value
    if not _is_base64(value):
        raise _invalid(f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(_utf8(value["b64"]), validate=True)
    except binascii.Error:
        raise _invalid("Unable to base64 decode") from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise _invalid("JSON Parse error: a string is not valid Unicode") from None


def _check_range(flat: list[Any], dtype: tf.DType) -> None:
    """Every number fits its type: integers its range, decimals without becoming infinite, integers as decimals without rounding."""
    if dtype == tf.bool or not flat:
        return
    if dtype.is_integer:
        wrong = next((value for value in (min(flat), max(flat)) if not dtype.min <= value <= dtype.max), None)
        if wrong is not None:
            raise _wrong_type(wrong, dtype)
        return
    exact, largest, name = (2**24 - 1, float(tf.float32.max), "float") if dtype == tf.float32 else (2**53 - 1, math.inf, "double")
    for value in flat:
        if abs(value) > exact and (type(value) is int or (math.isfinite(value) and abs(value) > largest)):
            raise _invalid(f"Cannot convert JSON value: {_shown(value)} to {name} without loss of precision.")


def _plain(name: str, array: np.ndarray) -> Any:
    """An array as nested lists of JSON values."""
    if array.dtype == object:
        is_bytes = name.endswith(_BYTES_SUFFIX)
        flat = [{"b64": base64.b64encode(value).decode()} if is_bytes else value.decode(errors="replace") for value in array.reshape(-1)]
        encoded = np.empty(len(flat), dtype=object)
        encoded[:] = flat
        return encoded.reshape(array.shape).tolist()
    if tf.as_dtype(array.dtype) not in _KINDS:
        raise _invalid(f"Failed to write JSON value for tensor type: {tf.as_dtype(array.dtype).name}")
    if array.dtype == np.float32:  # the shortest decimals that give the same float32: half as long as those of its float64
        array = array.astype("U24").astype(np.float64)
    return array.tolist()


def _wrong_type(value: Any, dtype: tf.DType) -> tf.errors.OpError:
    kinds = {dict: "Object", list: "Array", str: "String", bool: str(value), type(None): "Null"}
    expected = {tf.float32: "float", tf.float64: "double"}.get(dtype, dtype.name)
    return _invalid(f"JSON Value: {_shown(value)} Type: {kinds.get(type(value), 'Number')} is not of expected type: {expected}")


def _shown(value: Any) -> str:
    """The beginning of a value as JSON."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**64:
        return "a number of more than 64 bits"
    if isinstance(value, list) and len(value) > _SHOWN:
        value = value[:_SHOWN]
    try:
        text = json.dumps(value)
    except (RecursionError, ValueError):
        text = "..."
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _invalid(message: str) -> tf.errors.OpError:
    return tf.errors.InvalidArgumentError(None, None, message)
