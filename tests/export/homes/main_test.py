import os

import onnxruntime
import pytest

from export.homes import main


def test_a_version_becomes_an_onnx_file(command, published, tmp_path):
    code, output, _ = command(main, f"--version={published.directory}", "--to=onnx", f"--output={tmp_path}/toy.onnx")
    assert code == 0
    path, check = output.splitlines()
    assert path == f"{tmp_path}/toy.onnx" and check.startswith("(checked in batches of 1 and 3 rows: it differs from the version by ")
    assert [each.name for each in onnxruntime.InferenceSession(path).get_outputs()] == ["images"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "--version is missing: tfgan-convert --version="),
        (["--version=v"], "--to is missing"),
        (["--version=v", "--to=onnx"], "--output is missing"),
        (["--version=v", "--to=onnx", "--output=o"], "v/saved_model.pb cannot be read as a SavedModel"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(command, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, output, errors = command(main, *arguments)
    assert code == 2 and errors.startswith(f"error: {message}") and output == ""
    assert os.listdir(tmp_path) == []


def test_what_converters_write_to_the_error_stream_is_left_out(capfd):
    with main._without_chatter():
        os.write(2, b"loc(callsite(...)): error: failed while converting\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
