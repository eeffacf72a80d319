import json
import os
import shutil
import socket
import time

import numpy as np
import pytest
import tensorflow as tf

from pipelines import captioned_shapes, prepared, readers


def _records(reader, split, keys, **kwargs):
    return [{key: value.numpy() for key, value in record.items()} for record in reader.records(split, keys, **kwargs)]


def test_a_prepared_dataset_is_read_by_name_and_by_its_folder(prepared_digits):
    folder = os.path.join(prepared_digits, "tiny_digits", "1.0.0")
    by_name, by_folder = prepared.Tfds("tiny_digits", prepared_digits), prepared.Tfds("tiny_digits", folder)
    assert by_name.count("train") == by_folder.count("train") == 24
    assert by_name.stamp("train") == by_folder.stamp("train") != by_name.stamp("test")
    assert prepared.find("tiny_digits:1.0.0", prepared_digits) == folder


def test_features_become_batch_keys(prepared_digits):
    columns = prepared.Tfds("tiny_digits", prepared_digits).columns
    kinds = {key: (column.kind, column.shape) for key, column in columns.items()}
    assert kinds == {
        "image": ("image", (6, 6, 3)),
        "mask": ("mask", (6, 6, 1)),
        "label": ("integer", ()),
        "attributes": ("number", (2,)),
        "weight": ("number", ()),
        "name": ("text", ()),
    }
    assert columns["label"].names == ("zero", "one", "two") and columns["label"].high == 2


def test_examples_come_in_their_order_with_images_still_encoded(prepared_digits):
    records = _records(prepared.Tfds("tiny_digits", prepared_digits), "train", ["image", "label", "attributes", "weight"])
    assert [int(readers.decode(tf.constant(r["image"])).numpy()[0, 0, 0]) for r in records] == list(range(24))
    assert [int(r["label"]) for r in records] == [i % 3 for i in range(24)]
    # Names in TFDS' order: dark, round.
    np.testing.assert_array_equal([r["attributes"] for r in records], [[i % 4 == 0, i % 2 == 0] for i in range(24)])
    assert [float(r["weight"]) for r in records] == [i / 2 for i in range(24)]


def test_shards_part_a_slice(prepared_digits):
    reader = prepared.Tfds("tiny_digits", prepared_digits)
    assert reader.count("train[:75%]") == 18
    parts = [[float(r["weight"]) for r in _records(reader, "train[:75%]", ["weight"], shard=(i, 2), shuffle_seed=1)] for i in range(2)]
    assert sorted(parts[0] + parts[1]) == [i / 2 for i in range(18)]


def test_an_unknown_split_names_those_there_are(prepared_digits):
    with pytest.raises(readers.NoSuchSplit, match="no split 'validation'. It has: train, test"):
        prepared.Tfds("tiny_digits", prepared_digits).count("validation")


def test_the_newest_version_is_taken(tmp_path):
    for version in ("1.9.0", "1.10.0", "1.2.0", "2.0.0.incompleteXY"):
        (tmp_path / "cats" / version).mkdir(parents=True)
        (tmp_path / "cats" / version / "dataset_info.json").write_text("{}")
    assert prepared.find("cats", str(tmp_path)) == str(tmp_path / "cats" / "1.10.0")
    assert prepared.find("cats:1.2.0", str(tmp_path)) == str(tmp_path / "cats" / "1.2.0")
    assert prepared.find("cats:3.0.0", str(tmp_path)) == "" == prepared.find("dogs", str(tmp_path))


def test_configs_are_listed_when_none_is_chosen(tmp_path):
    for config in ("big", "small"):
        (tmp_path / "cats" / config / "1.0.0").mkdir(parents=True)
        (tmp_path / "cats" / config / "1.0.0" / "dataset_info.json").write_text("{}")
    with pytest.raises(ValueError, match="choose one: cats/big, cats/small"):
        prepared.find("cats", str(tmp_path))
    assert prepared.find("cats/small", str(tmp_path)).endswith("cats/small/1.0.0")


def test_another_datasets_folder_is_refused(tmp_path):
    (tmp_path / "dataset_info.json").write_text(json.dumps({"name": "dogs", "version": "1.0.0"}))
    with pytest.raises(ValueError, match="holds dogs:1.0.0, not cats"):
        prepared.find("cats", str(tmp_path))
    with pytest.raises(ValueError, match="holds dogs:1.0.0, not dogs:2.0.0"):
        prepared.find("dogs:2.0.0", str(tmp_path))


def test_without_a_network_the_error_comes_at_once_and_says_what_to_do(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    started = time.monotonic()
    with pytest.raises(ValueError, match="'cifar10' is not prepared in data_dir .*run `tfgan-data prepare cifar10 --data_dir"):
        prepared.Tfds("cifar10", str(tmp_path))
    assert time.monotonic() - started < 10


def test_a_name_server_that_never_answers_does_not_hang(monkeypatch):
    def hang(*args, **kwargs):
        time.sleep(6)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", hang)
    monkeypatch.setattr(prepared, "_PROBE_SECONDS", -0.8)
    started = time.monotonic()
    assert not prepared.reachable()
    assert time.monotonic() - started < 5


def test_the_proxy_is_what_has_to_be_reachable(monkeypatch):
    asked = []

    class Connection:
        def close(self):
            pass

    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setattr(socket, "create_connection", lambda address, timeout: asked.append(address) or Connection())
    assert prepared.reachable() and asked == [("proxy.example", 3128)]


def test_the_built_in_dataset_is_prepared_on_first_use_and_has_groups(prepared_digits, tmp_path, monkeypatch):
    asked = []

    def prepare(data_dir, config):
        asked.append((data_dir, config))
        return os.path.join(prepared_digits, "tiny_digits", "1.0.0")

    monkeypatch.setattr(captioned_shapes, "prepare", prepare)
    reader = prepared.CaptionedShapes("captioned_shapes/studio", str(tmp_path))
    assert asked == [(str(tmp_path), "studio")]
    assert set(reader.class_groups) == {"shape", "color"}


def test_a_missing_file_of_a_prepared_dataset_is_an_error_not_an_empty_split(prepared_digits, tmp_path):
    folder = tmp_path / "tiny_digits" / "1.0.0"
    shutil.copytree(os.path.join(prepared_digits, "tiny_digits", "1.0.0"), folder)
    for file in folder.glob("*train*"):
        file.unlink()
    with pytest.raises(tf.errors.NotFoundError):
        _records(prepared.Tfds("tiny_digits", str(tmp_path)), "train", ["weight"])
