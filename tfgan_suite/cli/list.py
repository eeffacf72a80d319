"""tfgan-list: every variant, its paper and its presets."""

from absl import flags

from tfgan_suite import registry
from tfgan_suite.cli import process


def _list(argv) -> None:
    for name, variant in registry.VARIANTS.items():
        if flags.FLAGS.variant and name != flags.FLAGS.variant:
            continue
        print(f"{name}: {variant.summary} {variant.paper}")
        for preset, experiment in registry.module(name).PRESETS.items():
            print(f"  {name}/{preset}: {experiment.data.source}, {experiment.training.steps} steps, batch {experiment.data.batch_size}")


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_enum("variant", None, list(registry.VARIANTS), "Show this one only.")
    process.run(_list)


if __name__ == "__main__":
    main()
