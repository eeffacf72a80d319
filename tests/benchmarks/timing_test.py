import itertools
import json

import pytest

from benchmarks import _timing


class Clock:
    """A clock that only the candidates move."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_candidates_take_turns_and_each_round_has_the_seconds_of_one_call():
    clock, order = Clock(), []
    slow_seconds = itertools.chain([9.0], itertools.repeat(2.0))  # the first call compiles

    def slow():
        order.append("slow")
        clock.now += next(slow_seconds)

    def fast():
        order.append("fast")
        clock.now += 0.5

    times = _timing.interleave({"slow": slow, "fast": fast}, seconds=10.0, rounds=2, sample_seconds=1.0, clock=clock)
    assert times == {"slow": [2.0] * 4, "fast": [0.5] * 4}  # a round takes 2 + 2 * 0.5, so the fourth ends past 10
    forth, back = ["slow", "fast", "fast"], ["fast", "fast", "slow"]
    assert order == ["slow", "slow", "fast", "fast", *forth, *back, *forth, *back]


def test_rounds_are_not_cut_short_by_the_time():
    clock = Clock()

    def call():
        clock.now += 5.0

    assert len(_timing.interleave({"call": call}, seconds=1.0, rounds=7, clock=clock)["call"]) == 7


def test_a_ratio_is_taken_round_by_round_so_that_drift_cancels():
    assert _timing.ratios([2.0, 20.0, 6.0], [1.0, 10.0, 2.0]) == [2.0, 2.0, 3.0]
    with pytest.raises(ValueError):
        _timing.ratios([1.0], [1.0, 2.0])


def test_the_value_of_a_row_is_the_median_and_one_bad_round_does_not_move_it():
    assert _timing.Row(name="x", ratios=[1.0, 1.5, 900.0], bar=1.4, at_least=True).value == 1.5
    assert _timing.Row(name="x", ratios=[1.0, 2.0, 3.0, 4.0], bar=1.4, at_least=True).value == 2.5


@pytest.mark.parametrize(("value", "at_least", "met"), [(1.4, True, True), (1.3, True, False), (1.4, False, True), (1.5, False, False)])
def test_a_bar_is_met_at_it_and_on_its_good_side(value, at_least, met):
    assert _timing.Row(name="x", ratios=[value], bar=1.4, at_least=at_least).met == met


def test_the_middle_half_is_between_the_quartiles():
    assert _timing.middle_half([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 4.0)
    assert _timing.middle_half([7.0]) == (7.0, 7.0)


def test_numbers_keep_what_can_be_read():
    assert [_timing.number(v) for v in (12345.6, 345.67, 1.0, 0.98765, 0.000123456, 0.0)] == ["12346", "345.7", "1.000", "0.988", "0.000123", "0"]


def test_a_report_is_written_as_json_and_as_a_table_that_says_how_it_was_made(tmp_path):
    report = _timing.Report(title="A title", text="What it is.", figures={"step, ms": 12.5})
    report.rows.append(_timing.Row(name="a / b", ratios=[1.0, 2.0, 4.0], bar=1.5, at_least=True))
    report.rows.append(_timing.Row(name="c / d", ratios=[1.0, 2.0, 4.0], bar=1.5, at_least=False))
    _timing.write(report, str(tmp_path / "new"), "name", "python -m benchmarks.name", {"cores": 2})
    values = json.loads((tmp_path / "new/name.json").read_text())
    assert values["command"] == "python -m benchmarks.name" and values["machine"] == {"cores": 2} and values["figures"] == {"step, ms": 12.5}
    row = {"name": "a / b", "value": 2.0, "low": 1.5, "high": 3.0, "rounds": 3, "bar": 1.5, "at_least": True, "met": True}
    assert values["rows"] == [row, row | {"name": "c / d", "at_least": False, "met": False}]
    page = (tmp_path / "new/name.md").read_text()
    assert page.startswith("# A title\n") and "`python -m benchmarks.name`" in page and "cores 2." in page
    assert "| a / b | 2.000 | 1.500 to 3.000 | 3 | at least 1.5 | yes |" in page
    assert "| c / d | 2.000 | 1.500 to 3.000 | 3 | at most 1.5 | no |" in page
