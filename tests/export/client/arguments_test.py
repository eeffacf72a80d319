import pytest

from export.client import arguments


@pytest.mark.parametrize(
    "parts, seeds",
    [(["0:4"], [0, 1, 2, 3]), (["7"], [7]), (["-2:1", "100"], [-2, -1, 0, 100]), (["5", "5"], [5, 5]), (["0:9"], list(range(9)))],
)
def test_seeds_are_numbers_and_ranges_without_their_ends(parts, seeds):
    assert arguments.seeds(parts) == seeds


@pytest.mark.parametrize("parts", [[], [""], ["a"], ["1:"], ["3:3"], ["4:2"], ["0:2:1"], ["0:10001"], ["0:9999", "0:2"], ["0:100000000000"], ["1.5"]])
def test_seeds_that_are_none_or_too_many_are_refused(parts):
    with pytest.raises(ValueError, match="--seeds"):
        arguments.seeds(parts)


def test_an_interpolation_has_two_ends():
    assert arguments.ends(["7", "-8"]) == (7, -8)
    for wrong in (["7"], ["7", "8", "9"], ["7", "x"]):
        with pytest.raises(ValueError, match="--interpolate must be"):
            arguments.ends(wrong)


@pytest.mark.parametrize("text, value", [("codes=[0.5, -1]", ("codes", [0.5, -1])), ('words="a=b"', ("words", "a=b")), ("n=3", ("n", 3))])
def test_a_condition_is_a_name_and_json(text, value):
    assert arguments.condition(text) == value


@pytest.mark.parametrize("text", ["codes", "codes=", "words=red", "codes=[1,"])
def test_a_condition_that_is_not_json_is_refused(text):
    with pytest.raises(ValueError, match="name=JSON"):
        arguments.condition(text)
