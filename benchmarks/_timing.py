"""What every benchmark shares: interleaved rounds, medians of ratios, and a report as JSON and Markdown.

Times drift by tens of percent within minutes (other processes, clock speeds); ratios of what ran within the same second do not. So candidates take
turns, every round gives a ratio, and the median of these is reported with its middle half.
"""

import dataclasses
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

from absl import flags

from tfgan_suite.cli import process

_LONGEST_REPEAT = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One ratio that is judged."""

    name: str
    ratios: Sequence[float]
    """One per round."""
    bar: float
    at_least: bool
    """Whether the ratio should be at least, or at most, the bar."""

    @property
    def value(self) -> float:
        """The median over rounds."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool:
        """Whether the median keeps to the bar."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def to_json(self) -> dict[str, Any]:
        low, high = middle_half(self.ratios)
        fields = {"name": self.name, "value": self.value, "low": low, "high": high, "rounds": len(self.ratios)}
        return fields | {"bar": self.bar, "at_least": self.at_least, "met": self.met}


@dataclasses.dataclass(kw_only=True)
class Report:
    """What a benchmark found."""

    title: str
    text: str
    """What was compared, in a paragraph."""
    rows: list[Row] = dataclasses.field(default_factory=list)
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """Whatever else was measured, by a name that holds the unit. Absolute times say something about this machine at this hour only."""


def interleave(
    candidates: dict[str, Callable[[], Any]],
    *,
    seconds: float,
    rounds: int = 5,
    sample_seconds: float = 0.2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """{name: seconds of one call, one per round}. Candidates take turns until `seconds` have passed, and for at least so many `rounds`.

    Each is called once before, to compile, and once for its duration; short ones are called several times in a turn, about `sample_seconds`
    together. Every other round goes in the opposite order. A candidate returns when its work is done: one that is asynchronous waits for its result.
    """
    repeats = {}
    for name, call in candidates.items():
        call()
        repeats[name] = min(max(1, round(sample_seconds / max(_timed(call, 1, clock), 1e-9))), _LONGEST_REPEAT)
    times: dict[str, list[float]] = {name: [] for name in candidates}
    begin, done = clock(), 0
    while done < rounds or clock() - begin < seconds:
        for name in list(candidates) if done % 2 == 0 else reversed(candidates):
            times[name].append(_timed(candidates[name], repeats[name], clock))
        done += 1
    return times


def _timed(call: Callable[[], Any], repeats: int, clock: Callable[[], float]) -> float:
    begin = clock()
    for _ in range(repeats):
        call()
    return (clock() - begin) / repeats


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """over / under, round by round."""
    return [a / b for a, b in zip(over, under, strict=True)]


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """The quartiles, by linear interpolation."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def write(report: Report, directory: str, name: str, command: str, machine: dict[str, Any]) -> None:
    """`<directory>/<name>.json` and `<name>.md`."""
    os.makedirs(directory, exist_ok=True)
    values = {
        "title": report.title,
        "command": command,
        "machine": machine,
        "rows": [row.to_json() for row in report.rows],
        "figures": report.figures,
    }
    with open(os.path.join(directory, f"{name}.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(values, indent=2, allow_nan=False) + "\n")
    with open(os.path.join(directory, f"{name}.md"), "w", encoding="utf-8") as file:
        file.write(markdown(report, command, machine))


def markdown(report: Report, command: str, machine: dict[str, Any]) -> str:
    """The page of one benchmark."""
    lines = [f"# {report.title}", "", f"Written by `{command}`; do not edit.", "", report.text, ""]
    lines += ["| | median ratio | middle half | rounds | bar | met |", "|---|---|---|---|---|---|"]
    for row in report.rows:
        low, high = (number(v) for v in middle_half(row.ratios))
        bar = f"{'at least' if row.at_least else 'at most'} {row.bar:g}"
        lines.append(f"| {row.name} | {number(row.value)} | {low} to {high} | {len(row.ratios)} | {bar} | {'yes' if row.met else 'no'} |")
    if report.figures:
        lines += ["", "| beside it | |", "|---|---|", *(f"| {name} | {number(value)} |" for name, value in report.figures.items())]
    lines += ["", "Measured on: " + ", ".join(f"{name} {value}" for name, value in machine.items()) + ".", ""]
    return "\n".join(lines)


def number(value: float) -> str:
    """Three significant digits, without an exponent where it can be read without; whole from 1000 on; ratios near 1 keep three decimals."""
    if value == 0 or not math.isfinite(value) or abs(value) < 1e-3:
        return f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def machine() -> dict[str, Any]:
    """What the numbers depend on beside the code. The load counts this benchmark's own start."""
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "oneDNN": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
        "TensorFlow": metadata.version("tensorflow"),
        "Keras": metadata.version("keras"),
    }


def command(name: str, measure: Callable[[bool], Report]) -> None:
    """The command of a benchmark: prints what `measure(quick)` finds, and writes it unless it was quick.

    No flag hides the bars: one that is missed is reported, and is not an error.
    """
    process.settings()
    flags.DEFINE_bool("quick", False, "Seconds instead of a minute; prints and writes nothing.")
    flags.DEFINE_string("output", os.path.join("docs", "benchmarks"), "Folder for <name>.json and <name>.md.")

    def run(argv: Sequence[str]) -> None:
        values = flags.FLAGS
        here = machine()
        report = measure(values.quick)
        told = f"python -m benchmarks.{name}"
        print(markdown(report, told, here))
        if not values.quick:
            write(report, values.output, name, told, here)

    process.run(run)
