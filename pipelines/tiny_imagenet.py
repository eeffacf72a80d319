"""Tiny ImageNet as it is unpacked: 200 classes in `train/<class>/images/`, and `val/images/` with a list of their classes beside it."""

import os

ANNOTATIONS = os.path.join("val", "val_annotations.txt")


def listing(root: str) -> dict[str, dict[str, str]]:
    """{split: {path below `root`/<split>: class}} of the labelled splits `train` and `val`; empty where `root` is something else.

    `test`, which has no labels, and the lists of boxes beside the training images are left out. A line of the annotations is file, class and box,
    separated by tabs.
    """
    if not os.path.isfile(os.path.join(root, ANNOTATIONS)):
        return {}
    train = {}
    for name in sorted(e.name for e in os.scandir(os.path.join(root, "train")) if e.is_dir()):
        for file in os.scandir(os.path.join(root, "train", name, "images")):
            train[os.path.join(name, "images", file.name)] = name
    with open(os.path.join(root, ANNOTATIONS), encoding="utf-8") as lines:
        rows = [line.split("\t") for line in lines if line.strip()]
    return {"train": train, "val": {os.path.join("images", row[0]): row[1].strip() for row in rows}}
