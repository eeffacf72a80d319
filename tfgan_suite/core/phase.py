"""A stage of training. Phases are code, made anew from the experiment at every start, and never serialised."""

import dataclasses
from collections.abc import Callable
from typing import Any

from pipelines import spec
from tfgan_suite.core import averaging, gan
from tfgan_suite.core import run as runs

COUNTERS = ("iteration", "learning_rate")
"""Variables of a Keras optimizer that are not slots, by name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """`steps` generator steps of one model on one view of the data."""

    name: str
    steps: int
    build: Callable[[spec.DataSpec, runs.Run, dict[str, gan.Gan]], gan.Gan]
    """(data, run, the finished models of the earlier phases by name) -> a new model; it may carry weights over."""
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of the dataset's config that differ in this phase, such as `image_size` or `batch_size`."""


def carry_over(model: gan.Gan, previous: gan.Gan) -> None:
    """Gives a new phase's model what the finished one has learned: every value of its networks, averages included, and its optimizers' slots.

    Both have the same networks and optimizers. Counters start anew, the step's and the optimizers' own: a schedule belongs to its phase. (So does
    Adam's bias correction, which RMSProp and SGD do not have.)
    """
    earlier = previous.networks()
    for name, network in model.networks().items():
        averaging.set_equal(network, earlier[name])
    for name, optimizer in model.optimizers_by_name.items():
        for here, there in zip(optimizer.variables, previous.optimizers_by_name[name].variables, strict=True):
            if here.name not in COUNTERS:
                here.assign(there)
