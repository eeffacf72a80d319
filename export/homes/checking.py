"""Whether a converted model answers as the version that it was made from."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from export import expectations
from export.homes import source

BATCHES = (1, expectations.ROWS)
"""The batch sizes that a model of any number of rows is checked in."""
_BEYOND = 3

Run = Callable[[dict[str, np.ndarray]], np.ndarray]
"""Inputs by name -> images, as the other format's own runtime computes them. ValueError where it cannot."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Converted:
    """A converted model that has been checked."""

    content: bytes
    rows: int | None
    """The only batch size that it takes; None for any."""
    batches: tuple[int, ...]
    """The batch sizes that were checked."""
    difference: float
    """The largest from the version's pixels."""


def checked(version: source.Version, content: bytes, rows: int | None, run: Run, runtime: str) -> Converted:
    """`content`, after `run` gave the version's pixels for its examples in every batch size that it takes.

    ValueError, naming `runtime`, where they differ by more than the version's own tolerance (relative where a value's magnitude is above 1, as
    `export.verify` measures it), or where an input outside its range is not answered as the nearest one inside.
    """
    batches = BATCHES if rows is None else (rows,)
    difference = _largest_difference(version, run, batches, runtime)
    _check_clamping(version, run, runtime)
    return Converted(content=content, rows=rows, batches=batches, difference=difference)


def _largest_difference(version: source.Version, run: Run, batches: Sequence[int], runtime: str) -> float:
    expected, largest = version.expected, 0.0
    for rows in batches:
        for start in range(0, expectations.ROWS, rows):
            part = slice(start, start + rows)
            answer = run({key: value[part] for key, value in expected.inputs.items()})
            difference = _difference(expected.outputs[source.IMAGES][part], answer)
            if not difference <= expected.tolerance:  # also where it is not a number
                raise ValueError(
                    f"{runtime} differs from {version.model} by {difference:.2g} in a batch of {rows}, more than {expected.tolerance:.0e}."
                )
            largest = max(largest, difference)
    return largest


def _check_clamping(version: source.Version, run: Run, runtime: str) -> None:
    row = {key: value[:1] for key, value in version.expected.inputs.items()}
    for each in version.inputs:
        for bound, beyond in ((each.low, -_BEYOND), (each.high, _BEYOND)):
            if bound is None:
                continue
            inside, outside = (run(row | {each.name: np.full_like(row[each.name], value)}) for value in (bound, bound + beyond))
            if not _difference(inside, outside) <= version.expected.tolerance:
                raise ValueError(f"{runtime} answers {each.name} = {bound + beyond} otherwise than {bound}, the nearest that is allowed.")


def _difference(expected: np.ndarray, actual: np.ndarray) -> float:
    if expected.shape != actual.shape:
        return float("inf")
    return float(np.max(np.abs(expected - actual) / np.maximum(1.0, np.abs(expected))))
