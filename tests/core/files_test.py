import os
import stat

import pytest

from tfgan_suite.core import files


@pytest.mark.parametrize("content, expected", [("Grüße", "Grüße".encode()), (b"\x00\xff", b"\x00\xff"), ("", b"")])
def test_text_and_bytes_are_written_whole_into_folders_that_are_made(tmp_path, content, expected):
    path = tmp_path / "a" / "b" / "file"
    files.write(str(path), content)
    assert path.read_bytes() == expected
    assert os.listdir(path.parent) == ["file"]


def test_a_name_without_a_folder_is_written_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write("file", "x")
    assert (tmp_path / "file").read_text() == "x"


def test_others_may_read_the_file(tmp_path):
    files.write(str(tmp_path / "file"), "x")
    assert stat.S_IMODE(os.stat(tmp_path / "file").st_mode) == 0o644


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch, fails):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    files.write(str(path), "old")
    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="No space left"):
        files.write(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        files.write(str(tmp_path / "file" / "below"), "x")
