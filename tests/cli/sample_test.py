import re

import numpy as np
import pytest
import tiny
from PIL import Image

from tfgan_suite import runner
from tfgan_suite.cli import sample
from tfgan_suite.core import picture, sampling


@pytest.fixture(scope="module")
def model():
    return tiny.build()


@pytest.fixture
def restored(model, monkeypatch):
    """What was restored: (workdir, which checkpoint)."""
    asked = []
    monkeypatch.setattr(runner, "restore", lambda workdir, which: asked.append((workdir, which)) or model)
    return asked


def test_it_writes_a_png_with_the_rows_asked_for_and_a_column_per_class(command, restored, tmp_path):
    path = tmp_path / "new" / "grid.png"
    code, output, _ = command(sample, "--workdir=w", f"--output={path}", "--rows=5")
    assert (code, output) == (0, f"{path}\n")
    width, height = Image.open(path).size
    assert (width, height - 16) == (8 * (3 * 10 + 2), 8 * (5 * 10 + 2))  # eight pixels are shown as 64, under a line of names
    assert restored == [("w", "latest")]


def test_seed_truncation_and_checkpoint_are_the_flags(command, restored, model, tmp_path):
    options = ["--rows=2", "--seed=4", "--truncation=0.5", "--checkpoint=best"]
    assert command(sample, "--workdir=w", f"--output={tmp_path / 'a.png'}", *options)[0] == 0
    expected = picture.with_column_names(sampling.grid(model, rows=2, seed=4, truncation=0.5), ["a", "b", "c"])
    np.testing.assert_array_equal(Image.open(tmp_path / "a.png"), expected)
    assert restored == [("w", "best")]


def test_classes_are_chosen_by_name_or_number(command, restored, model, tmp_path):
    assert command(sample, "--workdir=w", f"--output={tmp_path / 'a.png'}", "--rows=2", "--classes=c,0")[0] == 0
    expected = picture.with_column_names(sampling.grid(model, rows=2, seed=0, classes=[2, 0]), ["c", "a"])
    np.testing.assert_array_equal(Image.open(tmp_path / "a.png"), expected)


@pytest.mark.parametrize(("classes", "says"), [("d", "has no class 'd'.*Allowed: a, b, c"), ("3", "There is no class 3: the model has 3")])
def test_an_unknown_class_is_refused(command, restored, tmp_path, classes, says):
    code, _, errors = command(sample, "--workdir=w", f"--output={tmp_path / 'a.png'}", f"--classes={classes}")
    assert code == 2 and re.search(says, errors)


def test_a_sweep_has_named_rows(command, restored, model, tmp_path):
    assert command(sample, "--workdir=w", f"--output={tmp_path / 'a.png'}", "--rows=2", "--sweep=4")[0] == 0
    expected = picture.with_row_names(*sampling.sweep(model, rows=2, columns=4, seed=0))
    np.testing.assert_array_equal(Image.open(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("flag", ["--rows=0", "--truncation=-1", "--rows=two"])
def test_impossible_numbers_are_refused(command, restored, tmp_path, flag):
    code, output, errors = command(sample, "--workdir=w", f"--output={tmp_path / 'a.png'}", flag)
    assert code == 1 and flag.partition("=")[0].strip("-") in output + errors
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("missing", ["workdir", "output"])
def test_a_missing_flag_is_named(command, restored, missing):
    given = {"workdir": "w", "output": "o.png"}
    del given[missing]
    code, output, errors = command(sample, *(f"--{name}={value}" for name, value in given.items()))
    assert code == 1 and f"--{missing}" in output + errors


def test_a_folder_that_is_no_run_is_one_line_with_the_remedy(command, tmp_path):
    code, _, errors = command(sample, f"--workdir={tmp_path}", f"--output={tmp_path / 'a.png'}")
    assert code == 2
    assert f"error: {tmp_path} " in errors and "it has no experiment.json. Train first: tfgan-train" in errors
