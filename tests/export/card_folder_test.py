import io
import json
import os
import re
import shlex

import numpy as np
import pytest
import tensorflow as tf
import yaml
from PIL import Image

from export import card_folder, facts, signatures

FOLDER = os.path.join("assets.extra", "model_card")
ROWS, GAP = 8, 2


def read(directory):
    with open(os.path.join(directory, FOLDER, "README.md"), encoding="utf-8") as file:
        return file.read()


def test_every_version_has_a_card_with_front_matter(published):
    _, matter, body = read(published.directory).split("---\n", 2)
    assert yaml.safe_load(matter)["pipeline_tag"] == "unconditional-image-generation"
    assert body.strip().startswith("# toy")
    assert "![Samples](samples.png)" in body


def test_the_picture_shows_a_column_per_class_of_what_the_version_answers(toy, published):
    with open(os.path.join(published.directory, FOLDER, "samples.png"), "rb") as file:
        sheet = np.asarray(Image.open(io.BytesIO(file.read()))).astype(int)
    columns, side = toy.classes, 8
    assert sheet.shape == (ROWS * (side + GAP) + GAP, columns * (side + GAP) + GAP, 3)
    sample = tf.saved_model.load(published.directory).signatures["sample"]
    seeds = np.arange(ROWS * columns)
    answer = sample(seed=tf.constant(seeds), truncation=tf.fill([len(seeds)], 1e6), label=tf.constant(seeds % columns))["images"].numpy()
    for i in range(len(seeds)):
        top, left = GAP + i // columns * (side + GAP), GAP + i % columns * (side + GAP)
        levels = np.clip(np.floor((answer[i] + 1.0) * 127.5 + 0.5), 0, 255)
        assert np.abs(sheet[top : top + side, left : left + side] - levels).max() <= 1
    assert sheet[:GAP].min() == sheet[:, :GAP].min() == sheet[-GAP:].min() == 255


def test_the_columns_are_named_as_the_data_names_them(toy, tmp_path):
    built = signatures.build(toy.endpoints(toy.generator()))
    data = facts.Data(name="x", classes=5, class_names=("ant", "bee", "cat", "dog", "elk"))
    card_folder.write(str(tmp_path), "toy", built, facts.Run(data=data))
    assert "Columns are classes: ant, bee, cat, dog, elk." in read(tmp_path)


def test_a_model_without_pictures_has_a_card_without_one(toy, tmp_path):
    built = signatures.build(toy.endpoints(toy.generator())[:1])
    card_folder.write(str(tmp_path), "toy", built, facts.Run())
    assert os.listdir(tmp_path / FOLDER) == ["README.md"] and "samples.png" not in read(tmp_path)


@pytest.mark.parametrize("channels", [1, 4])
def test_pictures_of_other_channel_counts_are_drawn(toy, tmp_path, channels):
    built = signatures.build(toy.endpoints(toy.generator(channels)))
    card_folder.write(str(tmp_path), "toy", built, facts.Run())
    with Image.open(tmp_path / FOLDER / "samples.png") as picture:
        assert len(picture.getbands()) == channels


def test_the_code_in_the_card_runs(published):
    code = re.findall("```python\n(.*?)```", read(published.directory), re.DOTALL)
    assert code
    for block in code:
        names = {}
        exec(block.replace("PATH", published.directory), names)
        assert np.isfinite(names["images"].numpy()).all() and names["images"].shape[0] == 1


def test_the_request_in_the_card_is_a_row_that_the_signature_takes(published):
    (command,) = re.findall("^curl .*$", read(published.directory), re.MULTILINE)
    _, _, body, url = shlex.split(command)
    request = json.loads(body)
    assert url == "http://localhost:8501/v1/models/toy:predict"
    signature = tf.saved_model.load(published.directory).signatures[request["signature_name"]]
    (row,) = request["instances"]
    assert set(row) == set(signature.structured_input_signature[1])


def test_the_table_lists_every_signature(published):
    signatures_read = tf.saved_model.load(published.directory).signatures
    listed = set(re.findall(r"^\| `(\w+)` \|", read(published.directory).split("## How to call it")[1], re.MULTILINE))
    assert listed == set(signatures_read)
