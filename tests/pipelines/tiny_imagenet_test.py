import numpy as np
import pytest

from pipelines import files, readers


@pytest.fixture
def unpacked(write_images):
    """The layout of the archive with three classes: lists of boxes beside the images, a list of the classes of `val`, a `test` without labels."""
    images = {f"train/n0{k}/images/n0{k}_{i}.png": np.full((4, 4, 3), 10 * k + i, np.uint8) for k in (1, 2, 3) for i in range(2)}
    images |= {f"val/images/val_{i}.png": np.full((4, 4, 3), 100 + i, np.uint8) for i in range(3)}
    images |= {"test/images/test_0.png": np.zeros((4, 4, 3), np.uint8)}
    root = write_images(images)
    for k in (1, 2, 3):
        with open(f"{root}/train/n0{k}/n0{k}_boxes.txt", "w", encoding="utf-8") as boxes:
            boxes.write(f"n0{k}_0.png\t0\t0\t3\t3\n")
    with open(f"{root}/val/val_annotations.txt", "w", encoding="utf-8") as annotations:
        annotations.write("".join(f"val_{i}.png\tn0{3 - i}\t0\t0\t3\t3\n" for i in range(3)))
    return root


def examples(reader, split):
    """{value of the flat image: label}."""
    records = reader.records(split, ["image", "label"])
    return {int(readers.decode(record["image"]).numpy()[0, 0, 0]): int(record["label"]) for record in records}


def test_training_images_have_the_class_of_their_folder_and_boxes_are_no_images(unpacked):
    reader = files.Folder(unpacked, "")
    assert reader.columns["label"].names == ("n01", "n02", "n03")
    assert examples(reader, "train") == {10: 0, 11: 0, 20: 1, 21: 1, 30: 2, 31: 2}


def test_validation_images_have_the_class_of_their_line(unpacked):
    assert examples(files.Folder(unpacked, ""), "val") == {100: 2, 101: 1, 102: 0}


def test_the_unlabelled_split_is_left_out(unpacked):
    with pytest.raises(readers.NoSuchSplit, match="train, val"):
        files.Folder(unpacked, "").count("test")
