import numpy as np
import pytest
import tiny

from tfgan_suite.callbacks import checkpoints
from tfgan_suite.core import checkpoint


@pytest.fixture(scope="module")
def model():
    return tiny.build()


def run(model, saved, steps, *, history=None, every=2, before=None):
    callback = checkpoints.Save(saved, [] if history is None else history, every, before)
    callback.set_model(model)
    callback.on_train_begin()
    for step in steps:
        model.step.assign(step)
        callback.on_train_batch_end(step - 1, {})
    callback.on_train_end()


def started(folder, model, keep=9):
    saved = checkpoint.Checkpoints(str(folder), model, keep=keep)
    model.step.assign(0)
    saved.restore()
    return saved


def test_it_saves_every_so_often_and_the_last_step(model, tmp_path):
    saved = started(tmp_path, model)
    run(model, saved, range(1, 6))
    assert saved.steps() == [2, 4, 5]


def test_the_history_is_the_one_at_the_time_of_saving(model, tmp_path):
    history = [{"step": 2}]
    run(model, started(tmp_path, model), [1, 2], history=history)
    history.append({"step": 4})
    assert started(tmp_path, model).restore() == [{"step": 2}]


def test_the_position_of_the_data_is_saved_first_once_for_each_checkpoint(model, tmp_path):
    saved, asked = started(tmp_path, model), []
    run(model, saved, range(1, 5), before=lambda step: asked.append((step, saved.steps())))
    assert asked == [(2, []), (4, [2])]


def test_a_run_that_stops_where_it_was_restored_saves_nothing(model, tmp_path):
    run(model, started(tmp_path, model), [1, 2])
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(model, started(tmp_path, model), [])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == stamps


def test_a_damaged_checkpoint_is_written_anew_when_training_comes_to_its_step(model, tmp_path):
    run(model, started(tmp_path, model), range(1, 5))
    data = tmp_path / "ckpt-4.data-00000-of-00001"
    data.write_bytes(bytes(data.stat().st_size))
    saved = started(tmp_path, model)
    assert int(model.step.numpy()) == 2
    run(model, saved, [3, 4])
    expected = tiny.weights(model)
    assert started(tmp_path, model).current == 4
    assert all(np.array_equal(value, expected[name]) for name, value in tiny.weights(model).items())
