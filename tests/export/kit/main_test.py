import os
import subprocess
import sys

import pytest


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    return subprocess.run([sys.executable, "-m", "export.kit.main", *arguments], capture_output=True, text=True, timeout=60, env=environment)


def test_status_promotion_and_rollback_of_a_folder(folder):
    output = f"--output={folder.path}"
    before = run("status", output).stdout.splitlines()
    assert before[0] == "toy: the server loads versions 1, 2, pinned until the next promote"
    assert [line.split() for line in before[1:4]] == [
        ["version", "size", "published", "loaded", "labels"],
        ["1", "0.0", "MB", *before[2].split()[3:5], "yes", "stable"],
        ["2", "52.4", "MB", *before[3].split()[3:5], "yes", "canary"],
    ]
    assert run("promote", output, "--model=toy").stdout.startswith("stable of toy: version 1 -> 2.")
    shown = run("status", output, "--model=toy").stdout
    assert "canary, stable" in shown and "(rollback)" in shown and "other" not in shown
    assert run("rollback", output, "--model=toy").stdout.startswith("stable of toy: version 2 -> 1.")
    assert "loads versions 1, 2, pinned" in run("status", output).stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["promote"], "--output is missing"),
        (["promote", "--output=OUT"], "--model is missing"),
        (["rollback", "--output=OUT", "--model=toy"], "no version of toy to return to"),
        (["rollback", "--output=OUT", "--model=toy", "--version=1"], "--version is of promote alone"),
        (["status", "--output=OUT", "--server=localhost:8501"], "--server is the URL of a REST port"),
        (["status", "--output=OUT/toy"], "not an export folder"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(folder, arguments, message):
    ended = run(*(argument.replace("OUT", str(folder.path)) for argument in arguments))
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ") and message in ended.stderr.splitlines()[0]


@pytest.mark.parametrize("arguments", [[], ["demote"], ["promote", "rollback"]])
def test_an_unknown_command_is_refused_with_the_names(arguments):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert ended.stderr == f"error: Name one command: promote, rollback, status. Received: {' '.join(arguments) or 'none'}.\n"


def test_a_server_that_does_not_answer_is_said_in_the_status(folder):
    shown = run("status", f"--output={folder.path}", "--model=toy", "--server=http://127.0.0.1:9").stdout
    assert "The server at http://127.0.0.1:9 does not answer: ConnectionError." in shown
