"""What a server of the models needs, derived from what their versions cost: memory, cores, time to start, and when it is slow."""

import dataclasses
import math

from export import readme
from export.kit import cost, served

_MIB = 2**20
_SERVER_BYTES = 256 * _MIB
"""An allowance for the server without models."""
_FILE_FACTOR = 1.2
"""TF Serving's own estimate of a loaded version's memory, as a multiple of its files."""
_TENSOR_FACTOR = 2
"""For what allocators keep and fragment."""
_MEMORY_STEP = 64 * _MIB
_MOST_CORES = 8
_BATCH_SECONDS = 1.0
"""How long the largest batch may take on the cores that are asked for."""
_START_SECONDS = 60
"""An allowance for a cold node: pulling files from disk, a busy processor."""
_START_FACTOR = 10
"""How much slower than the exporting machine a node may be."""
_SLOW_FACTOR = 4
"""A request waits for the batch before its own and takes part in one; twice that is slow."""
_SLOW_AT_LEAST = 0.25
_QUEUE_FACTOR = 2
"""A mean wait of two whole batches says that requests come faster than they are served."""
_DRAIN_SECONDS = 10
"""Until every proxy of the cluster has stopped sending to a pod that ends."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needs:
    """What one replica needs."""

    memory_bytes: int
    cores: int
    start_seconds: int
    """From its start to its first answer, at most."""
    drain_seconds: int
    """From the order to end to the last answer, at most."""
    rest_timeout_ms: int
    """For one request over REST."""
    explained: tuple[str, ...]
    """How each number came about, a line each."""


def needs(of: served.Served) -> Needs:
    """What a replica that serves `of` needs. A model that was not measured counts by its size alone."""
    costs = [model.cost for model in of.models if model.cost]
    cores = min(_MOST_CORES, max(1, *(math.ceil(c.largest.cpu_seconds / _BATCH_SECONDS) for c in costs), 1))
    threads = of.batch_threads or cores
    versions = sum((model.loaded + 1) * _FILE_FACTOR * model.bytes for model in of.models)
    tensors = max((c.largest.peak_bytes for c in costs), default=0)
    memory = _SERVER_BYTES + versions + _TENSOR_FACTOR * threads * tensors
    start = _START_SECONDS + _START_FACTOR * sum(
        model.loaded * (model.cost.load_seconds + model.cost.warm_up_seconds()) for model in of.models if model.cost
    )
    largest = max((c.largest.seconds for c in costs), default=0.0)
    drain = _DRAIN_SECONDS + 2 * largest
    result = Needs(
        memory_bytes=math.ceil(memory / _MEMORY_STEP) * _MEMORY_STEP,
        cores=cores,
        start_seconds=math.ceil(start),
        drain_seconds=math.ceil(drain),
        rest_timeout_ms=max(readme.REST_TIMEOUT_MS, 1000 * math.ceil(_START_FACTOR * _SLOW_FACTOR * largest)),
        explained=(),
    )
    return dataclasses.replace(result, explained=_explained(of, result, threads, tensors))


def slow_seconds(of: cost.Cost | None, batch_timeout_seconds: float) -> float:
    """Above this, a model's 99th percentile of latency is worth a look."""
    measured = of.largest.seconds if of else 0.0
    return round(max(_SLOW_AT_LEAST, _SLOW_FACTOR * (measured + batch_timeout_seconds)), 3)


def queueing_seconds(of: served.Served) -> float:
    """Above this mean wait for a batch, the server has fallen behind."""
    measured = max((model.cost.largest.seconds for model in of.models if model.cost), default=0.0)
    return round(max(_SLOW_AT_LEAST, _QUEUE_FACTOR * (measured + of.batch_timeout_seconds)), 3)


def mebibytes(size: float) -> str:
    """A number of bytes for people."""
    return f"{size / _MIB:.1f} MiB" if size < 100 * _MIB else f"{size / _MIB:.0f} MiB"


def _explained(of: served.Served, result: Needs, threads: int, tensors: int) -> tuple[str, ...]:
    lines = []
    for model in of.models:
        lines.append(f"{model.name}: {mebibytes(model.bytes)} on disk, versions loaded: {model.loaded}.")
        if model.cost:
            c = model.cost
            lines.append(
                f"  {c.signature}, on {c.cores} cores: {1e3 * c.one.seconds:.3g} ms for 1 row, {1e3 * c.largest.seconds:.3g} ms "
                f"({c.largest.cpu_seconds:.3g} s of all cores) and {mebibytes(c.largest.peak_bytes)} of tensors for {c.largest.rows}; "
                f"loaded in {c.load_seconds:.3g} s."
            )
        else:
            lines.append("  No measurement beside its versions; the next export makes one.")
    return (
        *lines,
        f"memory = {mebibytes(_SERVER_BYTES)} for the server + {_FILE_FACTOR} x size x (versions loaded + 1, while two are exchanged) of each model",
        f"  + {_TENSOR_FACTOR} x {threads} batch threads x {mebibytes(tensors)} of tensors, up to the next {mebibytes(_MEMORY_STEP)} "
        f"= {mebibytes(result.memory_bytes)}.",
        f"cpu = cores that compute the largest batch in {_BATCH_SECONDS:.0f} s, 1 to {_MOST_CORES} = {result.cores}.",
        f"time to start = {_START_SECONDS} s + {_START_FACTOR} x (loading + warm-up requests) of every version loaded = {result.start_seconds} s.",
        f"time of a REST request = {_SLOW_FACTOR} x the largest batch, on a node {_START_FACTOR} times slower, and at least "
        f"{readme.REST_TIMEOUT_MS / 1000:g} s = {result.rest_timeout_ms / 1000:g} s.",
        f"time to end = {_DRAIN_SECONDS} s until no proxy sends any more + 2 x the largest batch = {result.drain_seconds} s.",
    )
