"""tfgan-evaluate: judges a trained model under its experiment's protocol, and writes metrics.json."""

import os

from absl import flags

from pipelines import spec
from tfgan_suite.cli import process


def _evaluate(argv) -> None:
    from tfgan_suite import runner, workdir
    from tfgan_suite.metrics import scores

    values = flags.FLAGS
    model = runner.restore(values.workdir, which=values.checkpoint)
    found = runner.evaluate(model, workdir.load_experiment(values.workdir), data_dir=values.data_dir)
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
    process.run(_evaluate)


if __name__ == "__main__":
    main()
