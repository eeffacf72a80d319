"""What every analysis is given: a finished run, and the options of the command."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfgan_suite.core import gan
from tfgan_suite.metrics import evaluation
from tfgan_suite.ops import random


@dataclasses.dataclass(kw_only=True)
class Options:
    """What is shown; an analysis reads those that it has a use for."""

    seed: int = 0
    rows: int = 8
    """Rows of a figure."""
    columns: int = 8
    """Steps of an interpolation; columns of a grid."""
    samples: int = 1000
    """Images, generated or real, that numbers are taken from."""
    truncation: float = math.inf
    """Latents are resampled beyond this magnitude."""
    truncations: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
    """The points of a truncation sweep, in which no truncation is the last one."""
    classes: tuple[int, ...] = ()
    """Classes to show; all, or the first two where an interpolation goes from one to the next."""
    neighbours: int = 5
    """Nearest images per query."""
    head: str = ""
    """Output of the discriminator; `embedding` where there is one and `features` otherwise, unless told."""


@dataclasses.dataclass(kw_only=True)
class Subject:
    """A restored run."""

    model: gan.Gan
    """With its averaged generator ready."""
    steps: Sequence[int]
    """Steps of the checkpoints that the run kept, oldest first."""
    restore: Callable[[int], gan.Gan]
    """The model at one of them."""
    judge: Callable[[tuple[str, ...]], evaluation.Evaluator]
    """What judges samples of the run by these metrics, with the real images (`data`)."""

    @property
    def scale(self) -> int:
        """Pixels of a figure per pixel of an image, so that small images can be seen."""
        return max(1, 64 // self.model.data.image_shape[0])

    def classes(self, chosen: Sequence[int]) -> list[int]:
        """The chosen classes, or all; ValueError for an unconditional model, or a class that there is not."""
        if "label" not in self.model.condition_keys:
            raise ValueError(f"{type(self.model).__name__} has no classes to show: it was trained without labels. Choose another analysis.")
        count = self.model.data.num_classes
        unknown = [c for c in chosen if not 0 <= c < count]
        if unknown:
            raise ValueError(f"There is no class {unknown[0]}: the model has {count}, counted from 0.")
        return list(chosen) or list(range(count))

    def class_name(self, label: int) -> str:
        """Its name, or its number."""
        names = self.model.data.class_names
        return names[label] if label < len(names) else str(label)

    def conditions(self, stream: random.Stream, labels: Sequence[int], rows: int) -> dict[str, tf.Tensor]:
        """Conditions of `rows` images: these labels in turn (all, where none are given), everything else drawn."""
        conditions = self.model.sample_conditions(stream.fold("conditions"), rows)
        if "label" in conditions:
            conditions["label"] = tf.gather(tf.constant(self.classes(labels), tf.int32), tf.range(rows) % len(self.classes(labels)))
        return conditions
