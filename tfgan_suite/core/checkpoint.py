"""Checkpoints that survive being killed at any moment, and restoring that never silently starts anew.

`tf.train.Checkpoint` over raw variables under explicit names: independent of Keras' paths, of the process and of the strategy. TensorFlow writes
data first and the index last, so a checkpoint without an index was never finished. The `checkpoint` state file is neither written nor read: its
loss would look like a fresh start.
"""

import json
import os
import re
import shutil
import tempfile
from typing import Any

import tensorflow as tf
from absl import logging

from tfgan_suite.core import files, gan

_INDEX = re.compile(r"^ckpt-(\d+)\.index$")
DAMAGED = (tf.errors.OpError, IndexError, ValueError, AssertionError)
"""What TensorFlow raises on a truncated, overwritten or half-deleted checkpoint, and on one of other networks."""


class Checkpoints:
    """The checkpoints of one phase in one directory."""

    def __init__(self, directory: str, model: gan.Gan, *, keep: int, chief: bool = True):
        """keep: how many of the newest stay (at least 1). chief: others take part in a save, but write to a folder of their own and drop it."""
        self.directory, self._keep, self._chief = directory, keep, chief
        self.current = -1
        """The step of the state that this process last saved or restored."""
        self.history = tf.Variable("[]", dtype=tf.string, trainable=False)
        # By place, not by name: Keras' names depend on what else the process has built.
        named = {f"{group}.{i:04d}": v for group, variables in model.variable_groups().items() for i, v in enumerate(variables)}
        assert len({id(v) for v in named.values()}) == len(named), "a variable would be saved twice"
        self._checkpoint = tf.train.Checkpoint(**named, history=self.history)
        self._model = model
        if chief:
            _make(directory)
            self._sweep()

    def steps(self) -> list[int]:
        """The steps of the finished checkpoints, oldest first."""
        return finished_steps(self.directory)

    def path(self, step: int) -> str:
        return os.path.join(self.directory, f"ckpt-{step}")

    def save(self, history: list[dict[str, Any]]) -> int:
        """Writes the model's present state; returns its step. An OSError names the directory, and the earlier checkpoints stay whole."""
        step = int(self._model.step.numpy())
        self.history.assign(json.dumps(history))
        if not self._chief:
            with tempfile.TemporaryDirectory() as folder:
                self._checkpoint.write(os.path.join(folder, "ckpt"))
        else:
            self._write(self.path(step))
            for old in self.steps()[: -self._keep]:
                _remove(self.path(old))
        self.current = step
        return step

    def save_best(self) -> None:
        """Writes the present state as the best one so far, beside the others. Only the chief calls it."""
        step = int(self._model.step.numpy())
        folder = os.path.join(self.directory, "best")
        _make(folder)
        self._write(os.path.join(folder, f"ckpt-{step}"))
        for other in {name.split(".")[0].removesuffix("_temp") for name in os.listdir(folder)} - {f"ckpt-{step}"}:
            _remove(os.path.join(folder, other))

    def best(self) -> str:
        """Path of the best checkpoint, empty if none was kept."""
        folder = os.path.join(self.directory, "best")
        steps = finished_steps(folder)  # two if a save was killed before it dropped the one before
        return os.path.join(folder, f"ckpt-{steps[-1]}") if steps else ""

    def restore(self) -> list[dict[str, Any]] | None:
        """Restores the newest checkpoint that reads well, newest first, and returns its metric history; None if there is none at all.

        Raises a ValueError if there are checkpoints but none can be read: starting anew would overwrite a run.
        """
        steps = self.steps()
        if not steps and os.path.isdir(self.directory) and any(name.startswith("ckpt-") for name in os.listdir(self.directory)):
            raise ValueError(f"{self.directory} holds parts of checkpoints but no index. Move it away to train anew, or restore it from a copy.")
        for step in reversed(steps):
            try:
                history = self.read(self.path(step))
                self._model.rollbacks.assign(max(self.roll_backs(), int(self._model.rollbacks.numpy())))
                self.current = step
                return history
            except DAMAGED as error:
                logging.warning("Checkpoint %s cannot be read (%s); trying the one before.", self.path(step), _first_line(error))
        if steps:
            raise ValueError(
                f"None of the checkpoints in {self.directory} can be read (steps {', '.join(map(str, steps))}). They are damaged, or the code "
                "that wrote them built other networks. Move the folder away to train anew, or restore it from a copy."
            )
        return None

    def read(self, path: str) -> list[dict[str, Any]]:
        """Restores one checkpoint and returns its metric history; raises one of DAMAGED if it cannot."""
        status = self._checkpoint.read(path)
        status.assert_existing_objects_matched()
        status.assert_consumed()
        return json.loads(self.history.numpy())

    def roll_backs(self) -> int:
        """How often training in this directory was rolled back."""
        path = os.path.join(self.directory, "roll_backs")
        if not os.path.exists(path):
            return 0
        with open(path) as file:
            return int(file.read())

    def roll_back(self) -> list[dict[str, Any]]:
        """Restores the newest checkpoint with the count of roll-backs one higher. The count is written first, in a file of its own: it must survive a
        kill, or the same random numbers would come again."""
        files.write(os.path.join(self.directory, "roll_backs"), str(self.roll_backs() + 1))
        return self.restore() or []

    def _write(self, path: str) -> None:
        try:
            self._checkpoint.write(path)
        except (tf.errors.OpError, OSError) as error:
            _remove(path)
            raise OSError(
                f"Could not write the checkpoint {path}: {_first_line(error)}. Earlier checkpoints are untouched; free some space or "
                "make the folder writable, then start the same command again to continue."
            ) from error

    def _sweep(self) -> None:
        """Removes what a killed writer left: temporary folders, and data without an index."""
        whole = {f"ckpt-{step}" for step in self.steps()}
        for name in os.listdir(self.directory):
            path = os.path.join(self.directory, name)
            if name.endswith("_temp") and os.path.isdir(path):
                shutil.rmtree(path)
            elif whole and name.startswith("ckpt-") and name.split(".")[0] not in whole:
                os.remove(path)


def finished_steps(directory: str) -> list[int]:
    """The steps of the finished checkpoints in a folder, oldest first; none where there is no folder."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    return sorted(int(match[1]) for match in map(_INDEX.match, names) if match)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _make(directory: str) -> None:
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise ValueError(f"Cannot create {directory}: {error.strerror}. Choose a --workdir that you may write to.") from error


def _remove(path: str) -> None:
    folder, name = os.path.split(path)
    parts = [n for n in os.listdir(folder) if n.startswith(name + ".")] if os.path.isdir(folder) else []
    for part in sorted(parts, key=lambda n: not n.endswith(".index")):  # the index goes first: what is left is never taken for a checkpoint
        os.remove(os.path.join(folder, part))
    shutil.rmtree(path + "_temp", ignore_errors=True)
