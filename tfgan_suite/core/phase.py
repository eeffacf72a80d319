"""A stage of training. Phases are code, made anew from the experiment at every start, and never serialised."""

import dataclasses
from collections.abc import Callable
from typing import Any

from pipelines import spec
from tfgan_suite.core import gan
from tfgan_suite.core import run as runs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """`steps` generator steps of one model on one view of the data."""

    name: str
    steps: int
    build: Callable[[spec.DataSpec, runs.Run, dict[str, gan.Gan]], gan.Gan]
    """(data, run, the finished models of the earlier phases by name) -> a new model; it may carry weights over."""
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of the dataset's config that differ in this phase, such as `image_size` or `batch_size`."""
