"""What augmenting a batch inside the step costs beside the step, and what balanced consistency adds to the discriminator's update."""

import statistics

from benchmarks import _timing

_ROWS, _CLASSES = 64, 10
_PLAIN, _BALANCED = "discriminator's update", "discriminator's update with bCR"
_STATE = {"progress": 0.5, "probability": 0.5}


def measure(quick: bool) -> _timing.Report:
    """Every augmentation of one batch, in turns with a whole training step without any; updates of the discriminator in turns with each other."""
    import tensorflow as tf

    from benchmarks import _pictures
    from tfgan_suite.augment import policy, spatial
    from tfgan_suite.losses import consistency
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
    balanced = consistency.BalancedConsistency(augmentation=spatial.Translation(strength=0.4))
    times |= _timing.interleave({_PLAIN: _discriminator_update(), _BALANCED: _discriminator_update(balanced)}, seconds=5 if quick else 30)
    report = _timing.Report(
        title="Augmentations in the step",
        text=f"Time to augment {_ROWS} images of 32x32 pixels, forward, over the time of a whole training step of the preset "
        "`sndcgan/cifar10_small`, without augmentation, that sees as many real images: the hard case, since a wider network only makes the step "
        "longer. Strengths are the defaults; half of the adaptive transformations happen. Last, the discriminator's update of that preset with bCR "
        "under translations, which scores four views in its one pass, over the update with the adversarial loss alone.",
    )
    for name in found:
        report.rows.append(_timing.Row(name=name, ratios=_timing.ratios(times[name], times["step"]), bar=0.05, at_least=False))
    report.rows.append(_timing.Row(name=_BALANCED, ratios=_timing.ratios(times[_BALANCED], times[_PLAIN]), bar=2.2, at_least=False))
    for name in ("step", _PLAIN):
        report.figures[f"{name}, ms"] = 1000 * statistics.median(times[name])
    return report


def _augmentations() -> list:
    from tfgan_suite.augment import adaptive, diff_augment, flip_and_shift, mixing, simclr_views, spatial, visual

    moved = [spatial.ZoomIn, spatial.ZoomOut, spatial.Translation, spatial.TranslationX, spatial.TranslationY, spatial.CutOut]
    colored = [visual.Brightness, visual.Redness, visual.Greenness, visual.Blueness, visual.InstanceNoise]
    others = [mixing.CutMix, mixing.MixUp, flip_and_shift.FlipAndShift, simclr_views.SimclrViews]
    return [cls() for cls in (*moved, *colored, *others, diff_augment.DiffAugment, adaptive.AdaptiveAugmentation)]


def _step():
    """A whole training step."""
    model, batch = _model()
    return _compiled(lambda: model.train_step(batch))


def _discriminator_update(*terms):
    """The discriminator's part of it, with further terms."""
    model, batch = _model(*terms)
    return _compiled(lambda: model.update_discriminator(batch, model.random()))


def _compiled(call):
    import tensorflow as tf

    function = tf.function(call, autograph=False)
    return lambda: [value.numpy() for value in tf.nest.flatten(function())]


def _model(*terms):
    """(a new model of the preset with further terms, one batch as large as its step takes)."""
    from benchmarks import _pictures
    from pipelines import spec
    from tfgan_suite import registry
    from tfgan_suite.core import run

    experiment = registry.experiment("sndcgan/cifar10_small")
    experiment.model.terms = (*experiment.model.terms, *terms)
    image = spec.Feature(shape=(32, 32, 3), dtype="float32", low=-1.0, high=1.0)
    label = spec.Feature(shape=(), dtype="int32", low=0, high=_CLASSES - 1)
    data = spec.DataSpec(name="random", features={"image": image, "label": label}, num_classes=_CLASSES, size=_ROWS)
    settings = run.Run(seed=0, phase="train", steps=experiment.training.steps, precision="float32")
    model = registry.model_class(experiment.variant)(experiment.model, data, settings)
    batch = _pictures.batch(rows=_ROWS * model.batches_per_step, side=32, classes=_CLASSES)
    return model, {key: batch[key] for key in model.needs}


def main() -> None:
    """The command."""
    _timing.command("augmentations", measure)


if __name__ == "__main__":
    main()
