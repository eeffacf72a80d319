"""What is known of the run that a version's weights come from, as its model card states it."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data:
    """What the model was trained on."""

    name: str
    classes: int = 0
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] = ()
    """Height, width, channels."""
    size: int | None = None
    """Examples it was trained on."""
    held_out: int | None = None
    """Examples that were held out."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """How it was trained; None for what is not on record."""

    step: int | None = None
    """Of the exported weights."""
    steps: int | None = None
    """That the run was to have."""
    batch_size: int | None = None
    precision: str | None = None
    seed: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """A number with the record of how it was measured, as `metrics.json` has it."""

    name: str
    value: float
    std: float | None
    unit: str
    protocol: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Distances of samples and of held-out images to their nearest training image, as `neighbours.json` has them."""

    extractor: str
    step: int
    samples: int
    median: float
    held_out_median: float | None
    """None where the data have no held-out split."""
    ratio: float | None
    """median / held_out_median."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What is known of the run that the weights come from."""

    variant: str = ""
    summary: str = ""
    paper: str = ""
    license: str = "unknown"
    """An identifier that Hugging Face knows, of the weights."""
    data: Data | None = None
    training: Training = dataclasses.field(default_factory=Training)
    metrics: tuple[str, ...] = ()
    """Metrics that the run's experiment asks for."""
    scores: tuple[Score, ...] = ()
    neighbours: Neighbours | None = None
