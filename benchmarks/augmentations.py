"""What augmenting a batch inside the step costs beside the step."""

import statistics

from benchmarks import _timing

_ROWS, _CLASSES = 64, 10
_STATE = {"progress": 0.5, "probability": 0.5}


def measure(quick: bool) -> _timing.Report:
    """Every augmentation of one batch, in turns with a whole training step without any."""
    import tensorflow as tf

    from benchmarks import _pictures
    from tfgan_suite.augment import policy
    from tfgan_suite.ops import random

    batch = _pictures.batch(rows=_ROWS, side=32)
    state = policy.State(**{name: tf.constant(value) for name, value in _STATE.items()})
    number = tf.Variable(0, dtype=tf.int64)

    def augmenting(augmentation):
        def call():
            stream = random.Stream(0, number.assign_add(1))
            return augmentation({"image": batch["image"]}, stream, state)["image"]

        compiled = tf.function(call, autograph=False)
        return lambda: compiled().numpy()

    found = {type(a).__name__: augmenting(a) for a in _augmentations()}
    times = _timing.interleave(found | {"step": _step()}, seconds=5 if quick else 60)
    report = _timing.Report(
        title="Augmentations in the step",
        text=f"Time to augment {_ROWS} images of 32x32 pixels, forward, over the time of a whole training step of the preset "
        "`sndcgan/cifar10_small`, without augmentation, that sees as many real images: the hard case, since a wider network only makes the step "
        "longer. Strengths are the defaults; half of the adaptive transformations happen.",
    )
    for name in found:
        report.rows.append(_timing.Row(name=name, ratios=_timing.ratios(times[name], times["step"]), bar=0.05, at_least=False))
    report.figures["step, ms"] = 1000 * statistics.median(times["step"])
    return report


def _augmentations() -> list:
    from tfgan_suite.augment import adaptive, diff_augment, flip_and_shift, mixing, simclr_views, spatial, visual

    moved = [spatial.ZoomIn, spatial.ZoomOut, spatial.Translation, spatial.TranslationX, spatial.TranslationY, spatial.CutOut]
    colored = [visual.Brightness, visual.Redness, visual.Greenness, visual.Blueness, visual.InstanceNoise]
    others = [mixing.CutMix, mixing.MixUp, flip_and_shift.FlipAndShift, simclr_views.SimclrViews]
    return [cls() for cls in (*moved, *colored, *others, diff_augment.DiffAugment, adaptive.AdaptiveAugmentation)]


def _step():
    import tensorflow as tf

    from benchmarks import _pictures
    from pipelines import spec
    from tfgan_suite import registry
    from tfgan_suite.core import run

    experiment = registry.experiment("sndcgan/cifar10_small")
    image = spec.Feature(shape=(32, 32, 3), dtype="float32", low=-1.0, high=1.0)
    label = spec.Feature(shape=(), dtype="int32", low=0, high=_CLASSES - 1)
    data = spec.DataSpec(name="random", features={"image": image, "label": label}, num_classes=_CLASSES, size=_ROWS)
    settings = run.Run(seed=0, phase="train", steps=experiment.training.steps, precision="float32")
    model = registry.model_class(experiment.variant)(experiment.model, data, settings)
    batch = _pictures.batch(rows=_ROWS * model.batches_per_step, side=32, classes=_CLASSES)
    step = tf.function(lambda: model.train_step({key: batch[key] for key in model.needs}), autograph=False)
    return lambda: [value.numpy() for value in tf.nest.flatten(step())]


def main() -> None:
    """The command."""
    _timing.command("augmentations", measure)


if __name__ == "__main__":
    main()
