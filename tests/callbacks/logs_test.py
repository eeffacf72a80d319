import io
import json
import os
import time
import types

import pytest
import tensorflow as tf

from tfgan_suite.callbacks import logs


def at(step):
    """What callbacks read of a model."""
    return types.SimpleNamespace(step=tf.Variable(step, dtype=tf.int64))


def run(callback, steps, *, start=0, values=lambda step: {"discriminator/loss": tf.constant(step / 2), "generator/loss": tf.constant(1.0)}):
    callback.set_model(at(start))
    callback.on_train_begin()
    for step in range(start + 1, steps + 1):
        callback.on_train_batch_end(step - 1, values(step))
    callback.on_train_end()


# JSON lines


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_holds_the_step_and_every_value(tmp_path):
    path = tmp_path / "logs" / "train.jsonl"
    run(logs.JsonLines(str(path), 2), 5)
    assert records(path) == [{"step": s, "discriminator/loss": s / 2, "generator/loss": 1.0} for s in (2, 4)]


def test_a_resumed_run_drops_the_lines_beyond_its_step_and_half_a_line(tmp_path):
    path = tmp_path / "train.jsonl"
    run(logs.JsonLines(str(path), 1), 5)
    with open(path, "a") as file:
        file.write('{"step": 6, "discrim')
    run(logs.JsonLines(str(path), 1), 4, start=3)
    assert [record["step"] for record in records(path)] == [1, 2, 3, 4]


def test_a_period_of_zero_writes_no_line(tmp_path):
    run(logs.JsonLines(str(tmp_path / "train.jsonl"), 0), 3)
    assert records(tmp_path / "train.jsonl") == []


# TensorBoard


def test_every_value_is_a_scalar_event_at_its_step(tmp_path):
    run(logs.TensorBoard(str(tmp_path), 2), 4)
    [name] = os.listdir(tmp_path)
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(tmp_path / name)):
        for value in event.summary.value:
            found[event.step, value.tag] = float(tf.make_ndarray(value.tensor))
    expected = {(s, "discriminator/loss"): s / 2 for s in (2, 4)} | {(s, "generator/loss"): 1.0 for s in (2, 4)}
    assert found == expected


# Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves half a second with every look."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks) / 2)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_into_a_file_is_a_line_every_so_often_and_at_the_last_step(clock):
    stream = io.StringIO()
    run(logs.Progress(7, 3, images_per_step=10, stream=stream), 7)
    assert stream.getvalue().splitlines() == [
        "step 3/7  20 images/s  0:00:02 left  discriminator/loss 1.500  generator/loss 1.000",
        "step 6/7  20 images/s  0:00:00 left  discriminator/loss 3.000  generator/loss 1.000",
        "step 7/7  20 images/s  0:00:00 left  discriminator/loss 3.500  generator/loss 1.000",
    ]


def test_progress_on_a_terminal_rewrites_one_line_and_ends_it(clock):
    stream = Terminal()
    run(logs.Progress(2, 1, images_per_step=10, stream=stream), 2)
    first, second = stream.getvalue().split("\x1b[K")[:2]
    assert first == "\rstep 1/2  0 images/s  compiled  discriminator/loss 0.500  generator/loss 1.000"
    assert second.startswith("\rstep 2/2  20 images/s")
    assert stream.getvalue().count("\n") == 1 and stream.getvalue().endswith("\n")


def test_the_first_execution_which_compiles_is_not_in_the_rate(clock):
    """Of three steps in executions of one, two count: 2 steps in 1 second."""
    stream = io.StringIO()
    callback = logs.Progress(100, 3, images_per_step=1, stream=stream)
    run(callback, 3)
    assert "  2 images/s  0:00:48 left" in stream.getvalue()


def test_time_left_is_told_in_hours_minutes_and_seconds(clock):
    stream = io.StringIO()
    run(logs.Progress(8202, 2, images_per_step=1, stream=stream), 2)
    assert "1:08:20 left" in stream.getvalue()  # 8200 steps at 2 a second


def test_only_the_players_losses_are_told():
    stream = io.StringIO()
    run(logs.Progress(1, 1, images_per_step=1, stream=stream), 1, values=lambda _: {"critic/loss": tf.constant(0.25), "critic/r1": tf.constant(9.0)})
    assert "critic/loss 0.250" in stream.getvalue() and "r1" not in stream.getvalue()


def test_a_period_of_zero_tells_the_progress_every_fifty_steps():
    stream = io.StringIO()
    run(logs.Progress(1000, 0, images_per_step=1, stream=stream), 120)
    assert [line.split("/")[0] for line in stream.getvalue().splitlines()] == ["step 50", "step 100"]
