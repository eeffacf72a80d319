import numpy as np
import pytest

from pipelines import files, readers


def _images(reader, split, keys=("image",), **kwargs):
    return [{k: v.numpy() for k, v in record.items()} for record in reader.records(split, list(keys), **kwargs)]


def _values(reader, split, **kwargs):
    """The value of each flat image of a split, in order."""
    return [int(readers.decode(record["image"]).numpy()[0, 0, 0]) for record in reader.records(split, ["image"], **kwargs)]


def _flat(value, shape=(4, 4, 3)):
    return np.full(shape, value, np.uint8)


# folder


def test_a_flat_folder_has_images_and_no_labels(numbered_folder):
    reader = files.Folder(numbered_folder(5), "")
    assert set(reader.columns) == {"image"} and reader.count("train") == 5
    assert sorted(_values(reader, "train")) == [0, 1, 2, 3, 4]


def test_class_folders_give_labels_in_the_order_of_their_names(write_images):
    root = write_images({"dog/1.png": _flat(1), "cat/deep/2.png": _flat(2), "ant/3.png": _flat(3), ".hidden/4.png": _flat(4), "dog/.5.png": _flat(5)})
    reader = files.Folder(root, "")
    assert reader.columns["label"].names == ("ant", "cat", "dog")
    found = {int(readers.decode(r["image"]).numpy()[0, 0, 0]): int(r["label"]) for r in reader.records("train", ["image", "label"])}
    assert found == {1: 2, 2: 1, 3: 0}


def test_train_and_test_folders_are_splits_with_common_classes(write_images):
    root = write_images({"train/a/1.png": _flat(1), "train/b/2.png": _flat(2), "test/b/3.png": _flat(3)})
    reader = files.Folder(root, "")
    assert (reader.count("train"), reader.count("test")) == (2, 1)
    assert [int(r["label"]) for r in reader.records("test", ["label"])] == [1]


def test_a_class_that_happens_to_be_called_train_is_a_class(write_images):
    reader = files.Folder(write_images({"train/1.png": _flat(1), "bus/2.png": _flat(2)}), "")
    assert reader.columns["label"].names == ("bus", "train")


def test_slices_of_a_folder_are_disjoint_complete_and_mixed_over_classes(write_images):
    root = write_images({f"{name}/{i}.png": _flat(i) for name in "ab" for i in range(50)})
    reader = files.Folder(root, "")
    train, test = reader.files("train[:80%]"), reader.files("train[80%:]")
    assert len(train) == 80 and len(test) == 20 and not set(train) & set(test)
    assert {int(r["label"]) for r in reader.records("train[80%:]", ["label"])} == {0, 1}


def test_the_order_does_not_depend_on_where_the_folder_is(numbered_folder):
    here, there = files.Folder(numbered_folder(9, "x"), ""), files.Folder(numbered_folder(9, "somewhere/else"), "")
    assert _values(here, "train") == _values(there, "train")


def test_shards_of_a_folder_part_the_examples(numbered_folder):
    reader = files.Folder(numbered_folder(7), "")
    parts = [_values(reader, "train", shard=(i, 2)) for i in range(2)]
    assert sorted(parts[0] + parts[1]) == list(range(7))


def test_a_folder_with_a_stray_file_beside_classes_is_refused(write_images):
    with pytest.raises(ValueError, match=r"stray.png.* lies beside the class folders a"):
        files.Folder(write_images({"a/1.png": _flat(1), "stray.png": _flat(2)}), "")


def test_missing_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no folder"):
        files.Folder(str(tmp_path / "nowhere"), "")
    with pytest.raises(ValueError, match="holds no files"):
        files.Folder(str(tmp_path), "")


def test_the_stamp_changes_with_the_files_and_with_the_classes(write_images):
    root = write_images({"train/a/1.png": _flat(1), "train/b/2.png": _flat(2), "test/b/3.png": _flat(3)})
    before = files.Folder(root, "").stamp("train")
    assert files.Folder(root, "").stamp("train") == before
    write_images({"test/A/4.png": _flat(4)})  # shifts the labels of train
    shifted = files.Folder(root, "").stamp("train")
    write_images({"train/a/1.png": _flat(200, (9, 9, 3))})
    assert len({before, shifted, files.Folder(root, "").stamp("train")}) == 3


# idx


def test_idx_reads_raw_and_compressed_files(write_idx):
    images, labels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3), np.asarray([4, 0], np.uint8)
    reader = files.Idx(
        write_idx(
            {
                "train-images-idx3-ubyte.gz": images,
                "train-labels-idx1-ubyte": labels,
                "t10k-images.idx3-ubyte": images[:1],
                "t10k-labels.idx1-ubyte.gz": labels[:1],
            }
        ),
        "",
    )
    assert (reader.count("train"), reader.count("test")) == (2, 1)
    assert reader.columns["image"].shape == (3, 3, 1) and reader.columns["label"].high == 4
    records = _images(reader, "train", ("image", "label"))
    np.testing.assert_array_equal(np.stack([r["image"] for r in records])[..., 0], images)
    assert [int(r["label"]) for r in records] == [4, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08\x03" + b"\0\0\0\x02" * 3 + b"123", "should hold 8 values for its shape .2, 2, 2., but holds 3"),
        (b"GIF89a", "begins with 47 49 46 38"),
        (b"", "no idx file"),
    ],
)
def test_a_damaged_idx_file_is_named(write_idx, content, message):
    with pytest.raises(ValueError, match=f"train-images-idx3-ubyte' .*{message}"):
        files.Idx(write_idx({"train-images-idx3-ubyte": content}), "")


def test_a_truncated_gz_file_is_named(write_idx, tmp_path):
    root = write_idx({"train-images-idx3-ubyte.gz": np.zeros((5, 9, 9), np.uint8)})
    path = tmp_path / "idx" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="train-images-idx3-ubyte.gz' cannot be read"):
        files.Idx(root, "")


def test_idx_with_unequal_numbers_of_images_and_labels_is_refused(write_idx):
    root = write_idx({"train-images-idx3-ubyte": np.zeros((3, 2, 2), np.uint8), "train-labels-idx1-ubyte": np.zeros(2, np.uint8)})
    with pytest.raises(ValueError, match="3 images, train-labels has 2 labels"):
        files.Idx(root, "")


def test_an_idx_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds neither train-images-idx3-ubyte nor"):
        files.Idx(str(tmp_path), "")


# tfrecord

SCHEMA = {
    "features": {
        "image": {"type": "image", "shape": [4, 4, 3], "feature": "image/encoded"},
        "label": {"type": "int"},
        "weights": {"type": "float", "shape": [2], "low": 0, "high": 1},
        "caption": {"type": "string"},
    },
    "class_names": ["cat", "dog"],
}


def _example(i):
    return {"image/encoded": _flat(i), "label": i % 2, "weights": np.asarray([0.25, i / 10]), "caption": b"a cat"}


def test_tfrecords_are_read_as_declared(write_records):
    reader = files.TfRecord(write_records(SCHEMA, {"train-0.tfrecord": map(_example, range(3))}) + "/*.tfrecord", "")
    assert reader.count("train") == 3
    assert reader.columns["label"].names == ("cat", "dog") and reader.columns["caption"].kind == "text"
    records = _images(reader, "train", ("label", "weights"))
    assert [int(r["label"]) for r in records] == [0, 1, 0]
    np.testing.assert_allclose(records[2]["weights"], [0.25, 0.2])


def test_the_split_stands_for_itself_in_the_glob(write_records):
    files_of = {"train-0.tfrecord": range(3), "train-1.tfrecord": range(3, 5), "test-0.tfrecord": [9]}
    root = write_records(SCHEMA, {name: map(_example, numbers) for name, numbers in files_of.items()})
    reader = files.TfRecord(root + "/{split}-*.tfrecord", "")
    assert _values(reader, "train") == [0, 1, 2, 3, 4] and _values(reader, "test") == [9]
    with pytest.raises(readers.NoSuchSplit, match="no files for the split 'validation'"):
        reader.count("validation")
    with pytest.raises(readers.NoSuchSplit, match="there is only train"):
        files.TfRecord(root + "/train-*.tfrecord", "").count("test")


def test_slices_and_shards_of_tfrecords_part_the_examples(write_records):
    root = write_records(SCHEMA, {f"train-{k}.tfrecord": [_example(10 * k + i) for i in range(4)] for k in range(3)})
    reader = files.TfRecord(root + "/*.tfrecord", "")
    everything = _values(reader, "train")
    assert _values(reader, "train[:5]") + _values(reader, "train[5:]") == everything
    assert set(_values(reader, "train[:5]", shuffle_seed=3)) == set(everything[:5])
    for shards in (2, 3):  # three files: single records for two hosts, whole files for three
        parts = [_values(reader, "train", shard=(i, shards), shuffle_seed=1) for i in range(shards)]
        assert sorted(sum(parts, [])) == everything


def test_tfrecords_without_a_schema_are_refused_with_an_example(tmp_path):
    with pytest.raises(ValueError, match='needs a file .*schema.json.*"type": "image"'):
        files.TfRecord(str(tmp_path / "*.tfrecord"), "")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"image": {"type": "picture"}}, "'image' has the type 'picture'.*Types: image, mask, int, float, string"),
        ({"image": {"type": "image", "size": 4}}, "'image' has the field 'size'"),
        ({"image": {"type": "image"}, "label": {"type": "int"}}, '\'label\' needs "high" or "class_names"'),
        ({"image": {}}, "is no schema: KeyError: 'type'"),
        ({"image": {"type": "image", "shape": [4, 4]}}, r"the shape of 'image' is \[height, width, channels\]. Received: \[4, 4\]"),
        ({"picture": {"type": "image"}}, "declares no feature 'image' of type image. It declares: picture"),
    ],
)
def test_a_wrong_schema_is_explained(write_records, features, message):
    with pytest.raises(ValueError, match=message):
        files.TfRecord(write_records({"features": features}, {}) + "/*.tfrecord", "")


def test_class_names_and_the_highest_label_must_agree(write_records):
    features = {"image": {"type": "image"}, "label": {"type": "int", "high": 9}}
    with pytest.raises(ValueError, match="2 class_names, but the highest label is 9"):
        files.TfRecord(write_records({"features": features, "class_names": ["cat", "dog"]}, {}) + "/*.tfrecord", "")
    with pytest.raises(ValueError, match="has the field 'classes'. Fields: features, class_names"):
        files.TfRecord(write_records({"features": features, "classes": ["cat", "dog"]}, {}) + "/*.tfrecord", "")


def test_one_schema_serves_splits_in_folders_of_their_own(write_records, tmp_path):
    root = write_records(SCHEMA, {"a.tfrecord": map(_example, range(3))})
    (tmp_path / "records" / "train").mkdir()
    (tmp_path / "records" / "a.tfrecord").rename(tmp_path / "records" / "train" / "a.tfrecord")
    assert files.TfRecord(root + "/{split}/*.tfrecord", "").count("train") == 3


def test_a_cut_off_tfrecord_file_is_named(write_records, tmp_path):
    root = write_records(SCHEMA, {"train-0.tfrecord": map(_example, range(3))})
    path = tmp_path / "records" / "train-0.tfrecord"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match="train-0.tfrecord' is no TFRecord file, is compressed, or was cut off after 2 records"):
        files.TfRecord(root + "/*.tfrecord", "").count("train")
