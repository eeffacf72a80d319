"""What a user can get wrong: each a clear error that names the mistake and the remedy, with nothing lost and nothing half-written."""

import json
import os
import pathlib
import re
import shutil

import commands
import numpy as np
import pytest
import tensorflow as tf

from pipelines import build, spec
from tfgan_suite import registry, runner, workdir
from tfgan_suite.cli import train as train_command


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return commands.image_folder(tmp_path_factory.mktemp("images") / "set")


def small(source, **changes):
    """A run of seconds."""
    experiment = registry.experiment("sngan/debug")
    experiment.model.body = "compact"
    experiment.data.source = source
    experiment.data.batch_size = 4
    for path, value in changes.items():
        part, _, field = path.partition("__")
        setattr(getattr(experiment, part), field, value)
    return experiment


def train(source, tmp_path, **changes):
    return runner.train(small(source, **changes), str(tmp_path / "run"), data_dir=str(tmp_path))


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    train(source, folder)  # four steps, checkpoints at 2 and 4
    return folder / "run"


@pytest.fixture
def trained(finished, tmp_path):
    """The workdir of a finished run, to damage."""
    return pathlib.Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--experiment=sngan/dmo"], r"Unknown preset 'sngan/dmo'. Did you mean sngan/demo"),
        (["--experiment=sngan/debug", "--experiment.model.latnt_size=3"], r"has no field 'latnt_size'. Did you mean latent_size\?"),
        (["--experiment=sngan/debug", "--experiment.model.latent_size=many"], r"latent_size=many"),
        (["--experiment=sngan/debug", "--experiment.model.terms[0].loss=hnge", "--workdir=x"], r"loss='hnge' is unknown"),
        (["--experiment=sngan/debug"], r"--workdir is missing"),
    ],
    ids=["preset", "field", "type", "name from a table", "no workdir"],
)
def test_the_command_names_the_mistake_in_one_line(command, arguments, says):
    code, _, errors = command(train_command, *arguments)
    assert code != 0
    assert "Traceback" not in errors
    assert re.search(says, errors), errors


def test_a_missing_batch_key_names_dataset_and_key(tmp_path):
    folder = tmp_path / "flat"
    commands.image_folder(tmp_path / "set", classes=1)
    (tmp_path / "set" / "a").rename(folder)
    with pytest.raises(ValueError, match="'label'.*flat"):
        train(f"folder:{folder}", tmp_path, model__conditional=True)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty"):
        train(f"folder:{tmp_path / 'empty'}", tmp_path)


def test_a_corrupt_png_is_named(tmp_path):
    source = commands.image_folder(tmp_path / "set")
    (tmp_path / "set" / "b" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(ValueError, match=r"b/3\.png"):
        train(source, tmp_path)
    result = build.build(spec.DatasetConfig(source=source, on_error="skip"), str(tmp_path), keys=("image",), seed=0)
    assert result.skipped == 1 and result.spec.size == 23


def test_a_label_out_of_range_is_refused_when_the_data_is_read(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    schema = {
        "features": {"image": {"type": "image", "shape": [8, 8, 3]}, "label": {"type": "int", "shape": []}},
        "class_names": ["a", "b"],
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    picture = tf.io.encode_png(tf.zeros([8, 8, 3], tf.uint8)).numpy()
    with tf.io.TFRecordWriter(str(folder / "train-0.tfrecord")) as writer:
        for label in (0, 1, 7):
            features = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    with pytest.raises(ValueError, match="7"):
        build.build(spec.DatasetConfig(source=f"tfrecord:{folder}/train-*"), str(tmp_path), keys=("image", "label"), seed=0)


def test_a_workdir_that_cannot_be_written_is_refused(source, tmp_path):
    (tmp_path / "run").write_text("a file, not a folder")
    with pytest.raises(ValueError, match="Cannot write to --workdir"):
        train(source, tmp_path)


def test_a_workdir_with_other_files_is_left_alone(source, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years")
    with pytest.raises(ValueError, match="not empty and holds no run: thesis.tex"):
        train(source, tmp_path)
    assert (tmp_path / "run" / "thesis.tex").read_text() == "years"


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(source, trained, tmp_path, monkeypatch):
    folder = trained / "train" / "checkpoints"
    longer = json.loads((trained / "experiment.json").read_text())
    longer["training"]["steps"] = 6
    (trained / "experiment.json").write_text(json.dumps(longer))
    before = commands.checkpoint_values(folder / "ckpt-4")

    def full(self, path, *arguments, **options):
        pathlib.Path(path + ".data-00000-of-00001").write_bytes(b"half")
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tf.train.Checkpoint, "write", full)
        with pytest.raises(OSError, match=r"Could not write the checkpoint .*No space left on device.*start the same command again"):
            train(source, tmp_path, training__steps=6)
    assert not (folder / "ckpt-6.data-00000-of-00001").exists()
    after = commands.checkpoint_values(folder / "ckpt-4")
    assert all(np.array_equal(after[name], value) for name, value in before.items())
    result = train(source, tmp_path, training__steps=6)
    assert int(result.model.step.numpy()) == 6


def test_a_truncated_checkpoint_falls_back_to_the_one_before(trained, caplog):
    data = trained / "train" / "checkpoints" / "ckpt-4.data-00000-of-00001"
    os.truncate(data, data.stat().st_size // 2)
    model = runner.restore(str(trained))
    assert int(model.step.numpy()) == 2
    assert "ckpt-4 cannot be read" in caplog.text


def test_a_run_whose_checkpoints_are_all_damaged_is_never_started_anew(source, trained, tmp_path):
    folder = trained / "train" / "checkpoints"
    for data in folder.glob("*.data-*"):
        os.truncate(data, 10)
    with pytest.raises(ValueError, match="None of the checkpoints in .* can be read"):
        train(source, tmp_path)
    assert len(list(folder.glob("*.index"))) == 2


def test_resuming_with_another_experiment_lists_the_differences(source, trained, tmp_path):
    with pytest.raises(ValueError, match=r"model\.latent_size: 9 here, 8 there"):
        train(source, tmp_path, model__latent_size=9)


def test_two_trainers_in_one_workdir_are_refused(source, tmp_path):
    with workdir.claimed(str(tmp_path / "run")), pytest.raises(ValueError, match="Another process is training in"):
        train(source, tmp_path)


def test_a_batch_that_does_not_split_over_micro_batches_is_refused(source, tmp_path):
    with pytest.raises(ValueError, match=r"data\.batch_size=4 must be a multiple of 3"):
        train(source, tmp_path, model__accumulation=3)


def test_restoring_where_nothing_was_trained_says_so(tmp_path):
    with pytest.raises(ValueError, match="has no experiment.json"):
        runner.restore(str(tmp_path))


def test_a_checkpoint_that_was_not_kept_is_refused_with_those_that_were(trained):
    with pytest.raises(ValueError, match="has no checkpoint '3'. Choose latest, best, or a step: 2, 4"):
        runner.restore(str(trained), which="3")


def test_an_unknown_strategy_lists_the_known(source, tmp_path):
    with pytest.raises(ValueError, match="Unknown strategy 'mirored'. Allowed: default, mirrored"):
        runner.train(small(source), str(tmp_path / "run"), data_dir=str(tmp_path), strategy="mirored")
    assert not (tmp_path / "run").exists()


def test_a_run_that_was_refused_before_it_began_may_be_corrected_in_the_same_workdir(source, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.json").write_text(registry.dump(small(source, logging__samples_rows=3)))
    assert train(source, tmp_path).finished
    with pytest.raises(ValueError, match="holds a run of another experiment"):
        train(source, tmp_path, logging__samples_rows=3)
