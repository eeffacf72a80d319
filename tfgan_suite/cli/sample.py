"""tfgan-sample: a grid of a trained model's samples as one PNG."""

from absl import flags

from tfgan_suite.cli import process


def _sample(argv) -> None:
    from tfgan_suite import runner
    from tfgan_suite.core import files, picture, sampling

    values = flags.FLAGS
    model = runner.restore(values.workdir, which=values.checkpoint)
    sheet = sampling.grid(model, rows=values.rows, seed=values.seed, truncation=values.truncation)
    files.write(values.output, picture.png(sheet))
    print(values.output)


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("workdir", None, "Folder of a run.", required=True)
    flags.DEFINE_string("output", None, "The PNG to write.", required=True)
    flags.DEFINE_integer("rows", 8, "Rows of the grid; as many columns, or a column per class.", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "Selects the latents.")
    flags.DEFINE_float("truncation", float("inf"), "Latents are resampled beyond this magnitude.", lower_bound=0.0)
    flags.DEFINE_string("checkpoint", "latest", "Which checkpoint: latest, best, or a step that was kept.")
    process.run(_sample)


if __name__ == "__main__":
    main()
