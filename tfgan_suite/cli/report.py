"""tfgan-report: judges every checkpoint that a run kept and writes a page about it: table, learning curve, samples, and the commands that made it.

tfgan-report --workdir=runs/cifar10 --output=docs/runs/cifar10 --title="SNDCGAN on CIFAR-10"
"""

import json
import os
import re
import shlex
from typing import Any

from absl import flags

from pipelines import spec
from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.cli import process

FLAGS = ("workdir", "data_dir", "extractor", "title", "note", "rows", "output")
"""Its flags, in the order in which a page prints those that were given."""
_BESIDE = ("agreement",)
"""What is drawn beside the first metric where it was measured."""


def _report(argv) -> None:
    from tfgan_suite import runner, workdir
    from tfgan_suite.core import files, picture, sampling

    values = flags.FLAGS
    experiment = workdir.load_experiment(values.workdir)
    judged = experiment.judged_by(extractor=values.extractor)
    steps = runner.kept_steps(values.workdir)
    judge = runner.evaluator(judged, data_dir=values.data_dir)
    records = []
    for step in steps:
        model = runner.restore(values.workdir, which=str(step))
        scores = runner.judge(model, judged, judge)
        records.append({"step": step} | {name: score.to_json() for name, score in scores.items()})
        print(f"step {step}: {'  '.join(f'{name} {score.value:.4g}' for name, score in scores.items())}", flush=True)
    sheet = sampling.grid(model, rows=values.rows, seed=experiment.seed)
    title = values.title or f"{experiment.variant} on {experiment.data.source}"
    files.write(os.path.join(values.output, "scores.json"), json.dumps(records, indent=2, allow_nan=False) + "\n")
    files.write(os.path.join(values.output, "samples.png"), picture.png(sheet))
    files.write(os.path.join(values.output, "curve.png"), _curve(records, title))
    files.write(os.path.join(values.output, "README.md"), _page(records, title, values, experiment))
    print(os.path.join(values.output, "README.md"))


def _curve(records: list[dict], title: str) -> bytes:
    """The first metric against the step, and beside it the share of images of the class asked for where that was measured, as PNG."""
    import io

    from matplotlib import figure

    names = [next(key for key in records[0] if key != "step"), *(key for key in _BESIDE if key in records[0])]
    drawing = figure.Figure(figsize=(7 * len(names), 4), layout="constrained")
    for axes, name in zip(drawing.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        values = [r[name]["value"] for r in records]
        axes.plot([r["step"] for r in records], values, marker="o")
        axes.set(xlabel="generator step", ylabel=name, title=title)
        if max(values) > 10 * min(values) > 0:
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, None)
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _page(records: list[dict], title: str, values: flags.FlagValues, experiment) -> str:
    names = [key for key in records[0] if key != "step"]
    protocol = records[-1][names[0]]["protocol"]
    command = shlex.join(["tfgan-report", *(f"--{name}={values[name].value}" for name in FLAGS if values[name].present)])
    lines = [
        f"# {title}",
        "",
        f"A run of `{experiment.variant}` on `{experiment.data.source}`: {records[-1]['step']} of {experiment.training.steps} steps, "
        f"batch {experiment.data.batch_size}, seed {experiment.seed}. Trained, and reported on this page, by",
        "",
        "```",
        _training_command(experiment, values),
        command,
        "```",
        *(["", values.note] if values.note else []),
        "",
        f"Protocol: {protocol['num_fake']} generated against {protocol['num_real']} real images of the split `{protocol['split']}`, features of "
        f"`{protocol['backbone']}` ({protocol['weights']}), resized by `{protocol['resizer']}`, {protocol['generator']} generator, "
        f"{protocol['batch_norm']} batch-norm statistics, labels {protocol['label_sampling'] or 'none'}. Numbers named `_proxy` are not those of the "
        "Inception network and compare only with numbers of the same protocol.",
        "",
        "![learning curve](curve.png)",
        "",
        "| step | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
        *("| " + " | ".join([str(r["step"]), *(f"{r[name]['value']:.4g}" for name in names)]) + " |" for r in records),
        "",
        "![samples of the last checkpoint](samples.png)",
    ]
    return "\n".join(lines) + "\n"


def _training_command(experiment: experiments.Experiment, values: flags.FlagValues) -> str:
    """The nearest preset, and a flag for each field that differs from it."""
    here = experiments.to_json(experiment)

    def changed(preset: str) -> list[str]:
        return [line.partition(": ")[0] for line in experiments.differences(here, experiments.to_json(registry.experiment(preset)))]

    presets = [f"{experiment.variant}/{name}" for name in registry.module(experiment.variant).PRESETS]
    preset = min(presets, key=lambda name: len(changed(name)))
    changes = [f"--experiment.{path}={_at(here, path)}" for path in changed(preset)]
    data_dir = [f"--data_dir={values.data_dir}"] if values["data_dir"].present else []
    return shlex.join(["tfgan-train", f"--experiment={preset}", *changes, *data_dir, f"--workdir={values.workdir}"])


def _at(tree: Any, path: str) -> Any:
    """The value at a path such as `model.terms[0].weight`."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        tree = tree[int(index)] if index else tree[name]
    return tree


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("workdir", None, "Folder of a run.", required=True)
    flags.DEFINE_string("output", None, "Folder to write the page to.", required=True)
    flags.DEFINE_string("data_dir", spec.default_data_dir(), "Folder of prepared datasets and caches.")
    flags.DEFINE_string("extractor", None, "Judge by this extractor instead of the experiment's.")
    flags.DEFINE_string("title", None, "Headline [variant and dataset].")
    flags.DEFINE_string("note", None, "A sentence about the run, such as the machine and the hours.")
    flags.DEFINE_integer("rows", 8, "Rows of the sample grid.", lower_bound=1)
    process.run(_report)


if __name__ == "__main__":
    main()
