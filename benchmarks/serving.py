"""The exported signature against the generator called in the process that has it."""

import os
import statistics
import tempfile

from benchmarks import _timing

_BATCH_SIZES = (1, 8, 64)


def measure(quick: bool) -> _timing.Report:
    """Saves the endpoints of a fresh model, loads them as a client of the SavedModel would, and lets the two answer in turns."""
    import tensorflow as tf

    report = _timing.Report(
        title="The exported model",
        text="`serving_default` of a SavedModel, loaded by `tf.saved_model.load`, over the compiled call of the same generator in process: preset "
        "`sndcgan/cifar10`, 32 px. The signature does more: it clips latents to the request's truncation. No server and no network in between.",
    )
    model = _model()
    generate = tf.function(lambda latents: model.sample(latents, {}), autograph=False)
    with tempfile.TemporaryDirectory() as folder:
        exported = _exported(model, os.path.join(folder, "model"))
        for rows in _BATCH_SIZES:
            latents = tf.random.stateless_uniform((rows, model.config.latent_size), (0, rows), -1.0, 1.0)
            truncation = tf.fill([rows], 1.0)
            calls = {
                "exported": lambda z=latents, t=truncation: exported(latents=z, truncation=t)["images"].numpy(),
                "in process": lambda z=latents: generate(z).numpy(),
            }
            difference = float(abs(calls["exported"]() - calls["in process"]()).max())
            times = _timing.interleave(calls, seconds=1 if quick else 12)
            ratios = _timing.ratios(times["exported"], times["in process"])
            report.rows.append(_timing.Row(name=f"batch {rows}", ratios=ratios, bar=1.1, at_least=False))
            report.figures[f"batch {rows}: largest difference of a pixel"] = difference
            report.figures[f"batch {rows}: exported, ms"] = 1000 * statistics.median(times["exported"])
    return report


def _exported(model, directory: str):
    """The signature `serving_default` of the saved model."""
    import tensorflow as tf

    from export import saved_model, signatures

    saved_model.save(signatures.build(model.endpoints()), directory)
    loaded = tf.saved_model.load(directory)
    signature = loaded.signatures["serving_default"]
    return lambda loaded=loaded, **inputs: signature(**inputs)  # the variables live as long as what was loaded


def _model():
    from pipelines import spec
    from tfgan_suite import registry
    from tfgan_suite.core import run

    experiment = registry.experiment("sndcgan/cifar10")
    image = spec.Feature(shape=(32, 32, 3), dtype="float32", low=-1.0, high=1.0)
    data = spec.DataSpec(name="random", features={"image": image}, size=1)
    settings = run.Run(seed=0, phase="train", steps=experiment.training.steps, precision="float32")
    return registry.model_class(experiment.variant)(experiment.model, data, settings)


def main() -> None:
    """The command."""
    _timing.command("serving", measure)


if __name__ == "__main__":
    main()
