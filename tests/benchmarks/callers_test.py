import time

import numpy as np
import pytest

from benchmarks import _callers
from export.client import errors, pictures

NOISE = np.random.default_rng(0).integers(0, 255, [6, 32, 32, 3], dtype=np.uint8)
QUESTIONS = [_callers.Question(seed, seed % 2) for seed in range(6)]


@pytest.fixture
def answers():
    return _callers.Answers({question: {pictures.png(image)} for question, image in zip(QUESTIONS, NOISE, strict=True)})


def changed(image, values, levels):
    """The image with so many values changed by so many grey levels."""
    other = image.copy()
    other.reshape(-1)[:values] += np.uint8(levels)
    return pictures.png(other)


def test_an_answer_is_equal_rounded_or_wrong(answers):
    values = NOISE[0].size  # 3072, of which 0.1 % are 3
    assert answers.judge(QUESTIONS[0], pictures.png(NOISE[0])) == "equal"
    assert answers.judge(QUESTIONS[0], changed(NOISE[0], values // 1000, 1)) == "rounded"
    assert answers.judge(QUESTIONS[0], changed(NOISE[0], values // 1000 + 1, 1)) == "wrong"
    assert answers.judge(QUESTIONS[0], changed(NOISE[0], 1, 2)) == "wrong"
    assert answers.judge(QUESTIONS[0], pictures.png(NOISE[1])) == "wrong"
    assert answers.judge(QUESTIONS[0], pictures.png(NOISE[0][:16])) == "wrong"
    assert answers.judge(QUESTIONS[0], b"no image") == "wrong"


def test_answers_that_could_be_taken_for_one_another_are_refused():
    files = {question: {pictures.png(NOISE[0])} for question in QUESTIONS[:2]}
    files[QUESTIONS[1]] = {changed(NOISE[0], 3, 1)}
    with pytest.raises(ValueError, match="look alike"):
        _callers.Answers(files)


class Client:
    """Answers after a millisecond what `answer` says."""

    def __init__(self, answer):
        self._answer = answer

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def available(self, *, deadline):
        return self._answer is not None

    def metadata(self, *, deadline):
        pass

    def files(self, signature, inputs, *, deadline):
        assert (signature, inputs["truncation"]) == ("sample", 1.0)
        time.sleep(0.001)
        return [self._answer(inputs["seed"])]


def refuse(seed):
    raise errors.ServerError("UNAVAILABLE", "here", "the queue is full")


def test_every_answer_is_judged_and_every_failure_counted(answers):
    kinds = {
        "right": lambda seed: pictures.png(NOISE[seed]),
        "mixed": lambda seed: pictures.png(NOISE[(seed + 1) % 6]),
        "refused": refuse,
    }
    looks = []
    connections = [(kind, lambda answer=answer: Client(answer)) for kind, answer in kinds.items() for _ in range(4)]
    outcome = _callers.call(connections, answers, seconds=0.5, meanwhile=lambda: looks.append(1))
    assert set(outcome.verdicts) == {"equal", "wrong", "UNAVAILABLE"}
    assert outcome.images == outcome.verdicts["equal"] == len(outcome.seconds("right")) > 4
    assert outcome.verdicts["wrong"] == len(outcome.seconds("mixed")) > 4
    assert outcome.requests == sum(outcome.verdicts.values())
    assert outcome.messages == {"UNAVAILABLE: the queue is full"}
    assert min(outcome.seconds()) >= 0.001
    assert looks


def test_a_caller_without_a_server_ends_the_run_at_once(answers):
    connections = [("gone", lambda: Client(None)), ("right", lambda: Client(lambda seed: pictures.png(NOISE[seed])))]
    with pytest.raises(RuntimeError, match="Not every caller"):
        _callers.call(connections, answers, seconds=30.0, meanwhile=lambda: None)


def test_rates_are_per_part_of_the_time_and_leave_out_what_came_after():
    outcome = _callers.Outcome()
    outcome.answered["a"] += [(0.5, 0.1), (1.5, 0.1), (3.9, 0.1)]
    outcome.answered["b"] += [(0.6, 0.3), (4.5, 0.3)]
    assert outcome.rates(4.0, 2) == [1.5, 0.5]
    assert outcome.seconds("b") == [0.3, 0.3]
