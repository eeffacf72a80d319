"""Is training still sane?"""

import keras
import numpy as np
from absl import logging

from tfgan_suite import experiment


class Unhealthy(RuntimeError):
    """Training went wrong; the message says how. The runner stops or rolls back."""


class Health(keras.callbacks.Callback):
    """Raises `Unhealthy` when a logged value is not finite, the discriminator saturates, or a generated batch is one picture.

    It looks every `config.check_every_steps` steps, before every checkpoint and at the end of training, so that a sick state is never saved.
    """

    def __init__(self, config: experiment.Health, checkpoint_every_steps: int):
        super().__init__()
        self._config, self._checkpoint_every = config, checkpoint_every_steps

    def on_train_begin(self, logs=None):
        self._unseen = ()

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        every = self._config.check_every_steps
        if (not every or step % every) and step % self._checkpoint_every:
            self._unseen = (step, logs)
            return
        self._unseen = ()
        self._look(step, logs)

    def on_train_end(self, logs=None):
        if self._unseen:
            self._look(*self._unseen)

    def _look(self, step: int, logs) -> None:
        complaint = self.complaint(logs)
        if not complaint:
            return
        message = f"At step {step} {complaint}."
        if self._config.action == "warn":
            logging.warning("%s", message)
        else:
            raise Unhealthy(message)

    def complaint(self, logs) -> str:
        """What is wrong, or an empty string."""
        # An infinite gradient is what the loss scale of float16 feels its way with; that update is skipped.
        skips = self.model.run.precision == "mixed_float16"
        values = {name: float(value) for name, value in logs.items() if not (skips and name.endswith("gradient_norm"))}
        broken = [name for name, value in values.items() if not np.isfinite(value)]
        if broken:
            return f"these were not finite: {', '.join(broken)}"
        gap = values.get("discriminator/real_logits", 0.0) - values.get("discriminator/fake_logits", 0.0)
        if gap > self._config.saturation:
            limit = self._config.saturation
            return f"the discriminator was saturated: real and fake logits {gap:.3g} apart in the mean (health.saturation={limit:g})"
        diversity = values.get("generator/diversity", np.inf)
        if diversity < self._config.min_diversity:
            limit = self._config.min_diversity
            return f"the samples had collapsed: two of them differ by {diversity:.3g} in the mean (health.min_diversity={limit:g})"
        return ""
