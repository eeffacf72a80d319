"""What a version costs to serve, as it was measured when it was exported."""

import dataclasses
import json
import os

FILE = os.path.join("assets.extra", "measured.json")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a signature."""

    rows: int
    seconds: float
    """Wall time, the median of several calls."""
    cpu_seconds: float
    """Time of all cores together, the mean of the same calls."""
    peak_bytes: int
    """The most memory that the call's tensors took at one time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """A version, on the CPU of the machine that exported it."""

    signature: str
    """The one that was called."""
    signatures: int
    """How many the version has."""
    batch_sizes: int
    """How many sizes a server pads batches to."""
    cores: int
    """Cores of that machine."""
    load_seconds: float
    one: Call
    """With one row."""
    largest: Call
    """With as many rows as a batch may have."""

    def warm_up_seconds(self) -> float:
        """At most what the warm-up requests take: each signature in each batch size, as if all were as large as the largest."""
        return self.signatures * self.batch_sizes * self.largest.seconds


def write(directory: str, cost: Cost) -> None:
    """Keeps `cost` in the version `directory`."""
    with open(os.path.join(directory, FILE), "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(cost), file, indent=2)


def read(directory: str) -> Cost | None:
    """What `write` kept; None for a version that was never measured, or whose record is damaged."""
    try:
        with open(os.path.join(directory, FILE), encoding="utf-8") as file:
            values = json.load(file)
        return Cost(**values | {name: Call(**values[name]) for name in ("one", "largest")})
    except (FileNotFoundError, NotADirectoryError, TypeError, KeyError, ValueError):
        return None


def size(directory: str) -> int:
    """Bytes of all files under `directory`."""
    return sum(os.path.getsize(os.path.join(parent, name)) for parent, _, names in os.walk(directory) for name in names)
