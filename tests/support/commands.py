"""Running the project's commands as processes of their own, as a user does."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import tensorflow as tf

ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def start(module: str, *arguments: str, **environment: str) -> subprocess.Popen:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, env=os.environ | ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(module: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """(exit code, output)."""
    process = start(module, *arguments, **environment)
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def image_folder(folder: pathlib.Path, *, classes: int = 3, each: int = 8, side: int = 8) -> str:
    """Random PNGs in class folders; the source's name."""
    numbers = np.random.default_rng(0)
    for name in "abcdefgh"[:classes]:
        (folder / name).mkdir(parents=True)
        for i in range(each):
            picture = numbers.integers(0, 256, (side, side, 3), dtype=np.uint8)
            (folder / name / f"{i}.png").write_bytes(tf.io.encode_png(picture).numpy())
    return f"folder:{folder}"


def checkpoint_values(path: pathlib.Path | str) -> dict[str, np.ndarray]:
    """Every value in a checkpoint by its stored name."""
    reader = tf.train.load_checkpoint(str(path))
    names = [name for name in reader.get_variable_to_shape_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    return {name: reader.get_tensor(name) for name in names}
