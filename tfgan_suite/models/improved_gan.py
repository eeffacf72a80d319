"""Improved techniques for training GANs. Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen 2016, arXiv:1606.03498.

Semi-supervised learning with a discriminator of K + 1 classes (section 5), and the techniques of section 3, each by itself a config value: feature
matching, historical averaging and one-sided label smoothing are terms (`losses.feature_matching`, `losses.historical_averaging`,
`losses.label_smoothing`), minibatch discrimination a layer before the discriminator's last one (`minibatch`), virtual batch normalisation the
generator's (`reference_size`).
The order of a step is that of the authors' code: the discriminator on labelled, unlabelled and generated images, then the generator against a second
batch of unlabelled ones. The averaged discriminator, without its noise, is the classifier.

Differs from the paper: the classifier's average starts from the initial weights (the authors start it at zero, which takes 50,000 steps to forget);
latents are from U(-1, 1), not U(0, 1), which the first batch norm makes the same; the weights are set up from unlabelled images, in all presets;
labelled images are reshuffled by position; the ImageNet network with its cross batch norm and its two-block minibatch features is not here.
A model with minibatch discrimination compares the images of a request with each other, so it is not served as a classifier.
"""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, classification, optimizers
from tfgan_suite.layers import data_dependent, minibatch_discrimination
from tfgan_suite.losses import feature_matching, historical_averaging, label_smoothing, semi_supervised
from tfgan_suite.networks import compact, improved_gan
from tfgan_suite.ops import random


class Body(NamedTuple):
    """A pair of networks, and the config's fields that each takes beside its size."""

    generator: object
    discriminator: object
    generator_options: tuple[str, ...] = ()
    discriminator_options: tuple[str, ...] = ()


BODIES = {
    "mlp": Body(improved_gan.mlp_generator, improved_gan.mlp_discriminator),
    "convolutional": Body(improved_gan.convolutional_generator, improved_gan.convolutional_discriminator, ("reference_size",), ("input_noise",)),
    "compact": Body(compact.generator, improved_gan.compact_discriminator, (), ("gain",)),
}
"""`mlp`: the paper's for MNIST. `convolutional`: the paper's for CIFAR-10 and SVHN. `compact`: a small one of our own."""
MINIBATCHES = ("none", *minibatch_discrimination.FORMS)


def _adam(**options) -> optimizers.Adam:
    """The authors': they add 1e-8 below the root, which is about 1e-4 beside it and damps the small gradients of a classifier that is sure."""
    return optimizers.Adam(**({"learning_rate": 3e-3, "epsilon": 1e-4} | options))


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' MNIST code."""

    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (semi_supervised.SemiSupervised(), feature_matching.FeatureMatching(kind="l2_mean"))
    )
    body: str = "mlp"
    """A name in `BODIES`."""
    latent_size: int = 100
    prior: str = "uniform"
    generator_width: int = 500
    discriminator_width: int = 1000
    generator_steps: int = 1
    """Generator updates in a step: 3 beside minibatch discrimination. 0 leaves the generator alone: a classifier trained for itself."""
    minibatch: str = "none"
    """Minibatch discrimination: `none`, or a name in `layers.minibatch_discrimination.FORMS`."""
    minibatch_kernels: int = 100
    minibatch_dimensions: int = 5
    reference_size: int = 0
    """Reference latents of virtual batch normalisation in the convolutional generator; 0 is batch normalisation."""
    input_noise: str = "dropout"
    """Of the convolutional discriminator, a name in `networks.improved_gan.INPUT_NOISES`."""
    gain: float = 1.0
    """Of the compact discriminator's normalised kernels."""
    initial_examples: int = 500
    """Images that the weights are set up from. With minibatch discrimination as many as a batch has, since its features grow with them."""
    classifier_average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.9999))
    """Of the discriminator that classifies."""
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES, minibatch=MINIBATCHES, input_noise=improved_gan.INPUT_NOISES)
        if min(self.generator_steps, self.reference_size, self.initial_examples) < 0:
            raise ValueError(
                "generator_steps, reference_size and initial_examples must not be negative. "
                f"Received: {self.generator_steps}, {self.reference_size}, {self.initial_examples}."
            )
        if self.reference_size and "reference_size" not in BODIES[self.body].generator_options:
            raise ValueError(f"Virtual batch normalisation (reference_size={self.reference_size}) is for body='convolutional', not {self.body!r}.")


class ImprovedGan(alternating.AlternatingGan):
    """The networks, the order of a step, and the classifier."""

    @property
    def classifies(self) -> bool:
        """Whether the discriminator has the dataset's classes."""
        return any(isinstance(t, semi_supervised.SemiSupervised) for t in self.config.terms)

    def build_networks(self):
        super().build_networks()
        config: Config = self.config
        self.classifier = averaging.twin(self.discriminator, lambda: self.extended(self.build_discriminator(noisy=False)))
        if config.generator_steps > 1:  # its learning rate's schedule counts steps, not updates
            self.generator_optimizer = self.optimizer(
                "generator", config.generator_optimizer, self.generator, updates_per_step=config.generator_steps
            )

    def build_generator(self):
        config, body = self.config, BODIES[self.config.body]
        options = {name: getattr(config, name) for name in body.generator_options}
        if config.reference_size:
            stream = random.Stream(self.run.seed, self.run.phase, "reference")
            options["reference"] = lambda shape, dtype=None: self.sample_latents(stream, shape[0])
        return body.generator(image_shape=self.data.image_shape, latent_size=config.latent_size, width=config.generator_width, **options)

    def build_discriminator(self, noisy: bool = True):
        config, body = self.config, BODIES[self.config.body]
        options = {name: getattr(config, name) for name in body.discriminator_options}
        if config.minibatch != "none":
            options["join"] = minibatch_discrimination.MinibatchDiscrimination(
                config.minibatch_kernels, config.minibatch_dimensions, form=config.minibatch
            )
        num_classes = self.data.num_classes if self.classifies else 0
        return body.discriminator(
            image_shape=self.data.image_shape, width=config.discriminator_width, num_classes=num_classes, noisy=noisy, **options
        )

    @property
    def initial_examples(self):
        return self.config.initial_examples

    def initialize(self, batch):
        stream = random.Stream(self.run.seed, self.run.phase, "initialize")
        view = self.with_noise({"real": batch}, stream.fold("noise"))["real"]
        latents = self.sample_latents(stream.fold("latents"), batch["image"].shape[0])
        data_dependent.initialize(self.generator, {"latents": latents})
        data_dependent.initialize(self.discriminator, {i.name: view[i.name] for i in self.discriminator.inputs})
        for twin, live in self._twins():
            averaging.set_equal(twin, live)

    def _twins(self):
        yield from ((self.averaged_generator, self.generator), (self.classifier, self.discriminator))
        if any(t.needs_history for t in self.config.terms):
            yield from ((self.history(network), network) for network in (self.generator, self.discriminator))

    @property
    def batches_per_step(self):
        return self.config.discriminator_steps + (self.config.generator_steps > 0)

    def train_step(self, batch):
        stream = self.random()
        minibatches = self.minibatches(batch)
        for i in range(self.config.discriminator_steps):  # on labelled, unlabelled and generated images
            logs = self.update_discriminator(minibatches[i], stream.fold("discriminator").fold(i))
        for i in range(self.config.generator_steps):  # against another unlabelled batch, with fresh latents each time
            logs |= self.update_generator(minibatches[-1], stream.fold("generator").fold(i))
        self.finish_step()
        return logs

    def finish_step(self):
        config = self.config.classifier_average
        averaging.update(self.classifier, self.discriminator, tf.where(self.step.value < config.start, 0.0, config.decay))
        super().finish_step()

    def ready(self):
        super().ready()
        averaging.copy_state(self.classifier, self.discriminator)

    def endpoints(self):
        if not self.classifies or alternating.couples_samples(self.classifier):
            return self.sampling_endpoints()
        return (*self.sampling_endpoints(), classification.endpoint(self.classifier, self.data.image_shape))


def _health() -> experiment.Health:
    """A classifier may be sure of itself, and feature matching makes pictures that are poor and alike: neither is ill here."""
    return experiment.Health(saturation=1000.0, min_diversity=0.0)


def _mnist(source: str, labelled_per_class: int, *, steps: int, **changes) -> experiment.Experiment:
    return experiment.Experiment(
        variant="improved_gan",
        model=Config(**changes),
        data=spec.DatasetConfig(source=source, batch_size=100, labelled_per_class=labelled_per_class),
        training=experiment.Training(steps=steps),
        checkpointing=experiment.Checkpointing(every_steps=min(steps, 6000)),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc", "test_error")),
        health=_health(),
    )


def _short(source: str, labelled_per_class: int, **changes) -> experiment.Experiment:
    """The same in minutes on two cores: lower rates, at which the generator keeps up from the start, end at 0; a shorter average classifies."""
    settings = {
        "discriminator_optimizer": _adam(learning_rate=3e-4, schedule=optimizers.LinearDecay(start=0.5)),
        "generator_optimizer": _adam(learning_rate=1e-3, schedule=optimizers.LinearDecay(start=0.5)),
        "classifier_average": averaging.Average(decay=0.999),
    } | changes
    return _mnist(source, labelled_per_class, steps=12_000, **settings)


def _convolutional(source: str, labelled_per_class: int, *, steps: int, width: int = 96, **changes) -> experiment.Experiment:
    settings = {
        "terms": (semi_supervised.SemiSupervised(), feature_matching.FeatureMatching(kind="l1_mean")),
        "discriminator_optimizer": _adam(learning_rate=3e-4, schedule=optimizers.LinearDecay(start=2 / 3)),
        "generator_optimizer": _adam(learning_rate=3e-4, schedule=optimizers.LinearDecay(start=2 / 3)),
    } | changes
    return experiment.Experiment(
        variant="improved_gan",
        model=Config(body="convolutional", generator_width=128, discriminator_width=width, **settings),
        data=spec.DatasetConfig(source=source, batch_size=100, labelled_per_class=labelled_per_class),
        training=experiment.Training(steps=steps),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc", "test_error")),
        health=_health(),
    )


def _alone() -> dict:
    """The classifier on its labelled images and nothing else: what the unlabelled ones are compared with."""
    return {"terms": (semi_supervised.SemiSupervised(unlabelled_weight=0.0),), "generator_steps": 0}


def _for_samples(labelled_per_class: int, *terms, **changes) -> experiment.Experiment:
    """CIFAR-10 with minibatch discrimination, for its pictures."""
    settings = {"generator_steps": 3, "minibatch": "code", "input_noise": "gaussian", "initial_examples": 100} | changes
    preset = _convolutional("cifar10", labelled_per_class, steps=600_000, terms=terms, **settings)
    return dataclasses.replace(preset, evaluation=experiment.Evaluation(metrics=("fid", "is"), extractor="inception"))


def _labelled(preset: experiment.Experiment, per_class: int) -> experiment.Experiment:
    """The preset with so many labels per class, and its classifier judged."""
    return dataclasses.replace(
        preset,
        data=dataclasses.replace(preset.data, labelled_per_class=per_class),
        evaluation=dataclasses.replace(preset.evaluation, metrics=(*preset.evaluation.metrics, "test_error")),
    )


PRESETS = {
    "mnist_100_labels": _mnist("mnist", 10, steps=180_000),  # 300 epochs
    "mnist_100_labels_short": _short("mnist", 10),
    "mnist_100_labels_supervised": _short("mnist", 10, **_alone()),
    "fashion_mnist_1000_labels": _short("fashion_mnist", 100),
    "fashion_mnist_1000_labels_supervised": _short("fashion_mnist", 100, **_alone()),
    "cifar10_4000_labels": _convolutional("cifar10", 400, steps=600_000),  # 1200 epochs
    "cifar10_4000_labels_supervised": _convolutional("cifar10", 400, steps=600_000, **_alone()),
    "svhn_1000_labels": _convolutional("svhn_cropped", 100, steps=658_800, width=64),  # 900 epochs
    "cifar10_minibatch": _for_samples(400, semi_supervised.SemiSupervised(generator="saturating")),
    "cifar10_unlabelled": _for_samples(0, label_smoothing.SmoothedAdversarial(), historical_averaging.HistoricalAveraging(), reference_size=100),
    "demo": _labelled(
        experiment.demo(
            "improved_gan",
            Config(
                body="compact",
                terms=(semi_supervised.SemiSupervised(generator="non_saturating"), feature_matching.FeatureMatching(kind="l2_mean")),
                prior="normal",
                latent_size=64,
                generator_width=32,
                discriminator_width=32,
                gain=1.2,
                discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
                generator_optimizer=optimizers.Adam(learning_rate=1e-3),
                classifier_average=averaging.Average(decay=0.995),
                average=averaging.Average(decay=0.995),
            ),
        ),
        10,
    ),
    "debug": _labelled(
        experiment.debug(
            "improved_gan",
            Config(
                body="convolutional",
                terms=(
                    semi_supervised.SemiSupervised(),
                    feature_matching.FeatureMatching(),
                    historical_averaging.HistoricalAveraging(generator_weight=0.1, discriminator_weight=0.1),
                ),
                latent_size=8,
                generator_width=4,
                discriminator_width=4,
                reference_size=4,
                initial_examples=16,
            ),
        ),
        2,
    ),
}
