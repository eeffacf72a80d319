"""Measures what a version costs to serve: a few calls of one signature in a session, as a server runs it."""

import os
import statistics
import time
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from export import sessions, signatures
from export.kit import cost

_PREFERRED = ("sample_png", "sample", "serving_default")
"""The first of these that the version has is called: clients over REST ask for PNG files."""
_SECONDS = 0.3
_MOST_CALLS = 20
"""Each batch size is called so long, or so often; once at least."""


def measure(directory: str, built: Sequence[signatures.Signature], batch_sizes: Sequence[int]) -> cost.Cost:
    """The cost of the version in `directory`, on the CPU: a model of some megabytes takes about a second, a slow one four calls of each size."""
    named = {signature.name: signature for signature in built}
    chosen = next((named[name] for name in _PREFERRED if name in named), built[0])
    examples = {rows: chosen.examples(rows) for rows in (1, batch_sizes[-1])}
    with tf.Graph().as_default(), tf.compat.v1.Session(config=tf.compat.v1.ConfigProto(device_count={"GPU": 0})) as session:
        start = time.perf_counter()
        definition = sessions.load(session, directory).signature_def[chosen.name]
        load_seconds = time.perf_counter() - start
        calls = [_call(session, definition, inputs, rows) for rows, inputs in examples.items()]
    return cost.Cost(
        signature=chosen.name,
        signatures=len(built),
        batch_sizes=len(batch_sizes),
        cores=os.cpu_count() or 1,
        load_seconds=load_seconds,
        one=calls[0],
        largest=calls[-1],
    )


def _call(session: tf.compat.v1.Session, definition: Any, inputs: dict[str, Any], rows: int) -> cost.Call:
    outputs = {key: info.name for key, info in definition.outputs.items()}
    fed = {definition.inputs[key].name: value for key, value in inputs.items()}
    session.run(outputs, fed)  # the first call optimises the graph
    peak = _peak_bytes(session, outputs, fed)
    seconds: list[float] = []
    start = time.process_time()
    while not seconds or (sum(seconds) < _SECONDS and len(seconds) < _MOST_CALLS):
        before = time.perf_counter()
        session.run(outputs, fed)
        seconds.append(time.perf_counter() - before)
    cpu_seconds = (time.process_time() - start) / len(seconds)
    return cost.Call(rows=rows, seconds=statistics.median(seconds), cpu_seconds=cpu_seconds, peak_bytes=peak)


def _peak_bytes(session: tf.compat.v1.Session, outputs: dict[str, str], fed: dict[str, Any]) -> int:
    """The most that a call's tensors take at one time, by TensorFlow's own records of what it allocated and freed."""
    record = tf.compat.v1.RunMetadata()
    session.run(outputs, fed, options=tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE), run_metadata=record)
    changes = [
        (change.alloc_micros, change.alloc_bytes)
        for device in record.step_stats.dev_stats
        for node in device.node_stats
        for allocator in node.memory
        for change in allocator.allocation_records
    ]
    live = peak = 0
    for _, size in sorted(changes):  # of one microsecond, what was freed comes first
        live += size
        peak = max(peak, live)
    return peak
