"""tfgan-analyze: looks closer at a finished run, one analysis at a time, and writes figures and numbers.

tfgan-analyze class_grids   --workdir=runs/acgan --output=analysis --classes=cat,dog
tfgan-analyze interpolation --workdir=runs/acgan --output=analysis --columns=12
tfgan-analyze truncation    --workdir=runs/biggan --output=analysis --truncations=0.3,0.6,1.0
tfgan-analyze neighbours    --workdir=runs/biggan --output=analysis --rows=10 --neighbours=7
tfgan-analyze spectra       --workdir=runs/biggan --output=analysis
tfgan-analyze embedding     --workdir=runs/contragan --output=analysis --samples=2000
"""

import dataclasses
import importlib

from absl import flags

from pipelines import spec
from tfgan_suite import experiment as experiments
from tfgan_suite.cli import process

ANALYSES = {
    "class_grids": "tfgan_suite.analysis.class_grids",
    "interpolation": "tfgan_suite.analysis.interpolation",
    "truncation": "tfgan_suite.analysis.truncation",
    "neighbours": "tfgan_suite.analysis.neighbours",
    "spectra": "tfgan_suite.analysis.spectra",
    "embedding": "tfgan_suite.analysis.embedding",
}
"""Name -> module with `run(subject, options, output) -> paths`."""


def _analyze(name: str) -> None:
    values = flags.FLAGS
    from tfgan_suite import runner, workdir
    from tfgan_suite.analysis import subject

    experiment = workdir.load_experiment(values.workdir)
    model = runner.restore(values.workdir, which=values.checkpoint)

    def judge(metrics):
        return runner.evaluator(experiment.judged_by(metrics=metrics, extractor=values.extractor), data_dir=values.data_dir)

    run = subject.Subject(
        model=model,
        steps=runner.kept_steps(values.workdir),
        restore=lambda step: runner.restore(values.workdir, which=str(step)),
        judge=judge,
    )
    given = {field.name: values[field.name].value for field in dataclasses.fields(subject.Options)}
    given["classes"] = tuple(_number(c, model.data) for c in values.classes)
    given["truncations"] = tuple(_threshold(t) for t in values.truncations)
    for path in importlib.import_module(ANALYSES[name]).run(run, subject.Options(**given), values.output):
        print(path)


def _number(name: str, data) -> int:
    """A class by its name, or by its number."""
    if name in data.class_names:
        return data.class_names.index(name)
    if name.isdecimal():
        return int(name)
    raise ValueError(f"--classes: {data.name!r} has no class {name!r}. {experiments.nearest(name, list(data.class_names))}")


def _threshold(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"--truncations is a list of numbers above 0. Received: {text!r}.") from error


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("workdir", None, "Folder of a run.", required=True)
    flags.DEFINE_string("output", None, "Folder to write to.", required=True)
    flags.DEFINE_string("data_dir", spec.default_data_dir(), "Folder of prepared datasets and caches.")
    flags.DEFINE_string("checkpoint", "latest", "Which checkpoint: latest, best, or a step that was kept.")
    flags.DEFINE_string("extractor", None, "Measure by this extractor instead of the experiment's.")
    flags.DEFINE_integer("seed", 0, "Selects the latents.")
    flags.DEFINE_integer("rows", 8, "Rows of a figure.", lower_bound=1)
    flags.DEFINE_integer("columns", 8, "Steps of an interpolation; columns of a class's grid.", lower_bound=1)
    flags.DEFINE_integer("samples", 1000, "Images that numbers are taken from.", lower_bound=4)
    flags.DEFINE_integer("neighbours", 5, "Nearest training images per generated one.", lower_bound=1)
    flags.DEFINE_float("truncation", float("inf"), "Latents are resampled beyond this magnitude.", lower_bound=0.0)
    flags.DEFINE_list("truncations", ["0.2", "0.4", "0.6", "0.8", "1.0", "1.5", "2.0"], "Thresholds of a truncation sweep; none at all is added.")
    flags.DEFINE_list("classes", [], "Names or numbers of the classes to show; an interpolation goes from each to the next.")
    flags.DEFINE_string("head", "", "Output of the discriminator that is embedded [embedding, or else features].")
    process.run(lambda argv: _analyze(argv[1]), choices=ANALYSES, choice="analysis")


if __name__ == "__main__":
    main()
