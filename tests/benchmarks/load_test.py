import pytest

from benchmarks import _callers, _timing, load


@pytest.fixture
def report():
    return _timing.Report(title="Load", text="What was done.")


def outcome(**verdicts):
    """20 images per second for 6 s, each after 10 ms over gRPC or 30 ms over REST."""
    seen = _callers.Outcome()
    seen.verdicts.update(verdicts)
    for i in range(120):
        seen.answered[("gRPC", "REST")[i % 2]].append((i / 20, (0.01, 0.03)[i % 2]))
    return seen


def test_throughput_is_over_that_of_direct_calls_part_by_part(report):
    load._report_load(report, outcome(equal=119, rounded=1), {1: 10.0, 32: 80.0}, seconds=6.0)
    own, one, many = report.rows
    assert (own.value, own.met) == (1.0, True)
    assert (one.ratios, one.met) == ([2.0] * 6, True)
    assert (many.ratios, many.met) == ([0.25] * 6, True)
    assert report.figures["served, images per s"] == 20.0
    assert report.figures["gRPC, p50, ms"] == pytest.approx(10.0)
    assert report.figures["REST, p99, ms"] == pytest.approx(30.0)
    assert "| wrong or mixed images | 0 |" in _timing.markdown(report, "command", {})


def test_one_wrong_image_or_failure_misses_the_bar(report):
    load._report_load(report, outcome(equal=117, wrong=1, INTERNAL=2), {1: 10.0, 32: 80.0}, seconds=6.0)
    assert (report.rows[0].value, report.rows[0].met) == (117 / 120, False)
    assert report.figures["wrong or mixed images"] == 1
    assert report.figures["requests without an image"] == 2


def test_memory_is_flat_when_the_end_is_as_the_second_sixth(report):
    load._report_memory(report, [100.0] * 10 + [200.0] * 10 + [210.0] * 30 + [205.0] * 10)
    assert (report.rows[0].value, report.rows[0].met) == (1.025, True)
    load._report_memory(report, [200.0] * 50 + [300.0] * 10)
    assert not report.rows[1].met
    assert report.figures["largest memory, MB"] == 300.0


def test_overload_is_right_when_everything_is_an_own_image_or_unavailable(report):
    load._report_overload(report, outcome(equal=100, UNAVAILABLE=300))
    assert report.rows[0].met and report.figures["overload: answered by UNAVAILABLE, %"] == 75.0
    load._report_overload(report, outcome(equal=100, UNAVAILABLE=299, wrong=1))
    assert not report.rows[1].met
