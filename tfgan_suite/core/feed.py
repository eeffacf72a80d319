"""What the training loop eats: batches for one execution, from the step where a run stands."""

import os
import re
from typing import Any

import tensorflow as tf

from tfgan_suite.core import checkpoint, distribution


class Feed:
    """Batches for one execution, [steps, rows, ...] per key, this replica's rows for each replica."""

    def __init__(self, data, strategy, model, batch_size: int, steps: int, position: int, folder: str):
        self._data, self._strategy, self._rows, self._steps, self._position = data, strategy, batch_size * model.batches_per_step, steps, position
        self._host = distribution.hosts(strategy)
        self._folder = os.path.join(folder, "checkpoints")

    def start(self, step: int) -> None:
        """Continues the stream of examples at this step."""
        start = self._position + step * self._rows if self._data.addressed else 0
        batches = self._data.batches(start=start, batch_size=self._rows, shard=self._host)
        self._iterator = iter(batches.batch(self._steps, drop_remainder=True).prefetch(2))
        if not self._data.addressed and step:
            try:
                tf.train.Checkpoint(iterator=self._iterator).read(self._path(step)).assert_consumed()
            except checkpoint.DAMAGED as error:
                raise ValueError(f"The data position {self._path(step)} cannot be read: {str(error).splitlines()[0]}") from error

    def next(self) -> Any:
        batch = next(self._iterator)
        local = distribution.local_replicas(self._strategy)
        if self._strategy.num_replicas_in_sync == 1:
            return batch
        parts = {key: tf.split(value, local, axis=1) for key, value in batch.items()}
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: {key: part[context.replica_id_in_sync_group % local] for key, part in parts.items()}
        )

    def save(self, step: int) -> None:
        """Writes the position of a streamed source; an addressed one needs none."""
        if self._data.addressed:
            return
        try:
            os.makedirs(self._folder, exist_ok=True)
            tf.train.Checkpoint(iterator=self._iterator).write(self._path(step))
        except (tf.errors.OpError, OSError) as error:
            raise OSError(f"Could not write the data position {self._path(step)}: {str(error).splitlines()[0]}") from error
        kept = {step, *checkpoint.finished_steps(self._folder)}
        pattern = re.compile(rf"data-{self._host[0]}-(\d+)\.(index|data-.*)")
        for match in filter(None, map(pattern.fullmatch, os.listdir(self._folder))):
            if int(match[1]) not in kept:
                os.remove(os.path.join(self._folder, match[0]))

    def _path(self, step: int) -> str:
        return os.path.join(self._folder, f"data-{self._host[0]}-{step}")
