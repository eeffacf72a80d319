"""Trains an experiment in a work folder, and restores what was trained: the one place where all rooms meet.

The loop knows phases and steps, and never which GAN it runs. Not `fit()`: that fails under several workers, and with several steps per execution.
"""

import contextlib
import dataclasses
import json
import math
import os
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from pipelines import build as pipelines_build
from pipelines import spec
from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite import workdir as workdirs
from tfgan_suite.callbacks import checkpoints as saving
from tfgan_suite.callbacks import evaluation as evaluating
from tfgan_suite.callbacks import health, logs, samples
from tfgan_suite.core import (
    checkpoint,
    classification,
    distribution,
    execution,
    feed,
    files,
    gan,
    interruption,
    phase,
    precision,
    run,
    sampling,
    transfer,
)
from tfgan_suite.metrics import catalog, evaluation, examples, features, protocol, reference


class Result(NamedTuple):
    """What `train` ended with."""

    model: gan.Gan
    finished: bool
    """False if a signal ended the run before its last step; the same command goes on from there."""


def train(experiment: experiments.Experiment, workdir: str, *, data_dir: str, strategy: str = "default") -> Result:
    """Trains until the last step of the last phase, resuming whatever `workdir` already holds.

    Raises a ValueError for bad input (also: another experiment in this workdir), `health.Unhealthy` if training went wrong.
    """
    experiment = registry.checked(experiment)
    scope = distribution.strategy(strategy)
    _check(experiment, scope, workdir)
    chief = distribution.is_chief(scope)
    with workdirs.claimed(workdir) if chief else contextlib.nullcontext(), interruption.stop_signal() as stop:
        if chief:
            workdirs.record(experiment, workdir)
        previous: dict[str, gan.Gan] = {}
        position = 0
        for stage in registry.phases(experiment):
            model, finished = _Stage(experiment, stage, workdir, data_dir, scope, position).train(previous, stop)
            previous[stage.name] = model
            position += stage.steps * model.batches_per_step * _data_config(experiment, stage).batch_size
            if not finished:
                return Result(model, False)
        return Result(model, True)


def restore(workdir: str, *, which: str = "latest") -> gan.Gan:
    """The model of the last phase that has a checkpoint, with its averaged generator ready: what is judged, sampled and exported.

    which: `latest`, `best` (experiment.checkpointing.best) or the step of a checkpoint that was kept.
    Raises a ValueError if there is nothing to restore.
    """
    experiment = workdirs.load_experiment(workdir)
    previous: dict[str, gan.Gan] = {}
    model = None
    for stage in registry.phases(experiment):
        folder = os.path.join(workdir, stage.name)
        if not os.path.exists(os.path.join(folder, "data_spec.json")):
            break
        with open(os.path.join(folder, "data_spec.json")) as file:
            data = spec.DataSpec.from_json(json.load(file))
        built = stage.build(data, _run(experiment, stage), previous)
        saved = checkpoint.Checkpoints(os.path.join(folder, "checkpoints"), built, keep=1, chief=False)
        if saved.restore() is None:
            break
        model = previous[stage.name] = built
    if model is None:
        raise ValueError(f"{workdir} holds no checkpoint yet. Train first: tfgan-train --experiment=... --workdir={workdir}")
    if which != "latest":
        path = _chosen(saved, which, workdir)
        try:
            saved.read(path)
        except checkpoint.DAMAGED as error:
            raise ValueError(f"The checkpoint {path} cannot be read: {str(error).splitlines()[0]}. Choose another.") from error
    model.ready()
    return model


def _chosen(saved: checkpoint.Checkpoints, which: str, workdir: str) -> str:
    if which == "best":
        if not saved.best():
            raise ValueError(f"{workdir} keeps no best checkpoint. Train with --experiment.checkpointing.best=<metric>, or restore the latest.")
        return saved.best()
    if not which.isdecimal() or int(which) not in saved.steps():
        raise ValueError(f"{workdir} has no checkpoint {which!r}. Choose latest, best, or a step: {', '.join(map(str, saved.steps()))}.")
    return saved.path(int(which))


def evaluator(experiment: experiments.Experiment, *, data_dir: str) -> evaluation.Evaluator:
    """What judges samples of this experiment: the extractor and the reference statistics, both cached in the data folder."""
    config, stage = experiment.evaluation, registry.phases(experiment)[-1]
    data_config = dataclasses.replace(_data_config(experiment, stage), augmentations=())
    labels = ("label",) if pipelines_build.describe(data_config, data_dir).num_classes else ()
    trained_on = registry.model_class(experiment.variant).keys_for(experiment.model)
    beside = {*trained_on, *catalog.held_out_keys(config.metrics)} - {"image", "label", "labelled_image", "labelled_label"}
    data = pipelines_build.build(data_config, data_dir, keys=("image", *labels, *sorted(beside)), seed=experiment.seed)
    catalog.check_samples(config.metrics, config.samples, data.spec)
    cache = os.path.join(data_dir, "judges")
    extractor = features.load(config.extractor, cache_dir=cache, data=data)
    real = reference.build(
        extractor,
        data,
        cache_dir=cache,
        split=config.reference_split,
        limit=config.reference_samples,
        keep_features=catalog.needs_features(config.metrics),
        keep_images=catalog.needs_images(config.metrics),
    )
    batches = examples.of(data, config.reference_split, config.reference_samples) if beside else ()
    held_out = [{key: batch[key] for key in beside} for batch in batches]
    record = protocol.Protocol(
        label_sampling="balanced" if "label" in trained_on else "",
        truncation=config.truncation if math.isfinite(config.truncation) else 0.0,
        generator="averaged" if experiment.model.average.decay else "live",
        batch_norm="standing",
        batch_size=config.batch_size,
    )
    return evaluation.Evaluator(
        extractor=extractor,
        reference=real,
        metrics=tuple(config.metrics),
        seed=experiment.seed,
        held_out={key: np.concatenate([batch[key] for batch in held_out]) for key in beside},
        data=data,
        dictionary=data.dictionary,
        record=record,
    )


def evaluate(model: gan.Gan, experiment: experiments.Experiment, *, data_dir: str) -> dict[str, protocol.Score]:
    """Scores of a restored model under its experiment's protocol."""
    return judge(model, experiment, evaluator(experiment, data_dir=data_dir))


def judge(model: gan.Gan, experiment: experiments.Experiment, by: evaluation.Evaluator) -> dict[str, protocol.Score]:
    """The same by an evaluator that is there already."""
    config = experiment.evaluation
    options = {"batch_size": config.batch_size, "truncation": config.truncation, "held_out": by.held_out}
    drawn = sampling.samples(model, config.samples, seed=experiment.seed, **options)
    return by.run(drawn, step=int(model.step.numpy()), classify=classification.classifier(model))


def kept_steps(workdir: str) -> list[int]:
    """The steps of the last phase whose checkpoints are there, oldest first."""
    steps = _checkpointed_steps(workdirs.load_experiment(workdir), workdir)
    if not any(steps):
        raise ValueError(f"{workdir} holds no checkpoint yet. Train first: tfgan-train --experiment=... --workdir={workdir}")
    return [s for s in steps if s][-1]


def _checkpointed_steps(experiment: experiments.Experiment, workdir: str) -> list[list[int]]:
    """Of each phase."""
    return [checkpoint.finished_steps(os.path.join(workdir, stage.name, "checkpoints")) for stage in registry.phases(experiment)]


class _Stage:
    """One phase being trained."""

    def __init__(self, experiment, stage: phase.Phase, workdir: str, data_dir: str, strategy, position: int):
        self.experiment, self.stage, self.strategy, self.data_dir, self.position = experiment, stage, strategy, data_dir, position
        self.folder = os.path.join(workdir, stage.name)
        self.chief = distribution.is_chief(strategy)

    def train(self, previous: dict[str, gan.Gan], stop: list[int]) -> tuple[gan.Gan, bool]:
        """(model, whether the phase is finished)."""
        config = _data_config(self.experiment, self.stage)
        keys = registry.model_class(self.experiment.variant).keys_for(self.experiment.model)
        self.data = pipelines_build.build(config, self.data_dir, keys=keys, seed=self.experiment.seed)
        with self.strategy.scope():
            model = self.stage.build(self.data.spec, _run(self.experiment, self.stage), previous)
        saved = checkpoint.Checkpoints(os.path.join(self.folder, "checkpoints"), model, keep=self.experiment.checkpointing.keep, chief=self.chief)
        if self.chief:
            files.write(os.path.join(self.folder, "data_spec.json"), json.dumps(self.data.spec.to_json(), indent=2))
        history = saved.restore() or []
        fresh = saved.current < 0 and not previous  # a later phase carries over what the first was set up with
        if fresh and self.experiment.transfer.source:
            self._transfer(model)
        elif fresh and model.initial_examples:
            with self.strategy.scope():
                model.initialize(next(iter(self.data.batches(start=0, batch_size=model.initial_examples))))
        if int(model.step.numpy()) >= self.stage.steps:
            return model, True
        training = self.experiment.training
        execute = execution.compiled(model, self.strategy, steps=training.steps_per_execution, jit_compile=training.jit_compile)
        batches = feed.Feed(self.data, self.strategy, model, config.batch_size, training.steps_per_execution, self.position, self.folder)
        callbacks = self._callbacks(model, saved, history, batches, config)
        while True:
            try:
                return model, self._loop(model, batches, execute, callbacks, stop)
            except health.Unhealthy as problem:
                self._roll_back(model, saved, history, problem)

    def _transfer(self, model) -> None:
        config = self.experiment.transfer
        kept = transfer.initialize_from(model, restore(config.source, which=config.checkpoint))
        if kept:
            logging.warning("Not taken from %s, because the classes are others: %s.", config.source, ", ".join(kept))

    def _loop(self, model, batches, execute, callbacks, stop) -> bool:
        batches.start(int(model.step.numpy()))
        for callback in callbacks:
            callback.on_train_begin()
        step, steps = int(model.step.numpy()), self.stage.steps
        while step < steps and not stop:
            values = execute(batches.next())
            step += self.experiment.training.steps_per_execution
            for callback in callbacks:
                callback.on_train_batch_end(step - 1, values)
        for callback in callbacks:
            callback.on_train_end()
        if step < steps:
            logging.warning("Signal %d: saved at step %d. The same command goes on from here.", stop[0], step)
        return step >= steps

    def _callbacks(self, model, saved, history, batches, config) -> list[keras.callbacks.Callback]:
        """In the order of a step's end: look whether all is well, tell, draw, judge, save."""
        e = self.experiment
        guard = health.Health(e.health, e.checkpointing.every_steps)
        save = saving.Save(saved, history, e.checkpointing.every_steps, before=batches.save)
        callbacks = [guard, save]
        if self.chief:
            board = logs.TensorBoard(os.path.join(self.folder, "logs"), e.logging.every_steps)
            callbacks = [
                guard,
                logs.JsonLines(os.path.join(self.folder, "logs", "train.jsonl"), e.logging.every_steps),
                board,
                logs.Progress(self.stage.steps, e.logging.every_steps, config.batch_size * model.batches_per_step),
                samples.Samples(os.path.join(self.folder, "samples"), e.logging.samples_every_steps, e.logging.samples_rows, e.seed, board.writer),
            ]
            if e.evaluation.every_steps:
                judge = evaluator(e, data_dir=self.data_dir)
                callbacks.append(evaluating.Evaluate(judge, e, saved, history, os.path.join(self.folder, "metrics.jsonl"), board.writer))
            callbacks.append(save)
        for callback in callbacks:
            callback.set_model(model)
        return callbacks

    def _roll_back(self, model, saved, history, problem) -> None:
        """Back to the last good checkpoint with other random numbers; raises the problem if that was tried often enough."""
        config = self.experiment.health
        count = saved.roll_backs() + 1
        steps = saved.steps()
        if config.action != "roll_back" or count > config.max_roll_backs or not steps:
            advice = "Lower the learning rates, change the regularisation, or set --experiment.health.action=roll_back."
            saved_at = f"The last good checkpoint is of step {steps[-1]}." if steps else "There is no checkpoint yet."
            raise health.Unhealthy(f"{problem} {saved_at} {advice}") from problem
        history[:] = saved.roll_back()
        logging.warning("%s Rolled back to step %d (%d of %d times).", problem, int(model.step.numpy()), count, config.max_roll_backs)


def _check(experiment: experiments.Experiment, strategy: tf.distribute.Strategy, workdir: str) -> None:
    precision.check(experiment.training.precision)
    parts = getattr(experiment.model, "accumulation", 1)
    if experiment.transfer.source and not any(_checkpointed_steps(experiment, workdir)):
        kept_steps(experiment.transfer.source)
    for stage in registry.phases(experiment):
        distribution.check_batch(_data_config(experiment, stage).batch_size, parts, strategy)
    if experiment.training.jit_compile and strategy.num_replicas_in_sync > 1 and not isinstance(strategy, tf.distribute.TPUStrategy):
        raise ValueError("training.jit_compile needs one device, or TPU: XLA cannot compile a step that spans replicas. Turn one of the two off.")


def _run(experiment: experiments.Experiment, stage: phase.Phase) -> run.Run:
    return run.Run(seed=experiment.seed, phase=stage.name, steps=stage.steps, precision=experiment.training.precision)


def _data_config(experiment: experiments.Experiment, stage: phase.Phase) -> spec.DatasetConfig:
    return dataclasses.replace(experiment.data, **stage.data)
