"""tfgan-sample: a grid of a trained model's samples as one PNG: a named column per class, or what each condition does.

tfgan-sample --workdir=runs/acgan --output=classes.png --classes=cat,dog
tfgan-sample --workdir=runs/infogan --output=codes.png --sweep=10 --rows=3
"""

from absl import flags

from tfgan_suite.cli import process


def _sample(argv) -> None:
    from tfgan_suite import runner
    from tfgan_suite.core import files, picture, sampling

    values = flags.FLAGS
    model = runner.restore(values.workdir, which=values.checkpoint)
    options = {"rows": values.rows, "seed": values.seed, "truncation": values.truncation}
    if values.sweep:
        sheet, names = sampling.sweep(model, columns=values.sweep, **options)
        sheet = picture.with_row_names(sheet, names)
    else:
        classes = [_number(name, model.data) for name in values.classes]
        shown = sampling.columns_of(model, classes)
        sheet = sampling.grid(model, classes=classes, **options)
        sheet = picture.with_column_names(sheet, [_name(c, model.data) for c in shown]) if shown else sheet
    files.write(values.output, picture.png(sheet))
    print(values.output)


def _name(label: int, data) -> str:
    return data.class_names[label] if label < len(data.class_names) else str(label)


def _number(name: str, data) -> int:
    """A class by its name, or by its number."""
    if name in data.class_names:
        return data.class_names.index(name)
    if name.isdecimal():
        return int(name)
    from tfgan_suite import experiment

    raise ValueError(f"--classes: {data.name!r} has no class {name!r}. {experiment.nearest(name, list(data.class_names))}")


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("workdir", None, "Folder of a run.", required=True)
    flags.DEFINE_string("output", None, "The PNG to write.", required=True)
    flags.DEFINE_integer("rows", 8, "Rows of the grid; as many columns, or a column per class.", lower_bound=1)
    flags.DEFINE_list("classes", [], "Names or numbers of the classes that get a column; all up to 40 unless told.")
    flags.DEFINE_integer("sweep", 0, "In place of classes: this many columns, along which one condition (label, code) goes from end to end.", 0)
    flags.DEFINE_integer("seed", 0, "Selects the latents.")
    flags.DEFINE_float("truncation", float("inf"), "Latents are resampled beyond this magnitude.", lower_bound=0.0)
    flags.DEFINE_string("checkpoint", "latest", "Which checkpoint: latest, best, or a step that was kept.")
    process.run(_sample)


if __name__ == "__main__":
    main()
