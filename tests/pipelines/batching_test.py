import itertools

import numpy as np
import pytest
import tensorflow as tf

from pipelines import augment, batching, build, spec


def _data(source, data_dir, keys=(), seed=3, **config):
    return build.build(spec.DatasetConfig(source=source, **config), data_dir, keys=keys, seed=seed)


def _take(dataset, count):
    return [{key: value.numpy() for key, value in batch.items()} for batch in itertools.islice(dataset, count)]


def _rows(batches):
    """The number that each image of a `numbered_folder` or of `tiny_digits` carries in its first byte."""
    return np.concatenate([np.rint((b["image"][:, 0, 0, 0] + 1) * 127.5).astype(int) for b in batches]).tolist()


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_every_epoch_is_a_permutation_of_its_own(count):
    positions = tf.range(3 * count, dtype=tf.int64)
    epochs = batching.permuted(positions, count=count, seed=5).numpy().reshape(3, count)
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    if count == 100:
        assert len({tuple(epoch) for epoch in epochs}) == 3
        assert not np.array_equal(batching.permuted(positions, count=count, seed=6).numpy().reshape(3, count), epochs)


def test_the_permutation_is_spread_over_all_rows():
    rows = batching.permuted(tf.range(10_000, dtype=tf.int64), count=10_000, seed=0).numpy()
    assert abs(np.corrcoef(rows, np.arange(10_000))[0, 1]) < 0.05 and abs(np.corrcoef(rows[1:], rows[:-1])[0, 1]) < 0.05


@pytest.fixture(params=["memory", "files", "tfds"])
def addressed(request, numbered_folder, prepared_digits, data_dir):
    """Addressed data of 24 images, whose augmentation changes all but the image's first column."""
    if request.param == "tfds":
        return _data("tiny_digits", prepared_digits)
    return _data(f"folder:{numbered_folder(24)}", data_dir, memory_limit_mb=1 if request.param == "memory" else 0)


def test_addressed_batches_hold_every_example_once_per_epoch(addressed):
    rows = _rows(_take(addressed.batches(start=0, batch_size=8), 6))
    assert addressed.addressed
    assert sorted(rows[:24]) == sorted(rows[24:]) == list(range(24)) and rows[:24] != rows[24:]


def test_addressed_batches_start_anywhere(addressed):
    whole = _take(addressed.batches(start=0, batch_size=10), 8)
    later = _take(addressed.batches(start=50, batch_size=10), 3)
    for a, b in zip(whole[5:], later, strict=True):
        np.testing.assert_array_equal(a["image"], b["image"])
    assert _rows(_take(addressed.batches(start=50, batch_size=6), 5)) == _rows(later)


def test_hosts_together_see_the_global_batches(addressed):
    whole = _take(addressed.batches(start=12, batch_size=12), 4)
    hosts = [_take(addressed.batches(start=12, batch_size=12, shard=(i, 3)), 4) for i in range(3)]
    for t, batch in enumerate(whole):
        np.testing.assert_array_equal(batch["image"], np.concatenate([host[t]["image"] for host in hosts]))


def test_files_and_memory_give_the_same_batches(numbered_folder, data_dir):
    source = f"folder:{numbered_folder(24)}"
    memory, files = (_data(source, data_dir, memory_limit_mb=limit) for limit in (1, 0))
    assert _rows(_take(memory.batches(start=5, batch_size=7), 5)) == _rows(_take(files.batches(start=5, batch_size=7), 5))


def test_augmentation_follows_the_example_not_the_batch_or_the_host(numbered_folder, data_dir):
    data = _data(f"folder:{numbered_folder(24)}", data_dir, augmentations=(augment.Dequantize(),))
    whole = np.concatenate([b["image"] for b in _take(data.batches(start=0, batch_size=12), 4)])
    resumed = np.concatenate([b["image"] for b in _take(data.batches(start=16, batch_size=8), 4)])
    np.testing.assert_allclose(whole[16:], resumed, atol=1e-6)
    half = np.concatenate([b["image"] for b in _take(data.batches(start=0, batch_size=12, shard=(1, 2)), 4)])
    np.testing.assert_allclose(whole.reshape(4, 12, -1)[:, 6:].reshape(24, -1), half.reshape(24, -1), atol=1e-6)
    # The same example in the next epoch gets other noise.
    assert not np.allclose(np.sort(whole[:24].ravel()), np.sort(whole[24:].ravel()), atol=1e-6)


def test_batches_have_static_shapes_and_exactly_the_requested_keys(prepared_digits):
    data = _data("tiny_digits", prepared_digits, keys=["label", "attributes"])
    element = data.batches(start=0, batch_size=6, shard=(1, 2)).element_spec
    assert element == {
        "image": tf.TensorSpec([3, 6, 6, 3], tf.float32),
        "label": tf.TensorSpec([3], tf.int32),
        "attributes": tf.TensorSpec([3, 2], tf.float32),
    }


def test_labels_stay_with_their_images(prepared_digits):
    data = _data("tiny_digits", prepared_digits, keys=["label"])
    for batch in _take(data.batches(start=0, batch_size=8), 3):
        assert [row % 3 for row in _rows([batch])] == batch["label"].tolist()


# streams


@pytest.fixture
def streamed(prepared_digits):
    everything = tuple(cls() for cls in augment.AUGMENTATIONS.values())
    return _data("tiny_digits", prepared_digits, keys=["label"], memory_limit_mb=0, augmentations=everything)


def test_a_stream_holds_every_example_once_per_epoch(prepared_digits):
    data = _data("tiny_digits", prepared_digits, keys=["label"], memory_limit_mb=0)
    batches = _take(data.batches(start=0, batch_size=8), 6)
    rows = _rows(batches)
    assert not data.addressed and data.spec.size == 24
    assert sorted(rows[:24]) == sorted(rows[24:]) == list(range(24)) and rows[:24] != rows[24:]
    assert [row % 3 for row in rows] == np.concatenate([b["label"] for b in batches]).tolist()


def test_a_stream_is_restored_exactly_from_its_iterators_checkpoint(streamed, tmp_path):
    iterator = iter(streamed.batches(start=0, batch_size=5))
    for _ in range(7):  # into the second epoch
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "position"))
    expected = _take(iterator, 9)
    again = iter(streamed.batches(start=0, batch_size=5))
    tf.train.Checkpoint(iterator=again).read(path).assert_consumed()
    for a, b in zip(expected, _take(again, 9), strict=True):
        np.testing.assert_array_equal(a["image"], b["image"])
        np.testing.assert_array_equal(a["label"], b["label"])


def test_a_stream_depends_on_the_seed_alone(prepared_digits):
    streams = [_data("tiny_digits", prepared_digits, memory_limit_mb=0, seed=seed).batches(start=0, batch_size=8) for seed in (1, 1, 2)]
    rows = [_rows(_take(stream, 3)) for stream in streams]
    assert rows[0] == rows[1] != rows[2]


def test_hosts_of_a_stream_part_the_examples(prepared_digits):
    data = _data("tiny_digits", prepared_digits, memory_limit_mb=0)
    hosts = [_rows(_take(data.batches(start=0, batch_size=8, shard=(i, 2)), 3)) for i in range(2)]
    assert sorted(hosts[0] + hosts[1]) == list(range(24))


def test_a_stream_starts_at_its_beginning_only(streamed):
    with pytest.raises(ValueError, match="is streamed, so it starts at example 0 only: restore its iterator. Received: start=8"):
        streamed.batches(start=8, batch_size=8)


def test_a_wrong_label_in_a_stream_is_explained(write_records, data_dir):
    schema = {"features": {"image": {"type": "image", "shape": [2, 2, 1]}, "label": {"type": "int", "high": 1}}}
    root = write_records(schema, {"a.tfrecord": [{"image": np.zeros((2, 2, 1), np.uint8), "label": 7}]})
    data = _data(f"tfrecord:{root}/*.tfrecord", data_dir, keys=["label"], memory_limit_mb=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="A label is outside of 0 to 1:"):
        next(iter(data.batches(start=0, batch_size=1)))


@pytest.mark.parametrize(("batch_size", "shard"), [(0, (0, 1)), (9, (0, 2)), (8, (2, 2))])
def test_a_batch_that_hosts_cannot_share_is_refused(streamed, batch_size, shard):
    with pytest.raises(ValueError, match="must be a positive multiple of the number of hosts"):
        streamed.batches(start=0, batch_size=batch_size, shard=shard)
