import pytest

from export.client import target


@pytest.mark.parametrize("given", [("sngan",), ("sngan", 0), ("sngan", 2**63 - 1), ("sngan", None, "stable_2")])
def test_what_a_server_can_route_is_taken(given):
    assert target.Target(*given).model == "sngan"


@pytest.mark.parametrize(
    "given, message",
    [
        (("",), "at least one character"),
        (("../etc",), "no slash"),
        (("a:predict",), "colon"),
        (("m", 1, "stable"), "by number or by label"),
        (("m", -1), "from 0"),
        (("m", 2**63), "from 0"),
        (("m", None, "a/b"), "letters, digits and underscores"),
    ],
)
def test_what_no_server_can_route_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        target.Target(*given)
