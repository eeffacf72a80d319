import numpy as np
import pytest

from pipelines import build, spec

SIDE = 16


def glyph(kind: int, position: int) -> np.ndarray:
    """uint8 [16, 16]: a horizontal bar, a vertical bar, or a square, at one of several places."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    at = 3 + position % 8
    rows, columns = [(slice(at, at + 2), slice(2, 14)), (slice(2, 14), slice(at, at + 2)), (slice(at, at + 5), slice(at, at + 5))][kind]
    image[rows, columns] = 150 + position
    return image


@pytest.fixture
def glyphs(write_idx):
    """An idx source of three classes: 60 glyphs to train on, 30 held out."""
    files = {}
    for prefix, count in (("train", 60), ("t10k", 30)):
        files[f"{prefix}-images-idx3-ubyte"] = np.stack([glyph(i % 3, i // 3) for i in range(count)])
        files[f"{prefix}-labels-idx1-ubyte"] = np.arange(count, dtype=np.uint8) % 3
    return f"idx:{write_idx(files)}"


def opened(source, data_dir="", **config):
    splits = {"split": "train[:400]", "test_split": "test[:200]"}
    return build.build(spec.DatasetConfig(source=f"stacked_digits:{source}", **(splits | config)), data_dir, keys=["label"], seed=0)


def examples(data, split="train"):
    [batch] = data.examples(split, batch_size=10_000)
    return np.rint((batch["image"] + 1.0) * 127.5).astype(np.uint8), batch["label"]


def kind_of(channel: np.ndarray) -> int:
    """Which glyph a channel [16, 16] shows, by the extent of what is bright."""
    rows, columns = (np.ptp(places) + 1 for places in np.nonzero(channel))
    return {(2, 12): 0, (12, 2): 1, (5, 5): 2}[rows, columns]


def test_the_label_is_the_number_whose_digits_the_channels_show(glyphs):
    images, labels = examples(opened(glyphs))
    assert images.shape == (400, SIDE, SIDE, 3)
    shown = [[kind_of(image[..., c]) for c in range(3)] for image in images]
    assert labels.tolist() == [9 * a + 3 * b + c for a, b, c in shown]


def test_there_are_27_classes_of_3_digits_named_and_grouped_by_channel(glyphs):
    found = opened(glyphs).spec
    assert (found.num_classes, found.image_shape) == (27, (SIDE, SIDE, 3))
    assert found.class_names[:4] == ("000", "001", "002", "010") and found.class_names[-1] == "222"
    assert {name: values[5] for name, values in found.class_groups.items()} == {"red": "0", "green": "1", "blue": "2"}


def test_all_combinations_occur_about_equally_often(glyphs):
    _, labels = examples(opened(glyphs, split="train[:8000]"))
    counts = np.bincount(labels, minlength=27)
    np.testing.assert_allclose(counts, 8000 / 27, atol=5 * np.sqrt(8000 / 27))


def test_channels_are_stored_digits_of_the_split(glyphs):
    train = {glyph(i % 3, i // 3).tobytes() for i in range(60)}
    test = {glyph(i % 3, i // 3).tobytes() for i in range(30)}
    for split, stored in (("train", train), ("test", test)):
        images, _ = examples(opened(glyphs), split)
        assert {image[..., c].tobytes() for image in images for c in range(3)} == stored


def test_there_are_128_000_to_train_on_and_26_000_held_out(glyphs):
    found = build.describe(spec.DatasetConfig(source=f"stacked_digits:{glyphs}"), "")
    assert (found.size, found.test_size) == (128_000, 26_000)


def test_an_image_depends_on_its_position_alone(glyphs, data_dir):
    whole, labels = examples(opened(glyphs))
    part, part_labels = examples(opened(glyphs, split="train[100:150]", memory_limit_mb=0))
    np.testing.assert_array_equal(part, whole[100:150])
    np.testing.assert_array_equal(part_labels, labels[100:150])


def test_digits_of_tfds_are_taken_and_color_images_are_refused(prepared_digits):
    with pytest.raises(ValueError, match=r"needs labelled grey images of one size. 'tiny_digits' has images of shape \(6, 6, 3\) and labels"):
        opened("tiny_digits", prepared_digits)


def test_a_source_without_labels_is_refused(write_idx):
    source = f"idx:{write_idx({'train-images-idx3-ubyte': np.zeros((4, 5, 5), np.uint8)})}"
    with pytest.raises(ValueError, match="and no labels. Choose a source such as mnist"):
        opened(source)
