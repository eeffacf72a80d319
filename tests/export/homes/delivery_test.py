import os

import pytest

from export.homes import delivery


def test_a_file_and_its_folder_are_made_and_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "new" / "model.onnx"
    delivery.write(str(path), b"one")
    delivery.write(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["model.onnx"]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    delivery.write(str(path), b"old")

    def fail(*_):
        raise OSError("full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        delivery.write(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_a_folder_appears_when_it_is_filled(tmp_path):
    target = tmp_path / "deep" / "page"
    with delivery.folder(str(target)) as made:
        with open(os.path.join(made, "index.html"), "w") as file:
            file.write("whole")
        assert not target.exists()
    assert (target / "index.html").read_text() == "whole"
    assert os.listdir(target.parent) == ["page"]


def test_an_empty_folder_is_filled(tmp_path):
    target = tmp_path / "page"
    target.mkdir()
    with delivery.folder(str(target)) as made:
        open(os.path.join(made, "index.html"), "w").close()
    assert os.listdir(target) == ["index.html"]


def test_a_failure_leaves_no_folder(tmp_path):
    with pytest.raises(KeyError), delivery.folder(str(tmp_path / "page")):
        raise KeyError
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_there_is_not_overwritten(tmp_path, kind):
    target = tmp_path / "page"
    if kind == "folder":
        target.mkdir()
        (target / "mine").write_text("kept")
    else:
        target.write_text("kept")
    with pytest.raises(ValueError, match="exists and is not an empty folder"), delivery.folder(str(target)):
        pass
    assert (target / "mine" if kind == "folder" else target).read_text() == "kept"
