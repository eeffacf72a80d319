"""Checks that a version answers as its model does, in processes of their own, before a server may see it."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from export import expectations, images, linter, warmup

CHECKS = ("load", "session", "batching", "c_api")
_CALLERS = 16
"""Requests that the batching kernel is given at once."""
_SECONDS = 3600
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception)\b")
_REPORT = os.path.join("assets.extra", "verification.json")


def verify(directory: str, scratch: str) -> dict[str, Any]:
    """Checks the version in `directory`; returns the report {check: {signature: largest difference}}. `scratch`: for temporary files.

    The static checks of `linter`; then every signature, alone, in batches, in another order and padded to the largest allowed batch, by
    tf.saved_model.load, in a session and through TensorFlow's C API; behind its batching kernel, asked by many callers at once; then the warm-up
    requests. Every row must equal what the model itself gave for that row. Raises ValueError listing whatever differs.
    """
    problems = linter.lint(directory)
    if problems:
        raise ValueError(f"{directory} would not serve:\n" + "\n".join(f"  {problem}" for problem in problems))
    expected = expectations.read(directory)
    plan = _plan(directory, expected, scratch)
    answers, problems = _run(plan, scratch)
    problems = problems or _missing(expected, answers)
    report: dict[str, dict[str, float]] = {}
    wrong: dict[str, str] = {}
    asked = plan["compositions"] | plan["callers"]
    for path, value in answers.items():
        check, name, request, key = path.split("/")
        rows = asked[request]
        difference, problem = _difference(expected[name].outputs[key][rows], value, expected[name])
        report.setdefault(check, {})[name] = max(report.get(check, {}).get(name, 0.0), difference)
        if problem:
            wrong.setdefault(f"{check}: {name}, rows {rows}: {key}", problem)
    problems += [f"{where} {problem}" for where, problem in wrong.items()]
    if problems:
        raise ValueError(f"{directory} does not answer as the model does:\n" + "\n".join(f"  {problem}" for problem in problems))
    return report


def write_report(directory: str, report: dict[str, Any]) -> None:
    """Keeps the report of `verify` in the version."""
    with open(os.path.join(directory, _REPORT), "w", encoding="utf-8") as file:
        json.dump({"tensorflow": tf.__version__, "largest_difference": report}, file, indent=2)


def _plan(directory: str, expected: dict[str, expectations.Expectation], scratch: str) -> dict[str, Any]:
    """What the processes run; the arrays go to a file that the plan names."""
    definitions = linter.read(directory).signature_def
    signatures = {name: {"inputs": _tensors(definitions[name].inputs), "outputs": _tensors(definitions[name].outputs)} for name in expected}
    requests = warmup.read(directory)
    sizes = sorted({rows for _, inputs in requests for rows in (len(value) for value in inputs.values())})
    everything = list(range(expectations.ROWS))
    compositions = {f"row {i} alone": [i] for i in everything} | {
        "all rows": everything,
        "reversed": everything[::-1],
        "largest batch": [i % expectations.ROWS for i in range(sizes[-1])],
    }
    fitting = [rows for rows in compositions.values() if len(rows) <= sizes[-1]]
    arrays = {f"{name}/{key}": value for name, one in expected.items() for key, value in one.inputs.items()}
    arrays |= {f"warmup {i}/{key}": value for i, (_, inputs) in enumerate(requests) for key, value in inputs.items()}
    inputs = os.path.join(scratch, "inputs.npz")
    np.savez(inputs, **{key: expectations.pack(value) for key, value in arrays.items()})
    return {
        "model": os.path.abspath(directory),
        "inputs": inputs,
        "signatures": signatures,
        "compositions": compositions,
        "callers": {f"caller {i}": fitting[i % len(fitting)] for i in range(_CALLERS)},
        "batch_sizes": sizes,
        "warmup": [name for name, _ in requests],
    }


def _tensors(definitions: Any) -> dict[str, tuple[str, str]]:
    return {key: (info.name, tf.as_dtype(info.dtype).name) for key, info in sorted(definitions.items())}


def _run(plan: dict[str, Any], scratch: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """({check/signature/composition/output: array}, problems) from both processes, run side by side."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    answers, problems, running = {}, [], {}
    try:
        for script in ("run_in_tensorflow", "run_in_c"):
            outputs, path = os.path.join(scratch, f"{script}.npz"), os.path.join(scratch, f"{script}.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(plan | {"outputs": outputs}, file)
            command = [sys.executable, "-I", os.path.join(os.path.dirname(__file__), "processes", f"{script}.py"), path]
            running[outputs] = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
            )
        for outputs, process in running.items():
            _, errors = process.communicate(timeout=_SECONDS)
            if process.returncode:
                problems.append(f"{os.path.basename(process.args[2])} ended with status {process.returncode}: {_reason(errors)}")
                continue
            with np.load(outputs) as file:
                answers |= {key: expectations.unpack(value) for key, value in file.items()}
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    return answers, problems


def _missing(expected: dict[str, expectations.Expectation], answers: dict[str, np.ndarray]) -> list[str]:
    """The outputs that some check has not asked for at all."""
    seen = {(check, name, key) for check, name, _, key in (path.split("/") for path in answers)}
    wanted = {(check, name, key) for check in CHECKS for name, one in expected.items() for key in one.outputs}
    return [f"{check}: {name} has no {key}" for check, name, key in sorted(wanted - seen)]


def _reason(errors: str) -> str:
    """The line of a process's error stream that says what went wrong."""
    lines = [line for line in errors.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in reversed(lines) if _EXCEPTION.match(line)), lines[-1])


def _difference(expected: np.ndarray, actual: np.ndarray, signature: expectations.Expectation) -> tuple[float, str]:
    """(largest difference, what is wrong with `actual` or "")."""
    if signature.encoding:
        return _grey_difference(expected, actual, signature)
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return 0.0, f"is {actual.dtype}{list(actual.shape)}, not {expected.dtype}{list(expected.shape)}"
    if expected.dtype.kind != "f":
        return 0.0, "" if np.array_equal(expected, actual) else "differs"
    if not np.all(np.isfinite(actual)):
        return 0.0, "is not finite"
    difference = float(np.max(np.abs(expected - actual) / np.maximum(1.0, np.abs(expected)), initial=0.0))
    return difference, "" if difference <= signature.tolerance else f"differs by {difference:.2g}, more than {signature.tolerance:.0e}"


def _grey_difference(expected: np.ndarray, actual: np.ndarray, signature: expectations.Expectation) -> tuple[float, str]:
    """The same for encoded images, in grey levels: as far apart as `images.ENCODINGS` allows, and as much further as the tolerance is."""
    form = images.ENCODINGS[signature.encoding]
    try:
        decoded = images.decode(actual, signature.encoding)
    except tf.errors.InvalidArgumentError as error:
        return 0.0, f"is no {signature.encoding}: {error.message}"
    if [row.shape for row in decoded] != [row.shape for row in expected]:
        return 0.0, f"holds {[row.shape for row in decoded]}, not {[row.shape for row in expected]}"
    levels = np.abs(np.stack(decoded).astype(np.int32) - expected)
    allowed = form.levels + round(signature.tolerance * 127.5)
    share = 1.0 if signature.tolerance > expectations.TOLERANCE else form.share
    right = levels.max() <= allowed and np.mean(levels > 0) <= share
    return float(levels.max()), "" if right else f"differs by up to {levels.max()} grey levels, on {np.mean(levels > 0):.2%} of the values"
