"""The JSON of the REST API, on the examples of TF Serving's documentation and the rules of its json_tensor.cc."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from export.server import encoding


def signature(**inputs):
    made = meta_graph_pb2.SignatureDef()
    for name, dtype in inputs.items():
        made.inputs[name].dtype = dtype.as_datatype_enum
    return made


def decode(text, **inputs):
    return encoding.decode(text.encode(), lambda name: signature(**inputs), 1000).inputs


def test_three_scalar_strings():
    (value,) = decode('{"instances": ["foo", "bar", "baz"]}', x=tf.string).values()
    assert value.tolist() == [b"foo", b"bar", b"baz"]


def test_two_tensors_of_shape_1_2():
    (value,) = decode('{"instances": [[[1, 2]], [[3, 4]]]}', x=tf.int32).values()
    assert (value.dtype, value.tolist()) == (np.int32, [[[1, 2]], [[3, 4]]])


NAMED = {"tag": tf.string, "signal": tf.int64, "sensor": tf.float32}
BY_ROW = """{"instances": [{"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
                           {"tag": "bar", "signal": [3, 4, 1, 2, 5], "sensor": [[4, 5], [6, 8]]}]}"""
BY_COLUMN = """{"inputs": {"tag": ["foo", "bar"], "signal": [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]], "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]]}}"""


@pytest.mark.parametrize("text", [BY_ROW, BY_COLUMN])
def test_named_inputs_by_row_and_by_column_are_the_same(text):
    inputs = decode(text, **NAMED)
    assert inputs["tag"].tolist() == [b"foo", b"bar"]
    assert inputs["signal"].tolist() == [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]]
    assert (inputs["sensor"].dtype, inputs["sensor"].tolist()) == (np.float32, [[[1, 2], [3, 4]], [[4, 5], [6, 8]]])


def test_base64_is_bytes_alone_and_in_a_row():
    for text in (
        '{"instances": [{"b64": "aW1hZ2UgYnl0ZXM="}]}',
        '{"inputs": [{"b64": "aW1hZ2UgYnl0ZXM="}]}',
        '{"instances": [{"x": {"b64": "aW1hZ2UgYnl0ZXM="}}]}',
    ):
        assert decode(text, x=tf.string)["x"].tolist() == [b"image bytes"]


def test_nan_and_infinity_are_numbers_both_ways():
    value = decode('{"inputs": [NaN, Infinity, -Infinity, 1e3, -2]}', x=tf.float32)["x"]
    np.testing.assert_array_equal(value, np.array([np.nan, np.inf, -np.inf, 1000, -2], np.float32))
    assert encoding.encode({"y": value}, by_row=False) == b'{"outputs": [NaN, Infinity, -Infinity, 1000.0, -2.0]}'


@pytest.mark.parametrize(
    "dtype, good, bad",
    [
        (tf.uint8, "[0, 255]", ["[256]", "[-1]", "[1.0]", "[true]", '["1"]', "[null]"]),
        (tf.int32, f"[{-(2**31)}, {2**31 - 1}]", [f"[{2**31}]", "[1e3]"]),
        (tf.int64, f"[{-(2**63)}, {2**63 - 1}]", [f"[{2**63}]", "[9" + "0" * 100 + "]"]),
        (tf.uint64, f"[0, {2**64 - 1}]", ["[-1]", f"[{2**64}]"]),
        (tf.bool, "[true, false]", ["[0]", '["true"]']),
        (tf.float32, f"[0.5, 3, {2**24 - 1}]", [f"[{2**24}]", "[3.5e38]", "[true]", '["1"]', "[[1], 2]", "[1, [2]]", "[{}]"]),
        (tf.float64, f"[0.5, 1e300, {2**53 - 1}]", [f"[{2**53}]"]),
        (tf.string, '["a", {"b64": ""}]', ["[1]", "[null]", '[{"b64": 1}]', '[{"b64": "a"}]', '[{"c": "a"}]']),
        (tf.bfloat16, None, ["[1.0]"]),
    ],
)
def test_types_are_strict(dtype, good, bad):
    if good:
        decode(f'{{"inputs": {good}}}', x=dtype)
    for values in bad:
        with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)):
            decode(f'{{"inputs": {values}}}', x=dtype)


@pytest.mark.parametrize("row", [True, False])
def test_float32_is_written_in_the_fewest_digits_that_keep_it(row):
    values = np.array([0.2, 1 / 3, 1e-30, 16777216, -0.0], np.float32)
    written = encoding.encode({"y": values}, by_row=row).decode()
    assert written.partition("[")[2] == "0.2, 0.33333334, 1e-30, 16777216.0, -0.0]}"
    np.testing.assert_array_equal(np.array(next(iter(json.loads(written).values())), np.float32), values)


def test_several_outputs_keep_their_names_and_only_bytes_are_base64():
    outputs = {"text": np.array([b"\xc3\xa9", b"\xff"], object), "image_bytes": np.array([b"\x00", b""], object), "n": np.array([[1], [2]])}
    rows = json.loads(encoding.encode(outputs, by_row=True))["predictions"]
    assert rows == [{"image_bytes": {"b64": "AA=="}, "n": [1], "text": "\u00e9"}, {"image_bytes": {"b64": ""}, "n": [2], "text": "\ufffd"}]
    columns = json.loads(encoding.encode(outputs, by_row=False))["outputs"]
    assert columns == {"image_bytes": [{"b64": "AA=="}, {"b64": ""}], "n": [[1], [2]], "text": ["\u00e9", "\ufffd"]}


def test_rows_need_outputs_of_equal_length():
    with pytest.raises(tf.errors.InvalidArgumentError, match="inconsistent batch size: 3 expecting: 2"):
        encoding.encode({"a": np.zeros(2), "b": np.zeros(3)}, by_row=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no shape information"):
        encoding.encode({"a": np.array(1.0)}, by_row=True)
    assert encoding.encode({"a": np.array(1.0)}, by_row=False) == b'{"outputs": 1.0}'


def test_half_precision_cannot_be_written():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Failed to write JSON value for tensor type: half|float16"):
        encoding.encode({"a": np.zeros(2, np.float16)}, by_row=True)
