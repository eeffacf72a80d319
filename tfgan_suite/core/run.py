"""What a model must know of the run it is trained in. A leaf."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """The run of one phase: `seed` and `phase` select the random numbers, `steps` is the phase's length (learning-rate schedules end there)."""

    seed: int
    phase: str
    steps: int
    precision: str = "float32"
    """A name in `core.precision.POLICIES`."""
