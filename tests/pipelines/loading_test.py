import os

import numpy as np
import pytest
import tensorflow as tf

from pipelines import files, loading, readers

NOT_AN_IMAGE = b"this is text"


def _flat(value, shape=(4, 4, 3)):
    return np.full(shape, value, np.uint8)


def _layout(shape=(4, 4, 3), size=(0, 0)):
    return readers.Layout(columns={"image": readers.Column(kind="image", shape=shape)}, size=size, resize="crop")


def _load(root, data_dir="", layout=None, on_error="raise", **kwargs):
    return loading.load(files.Folder(root, ""), "train", layout or _layout(), on_error=on_error, cache_dir=data_dir, **kwargs)


def test_a_split_is_held_as_bytes_in_the_readers_order(numbered_folder):
    root = numbered_folder(300)  # more than one block
    table = _load(root)
    names = [int(os.path.basename(f)[:3]) % 256 for f in files.Folder(root, "").files("train")]
    assert table.columns["image"].dtype == tf.uint8 and table.count == 300
    assert table.columns["image"].numpy()[:, 0, 0, 0].tolist() == names


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_file_that_is_no_image_is_named(write_images, in_memory):
    root = write_images({"1.png": _flat(1), "notes.txt": NOT_AN_IMAGE})
    with pytest.raises(ValueError, match=r"notes.txt' cannot be read: Unknown image file format.*on_error=skip"):
        _load(root, in_memory=in_memory)


def test_a_damaged_image_is_named(write_images):
    noise = tf.io.encode_png(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)).numpy()
    root = write_images({"1.png": _flat(1, (16, 16, 3)), "cut.png": noise[: len(noise) // 2]})
    with pytest.raises(ValueError, match=r"cut.png' cannot be read: Invalid PNG"):
        _load(root, layout=_layout((16, 16, 3)))


def test_unreadable_files_are_left_out_and_counted_when_asked(write_images):
    root = write_images({"1.png": _flat(1), "2.png": NOT_AN_IMAGE, "3.png": _flat(3), "4.png": b""})
    table = _load(root, on_error="skip")
    assert sorted(table.columns["image"].numpy()[:, 0, 0, 0].tolist()) == [1, 3]
    assert len(table.skipped) == 2 and any("2.png: Unknown image file format" in name for name in table.skipped)
    paths = _load(root, on_error="skip", in_memory=False)
    assert sorted(os.path.basename(f.decode()) for f in paths.files.numpy()) == ["1.png", "3.png"] and not paths.columns


def test_nothing_readable_is_an_error_even_then(write_images):
    with pytest.raises(ValueError, match="None of the 1 examples .* can be read. The first: .*2.png"):
        _load(write_images({"2.png": NOT_AN_IMAGE}), on_error="skip")


def test_two_sizes_are_told_with_both_files_and_the_remedy(write_images):
    root = write_images({"small.png": _flat(1), "large.png": _flat(1, (8, 6, 3))})
    said = r"differ in size: .*large.png' has \(8, 6, 3\).* \(4, 4, 3\).*image_size=64,64.*resize .crop, stretch, pad, margin"
    with pytest.raises(ValueError, match=said):
        _load(root)
    assert _load(root, layout=_layout((4, 4, 3), (4, 4))).count == 2


def test_a_second_start_reads_the_decoded_copy(numbered_folder, data_dir, monkeypatch):
    root = numbered_folder(5)
    first = _load(root, data_dir)
    monkeypatch.setattr(loading, "_load", lambda *args: pytest.fail("decoded again"))
    second = _load(root, data_dir)
    np.testing.assert_array_equal(first.columns["image"], second.columns["image"])


@pytest.mark.parametrize("change", ["file", "size", "policy"])
def test_the_decoded_copy_is_not_used_for_anything_else(numbered_folder, write_images, data_dir, change, monkeypatch):
    root = numbered_folder(5)
    _load(root, data_dir)
    calls = []
    real = loading._load
    monkeypatch.setattr(loading, "_load", lambda *args: calls.append(1) or real(*args))
    if change == "file":
        write_images({"000.png": _flat(99)}, "numbered")
    layout = _layout((2, 2, 3), (2, 2)) if change == "size" else _layout()
    table = _load(root, data_dir, layout, on_error="skip" if change == "policy" else "raise")
    assert calls and (change != "file" or 99 in table.columns["image"].numpy())


def test_a_damaged_decoded_copy_is_made_again(numbered_folder, data_dir):
    root = numbered_folder(5)
    _load(root, data_dir)
    (copy,) = os.listdir(os.path.join(data_dir, ".decoded"))
    path = os.path.join(data_dir, ".decoded", copy)
    with open(path, "r+b") as file:
        file.truncate(100)
    assert _load(root, data_dir).count == 5 and os.path.getsize(path) > 100


def test_no_copy_is_left_in_a_read_only_folder_or_in_a_prepared_dataset(numbered_folder, tmp_path):
    root = numbered_folder(2)
    for name in ("locked", "dataset"):
        (tmp_path / name).mkdir()
    (tmp_path / "dataset" / "dataset_info.json").write_text("{}")
    (tmp_path / "locked").chmod(0o555)
    for name in ("locked", "dataset"):
        assert _load(root, str(tmp_path / name)).count == 2
        assert not (tmp_path / name / ".decoded").exists()


def test_a_copy_that_cannot_be_finished_leaves_nothing_behind(numbered_folder, data_dir, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert _load(numbered_folder(2), data_dir).count == 2
    assert os.listdir(os.path.join(data_dir, ".decoded")) == []


def test_records_lost_in_a_damaged_file_are_counted(write_records, tmp_path):
    schema = {"features": {"image": {"type": "image", "shape": [4, 4, 3]}}}
    root = write_records(schema, {f"{k}.tfrecord": [{"image": _flat(i)} for i in range(3)] for k in "ab"})
    path = tmp_path / "records" / "a.tfrecord"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # the checksum of the second record no longer fits
    path.write_bytes(content)
    reader = files.TfRecord(f"{root}/*.tfrecord", "")
    with pytest.raises(ValueError, match="example 1 of the split 'train'.* cannot be read: corrupted record"):
        loading.load(reader, "train", _layout(), on_error="raise", cache_dir="")
    table = loading.load(reader, "train", _layout(), on_error="skip", cache_dir="")
    assert table.count == 4 and "1 examples: missing" in table.skipped
