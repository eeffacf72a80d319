import json
import os
import shutil

import pytest

from export import expectations
from export.homes import checking, conversion, source


@pytest.fixture
def altered(published, tmp_path):
    """A copy of the version whose expected pixels are not its own."""
    directory = str(tmp_path / "altered" / "3")
    shutil.copytree(published.directory, directory)
    expected = expectations.read(directory)
    expected["serving_default"].outputs["images"][1] += 1e-3
    expectations.write(directory, expected)
    return directory


@pytest.fixture
def immediate(monkeypatch):
    """Conversion replaced by the bytes b"converted", where a test is about what is written."""

    def convert(version):
        return checking.Converted(content=b"converted", rows=1, batches=(1,), difference=2.5e-7)

    monkeypatch.setattr(conversion, "TARGETS", {"onnx": conversion._to_file("onnx", convert), "litert": conversion._to_file("litert", convert)})


def test_a_folder_gets_the_model_and_a_description_of_how_to_call_it(published, tmp_path, immediate):
    path, converted = conversion.convert(published.directory, "litert", str(tmp_path / "out"))
    assert path == str(tmp_path / "out" / "toy.tflite")
    assert sorted(os.listdir(tmp_path / "out")) == ["toy.tflite", "toy.tflite.json"]
    assert (tmp_path / "out" / "toy.tflite").read_bytes() == converted.content == b"converted"
    assert json.loads((tmp_path / "out" / "toy.tflite.json").read_text()) == {
        "model": "toy",
        "version": "1",
        "format": "litert",
        "file": "toy.tflite",
        "inputs": [
            {"name": "latents", "shape": [1, 8], "type": "float32", "low": None, "high": None},
            {"name": "truncation", "shape": [1], "type": "float32", "low": 0.0, "high": None},
            {"name": "label", "shape": [1], "type": "int64", "low": 0, "high": 4},
        ],
        "outputs": [{"name": "images", "shape": [1, 8, 8, 3], "type": "float32", "low": -1.0, "high": 1.0}],
        "checked_batches": [1],
        "largest_difference": 2.5e-7,
        "tolerance": 1e-5,
    }


def test_a_file_is_named_by_its_suffix_and_replaced(published, tmp_path, immediate):
    for _ in range(2):
        path, _ = conversion.convert(published.directory, "onnx", str(tmp_path / "faces.onnx"))
        assert path == str(tmp_path / "faces.onnx")
        assert sorted(os.listdir(tmp_path)) == ["faces.onnx", "faces.onnx.json"]


@pytest.mark.parametrize("target", ["onnx", "litert", "web"])
def test_a_model_that_answers_otherwise_than_its_version_is_not_written(altered, tmp_path, target):
    with pytest.raises(ValueError, match="differs from altered by 0.001"):
        conversion.convert(altered, target, str(tmp_path / "out"))
    assert os.listdir(tmp_path) == ["altered"]


def test_wrong_settings_are_refused_with_what_is_allowed(published, tmp_path):
    with pytest.raises(ValueError, match="Unknown format 'coreml'; known: onnx, litert, web"):
        conversion.convert(published.directory, "coreml", str(tmp_path))
    with pytest.raises(ValueError, match="--onnxruntime_web is a part of --to=web"):
        conversion.convert(published.directory, "onnx", str(tmp_path), onnxruntime_web=str(tmp_path))
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(ValueError, match="exists and is not an empty folder"):
        conversion.convert(published.directory, "web", str(tmp_path))
    assert os.listdir(tmp_path) == ["mine"]


def test_the_number_of_rows_is_any_where_any_were_checked(published):
    version = source.open_version(published.directory)
    described = conversion.describe(version, checking.Converted(content=b"", rows=None, batches=(1, 3), difference=0.0), "onnx", "toy.onnx")
    assert described["outputs"][0]["shape"] == ["batch", 8, 8, 3]
    assert [each["shape"][0] for each in described["inputs"]] == ["batch"] * 3
