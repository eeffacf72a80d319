"""Images per second of the input pipeline against what a training step consumes."""

import dataclasses
import statistics
import tempfile

from benchmarks import _timing

_ROWS = 64
_BATCHES = 500
"""In one turn of a pipeline, which starts with empty buffers."""


def measure(quick: bool) -> _timing.Report:
    """Steps of SNDCGAN and, in turns, batches of the pipeline without augmentation and with either of the usual two."""
    from benchmarks import _pictures
    from pipelines import augment, build, spec

    augmentations = {"no augmentation": (), "Flip": (augment.Flip(),), "Dequantize": (augment.Dequantize(),)}
    with tempfile.TemporaryDirectory() as folder:
        config = spec.DatasetConfig(source=_pictures.folder(f"{folder}/images", count=2000, side=32), test_split="train")
        data = {
            name: build.build(dataclasses.replace(config, augmentations=chosen), f"{folder}/data", keys=("image", "label"), seed=0)
            for name, chosen in augmentations.items()
        }
        candidates = {name: _reading(source) for name, source in data.items()} | {"step": _step(data["no augmentation"].spec)}
        times = _timing.interleave(candidates, seconds=4 if quick else 30)
    report = _timing.Report(
        title="The input pipeline",
        text=f"Images per second of the input pipeline, at 32 px from memory in batches of {_ROWS}, over what SNDCGAN's step consumes (preset "
        "`sndcgan/cifar10`, both updates). Either has all cores to itself while it is timed. In training the pipeline works beside the step, so a "
        "ratio of 30 costs the step about a thirtieth of the cores.",
    )
    steps = times.pop("step")
    for name, seconds in times.items():
        batch = [s / _BATCHES for s in seconds]
        report.rows.append(_timing.Row(name=name, ratios=_timing.ratios(steps, batch), bar=30.0, at_least=True))
        report.figures[f"{name}, images/s"] = _ROWS / statistics.median(batch)
    report.figures["SNDCGAN step, images/s"] = _ROWS / statistics.median(steps)
    return report


def _reading(data):
    def read():
        for _ in data.batches(start=0, batch_size=_ROWS).take(_BATCHES):
            pass

    return read


def _step(data):
    import tensorflow as tf

    from benchmarks import _pictures
    from tfgan_suite import registry
    from tfgan_suite.core import run

    experiment = registry.experiment("sndcgan/cifar10")
    settings = run.Run(seed=0, phase="train", steps=experiment.training.steps, precision="float32")
    model = registry.model_class(experiment.variant)(experiment.model, data, settings)
    step = tf.function(model.train_step, autograph=False)
    batch = {"image": _pictures.batch(rows=_ROWS, side=32)["image"]}
    return lambda: float(step(batch)["generator/loss"])


def main() -> None:
    """The command."""
    _timing.command("pipeline", measure)


if __name__ == "__main__":
    main()
