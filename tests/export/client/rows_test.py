import numpy as np
import pytest

from export.client import metadata, rows


def signature(**inputs):
    return metadata.Signature("f", {name: metadata.Tensor(*given) for name, given in inputs.items()}, {})


ONE = signature(label=("int64", (None,)), codes=("float32", (None, 2)))


def test_one_value_stands_for_all_rows():
    prepared = rows.prepare(ONE, {"label": [1, 2, 3], "codes": [0.5, -1]})
    assert (prepared["label"].dtype, prepared["codes"].dtype) == (np.int64, np.float32)
    np.testing.assert_array_equal(prepared["label"], [1, 2, 3])
    np.testing.assert_array_equal(prepared["codes"], [[0.5, -1]] * 3)


def test_single_values_alone_are_one_row():
    prepared = rows.prepare(ONE, {"label": 4, "codes": (1, 2)})
    assert (prepared["label"].tolist(), prepared["codes"].tolist()) == ([4], [[1, 2]])


def test_a_range_an_array_and_a_numpy_number_are_as_good_as_a_list():
    for given in (range(2), np.arange(2, dtype=np.uint8), (np.int32(0), 1)):
        assert rows.prepare(ONE, {"label": given, "codes": np.zeros([2, 2])})["label"].tolist() == [0, 1]


@pytest.mark.parametrize(
    "dtype, value, right",
    [
        ("int64", 2**63 - 1, True),
        ("int64", 2**63, False),
        ("int64", 10**30, False),
        ("int64", 3.0, False),
        ("int64", True, False),
        ("int64", "3", False),
        ("int64", None, False),
        ("uint8", 255, True),
        ("uint8", -1, False),
        ("float32", 3, True),
        ("float32", float("inf"), True),
        ("float32", "3", False),
        ("float32", 1j, False),
        ("bool", True, True),
        ("bool", 1, False),
        ("string", "a", True),
        ("string", b"\xff", True),
        ("string", 3, False),
        ("resource", 1, False),
    ],
)
def test_a_value_is_taken_where_its_type_loses_nothing(dtype, value, right):
    one = signature(x=(dtype, (None,)))
    for given in (value, [value]):
        if right:
            assert rows.prepare(one, {"x": given})["x"].tolist() == [value.encode() if isinstance(value, str) else value]
        else:
            with pytest.raises(ValueError, match=f"'x' must be {dtype}; received .* The signature is f\\(x {dtype} \\[b\\]\\)"):
                rows.prepare(one, {"x": given})


@pytest.mark.parametrize("codes", [0.5, [1, 2, 3], [[1, 2, 3]], [[[1, 2]]], np.zeros([2, 2, 2])])
def test_a_shape_that_is_not_the_inputs_is_refused(codes):
    with pytest.raises(ValueError, match=r"'codes' must be float32 \[b, 2\], or one row of that; received an array of shape"):
        rows.prepare(ONE, {"label": 1, "codes": codes})


def test_rows_of_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="'codes' must be float32; received"):
        rows.prepare(ONE, {"label": 1, "codes": [[1, 2], [3]]})


@pytest.mark.parametrize("label, codes", [([1, 2], [[1, 2]]), ([1], [[1, 2], [3, 4]])])
def test_different_numbers_of_rows_are_refused(label, codes):
    with pytest.raises(ValueError, match=f"received {len(label)} of 'label', {len(codes)} of 'codes'"):
        rows.prepare(ONE, {"label": label, "codes": codes})


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no rows"):
        rows.prepare(ONE, {"label": [], "codes": [1, 2]})


def test_zeros_at_the_end_of_bytes_are_kept():
    prepared = rows.prepare(signature(words=("string", (None, 2))), {"words": [[b"a\x00", b"\x00\x00"]]})
    assert prepared["words"].tolist() == [[b"a\x00", b"\x00\x00"]]


def test_parts_hold_every_row_once_in_order():
    inputs = {"label": np.arange(7), "codes": np.arange(14).reshape(7, 2)}
    parts = list(rows.split(inputs, 3))
    assert [len(part["label"]) for part in parts] == [3, 3, 1]
    for name, array in inputs.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), array)
    assert len(list(rows.split(inputs, 7))) == len(list(rows.split(inputs, 100))) == 1
