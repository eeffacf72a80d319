"""Resampling fused into its convolution against the plain two-step form: layers, and whole updates of ResNet GANs."""

import statistics

from benchmarks import _timing

_CLASSES = 10


def measure(quick: bool) -> _timing.Report:
    """Both forms in one process on the same variables: the flag of every convolution is turned before a function is traced."""
    report = _timing.Report(
        title="Fused resampling",
        text="Plain form / fused form in time, on the same weights: nearest upsampling then a 3x3 convolution as one transposed convolution, a 3x3 "
        "convolution then 2x2 averages as one strided convolution, 1x1 shortcuts on the smaller map. The layers: 128 to 128 channels, batch 16, "
        "forward and backward, from 16x16 up and from 32x32 down. The critic update: WGAN-GP's ResNet for CIFAR-10 (width 128), penalty included, "
        "batch 16. The SN-GAN step: its ResNet for CIFAR-10 (width 256 and 128), one update of either player, batch 8. BigGAN's and ContraGAN's "
        "steps: their presets for CIFAR-10 (width 96), attention and conditioning included, one update of either player, batch 8.",
    )
    for name, resample, size, bar in (("upsample + convolution", "up", 16, 2.0), ("convolution + pool", "down", 32, 1.65)):
        _compare(report, name, *_layer(resample, size), bar, 1 if quick else 4)
    _compare(report, "WGAN-GP critic update", *_critic(), 1.4, 2 if quick else 10)
    for name, preset in (("SN-GAN ResNet", "sngan/cifar10"), ("BigGAN", "biggan/cifar10"), ("ContraGAN", "contragan/cifar10")):
        _compare(report, f"{name} step", *_step(preset), 1.3, 2 if quick else 10)
    return report


def _compare(report, name: str, parents, function, bar: float, seconds: float) -> None:
    """Adds the row of one comparison; `function()` gives tensors and is traced once in each form."""
    import tensorflow as tf

    forms = {}
    for form, fused in (("fused", True), ("plain", False)):
        _set_fused(parents, fused)
        forms[form] = tf.function(lambda: function(), autograph=False).get_concrete_function()
    difference = _difference(parents, forms)
    calls = {form: lambda f=f: [value.numpy() for value in tf.nest.flatten(f())] for form, f in forms.items()}
    times = _timing.interleave(calls, seconds=seconds)
    report.rows.append(_timing.Row(name=name, ratios=_timing.ratios(times["plain"], times["fused"]), bar=bar, at_least=True))
    report.figures[f"{name}: relative difference of the results"] = difference
    report.figures[f"{name}: fused, ms"] = 1000 * statistics.median(times["fused"])


def _set_fused(parents, fused: bool) -> None:
    from tfgan_suite.layers import convolution

    found = [layer for parent in parents for layer in parent._flatten_layers() if isinstance(layer, convolution.Convolution)]
    if not any(layer.resample != "none" for layer in found):
        raise ValueError("There is no resampling convolution to compare.")
    for layer in found:
        layer.fused = fused


def _difference(parents, forms) -> float:
    """The largest relative difference between the results of the two forms, each from the same state."""
    import tensorflow as tf

    variables = list({id(v): v for parent in parents for v in (*parent.variables, *_optimizer_variables(parent))}.values())
    before = [v.numpy() for v in variables]
    results = []
    for form in forms.values():
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        results.append([value.numpy() for value in tf.nest.flatten(form())])
    return max(float(abs(a - b).max() / max(abs(b).max(), 1e-12)) for a, b in zip(*results, strict=True))


def _optimizer_variables(parent):
    return [v for optimizer in getattr(parent, "optimizers_by_name", {}).values() for v in optimizer.variables]


def _layer(resample: str, size: int):
    import tensorflow as tf

    from tfgan_suite.layers import convolution

    layer = convolution.Convolution(128, 3, resample=resample)
    x = tf.random.stateless_normal((16, size, size, 128), (0, 1))
    layer(x)

    def forward_and_backward():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return [y, *tape.gradient(y, [x, layer.kernel.value])]

    return [layer], forward_and_backward


def _model(preset: str, rows: int):
    import dataclasses

    from benchmarks import _pictures
    from pipelines import spec
    from tfgan_suite import registry
    from tfgan_suite.core import run

    experiment = registry.experiment(preset)
    image = spec.Feature(shape=(32, 32, 3), dtype="float32", low=-1.0, high=1.0)
    label = spec.Feature(shape=(), dtype="int32", low=0, high=_CLASSES - 1)
    config = dataclasses.replace(experiment.model, discriminator_steps=1, generator_batches=1)
    data = spec.DataSpec(name="random", features={"image": image, "label": label}, num_classes=_CLASSES, size=rows)
    model = registry.model_class(experiment.variant)(
        config, data, run.Run(seed=0, phase="train", steps=experiment.training.steps, precision="float32")
    )
    batch = _pictures.batch(rows=rows, side=32, classes=_CLASSES)
    return model, {key: batch[key] for key in model.needs}


def _critic():
    model, batch = _model("wgan_gp/cifar10", 16)
    return [model], lambda: model.update_discriminator(batch, model.random())


def _step(preset: str):
    model, batch = _model(preset, 8)
    return [model], lambda: model.train_step(batch)


def main() -> None:
    """The command."""
    _timing.command("fused", measure)


if __name__ == "__main__":
    main()
