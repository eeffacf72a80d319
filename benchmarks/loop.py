"""How much the runner's loop costs beside the compiled step: feeding, dispatch, and all callbacks at their default periods."""

import contextlib
import io
import statistics
import tempfile
import time

from benchmarks import _timing

_STEPS = 8
"""In one turn."""
_ALL_PERIODS = 1000
"""Steps after which every default period has come round: logs 50, health 100, samples 500, checkpoints 1000."""


def measure(quick: bool) -> _timing.Report:
    """Runs the runner's own loop on the preset of `make demo`, interrupted every few steps by as many bare steps of a twin."""
    import tensorflow as tf

    from benchmarks import _pictures, _runner
    from tfgan_suite import experiment as experiments
    from tfgan_suite import registry

    experiment = registry.experiment("sngan/demo")
    experiment.logging, experiment.checkpointing, experiment.health = (
        experiments.Logging(),
        experiments.Checkpointing(),
        experiments.Health(action="warn"),
    )
    progress = contextlib.redirect_stderr(io.StringIO())  # it would fill the screen
    with tempfile.TemporaryDirectory() as folder, progress:
        experiment.data.source = _pictures.folder(f"{folder}/images", count=2000, side=32, classes=40)
        experiment.data.test_split = experiment.data.split
        watched = _runner.Watched(experiment, folder)
        twin = watched.build()
        bare = tf.function(twin.train_step, autograph=False)
        batch = _pictures.batch(rows=experiment.data.batch_size, side=32, classes=40)
        loop, plain = [], []

        def turn(seconds_loop: float, seconds_callbacks: float) -> bool:
            """After a turn of the loop: a turn of bare steps. Whether another round follows."""
            loop.append((seconds_loop - seconds_callbacks) / _STEPS)
            begin = time.perf_counter()
            for _ in range(_STEPS):
                values = bare(batch)
            float(next(iter(values.values())))
            plain.append((time.perf_counter() - begin) / _STEPS)
            return len(plain) < 3 or time.perf_counter() - started < (5 if quick else 25)

        bare(batch)
        started = time.perf_counter()
        watched.run(_STEPS, turn)
        by_name = watched.callbacks_through(_ALL_PERIODS)
    return _report(loop[1:], plain[1:], {name: seconds / _ALL_PERIODS for name, seconds in by_name.items()})


def _report(loop: list[float], plain: list[float], callbacks: dict[str, float]) -> _timing.Report:
    share = sum(callbacks.values())
    step = statistics.median(plain)
    report = _timing.Report(
        title="The loop",
        text="The runner's loop, with in-memory data and all callbacks at their default periods, against calls of the bare compiled `train_step` on "
        f"one batch: preset `sngan/demo`, batch 64. Turns of {_STEPS} steps. Callbacks are timed apart, through all of {_ALL_PERIODS} steps, so that "
        "the rare ones (a grid of samples, a checkpoint) count with their true share.",
    )
    report.rows.append(
        _timing.Row(name="loop / bare step", ratios=_timing.ratios([seconds + share for seconds in loop], plain), bar=1.03, at_least=False)
    )
    report.figures["feeding and dispatch, % of a step"] = 100 * (statistics.median(_timing.ratios(loop, plain)) - 1)
    report.figures |= {f"{name}, % of a step": 100 * seconds / step for name, seconds in callbacks.items()}
    report.figures["bare step, ms"] = 1000 * step
    return report


def main() -> None:
    """The command."""
    _timing.command("loop", measure)


if __name__ == "__main__":
    main()
