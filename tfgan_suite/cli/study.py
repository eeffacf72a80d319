"""tfgan-study: trains every cell of a study, or goes on with it, and writes a page with its table and figures.

tfgan-study objectives --quick --output=docs/objectives.md
"""

import importlib
import os
import sys
import time

from absl import flags

from pipelines import spec
from tfgan_suite.cli import process
from tfgan_suite.studies import table


def _study(name: str) -> int:
    values = flags.FLAGS
    from tfgan_suite.core import files
    from tfgan_suite.studies import outcome

    study = importlib.import_module(table.STUDIES[name])
    cells, outcomes = study.cells(quick=values.quick, **_options(name)), {}
    for number, (cell, experiment) in enumerate(cells.items(), 1):
        experiment.data.source = values.source or experiment.data.source
        experiment.evaluation.extractor = values.extractor or experiment.evaluation.extractor
        folder = os.path.join(values.workdir or os.path.join("runs", name), cell)
        found = outcome.load(folder, experiment)
        how = "was there" if found else "finished"
        found = found or _run(study, cell, experiment, folder, values.data_dir)
        if found is None:
            print("Stopped. The same command goes on from here.", file=sys.stderr)
            return 1
        outcomes[cell] = found
        print(f"{number}/{len(cells)} {cell}: {found.problem or how} ({found.seconds:.1f} s)", flush=True)
    figures = os.path.splitext(values.output)[0]
    for file, content in study.report(outcomes, _command(name), os.path.basename(figures)).items():
        files.write(os.path.join(figures, file) if file else values.output, content)
    print(values.output)
    return 0


def _run(study, cell: str, experiment, folder: str, data_dir: str):
    """Trains, judges and measures one cell; None if a signal ended it."""
    import keras

    from tfgan_suite import runner
    from tfgan_suite.callbacks import health
    from tfgan_suite.studies import outcome

    keras.backend.clear_session()  # names of layers, and with them rounding, do not depend on the cells before
    started, scores, arrays, complaint = time.monotonic(), {}, {}, ""
    try:
        result = runner.train(experiment, folder, data_dir=data_dir)
        if not result.finished:
            return None
        result.model.ready()
        arrays = study.measure(cell, result.model, lambda step: runner.restore(folder, which=str(step)))
        if hasattr(study, "compare"):
            arrays |= study.compare(cell, result.model, runner.evaluator(experiment, data_dir=data_dir))
        scores = _scores(result.model, experiment, data_dir)
    except (health.Unhealthy, FloatingPointError) as problem:
        complaint = str(problem)
    found = outcome.Outcome(scores=scores, arrays=arrays, problem=complaint, seconds=time.monotonic() - started)
    outcome.save(folder, experiment, found)
    return found


def _scores(model, experiment, data_dir: str):
    """The model's scores. FloatingPointError: a score is not a number, which no page can show."""
    import math

    from tfgan_suite import runner

    scores = runner.evaluate(model, experiment, data_dir=data_dir)
    broken = [name for name, score in scores.items() if not math.isfinite(score.value)]
    if broken:
        raise FloatingPointError(f"The samples could be judged, but not by {', '.join(broken)}: no finite number.")
    return scores


def _options(name: str) -> dict[str, str]:
    """The flags of the study's own that were given. ValueError for another study's."""
    given = {flag: study for study, options in table.OPTIONS.items() for flag in options if getattr(flags.FLAGS, flag) is not None}
    foreign = [flag for flag, study in given.items() if study != name]
    if foreign:
        raise ValueError(f"--{foreign[0]} is a flag of the study {given[foreign[0]]}. Received: the study {name}. Leave it out.")
    return {flag: getattr(flags.FLAGS, flag) for flag in given}


def _command(name: str) -> str:
    """The command as the page shows it: what decides its numbers, not where its cells lie."""
    values = flags.FLAGS
    own = "".join(f" --{flag}={value}" for flag, value in _options(name).items())
    given = "".join(f" --{flag}={values[flag].value}" for flag in ("source", "extractor") if values[flag].value)
    return f"tfgan-study {name}{' --quick' if values.quick else ''}{own}{given} --output={values.output}"


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("output", None, "The page to write, a Markdown file; its figures go to a folder of the same name.", required=True)
    flags.DEFINE_bool("quick", False, "A part of the study that takes minutes on two cores.")
    flags.DEFINE_string("source", None, "The dataset, as in --experiment.data.source, in place of the study's own.")
    flags.DEFINE_string("extractor", None, "What judges the samples, as in --experiment.evaluation.extractor, in place of the study's own.")
    flags.DEFINE_string("workdir", None, "Folder of the cells, each a run of its own; finished ones are not trained again [runs/<study>].")
    for study, options in table.OPTIONS.items():
        for flag, text in options.items():
            flags.DEFINE_string(flag, None, f"{text} Of the study {study}.")
    flags.DEFINE_string("data_dir", spec.default_data_dir(), "Folder of prepared datasets and caches.")
    process.run(lambda argv: _study(argv[1]), choices=table.STUDIES, choice="study")


if __name__ == "__main__":
    main()
