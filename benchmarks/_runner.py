"""The runner's loop, stopped and timed from inside by callbacks of our own before and after those of a run."""

import os
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from tfgan_suite import experiment as experiments
from tfgan_suite import registry, runner
from tfgan_suite.core import gan

Turn = Callable[[float, float], bool]
"""(seconds of a turn, seconds of it within callbacks) -> whether to go on."""


class _Enough(Exception):
    """Leaves the loop."""


class _Before(keras.callbacks.Callback):
    """Notes when the callbacks of a step begin."""

    def on_train_batch_end(self, batch, logs=None):
        self.at = time.perf_counter()


class _After(keras.callbacks.Callback):
    """Adds up the callbacks' time, and ends a turn every so many steps. The first turn only warms up."""

    def __init__(self, before: _Before, steps: int, turn: Turn):
        super().__init__()
        self._before, self._steps, self._turn = before, steps, turn
        self._count, self._spent, self._begin = 0, 0.0, time.perf_counter()
        self.logs = None

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self._spent += now - self._before.at
        self._count += 1
        if self._count % self._steps:
            return
        self.logs = logs
        float(next(iter(logs.values())))
        more = self._turn(time.perf_counter() - self._begin, self._spent)
        self._spent, self._begin = 0.0, time.perf_counter()
        if not more:
            raise _Enough


class Watched(runner._Stage):
    """The one phase of an experiment, with its real data, loop and callbacks. It reaches into the runner, which offers no such door to users."""

    def __init__(self, experiment: experiments.Experiment, folder: str):
        (stage,) = registry.phases(experiment)
        super().__init__(experiment, stage, os.path.join(folder, "run"), os.path.join(folder, "data"), tf.distribute.get_strategy(), 0)
        os.makedirs(os.path.join(self.folder, "checkpoints"), exist_ok=True)
        self.data = runner.pipelines_build.build(experiment.data, self.data_dir, keys=("image", "label"), seed=experiment.seed)

    def build(self) -> gan.Gan:
        """A new model of this phase."""
        return self.stage.build(self.data.spec, runner._run(self.experiment, self.stage), {})

    def run(self, steps: int, turn: Turn) -> None:
        """Trains, and calls `turn` after every so many steps until it says no."""
        self._wanted = (steps, turn)
        try:
            self.train({}, [])
        except _Enough:
            pass

    def callbacks_through(self, steps: int) -> dict[str, float]:
        """{callback: seconds that it takes in all of this many steps}; the model does not move meanwhile."""
        for callback in self._own:
            callback.on_train_batch_end(steps - 1, self._after.logs)  # compiles
        self.model.step.assign_add(1)  # a checkpoint is not written twice for one step
        spent = {}
        for callback in self._own:
            begin = time.perf_counter()
            for step in range(1, steps + 1):
                callback.on_train_batch_end(step - 1, self._after.logs)
            spent[type(callback).__name__] = time.perf_counter() - begin
        return spent

    def _callbacks(self, model, *rest):
        self.model, self._own = model, super()._callbacks(model, *rest)
        before = _Before()
        self._after = _After(before, *self._wanted)
        return [before, *self._own, self._after]
