import subprocess
import sys
import types

import pytest
from absl import flags

from tfgan_suite.cli import process


def fresh(code: str, **environment: str) -> str:
    """What `code` prints in a process that has nothing but these variables."""
    path = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], env=path | environment, capture_output=True, text=True, check=True).stdout.strip()


SETTINGS = """
import os, sys
from tfgan_suite.cli import process
process.settings()
names = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")
print([os.environ.get(n) for n in names], "tensorflow" in sys.modules, "keras" in sys.modules)
"""


def test_the_settings_are_made_before_tensorflow_is_imported_and_keep_what_the_user_set():
    assert fresh(SETTINGS) == "['1', '2', 'tensorflow'] False False"
    users = fresh(SETTINGS, TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="0", KERAS_BACKEND="jax")
    assert users == "['0', '0', 'tensorflow'] False False"


def failing(error=None, code=None):
    """A command that raises `error`, or ends with `code`."""

    def work(argv):
        if error:
            raise error
        return code

    return types.SimpleNamespace(__name__="failing", main=lambda: process.run(work))


@pytest.mark.parametrize("error", [ValueError("latent_size must be at least 1."), OSError("Could not write.")])
def test_a_users_mistake_is_one_line_and_exit_code_2(command, error):
    code, output, errors = command(failing(error))
    assert (code, output) == (2, "")
    assert errors.splitlines() == [f"error: {error}", "(Set TFGAN_TRACEBACK=1 to see where it came from.)"]


def test_a_traceback_on_request(command, monkeypatch):
    monkeypatch.setenv("TFGAN_TRACEBACK", "1")
    with pytest.raises(ValueError, match="x"):
        command(failing(ValueError("x")))


def test_an_error_of_the_program_is_not_hidden(command):
    with pytest.raises(KeyError):
        command(failing(KeyError("x")))


@pytest.mark.parametrize("code", [None, 0, 1])
def test_the_exit_code_is_the_commands(command, code):
    assert command(failing(code=code))[0] == (code or 0)


def test_an_argument_that_is_no_flag_is_refused(command):
    code, output, errors = command(failing(), "demo")
    assert code == 1
    assert "Unexpected argument 'demo'; every setting is a flag (--name=value)." in output + errors


def test_an_unknown_flag_is_refused_with_the_nearest(command):
    def main():
        flags.DEFINE_string("workdir", None, "")
        process.run(lambda argv: 0)

    code, output, errors = command(types.SimpleNamespace(__name__="other", main=main), "--workdr=x")
    assert code == 1
    assert "Unknown command line flag 'workdr'. Did you mean: workdir" in output + errors


LOGGING = """
import sys
from absl import logging
from tfgan_suite.cli import process
def work(argv):
    logging.info("a notice")
    logging.warning("a warning")
process.run(work)
"""


@pytest.mark.parametrize(("flags", "told"), [([], ["a warning"]), (["--verbosity=0"], ["a notice", "a warning"]), (["--verbosity=-2"], [])])
def test_libraries_notices_are_kept_back_unless_they_are_asked_for(flags, told):
    ended = subprocess.run(
        [sys.executable, "-c", LOGGING, *flags], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=True
    )
    assert [line.partition("] ")[2] for line in ended.stderr.splitlines()] == told
