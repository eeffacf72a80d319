"""Under which conditions a number was measured, and whether two numbers may be compared.

The same model reads 4.2, 8.0, 9.6 or 14.7 under four published protocols for one metric, so every score carries its record. Hard fields decide
what the number means: scores that differ in one are not compared. Soft fields say how it came about and are free to differ.
"""

import dataclasses
import math
from typing import Any

_HARD = {"hard": True}


def _hard(default):
    return dataclasses.field(default=default, metadata=_HARD)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """The record. A field that plays no part in a metric keeps its default (0 splits for a Frechet distance)."""

    metric: str = _hard("")
    """Name of the result: `fid`, `fid_proxy`, `precision`, ..."""
    data: str = _hard("")
    """Fingerprint of the dataset that the reference comes from."""
    split: str = _hard("")
    """Split of the reference: `train` and `test` give different numbers."""
    num_real: int = _hard(0)
    num_fake: int = _hard(0)
    """Images in the reference, and generated images. Most metrics are biased by the count."""
    backbone: str = _hard("")
    """Name of the feature extractor."""
    weights: str = _hard("")
    """Hash of the extractor's weights."""
    resizer: str = _hard("")
    """How images were brought to the extractor's size, a name in `metrics.resize.RESIZERS`."""
    quantised: bool = _hard(True)
    """Whether images were rounded to 8 bits first, as files would be."""
    resolution: tuple[int, ...] = _hard(())
    """Height, width and channels before resizing."""
    label_sampling: str = _hard("")
    """How the labels of generated images were drawn: `uniform`, `balanced`, `data`, or empty without labels."""
    truncation: float = _hard(0.0)
    """Threshold of the truncation trick; 0 for none, as which an infinite threshold is written."""
    splits: int = _hard(0)
    """Splits of an inception score."""
    subsets: int = _hard(0)
    subset_size: int = _hard(0)
    """Random subsets of a kernel distance, and the rows in each."""
    pairs: int = _hard(0)
    """Pairs of images that a similarity is averaged over."""
    k: int = _hard(0)
    """Neighbours of precision, recall, density and coverage."""
    seed: int = 0
    """Seed of shuffles and subsets."""
    generator: str = ""
    """Which weights generated: `live` or `averaged`."""
    batch_norm: str = ""
    """Statistics of batch normalisation while generating: `moving`, `batch` or `standing`."""
    batch_size: int = 0
    step: int = 0
    """Batch size of generation, and the training step of the weights."""
    code: str = ""
    """Version of the code."""
    judge: dict[str, float] = dataclasses.field(default_factory=dict)
    """Accuracy of the extractor's classifier on real held-out images, overall and per class group: the bound of what agreement can show."""

    def __post_init__(self):
        object.__setattr__(self, "resolution", tuple(self.resolution))  # JSON reads lists
        if math.isinf(self.truncation):
            object.__setattr__(self, "truncation", 0.0)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"resolution": list(self.resolution)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Protocol":
        _check_names(cls, values)
        return cls(**values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """A number with its spread and its record."""

    value: float
    std: float | None = None
    """Standard deviation over splits or subsets, or the standard error of a share; None where neither exists."""
    unit: str = ""
    """`x10^3` for a kernel distance; empty for plain numbers."""
    details: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    """What one number does not say: `missing`, the modes that were not found."""
    protocol: Protocol

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "std": self.std, "unit": self.unit, "details": self.details, "protocol": self.protocol.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Score":
        _check_names(cls, values)
        return cls(**(values | {"protocol": Protocol.from_json(values["protocol"])}))


def hard_fields() -> tuple[str, ...]:
    """Names of the fields in which comparable scores agree."""
    return tuple(f.name for f in dataclasses.fields(Protocol) if f.metadata.get("hard"))


def differences(a: Protocol, b: Protocol) -> dict[str, tuple[Any, Any]]:
    """Hard fields in which two records differ, with both values."""
    return {name: (getattr(a, name), getattr(b, name)) for name in hard_fields() if getattr(a, name) != getattr(b, name)}


def compare(a: Score, b: Score) -> float:
    """b - a, for scores measured alike. Raises ValueError naming the hard fields that differ."""
    unlike = differences(a.protocol, b.protocol)
    if a.unit != b.unit:
        unlike["unit"] = (a.unit, b.unit)
    if unlike:
        listed = "; ".join(f"{name}: {left!r} and {right!r}" for name, (left, right) in unlike.items())
        raise ValueError(
            f"These scores were measured under different protocols and cannot be compared. They differ in {listed}. "
            f"Measure one of them again under the other's protocol."
        )
    return b.value - a.value


def _check_names(cls: type, values: dict[str, Any]) -> None:
    names = {f.name for f in dataclasses.fields(cls)}
    if unknown := sorted(set(values) - names):
        raise ValueError(f"A {cls.__name__} has no field {', '.join(unknown)}. It has: {', '.join(sorted(names))}.")
