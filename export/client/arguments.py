"""The values of the command's flags, from text."""

import json
from collections.abc import Sequence
from typing import Any

MOST_ROWS = 10_000
"""More images than this in one call are a slip of the hand."""


def numbers(parts: Sequence[str], flag: str) -> list[int]:
    """Whole numbers, at least one. ValueError, naming the flag, for anything else."""
    try:
        found = [int(part) for part in parts]
    except ValueError:
        found = []
    if not found:
        raise ValueError(f"{flag} must be whole numbers, e.g. {flag}=3; received {','.join(parts)!r}.")
    return found


def seeds(parts: Sequence[str]) -> list[int]:
    """["0:3", "7"] -> [0, 1, 2, 7]: numbers, and ranges without their ends."""
    found: list[int] = []
    for part in parts:
        ends = numbers(part.split(":"), "--seeds")
        low, high = ends if len(ends) == 2 else (ends[0], ends[0] + 1)
        if len(ends) > 2 or high <= low or len(found) + high - low > MOST_ROWS:
            raise ValueError(f"--seeds are numbers and rising ranges, e.g. 0:16,100, of at most {MOST_ROWS} in all; received {','.join(parts)}.")
        found += range(low, high)
    if not found:
        raise ValueError("--seeds is empty; give numbers and ranges, e.g. 0:16,100.")
    return found


def ends(parts: Sequence[str]) -> tuple[int, int]:
    """The two seeds of an interpolation."""
    found = numbers(parts, "--interpolate")
    if len(found) != 2:
        raise ValueError(f"--interpolate must be two seeds, e.g. 7,8; received {','.join(parts)}.")
    return found[0], found[1]


def condition(text: str) -> tuple[str, Any]:
    """name=JSON -> (name, value)."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        raise ValueError(f"""--condition must be name=JSON, e.g. 'codes=[0.5, -1]' or 'words="a red square"'; received {text!r}.""") from None
