import json

import numpy as np
import pytest

from pipelines import augment, build, captioned_shapes, prepared, spec


def _flat(value, shape=(4, 4, 3)):
    return np.full(shape, value, np.uint8)


def _data(source, data_dir, keys=(), **config):
    return build.build(spec.DatasetConfig(source=source, **config), data_dir, keys=keys, seed=0)


def _all(data, split, **kwargs):
    batches = list(data.examples(split, **{"batch_size": 5} | kwargs))
    return {key: np.concatenate([b[key] for b in batches]) for key in batches[0]}


@pytest.fixture
def classes(write_images):
    """Ten images of two classes to train on, four held out; the value of an image is its number."""
    files = {f"train/{'ab'[i % 2]}/{i}.png": _flat(i) for i in range(10)} | {f"test/{'ab'[i % 2]}/{i}.png": _flat(i) for i in range(10, 14)}
    return f"folder:{write_images(files)}"


def test_the_spec_says_what_the_files_are(prepared_digits):
    data = _data("tiny_digits", prepared_digits, keys=["label"], image_size=(4, 8), resize="stretch")
    assert data.spec == spec.DataSpec(
        name="tiny_digits",
        features={
            "image": spec.Feature(shape=(4, 8, 3), dtype="float32", low=-1.0, high=1.0),
            "label": spec.Feature(shape=(), dtype="int32", low=0.0, high=2.0),
            "attributes": spec.Feature(shape=(2,), dtype="float32", low=0.0, high=1.0),
            "mask": spec.Feature(shape=(4, 8, 1), dtype="float32", low=0.0, high=1.0),
            "weight": spec.Feature(shape=(), dtype="float32", low=float(np.finfo(np.float32).min), high=float(np.finfo(np.float32).max)),
        },
        num_classes=3,
        class_names=("zero", "one", "two"),
        size=24,
        test_size=8,
    )
    assert spec.DataSpec.from_json(json.loads(json.dumps(data.spec.to_json()))) == data.spec
    assert build.describe(spec.DatasetConfig(source="tiny_digits", image_size=(4, 8)), prepared_digits) == data.spec


def test_class_groups_come_with_the_built_in_dataset(prepared_digits, monkeypatch):
    monkeypatch.setattr(captioned_shapes, "prepare", lambda data_dir, config: prepared.find("tiny_digits", prepared_digits))
    assert _data("captioned_shapes/studio", prepared_digits + "/x").spec.class_groups == captioned_shapes.CLASS_GROUPS


@pytest.mark.parametrize("memory_limit_mb", [1, 0])
def test_examples_come_in_order_unaugmented_and_once(classes, data_dir, memory_limit_mb, prepared_digits):
    data = _data(classes, data_dir, ["label"], memory_limit_mb=memory_limit_mb, augmentations=(augment.Flip(probability=1.0), augment.Dequantize()))
    first, second = _all(data, "train"), _all(data, "train", batch_size=3)
    assert first["image"].dtype == np.float32 and first["label"].dtype == np.int32
    np.testing.assert_array_equal(first["image"], second["image"])
    assert sorted(np.rint((first["image"][:, 0, 0, 0] + 1) * 127.5)) == list(range(10))
    held_out = _all(data, "test")
    np.testing.assert_allclose(sorted(held_out["image"][:, 0, 0, 0]), np.arange(10, 14) / 127.5 - 1, atol=1e-6)
    stream = _all(_data("tiny_digits", prepared_digits, ["label"], memory_limit_mb=memory_limit_mb), "train")
    assert stream["label"].tolist() == [i % 3 for i in range(24)]


def test_examples_end_with_a_partial_batch_or_at_the_limit(classes, data_dir):
    data = _data(classes, data_dir)
    assert [len(b["image"]) for b in data.examples("train", batch_size=4)] == [4, 4, 2]
    assert [len(b["image"]) for b in data.examples("train", batch_size=4, limit=6)] == [4, 2]


def test_a_part_is_held_out_by_slices(numbered_folder, data_dir):
    data = _data(f"folder:{numbered_folder(20)}", data_dir, split="train[:75%]", test_split="train[75%:]")
    assert (data.spec.size, data.spec.test_size) == (15, 5)
    values = [np.rint((_all(data, split)["image"][:, 0, 0, 0] + 1) * 127.5) for split in ("train", "test")]
    assert sorted(np.concatenate(values)) == list(range(20))


def test_without_a_held_out_split_training_works_and_asking_for_it_says_what_to_do(numbered_folder, data_dir):
    data = _data(f"folder:{numbered_folder(3)}", data_dir)
    assert data.spec.test_size == 0
    with pytest.raises(ValueError, match=r"no split 'test' to read.*data.split=train\[:90%\]"):
        data.examples("test", batch_size=1)
    with pytest.raises(ValueError, match="no split 'tset'. It has: train"):
        _data(f"folder:{numbered_folder(3)}", data_dir, test_split="tset")


def test_a_missing_key_is_named_with_those_there_are(classes, data_dir):
    with pytest.raises(ValueError, match="batch key 'attributes', which the dataset .* does not have. It has: image, label"):
        _data(classes, data_dir, ["attributes"])


def test_texts_are_refused(prepared_digits):
    with pytest.raises(ValueError, match="key 'name' of 'tiny_digits' is text.*It delivers: attributes, image, label, mask, weight"):
        _data("tiny_digits", prepared_digits, ["name"])


def test_moving_the_pixels_of_the_image_alone_is_refused(prepared_digits):
    with pytest.raises(ValueError, match="Flip would move the pixels of 'image' but not those of 'mask'"):
        _data("tiny_digits", prepared_digits, ["mask"], augmentations=(augment.Flip(),))
    _data("tiny_digits", prepared_digits, ["mask"], augmentations=(augment.Dequantize(),))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"resize": "zoom"}, "data.resize must be one of crop, stretch, pad, margin. Received: 'zoom'"),
        ({"on_error": "ignore"}, "data.on_error must be one of raise, skip"),
        ({"image_size": (0, 8)}, r"data.image_size is \(height, width\)"),
        ({"image_size": (8,)}, r"data.image_size is \(height, width\)"),
        ({"memory_limit_mb": -1}, "must not be negative"),
        ({"augmentations": (augment.PadAndCrop(padding=5),)}, "reflects at most 3 pixels"),
    ],
)
def test_a_wrong_config_is_explained(classes, data_dir, config, message):
    with pytest.raises(ValueError, match=message):
        _data(classes, data_dir, **config)


def test_images_of_different_sizes_need_a_size(write_images, data_dir):
    source = f"folder:{write_images({'a.png': _flat(1), 'b.png': _flat(2, (6, 8, 3))})}"
    with pytest.raises(ValueError, match="Images differ in size: .*(a|b).png' has .*(a|b).png' has .*image_size=64,64"):
        _data(source, data_dir)
    assert _data(source, data_dir, image_size=(5, 5)).spec.image_shape == (5, 5, 3)


@pytest.mark.parametrize(("shapes", "channels"), [([1, 1], 1), ([1, 3], 3), ([3, 4], 3), ([4, 4], 4), ([2, 2], 2), ([1, 2], 1)])
def test_channels_are_those_that_all_images_can_give(write_images, data_dir, shapes, channels):
    source = f"folder:{write_images({f'{i}.png': _flat(i, (4, 4, c)) for i, c in enumerate(shapes)})}"
    data = _data(source, data_dir)
    assert data.spec.image_shape == (4, 4, channels)
    assert next(iter(data.batches(start=0, batch_size=2)))["image"].shape == (2, 4, 4, channels)


def test_unreadable_files_are_counted(write_images, data_dir):
    source = f"folder:{write_images({'1.png': _flat(1), '2.png': b'text', '3.png': _flat(3)})}"
    with pytest.raises(ValueError, match="2.png' cannot be read"):
        _data(source, data_dir)
    for limit in (1, 0):
        data = _data(source, data_dir, on_error="skip", memory_limit_mb=limit)
        assert data.skipped == 1 and data.spec.size == 2 and data.addressed
        values = next(iter(data.batches(start=0, batch_size=6)))["image"].numpy()[:, 0, 0, 0]
        assert sorted(np.rint((values + 1) * 127.5)) == [1, 1, 1, 3, 3, 3]


def test_a_stream_leaves_unreadable_records_out_when_asked(write_records, data_dir):
    schema = {"features": {"image": {"type": "image", "shape": [4, 4, 3]}}}
    root = write_records(schema, {"a.tfrecord": [{"image": _flat(1)}, {"image": b"text"}, {"image": _flat(3)}]})
    data = _data(f"tfrecord:{root}/*.tfrecord", data_dir, on_error="skip", memory_limit_mb=0)
    values = next(iter(data.batches(start=0, batch_size=6)))["image"].numpy()[:, 0, 0, 0]
    assert not data.addressed and sorted(np.rint((values + 1) * 127.5)) == [1, 1, 1, 3, 3, 3]
    assert len(_all(data, "train")["image"]) == 2


def test_a_large_source_of_unknown_sizes_needs_a_size(write_records, data_dir):
    root = write_records({"features": {"image": {"type": "image"}}}, {"a.tfrecord": [{"image": _flat(1)}]})
    with pytest.raises(ValueError, match="too large for data.memory_limit_mb=0, .* Give the size"):
        _data(f"tfrecord:{root}/*.tfrecord", data_dir, memory_limit_mb=0)
    assert _data(f"tfrecord:{root}/*.tfrecord", data_dir, memory_limit_mb=0, image_size=(4, 4)).spec.image_shape == (4, 4, 3)


# labels


def _records_with_labels(write_records, labels, **label):
    schema = {"features": {"image": {"type": "image"}, "label": {"type": "int", "high": 2} | label}}
    value = {"float": float, "int": int}[schema["features"]["label"]["type"]]
    return f"tfrecord:{write_records(schema, {'a.tfrecord': [{'image': _flat(i), 'label': value(k)} for i, k in enumerate(labels)]})}/*.tfrecord"


@pytest.mark.parametrize(
    ("labels", "label", "message"),
    [
        ([0, 1, 5, 7], {}, "2 of 4 labels of .* lie outside of 0 to 2; the first is 5, of example 2"),
        ([0, 1, 2**32], {}, "1 of 3 labels .* the first is 2147483647"),
        ([0, -1], {}, "1 of 2 labels .* the first is -1"),
        ([1, 1, 1], {}, "All 3 labels of .* are 1: nothing can be learned"),
        ([1, 2], {"type": "float"}, "A label must be one integer per example. .* kind number"),
        ([1, 2], {"shape": [1]}, r"A label must be one integer per example. .* shape \(1,\)"),
    ],
)
def test_wrong_labels_are_explained(write_records, data_dir, labels, label, message):
    with pytest.raises(ValueError, match=message):
        _data(_records_with_labels(write_records, labels, **label), data_dir, ["label"])


def test_labels_that_nobody_asks_for_are_not_judged(write_records, data_dir):
    assert _data(_records_with_labels(write_records, [1, 1, 1]), data_dir).spec.num_classes == 3


# fingerprint


def test_the_fingerprint_is_that_of_the_examples_and_what_is_done_to_them(classes, data_dir, write_images):
    def fingerprint(**config):
        return _data(classes, data_dir, **config).fingerprint

    first = fingerprint()
    assert first == fingerprint() == fingerprint(augmentations=(augment.Flip(),)) == fingerprint(memory_limit_mb=0)
    assert first == build.build(spec.DatasetConfig(source=classes), data_dir, keys=["label"], seed=9).fingerprint
    others = {fingerprint(image_size=(2, 2)), fingerprint(image_size=(2, 2), resize="margin"), fingerprint(split="train[:50%]")}
    write_images({"test/a/99.png": _flat(9)})
    assert len({first, fingerprint(), *others}) == 5
