"""Writes the model card into a version: the text of `model_card`, and a picture that the version's own endpoint draws."""

import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from export import facts, images, model_card, readme, signatures

DIRECTORY = os.path.join("assets.extra", "model_card")
_ROWS, _MOST_COLUMNS = 8, 10
_GAP = 2
_NO_TRUNCATION = 1e6
"""Beyond any latent that is drawn."""


def write(directory: str, model_name: str, built: Sequence[signatures.Signature], run: facts.Run) -> None:
    """Writes README.md, and samples.png where the model draws images, into the version `directory`."""
    folder = os.path.join(directory, DIRECTORY)
    os.makedirs(folder)
    drawn, caption = _sheet(built, run)
    if drawn is not None:
        tf.io.write_file(os.path.join(folder, model_card.SHEET), tf.io.encode_png(drawn))
    calls = tuple(_call(signature) for signature in built)
    card = model_card.Card(model_name=model_name, tensorflow=tf.__version__, calls=calls, sheet=caption, run=run)
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as file:
        file.write(model_card.text(card))


def _call(signature: signatures.Signature) -> model_card.Call:
    row, specs = signature.examples(1), signature.endpoint.inputs
    return model_card.Call(
        name=signature.name,
        inputs={key: readme.tensor("", spec.shape, spec.dtype).strip() for key, spec in specs.items()},
        outputs={key: readme.tensor("", spec.shape, spec.dtype).strip() for key, spec in signature.concrete.structured_outputs.items()},
        row={key: readme.json_value(value[0]) for key, value in row.items()},
    )


def _sheet(built: Sequence[signatures.Signature], run: facts.Run) -> tuple[np.ndarray | None, str]:
    """(uint8 [H, W, c], what it shows) of the endpoint `sample`, a column per class if it takes labels; (None, "") where it draws no images."""
    found = [signature for signature in built if signature.name == "sample_png"]
    if not found:
        return None, ""
    endpoint = found[0].endpoint
    inputs = found[0].examples(_ROWS * _MOST_COLUMNS)
    labels = sorted(set(inputs["label"].tolist()))[:_MOST_COLUMNS] if "label" in inputs else []
    columns = len(labels) or _ROWS
    inputs = {key: value[: _ROWS * columns] for key, value in inputs.items()}
    inputs["seed"] = np.arange(_ROWS * columns)
    inputs["truncation"] = np.full([_ROWS * columns], _NO_TRUNCATION)
    if labels:
        inputs["label"] = np.tile(labels, _ROWS)
    pixels = images.pixels(_drawn(endpoint, inputs)).numpy()
    names = run.data.class_names if run.data else ()
    shown = ", ".join(names[label] if label < len(names) else str(label) for label in labels)
    caption = f"The seeds 0 to {_ROWS * columns - 1}, row by row, without truncation; none was selected." + (
        f" Columns are classes: {shown}." if labels else ""
    )
    return _grid(pixels, columns), caption


def _drawn(endpoint, inputs: dict[str, np.ndarray]) -> tf.Tensor:
    """The endpoint's images, a row of the picture at a time, on the CPU, where a version is checked."""
    rows = len(inputs["seed"]) // _ROWS
    with tf.device("CPU:0"):
        parts = [
            endpoint.function(**{key: tf.constant(value[i : i + rows], endpoint.inputs[key].dtype) for key, value in inputs.items()})["images"]
            for i in range(0, _ROWS * rows, rows)
        ]
    return tf.concat([tf.cast(part, tf.float32) for part in parts], 0)


def _grid(pixels: np.ndarray, columns: int) -> np.ndarray:
    """[n, h, w, c] row by row as one picture, on white."""
    padded = np.pad(pixels, ((0, 0), (_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255)
    n, height, width, channels = padded.shape
    sheet = padded.reshape(n // columns, columns, height, width, channels).swapaxes(1, 2).reshape(-1, columns * width, channels)
    return np.pad(sheet, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255)
