import logging
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import checkpoint, optimizers, run

HISTORY = [{"step": 5, "fid": {"value": 31.5}}]


def config(**changes):
    """Slots in both players: Adam's means and squares, SGD's momenta."""
    players = {"discriminator_optimizer": optimizers.Adam(), "generator_optimizer": optimizers.SGD(momentum=0.5)}
    return tiny.Config(**(players | changes))


def filled(model, step: int):
    """Gives every variable other values, drawn for `step`, and returns them."""
    numbers = np.random.default_rng(step)
    for variables in model.variable_groups().values():
        for v in variables:
            v.assign(numbers.normal(size=v.shape).astype(v.dtype.as_numpy_dtype) if v.dtype.is_floating else tf.fill(v.shape, tf.cast(step, v.dtype)))
    return tiny.weights(model)


@pytest.fixture(scope="module")
def model():
    """For tests that set every value themselves."""
    return tiny.build(config())


@pytest.fixture(scope="module")
def three(model, tmp_path_factory):
    """(folder with the checkpoints of steps 5, 6 and 7, their values by step)."""
    folder = tmp_path_factory.mktemp("three")
    saved, values = checkpoint.Checkpoints(str(folder), model, keep=3), {}
    for step in (5, 6, 7):
        values[step] = filled(model, step)
        saved.save(HISTORY[:1] + [{"step": step}])
    return folder, values


@pytest.fixture
def folder(three, tmp_path):
    """A copy of the three to damage."""
    return pathlib.Path(shutil.copytree(three[0], tmp_path / "checkpoints"))


def restored(folder, model):
    """(history, step) after restoring from a state that holds none of the saved values."""
    filled(model, 99)
    history = checkpoint.Checkpoints(str(folder), model, keep=3).restore()
    return history, int(model.step.numpy())


def warnings(caplog) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)


def test_restoring_brings_back_every_weight_slot_counter_and_the_history_bitwise(folder, three):
    other = tiny.build(config(), seed=3)
    history = checkpoint.Checkpoints(str(folder), other, keep=3).restore()
    assert history == [{"step": 5, "fid": {"value": 31.5}}, {"step": 7}]
    assert tiny.largest_difference(tiny.weights(other), three[1][7]) == 0.0
    assert int(other.step.numpy()) == int(other.rollbacks.numpy()) == int(other.discriminator_optimizer.iterations.numpy()) == 7


def test_training_goes_on_bit_for_bit_from_a_checkpoint(tmp_path):
    whole = tiny.build(config())
    tiny.train(whole, [tiny.batch(8, seed=1)])
    checkpoint.Checkpoints(str(tmp_path), whole, keep=1).save([])
    tiny.train(whole, [tiny.batch(8, seed=2)])
    resumed = tiny.build(config())
    filled(resumed, 50)
    checkpoint.Checkpoints(str(tmp_path), resumed, keep=1).restore()
    tiny.train(resumed, [tiny.batch(8, seed=2)])
    assert tiny.largest_difference(tiny.weights(resumed), tiny.weights(whole)) == 0.0


def test_a_model_built_after_others_in_the_process_reads_it(folder, three):
    tiny.build(config())
    later = tiny.Tiny(config(), tiny.data_spec(), run.Run(seed=0, phase="train", steps=8))
    assert "convolution" not in [layer.name for layer in later.discriminator.layers]  # they are called convolution_4 and so on
    checkpoint.Checkpoints(str(folder), later, keep=3).restore()
    assert tiny.largest_difference(tiny.weights(later), three[1][7]) == 0.0


def test_an_empty_folder_is_a_fresh_start(model, tmp_path):
    assert checkpoint.Checkpoints(str(tmp_path / "new"), model, keep=1).restore() is None


def test_the_newest_n_stay(model, tmp_path):
    saved = checkpoint.Checkpoints(str(tmp_path), model, keep=2)
    for step in (8, 9, 10, 11):
        model.step.assign(step)
        saved.save([])
    assert saved.steps() == [10, 11]
    assert {name.split(".")[0] for name in os.listdir(tmp_path)} == {"ckpt-10", "ckpt-11"}


def test_the_best_stays_beside_the_newest_and_alone(model, tmp_path):
    saved = checkpoint.Checkpoints(str(tmp_path), model, keep=1)
    assert saved.best() == ""
    values = {}
    for step, best in ((1, True), (2, True), (3, False), (4, False)):
        values[step] = filled(model, step)
        if best:
            saved.save_best()
        saved.save([])
    assert saved.steps() == [4]
    assert saved.best() == str(tmp_path / "best" / "ckpt-2")
    assert {name.split(".")[0] for name in os.listdir(tmp_path / "best")} == {"ckpt-2"}
    saved.read(saved.best())
    assert tiny.largest_difference(tiny.weights(model), values[2]) == 0.0


def test_of_two_best_the_later_one_counts_since_a_kill_kept_it_from_dropping_the_other(model, folder):
    shutil.copytree(folder, folder / "best")
    (folder / "best" / "ckpt-8_temp").mkdir()
    (folder / "best" / "ckpt-8.data-00000-of-00001").write_bytes(b"half")
    saved = checkpoint.Checkpoints(str(folder), model, keep=3)
    assert saved.best() == str(folder / "best" / "ckpt-7")
    model.step.assign(9)
    saved.save_best()
    assert {name.split(".")[0] for name in os.listdir(folder / "best")} == {"ckpt-9"}


def shorten(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(content)


def overwrite(path):
    path.write_bytes(bytes(path.stat().st_size))


DATA, INDEX = "ckpt-7.data-00000-of-00001", "ckpt-7.index"


@pytest.mark.parametrize("harm", [shorten, flip, overwrite, pathlib.Path.unlink])
@pytest.mark.parametrize("part", [DATA, INDEX])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before_with_a_warning(model, folder, three, caplog, harm, part):
    harm(folder / part)
    history, step = restored(folder, model)
    assert (history[-1]["step"], step) == (6, 6)
    assert tiny.largest_difference(tiny.weights(model), three[1][6]) == 0.0
    unfinished = part == INDEX and harm is pathlib.Path.unlink  # was never there as far as anyone can tell
    assert ("ckpt-7 cannot be read" in warnings(caplog)) != unfinished


def test_two_damaged_checkpoints_fall_back_to_the_third(model, folder, three):
    shorten(folder / DATA)
    flip(folder / "ckpt-6.index")
    assert restored(folder, model)[1] == 5
    assert tiny.largest_difference(tiny.weights(model), three[1][5]) == 0.0


@pytest.mark.parametrize("state", ["", 'model_checkpoint_path: "ckpt-5"\n', "\x00broken"], ids=["empty", "an older one", "broken"])
def test_tensorflows_state_file_decides_nothing(model, folder, state):
    (folder / "checkpoint").write_text(state)
    assert restored(folder, model)[1] == 7


def test_if_all_are_damaged_the_error_names_the_folder_and_nothing_is_deleted(model, folder):
    for step in (5, 6, 7):
        shorten(folder / f"ckpt-{step}.index")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(ValueError, match=r"None of the checkpoints in .*checkpoints can be read \(steps 5, 6, 7\).*Move the folder away") as error:
        restored(folder, model)
    assert str(folder) in str(error.value)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_data_without_any_index_is_not_taken_for_a_fresh_start(model, folder):
    for path in folder.glob("*.index"):
        path.unlink()
    before = sorted(os.listdir(folder))
    with pytest.raises(ValueError, match="holds parts of checkpoints but no index"):
        restored(folder, model)
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize(
    "change",
    [{"latent_size": 9}, {"conditional": False}, {"spectral_norm": False}, {"norm": "batch", "spectral_norm": False}],
    ids=["shapes", "inputs", "state", "layers"],
)
def test_a_checkpoint_of_other_networks_is_a_clear_error(folder, change):
    with pytest.raises(ValueError, match="None of the checkpoints in .* or the code that wrote them built other networks"):
        checkpoint.Checkpoints(str(folder), tiny.build(config(**change)), keep=3).restore()


@pytest.mark.parametrize("part", ["more slots", "fewer slots"])
def test_a_checkpoint_of_another_optimizer_is_a_clear_error(folder, part):
    player = optimizers.Adam() if part == "more slots" else optimizers.SGD()
    other = tiny.build(config(generator_optimizer=player))
    with pytest.raises(ValueError, match="None of the checkpoints"):
        checkpoint.Checkpoints(str(folder), other, keep=3).restore()


@pytest.mark.parametrize(
    "problem", [tf.errors.ResourceExhaustedError(None, None, "No space left on device"), OSError(28, "No space left on device")], ids=["op", "os"]
)
def test_a_failed_write_is_an_os_error_and_the_earlier_checkpoints_stay_whole(model, folder, three, monkeypatch, problem):
    def write(self, path):
        pathlib.Path(f"{path}.data-00000-of-00001").write_bytes(b"half")
        pathlib.Path(f"{path}_temp").mkdir()
        pathlib.Path(f"{path}_temp", "part-00000-of-00001.data-00000-of-00001").write_bytes(b"half")
        raise problem

    saved = checkpoint.Checkpoints(str(folder), model, keep=1)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    filled(model, 8)
    with monkeypatch.context() as patch:
        patch.setattr(tf.train.Checkpoint, "write", write)
        with pytest.raises(OSError, match=r"Could not write the checkpoint .*ckpt-8: .*No space left.*Earlier checkpoints are untouched"):
            saved.save([])
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert restored(folder, model)[1] == 7
    assert tiny.largest_difference(tiny.weights(model), three[1][7]) == 0.0


def test_what_a_killed_writer_left_is_swept_away(model, folder):
    whole = sorted(os.listdir(folder))
    (folder / "ckpt-8_temp").mkdir()
    (folder / "ckpt-8_temp" / "part-00000-of-00001.index").write_bytes(b"half")
    (folder / "ckpt-8.data-00000-of-00001").write_bytes(b"half")
    (folder / "ckpt-8.data-00000-of-00001.tempstate123").write_bytes(b"half")
    (folder / "data-0-7.index").write_bytes(b"the position of a stream")
    checkpoint.Checkpoints(str(folder), model, keep=3)
    assert sorted(os.listdir(folder)) == sorted([*whole, "data-0-7.index"])


def test_the_count_of_roll_backs_outlives_the_process(model, folder):
    saved = checkpoint.Checkpoints(str(folder), model, keep=3)
    saved.restore()
    model.rollbacks.assign(0)
    filled(model, 12)
    for count in (1, 2):
        history = saved.roll_back()
        assert (history[-1]["step"], int(model.step.numpy()), saved.roll_backs()) == (7, 7, count)
    model.rollbacks.assign(0)
    saved.save([])
    again = checkpoint.Checkpoints(str(folder), model, keep=3)  # as another process finds it
    again.restore()
    assert int(model.rollbacks.numpy()) == again.roll_backs() == 2


def test_a_roll_back_changes_the_random_numbers_of_the_steps_it_repeats(model, tmp_path):
    saved = checkpoint.Checkpoints(str(tmp_path), model, keep=1)
    model.step.assign(4)
    model.rollbacks.assign(0)
    saved.save([])
    first = model.random().normal((3,)).numpy()
    saved.roll_back()
    assert int(model.step.numpy()) == 4
    assert not np.array_equal(model.random().normal((3,)), first)


def test_other_workers_take_part_in_a_save_and_leave_nothing(model, folder):
    before = sorted(os.listdir(folder))
    worker = checkpoint.Checkpoints(str(folder), model, keep=1, chief=False)
    filled(model, 8)
    assert worker.save([]) == worker.current == 8
    assert sorted(os.listdir(folder)) == before


def test_a_folder_that_cannot_be_made_is_a_value_error(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="Cannot create .*Choose a --workdir"):
        checkpoint.Checkpoints(str(tmp_path / "file" / "checkpoints"), model, keep=1)


def test_checkpoints_are_the_same_on_one_replica_and_on_two(mirrored, tmp_path):
    keras.backend.clear_session()
    with mirrored.scope():
        two = tiny.build(config(norm="batch", spectral_norm=False))
    one = tiny.build(config(norm="batch", spectral_norm=False), seed=5)
    from_two, from_one = (checkpoint.Checkpoints(str(tmp_path / name), m, keep=1) for name, m in (("two", two), ("one", one)))
    values = filled(two, 3)
    from_two.save(HISTORY)
    assert checkpoint.Checkpoints(str(tmp_path / "two"), one, keep=1).restore() == HISTORY
    assert tiny.largest_difference(tiny.weights(one), values) == 0.0
    values = filled(one, 4)
    from_one.save(HISTORY)
    assert checkpoint.Checkpoints(str(tmp_path / "one"), two, keep=1).restore() == HISTORY
    assert tiny.largest_difference(tiny.weights(two), values) == 0.0
    for copies in (getattr(v, "values", [v]) for group in two.variable_groups().values() for v in group):
        assert all(np.array_equal(copies[0], copy) for copy in copies)
