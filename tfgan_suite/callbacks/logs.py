"""Logs: JSON lines, TensorBoard events, and one line of progress."""

import json
import math
import os
import sys
import time

import keras
import tensorflow as tf

from tfgan_suite.core import files


class JsonLines(keras.callbacks.Callback):
    """Appends {"step": ..., name: value} to a file; lines beyond the step that training resumes from are dropped first."""

    def __init__(self, path: str, every_steps: int):
        super().__init__()
        self._path, self._every = path, every_steps

    def on_train_begin(self, logs=None):
        start = int(self.model.step.numpy())
        kept = []
        if os.path.exists(self._path):
            with open(self._path) as file:
                kept = [line for line in file if line.endswith("\n") and json.loads(line)["step"] <= start]
        files.write(self._path, "".join(kept))

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if self._every and step % self._every == 0:
            with open(self._path, "a") as file:
                numbers = {name: float(value) for name, value in logs.items()}
                record = {"step": step} | {name: number if math.isfinite(number) else None for name, number in numbers.items()}  # JSON has no NaN
                file.write(json.dumps(record, allow_nan=False) + "\n")


class TensorBoard(keras.callbacks.Callback):
    """Writes every log as a scalar."""

    def __init__(self, directory: str, every_steps: int):
        super().__init__()
        self._every = every_steps
        self.writer = tf.summary.create_file_writer(directory)

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if self._every and step % self._every == 0:
            with self.writer.as_default(step):
                for name, value in logs.items():
                    tf.summary.scalar(name, value)

    def on_train_end(self, logs=None):
        self.writer.flush()


class Progress(keras.callbacks.Callback):
    """One line: step, images per second, time left, the players' losses. It is rewritten on a terminal, repeated elsewhere."""

    def __init__(self, steps: int, every_steps: int, images_per_step: int, stream=None):
        super().__init__()
        self._steps, self._every, self._images, self._stream = steps, every_steps or 50, images_per_step, stream or sys.stderr

    def on_train_begin(self, logs=None):
        self._mark = None  # the first execution compiles; the clock starts after it

    def on_train_batch_end(self, batch, logs=None):
        step, now = batch + 1, time.monotonic()
        if self._mark is None:
            self._mark = (step, now)
        if step % self._every and step != self._steps:
            return
        rate = (step - self._mark[0]) / max(now - self._mark[1], 1e-9)
        left = f"{_clock((self._steps - step) / rate)} left" if rate else "compiled"
        losses = "  ".join(f"{name} {float(value):.3f}" for name, value in logs.items() if name.endswith("/loss"))
        line = f"step {step}/{self._steps}  {rate * self._images:.0f} images/s  {left}  {losses}"
        terminal = self._stream.isatty()
        print(f"\r{line}\x1b[K" if terminal else line, end="" if terminal and step < self._steps else "\n", file=self._stream, flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
