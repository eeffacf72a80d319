"""Judging during training."""

import json
import sys

import keras
import tensorflow as tf

from tfgan_suite import experiment
from tfgan_suite.core import checkpoint, classification, files, sampling
from tfgan_suite.metrics import catalog, evaluation


class Evaluate(keras.callbacks.Callback):
    """Judges the averaged generator every `evaluation.every_steps` and keeps the best checkpoint by `checkpointing.best`.

    Each result is appended to the metric history, which is saved with every checkpoint and written to `path` as JSON lines.
    """

    def __init__(
        self,
        evaluator: evaluation.Evaluator,
        config: experiment.Experiment,
        checkpoints: checkpoint.Checkpoints,
        history: list,
        path: str,
        writer: tf.summary.SummaryWriter,
    ):
        super().__init__()
        self._evaluator, self._config, self._checkpoints, self._history = evaluator, config, checkpoints, history
        self._path, self._writer = path, writer

    def on_train_begin(self, logs=None):
        self._evaluator.check_classifier(classification.classifier(self.model))
        self._write()  # a killed run may have written results beyond the step it resumes from

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if step % self._config.evaluation.every_steps == 0:
            self.judge(step)

    def judge(self, step: int) -> None:
        """Judges the present weights and records the result under `step`."""
        config = self._config.evaluation
        self.model.ready()
        options = {"batch_size": config.batch_size, "truncation": config.truncation, "held_out": self._evaluator.held_out}
        drawn = sampling.samples(self.model, config.samples, seed=self._config.seed, **options)
        scores = self._evaluator.run(drawn, step=step, classify=classification.classifier(self.model))
        self._history.append({"step": step} | {name: score.to_json() for name, score in scores.items()})
        self._write()
        with self._writer.as_default(step):
            for name, score in scores.items():
                tf.summary.scalar(f"metrics/{name}", score.value)
        print(f"step {step}: {'  '.join(f'{name} {score.value:.4g}' for name, score in scores.items())}", file=sys.stderr)
        best = self._config.checkpointing.best
        if best:
            self._keep_if_best(best, step)

    def _keep_if_best(self, name: str, step: int) -> None:
        values = {record["step"]: record[name]["value"] for record in self._history if name in record}
        if step not in values:
            results = ", ".join(key for key in self._history[-1] if key != "step")
            raise ValueError(f"checkpointing.best={name!r} is not among the results of the evaluation. Choose one of: {results}.")
        choose = max if catalog.higher_is_better(name) else min
        if choose(values, key=values.get) == step:
            self._checkpoints.save_best()

    def _write(self) -> None:
        files.write(self._path, "".join(json.dumps(record) + "\n" for record in self._history))
