import numpy as np
import pytest

from pipelines import spec, validate


def _noise(seed, shape=(4, 4, 3), high=256):
    return np.random.default_rng(seed).integers(0, high, shape, np.uint8)


def _report(source, data_dir="", **config):
    return validate.validate(spec.DatasetConfig(source=source, **config), data_dir)


def _good(count=60):
    return {f"train/{'ab'[i % 2]}/{i}.png": _noise(i) for i in range(count)} | {f"test/{'ab'[i % 2]}/{i}.png": _noise(1000 + i) for i in range(10)}


def test_a_sound_dataset_has_nothing_wrong(write_images):
    report = _report(f"folder:{write_images(_good())}")
    assert report.problems == [] and report.notes == []
    train = report.splits["train"]
    assert (train.stated, train.readable, dict(train.sizes), dict(train.labels)) == (60, 60, {(4, 4, 3): 60}, {0: 30, 1: 30})
    assert train.ranges["image"] == (0.0, 255.0)
    assert "train: 60 of 60 examples readable, 0 duplicates" in report.text() and report.text().endswith("nothing is wrong")


def test_a_few_duplicates_are_a_note_and_many_are_wrong(write_images):
    few = _report(f"folder:{write_images(_good(200) | {'train/a/copy.png': _noise(0), 'train/b/leak.png': _noise(1003)}, 'few')}", test_split="test")
    assert len(few.splits["train"].duplicates) == 1 and few.splits["train"].duplicates[0][0] != few.splits["train"].duplicates[0][1]
    assert any("1 images are copies of an earlier one" in note for note in few.notes)
    assert any("1 images are in both splits" in problem for problem in few.problems)  # 1 of 10 held out
    many = _report(f"folder:{write_images({f'{i}.png': _noise(i % 5) for i in range(20)}, 'many')}")
    assert any("15 images are copies of an earlier one" in problem for problem in many.problems)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train/a/broken.png": b"text"}, "train: 1 unreadable: .*broken.png: Unknown image file format"),
        ({"train/a/large.png": _noise(7, (9, 9, 3))}, "train: images of 2 sizes, and no image_size is given"),
        ({"train/a/grey.png": _noise(7, (4, 4, 1))}, "train: images with 1 and 3 channels"),
        ({"test/c/1.png": _noise(7777)}, "train: 1 classes without an example: 2"),
        ({f"train/a/black{i}.png": np.full((4, 4, 3), i, np.uint8) for i in range(5)}, "train: 5 images are of one color only"),
    ],
)
def test_what_is_wrong_is_said(write_images, files, message):
    report = _report(f"folder:{write_images(_good() | files)}")
    assert len(report.problems) == 1
    with pytest.raises(ValueError, match=message):
        raise ValueError(report.problems[0])
    assert f"WRONG: {report.problems[0]}" in report.text() and report.text().endswith("something is wrong")


def test_images_stored_as_zero_and_one_are_noticed(write_images):
    report = _report(f"folder:{write_images({f'{i}.png': _noise(i, (8, 8, 1), high=2) for i in range(20)})}")
    assert any("no pixel is brighter than 1 of 255" in problem for problem in report.problems)


def test_wrong_labels_and_values_are_noticed(write_records):
    schema = {
        "features": {
            "image": {"type": "image"},
            "label": {"type": "int", "high": 1},
            "weights": {"type": "float", "shape": [2], "low": 0, "high": 1},
        }
    }
    examples = [{"image": _noise(i), "label": 5 if i == 3 else 0, "weights": np.asarray([0.5, 1.5])} for i in range(6)]
    report = _report(f"tfrecord:{write_records(schema, {'a.tfrecord': examples})}/*.tfrecord")
    assert report.problems == [
        "train: weights goes from 0.5 to 1.5, its stated range is 0 to 1",
        "train: 1 labels outside of 0 to 1: 5",
        "train: 1 classes without an example: 1",
    ]


def test_the_grid_has_a_row_per_class_as_training_sees_it(write_images):
    files = {f"{name}/{i}.png": np.full((4, 4, 3), value, np.uint8) for name, value in (("a", 50), ("b", 200)) for i in range(10)}
    report = _report(f"folder:{write_images(files)}", image_size=(2, 2))
    assert report.grid.shape == (2 * 2, 8 * 2, 3)
    assert (report.grid[:2] == 50).all() and (report.grid[2:] == 200).all()


def test_the_grid_of_unlabelled_images_is_filled_row_by_row(write_images):
    report = _report(f"folder:{write_images({f'{i}.png': np.full((2, 2, 1), 100 + i, np.uint8) for i in range(12)})}")
    assert report.grid.shape == (2 * 2, 8 * 2, 1)
    assert (report.grid[::2, ::2, 0] > 0).sum() == 12
