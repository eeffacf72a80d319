"""Pictures of training: a grid of fixed latents every so often, and all of them as an animation."""

import os

import keras
import tensorflow as tf

from tfgan_suite.core import files, picture, sampling


class Samples(keras.callbacks.Callback):
    """Writes `step-<step>.png` of the averaged generator, and `evolution.gif` when training ends."""

    def __init__(self, directory: str, every_steps: int, rows: int, seed: int, writer=None):
        super().__init__()
        self._directory, self._every, self._rows, self._seed, self._writer = directory, every_steps, rows, seed, writer

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if not self._every or step % self._every:
            return
        self.model.ready()
        sheet = sampling.grid(self.model, rows=self._rows, seed=self._seed)
        files.write(os.path.join(self._directory, f"step-{step:08d}.png"), picture.png(sheet))
        if self._writer:
            with self._writer.as_default(step):
                tf.summary.image("samples", sheet[None])

    def on_train_end(self, logs=None):
        names = sorted(n for n in os.listdir(self._directory) if n.startswith("step-")) if os.path.isdir(self._directory) else []
        if len(names) > 1:
            frames = [open(os.path.join(self._directory, name), "rb").read() for name in names[-100:]]
            files.write(os.path.join(self._directory, "evolution.gif"), picture.animation(frames))
