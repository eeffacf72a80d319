import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from pipelines import prepare, prepared, spec


def _run(*arguments):
    return prepare.run(prepare._parse(["tfgan-data", *arguments]))


@pytest.fixture
def folder(write_images):
    images = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), np.uint8)
    return f"folder:{write_images({'ab'[i % 2] + f'/{i}.png': image for i, image in enumerate(images)})}"


def test_describe_says_what_a_gan_would_be_told(prepared_digits, capsys):
    assert _run("describe", "tiny_digits", f"--data_dir={prepared_digits}", "--image_size=4,8") == 0
    out = capsys.readouterr().out
    assert "tiny_digits: 24 examples to train on, 8 held out, 3 classes" in out
    assert "image: float32 [4, 8, 3] in [-1, 1]" in out and "classes: zero, one, two" in out


def test_describe_as_json_is_a_data_spec(prepared_digits, capsys):
    assert _run("describe", "tiny_digits", f"--data_dir={prepared_digits}", "--json") == 0
    data_spec = spec.DataSpec.from_json(json.loads(capsys.readouterr().out))
    assert data_spec.image_shape == (6, 6, 3) and data_spec.num_classes == 3


def test_prepare_says_that_a_dataset_is_ready(prepared_digits, capsys):
    assert _run("prepare", "tiny_digits", f"--data_dir={prepared_digits}") == 0
    assert "tiny_digits is ready" in capsys.readouterr().out


def test_validate_writes_a_grid_and_succeeds(folder, tmp_path, capsys):
    assert _run("validate", folder, f"--grid={tmp_path / 'grid.png'}") == 0
    assert "nothing is wrong" in capsys.readouterr().out
    assert tf.io.decode_png((tmp_path / "grid.png").read_bytes()).shape == (2 * 4, 8 * 4, 3)


def test_validate_fails_where_something_is_wrong(folder, tmp_path, capsys):
    (tmp_path / "images" / "a" / "notes.txt").write_text("no image")
    assert _run("validate", folder) == 1
    assert "WRONG: train: 1 unreadable" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["prepare", "describe", "validate"])
def test_a_users_error_is_one_line(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(prepared, "reachable", lambda: False)
    assert _run(command, "cifar10", f"--data_dir={tmp_path}") == 1
    error = capsys.readouterr().err
    assert error.startswith("tfgan-data: 'cifar10' is not prepared") and error.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["describe"], ["describe", "cifar10", "--image_size=64"], ["describe", "cifar10", "--resise=pad"]])
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        _run(*arguments)
    assert stopped.value.code == 2 and "usage: tfgan-data" in capsys.readouterr().err


def test_the_command_sets_the_process_up_before_tensorflow_is_imported():
    code = """
import sys, os
from pipelines import prepare
assert "tensorflow" not in sys.modules
seen = []
prepare.run = lambda arguments: seen.append((os.environ["TF_ENABLE_ONEDNN_OPTS"], "tensorflow" in sys.modules))
sys.argv = ["tfgan-data", "describe", "cifar10"]
try:
    prepare.main()
except SystemExit:
    pass
assert seen == [("1", False)], seen
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env={"PATH": "", "HOME": "/nonexistent"})
