"""The loop of tries, on a clock of the test's own."""

import pytest

from export.client import errors, retries


class Clock:
    """Time that passes only while somebody sleeps or asks."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def failing(clock, codes, took=0.0):
    """A question that fails with each of `codes` in turn, then answers "yes"; `given`: the seconds it was given."""
    left, given = list(codes), []

    def ask(seconds):
        given.append(seconds)
        clock.now += took
        if left:
            raise errors.ServerError(left.pop(0), "here", f"failure {len(given)}")
        return "yes"

    return ask, given


def call(ask, clock, *, deadline=60.0, drawn=0.0, **policy):
    return retries.call(ask, retries.Policy(**policy), 100.0 + deadline, clock=clock, sleep=clock.sleep, draw=lambda: drawn)


@pytest.mark.parametrize("drawn, share", [(0.0, 0.5), (0.5, 0.75)])
def test_waits_double_up_to_the_longest_and_half_of_each_is_drawn(drawn, share):
    clock = Clock()
    ask, _ = failing(clock, ["UNAVAILABLE"] * 6)
    assert call(ask, clock, drawn=drawn, attempts=7, first_wait=0.5, longest_wait=4.0) == "yes"
    assert clock.slept == [share * wait for wait in (0.5, 1.0, 2.0, 4.0, 4.0, 4.0)]


def test_a_success_is_not_repeated_and_waits_for_nothing():
    clock = Clock()
    ask, given = failing(clock, [])
    assert call(ask, clock) == "yes"
    assert (len(given), clock.slept) == (1, [])


@pytest.mark.parametrize(
    "code, tries", [("UNAVAILABLE", 2), ("DEADLINE_EXCEEDED", 2)] + [(c, 1) for c in ("INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL")]
)
def test_only_what_may_pass_is_tried_again(code, tries):
    clock = Clock()
    ask, given = failing(clock, [code] * 2)
    with pytest.raises(errors.ServerError, match=f"here: {code}: failure {tries}"):
        call(ask, clock, attempts=2, attempt_seconds=5.0)
    assert len(given) == tries


def test_a_try_has_the_whole_deadline_unless_told_and_is_not_sent_again_when_that_was_too_short():
    clock = Clock()
    ask, given = failing(clock, ["DEADLINE_EXCEEDED"] * 2, took=45.0)  # a server, or a proxy before it, may give up earlier than the client
    with pytest.raises(errors.ServerError, match="failure 1"):
        call(ask, clock, deadline=600.0)
    assert given == [600.0]
    ask, given = failing(clock, [])
    assert call(ask, clock, deadline=float("inf")) == "yes" and given == [7 * 24 * 3600.0]
    ask, given = failing(clock, ["UNAVAILABLE", "DEADLINE_EXCEEDED"], took=0.0)
    with pytest.raises(errors.ServerError, match="failure 2"):
        call(ask, clock, deadline=600.0, attempts=5)


def test_a_try_gets_its_own_limit_or_what_is_left_of_the_deadline():
    clock = Clock()
    ask, given = failing(clock, ["DEADLINE_EXCEEDED"] * 2, took=4.0)
    assert call(ask, clock, deadline=14.0, attempt_seconds=5.0, first_wait=2.0) == "yes"
    assert given == [5.0, 5.0, 14.0 - 4.0 - 1.0 - 4.0 - 2.0]


def test_there_is_no_wait_past_the_deadline():
    clock = Clock()
    ask, given = failing(clock, ["UNAVAILABLE"] * 100)
    with pytest.raises(errors.ServerError, match="failure 3"):
        call(ask, clock, deadline=2.0, attempts=100, first_wait=1.0)
    assert clock.slept == [0.5, 1.0]  # the next would be 2.0, and 0.5 s are left


@pytest.mark.parametrize("policy", [{"attempts": 0}, {"attempt_seconds": 0.0}, {"first_wait": -1.0}, {"longest_wait": 0.0}])
def test_impossible_policies_are_refused(policy):
    with pytest.raises(ValueError, match="at least one attempt"):
        retries.Policy(**policy)
