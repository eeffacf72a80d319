"""The local server under load: whose image is it, how long does it take, how many in a second, and what if there are too many."""

import os
import statistics
import tempfile
import time

import numpy as np

from benchmarks import _callers, _served, _timing

_CALLERS = 32
_SECONDS, _QUICK_SECONDS = 60.0, 8.0
_WINDOWS = 6
"""Parts of the time; each gives a ratio."""
_BATCH_SIZES = (1, 2, 4, 8, 16, 32)
_QUESTIONS = 64
_CLASSES = 10
_SPREAD = 0.3
"""Of the noise on the weights: an untrained generator has the same image for every label, and no mix-up would show."""


def measure(quick: bool) -> _timing.Report:
    """Exports a small generator with random weights, and lets callers in this process ask a server in another one."""
    seconds = _QUICK_SECONDS if quick else _SECONDS
    report = _timing.Report(
        title="The local server under load",
        text=f"`tfgan-serve` with batching, on loopback, under {_CALLERS} callers for {seconds:.0f} s, half over gRPC and half over REST; each asks "
        "for one PNG after another (`sample_png`, one row). Model: preset `sngan/demo`, 32 px, 10 classes, random weights. Each image is compared "
        "with the one that the same signature, loaded by `tf.saved_model.load`, gives for its seed and label. Callers and server share the machine. "
        "Throughput is compared with that signature called in process, without a server, by one caller: a row at a time, and 32 rows at a time, "
        "which no server can reach. Then the same callers meet a server whose queue holds one batch of two.",
    )
    with tempfile.TemporaryDirectory() as folder:
        direct = _Direct(_exported(os.path.join(folder, "sngan", "1")))
        answers = direct.answers()
        rates = {rows: [direct.rate(rows, 0.1 * seconds)] for rows in (1, _BATCH_SIZES[-1])}
        outcome, megabytes = _loaded(folder, answers, seconds, max_batch_size=_BATCH_SIZES[-1], max_enqueued_batches=100)
        for rows, found in rates.items():
            found.append(direct.rate(rows, 0.1 * seconds))
        _report_load(report, outcome, {rows: statistics.mean(found) for rows, found in rates.items()}, seconds)
        _report_memory(report, megabytes)
        overloaded, _ = _loaded(folder, answers, seconds / 4, max_batch_size=2, max_enqueued_batches=1)
        _report_overload(report, overloaded)
    return report


class _Direct:
    """`sample_png` called in this process."""

    def __init__(self, directory: str):
        import tensorflow as tf

        self._loaded = tf.saved_model.load(directory)  # the variables live as long as it
        self._signature = self._loaded.signatures["sample_png"]

    def __call__(self, questions: list[_callers.Question]) -> list[bytes]:
        import tensorflow as tf

        seeds, labels = (tf.constant(column, tf.int64) for column in zip(*questions, strict=True))
        return self._signature(seed=seeds, label=labels, truncation=tf.fill([len(questions)], 1.0))["image_bytes"].numpy().tolist()

    def answers(self) -> _callers.Answers:
        """The files of every question in batches of every size."""
        questions = [_callers.Question(seed, seed % _CLASSES) for seed in range(_QUESTIONS)]
        files: dict[_callers.Question, set[bytes]] = {question: set() for question in questions}
        for rows in _BATCH_SIZES:
            for start in range(0, len(questions), rows):
                part = questions[start : start + rows]
                for question, file in zip(part, self(part), strict=True):
                    files[question].add(file)
        return _callers.Answers(files)

    def rate(self, rows: int, seconds: float) -> float:
        """Images per second, called again and again with so many rows."""
        questions = [_callers.Question(seed, seed % _CLASSES) for seed in range(rows)]
        begin, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - begin) < seconds or not done:
            self(questions)
            done += rows
        return done / passed


def _loaded(folder: str, answers: _callers.Answers, seconds: float, *, max_batch_size: int, max_enqueued_batches: int):
    """(what the callers saw, the server's memory over the time in MB)."""
    from export import serving_config
    from export.client import rest, retries, rpc

    parameters = serving_config.parse_batching(serving_config.batching([size for size in _BATCH_SIZES if size <= max_batch_size]))
    parameters.max_enqueued_batches.value = max_enqueued_batches
    batching = os.path.join(folder, "batching.config")
    with open(batching, "w", encoding="utf-8") as file:
        file.write(str(parameters))
    flags = (
        "--model_name=sngan",
        f"--model_base_path={os.path.join(folder, 'sngan')}",
        "--enable_batching",
        f"--batching_parameters_file={batching}",
    )
    with _served.running(folder, *flags) as server:
        once = retries.Policy(attempts=1)
        kinds = {
            "gRPC": lambda: rpc.connect(server.grpc, "sngan", policy=once),
            "REST": lambda: rest.connect(server.rest, "sngan", policy=once),
        }
        connections = [(kind, kinds[kind]) for kind in list(kinds) * (_CALLERS // 2)]
        outcome = _callers.call(connections, answers, seconds=seconds, meanwhile=server.look)
        return outcome, server.megabytes


def _report_load(report: _timing.Report, outcome: _callers.Outcome, direct: dict[int, float], seconds: float) -> None:
    share = outcome.images / outcome.requests
    report.rows.append(_timing.Row(name="requests answered with their own image, of all", ratios=[share], bar=1.0, at_least=True))
    rates = outcome.rates(seconds, _WINDOWS)
    for (rows, rate), bar in zip(direct.items(), (1.0, 0.25), strict=True):
        ratios = [served / rate for served in rates]
        report.rows.append(_timing.Row(name=f"throughput over direct calls of {rows} row{'s' * (rows > 1)}", ratios=ratios, bar=bar, at_least=True))
        report.figures[f"direct calls of {rows} row{'s' * (rows > 1)}, images per s"] = rate
    report.figures |= {
        "served, images per s": outcome.images / seconds,
        "requests": outcome.requests,
        "wrong or mixed images": outcome.verdicts["wrong"],
        "requests without an image": outcome.requests - outcome.images - outcome.verdicts["wrong"],
        "images equal byte for byte": outcome.verdicts["equal"],
        "images within a grey level on 0.1 % of the values": outcome.verdicts["rounded"],
    }
    for kind in ("gRPC", "REST"):
        for percent in (50, 99):
            report.figures[f"{kind}, p{percent}, ms"] = 1000 * float(np.percentile(outcome.seconds(kind), percent))


def _report_memory(report: _timing.Report, megabytes: list[float]) -> None:
    """The last sixth of the time over the second: the first is the warming up."""
    parts = np.array_split(np.array(megabytes), _WINDOWS)
    early, late = float(np.median(parts[1])), float(np.median(parts[-1]))
    report.rows.append(_timing.Row(name="the server's memory, last sixth over second", ratios=[late / early], bar=1.05, at_least=False))
    report.figures |= {"memory in the second sixth, MB": early, "memory in the last sixth, MB": late, "largest memory, MB": max(megabytes)}


def _report_overload(report: _timing.Report, outcome: _callers.Outcome) -> None:
    refused = outcome.verdicts["UNAVAILABLE"]
    share = (outcome.images + refused) / outcome.requests
    report.rows.append(_timing.Row(name="overload: own image or UNAVAILABLE, of all", ratios=[share], bar=1.0, at_least=True))
    report.figures |= {
        "overload: requests": outcome.requests,
        "overload: answered by UNAVAILABLE, %": 100 * refused / outcome.requests,
        "overload: wrong or mixed images": outcome.verdicts["wrong"],
    }


def _exported(directory: str) -> str:
    """A saved model of the preset with random weights."""
    from export import saved_model, signatures

    model = _model()
    os.makedirs(os.path.dirname(directory))
    saved_model.save(signatures.build(model.endpoints()), directory)
    return directory


def _model():
    from pipelines import spec
    from tfgan_suite import registry
    from tfgan_suite.core import run

    experiment = registry.experiment("sngan/demo")
    image = spec.Feature(shape=(32, 32, 3), dtype="float32", low=-1.0, high=1.0)
    label = spec.Feature(shape=(), dtype="int32", low=0, high=_CLASSES - 1)
    names = tuple(f"class {i}" for i in range(_CLASSES))
    data = spec.DataSpec(name="random", features={"image": image, "label": label}, num_classes=_CLASSES, class_names=names, size=1)
    settings = run.Run(seed=0, phase="train", steps=experiment.training.steps, precision="float32")
    model = registry.model_class(experiment.variant)(experiment.model, data, settings)
    draws = np.random.default_rng(0)
    for network in model.endpoints()[0].networks:
        for variable in network.trainable_weights:
            variable.assign_add(draws.normal(0.0, _SPREAD, variable.shape).astype(np.float32))
    return model


def main() -> None:
    """The command."""
    _timing.command("load", measure)


if __name__ == "__main__":
    main()
