import itertools
import json

import numpy as np
import pytest

from pipelines import augment, build, labelled, readers, spec

CLASSES = 3


def _data(source, data_dir, keys=tuple(labelled.KEYS), seed=3, **config):
    return build.build(spec.DatasetConfig(source=source, **({"labelled_per_class": 2} | config)), data_dir, keys=keys, seed=seed)


def _take(dataset, count):
    return [{key: value.numpy() for key, value in batch.items()} for batch in itertools.islice(dataset, count)]


def _numbers(batches, key="image"):
    """The number that each image carries in its first byte."""
    return np.concatenate([np.rint((b[key][:, 0, 0, 0] + 1) * 127.5).astype(int) for b in batches]).tolist()


@pytest.fixture
def source(write_images):
    """24 images of three classes in turn; image i has the value i."""
    flat = {f"{'abc'[i % CLASSES]}/{i:02d}.png": np.full((4, 4, 3), i, np.uint8) for i in range(24)}
    return f"folder:{write_images(flat)}"


@pytest.fixture(params=["memory", "files"])
def data(request, source, data_dir):
    return _data(source, data_dir, memory_limit_mb=1 if request.param == "memory" else 0)


def test_every_batch_holds_as_many_labelled_examples_beside_its_images(data):
    batches = _take(data.batches(start=0, batch_size=8), 3)
    assert batches[0].keys() == {"image", "labelled_image", "labelled_label"}
    assert {key: (value.shape, value.dtype.name) for key, value in batches[0].items()} == {
        "image": ((8, 4, 4, 3), "float32"),
        "labelled_image": ((8, 4, 4, 3), "float32"),
        "labelled_label": ((8,), "int32"),
    }
    assert sorted(_numbers(batches)) == list(range(24)), "all images, the labelled among them, stay unlabelled"


def test_labelled_images_are_few_balanced_and_have_their_own_labels(data):
    batches = _take(data.batches(start=0, batch_size=8), 6)
    numbers, labels = _numbers(batches, "labelled_image"), np.concatenate([b["labelled_label"] for b in batches])
    assert [n % CLASSES for n in numbers] == labels.tolist()
    assert len(set(numbers)) == 2 * CLASSES
    assert np.bincount(labels).tolist() == [16, 16, 16]


def test_each_walk_through_the_labelled_examples_has_an_order_of_its_own(data):
    numbers = np.reshape(_numbers(_take(data.batches(start=0, batch_size=6), 8), "labelled_image"), (8, 6))
    assert len({tuple(sorted(row)) for row in numbers}) == 1
    assert len({tuple(row) for row in numbers}) > 4


def test_labelled_batches_start_anywhere(data):
    whole = _take(data.batches(start=0, batch_size=10), 8)
    later = _take(data.batches(start=50, batch_size=10), 3)
    for a, b in zip(whole[5:], later, strict=True):
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])


def test_hosts_together_see_the_labelled_batches_of_one(data):
    whole = _take(data.batches(start=12, batch_size=12), 4)
    hosts = [_take(data.batches(start=12, batch_size=12, shard=(i, 3)), 4) for i in range(3)]
    for t, batch in enumerate(whole):
        for key in batch:
            np.testing.assert_array_equal(batch[key], np.concatenate([host[t][key] for host in hosts]))


def test_which_examples_are_labelled_follows_from_labelled_seed_alone_and_is_recorded(source, data_dir):
    def labelled_numbers(**options):
        data = _data(source, data_dir, **options)
        rows = data.spec.labelled
        stored = _numbers(data.examples("train", batch_size=24))
        assert set(_numbers(_take(data.batches(start=0, batch_size=8), 6), "labelled_image")) == {stored[row] for row in rows}
        assert spec.DataSpec.from_json(json.loads(json.dumps(data.spec.to_json()))) == data.spec
        return rows

    assert labelled_numbers(seed=1) == labelled_numbers(seed=2)
    assert labelled_numbers(labelled_seed=1) != labelled_numbers(labelled_seed=2)


def test_more_labels_keep_those_there_were():
    """So that runs with 10 and 20 labels per class compare the number, not the choice."""
    labels, column = np.arange(60) % CLASSES, readers.Column(kind="integer", high=CLASSES - 1)
    few, more = (labelled.choose(labels, column, per_class=n, seed=5, who="x") for n in (2, 4))
    assert set(few) < set(more)
    assert np.bincount(labels[more]).tolist() == [4, 4, 4]


def test_a_spec_written_before_there_were_labelled_examples_is_read(data):
    values = data.spec.to_json()
    del values["labelled"]
    assert spec.DataSpec.from_json(values).labelled == ()


def test_labels_are_delivered_only_when_asked_for(source, data_dir):
    batch = next(iter(_data(source, data_dir, keys=("labelled_image", "labelled_label", "label")).batches(start=0, batch_size=4)))
    assert batch.keys() == {"image", "label", "labelled_image", "labelled_label"}
    batch = next(iter(_data(source, data_dir, keys=("label",)).batches(start=0, batch_size=4)))
    assert batch.keys() == {"image", "label"}


def test_labelled_images_are_augmented_by_numbers_of_their_own(source, data_dir):
    data = _data(source, data_dir, augmentations=(augment.Dequantize(),), labelled_per_class=8)
    plain = _data(source, data_dir, labelled_per_class=8)
    noise = [
        np.abs(a[key] - b[key]) for key in ("image", "labelled_image")
        for a, b in zip(_take(data.batches(start=0, batch_size=8), 1), _take(plain.batches(start=0, batch_size=8), 1), strict=True)
    ]  # fmt: skip
    assert all(0.0 < n.max() <= 1 / 127.5 + 1e-6 for n in noise)
    assert not np.allclose(*noise, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"labelled_per_class": 9}, r"labelled_per_class=9 is more than the 8 examples of class 0 \('a'\) in .*split 'train'"),
        ({"labelled_per_class": 0}, "batch key 'labelled_image'.*--experiment.data.labelled_per_class=10"),
        ({"labelled_per_class": -1}, "must not be negative. Received: -1, 0"),
    ],
    ids=["too many", "none", "negative"],
)
def test_a_wrong_number_of_labels_is_explained(source, data_dir, options, says):
    with pytest.raises(ValueError, match=says):
        _data(source, data_dir, **options)


def test_a_dataset_without_labels_is_refused(numbered_folder, data_dir):
    with pytest.raises(ValueError, match="labelled_per_class=2 needs labels, which 'folder:.*' does not have. It has: image"):
        _data(f"folder:{numbered_folder(6)}", data_dir)


def test_a_streamed_dataset_is_refused(prepared_digits):
    with pytest.raises(ValueError, match="'tiny_digits'.* is streamed.*raise data.memory_limit_mb=0"):
        _data("tiny_digits", prepared_digits, memory_limit_mb=0)
