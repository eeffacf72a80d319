"""Saving during training."""

import keras

from tfgan_suite.core import checkpoint


class Save(keras.callbacks.Callback):
    """Saves every `every_steps` and when training ends."""

    def __init__(self, checkpoints: checkpoint.Checkpoints, history: list, every_steps: int, before=None):
        """history: the metric history, shared with the evaluation callback. before: called first with the step (a streamed source's position)."""
        super().__init__()
        self._checkpoints, self._history, self._every, self._before = checkpoints, history, every_steps, before

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self._every == 0:
            self.save()

    def on_train_end(self, logs=None):
        self.save()

    def save(self) -> None:
        """Saves now, unless this very state was saved or restored; a file of its step from before may be damaged."""
        step = int(self.model.step.numpy())
        if step == self._checkpoints.current:
            return
        if self._before:
            self._before(step)
        self._checkpoints.save(self._history)
