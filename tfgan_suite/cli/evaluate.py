"""tfgan-evaluate: judges a trained model under its experiment's protocol, and writes metrics.json.

tfgan-evaluate --workdir=runs/acgan --add_metrics=prdc,augmentation_leak
"""

import os

from absl import flags

from pipelines import spec
from tfgan_suite.cli import process


def _evaluate(argv) -> None:
    from tfgan_suite import runner, workdir
    from tfgan_suite.metrics import scores

    values = flags.FLAGS
    experiment = workdir.load_experiment(values.workdir)
    metrics = tuple(dict.fromkeys((*experiment.evaluation.metrics, *values.add_metrics)))
    judge = runner.evaluator(experiment.judged_by(metrics=metrics, extractor=values.extractor), data_dir=values.data_dir)
    found = runner.judge(runner.restore(values.workdir, which=values.checkpoint), experiment, judge)
    path = values.output or os.path.join(values.workdir, "metrics.json")
    scores.write(path, found)
    print(scores.table(found))
    print(path)


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("workdir", None, "Folder of a run.", required=True)
    flags.DEFINE_string("data_dir", spec.default_data_dir(), "Folder of prepared datasets and caches.")
    flags.DEFINE_string("output", None, "Where to write the scores [<workdir>/metrics.json].")
    flags.DEFINE_string("checkpoint", "latest", "Which checkpoint: latest, best, or a step that was kept.")
    flags.DEFINE_list("add_metrics", [], "Metrics to measure besides those of evaluation.metrics, e.g. agreement,diversity.")
    flags.DEFINE_string("extractor", None, "What the images are judged by, as in evaluation.extractor, in its place.")
    process.run(_evaluate)


if __name__ == "__main__":
    main()
