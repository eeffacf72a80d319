"""WGAN. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875.

Algorithm 1: n_critic critic steps on the Wasserstein estimate, each followed by clipping every critic weight into [-c, c], then one generator step;
RMSProp throughout. The networks are DCGAN's with a linear output. Like the authors' code, training begins with generator steps that wait for long
runs of the critic: a phase of its own, `warm_up`, which hands weights and optimizers' slots on.

Differs from the paper: the authors' code repeats the long run of the critic at every 500th generator step, which a compiled step of fixed length
cannot; batch statistics are of the global batch.
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers, phase
from tfgan_suite.losses import adversarial, weights
from tfgan_suite.networks import compact, dcgan, mlp, toy


def _rmsprop() -> optimizers.RMSprop:
    return optimizers.RMSprop(learning_rate=5e-5, rho=0.99)


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' code."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="wasserstein"),))
    clip: float = 0.01
    """c of Algorithm 1."""
    body: str = "dcgan"
    """A name in `BODIES`."""
    latent_size: int = 100
    generator_width: int = 64
    discriminator_width: int = 64
    discriminator_steps: int = 5
    """n_critic of Algorithm 1."""
    warm_up_steps: int = 25
    """Generator steps before the `training.steps` of the run, with longer runs of the critic; 0 leaves them out."""
    warm_up_discriminator_steps: int = 100
    """n_critic in the warm-up."""
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_rmsprop)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_rmsprop)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)
        weights.Clip(self.clip)  # a limit that is none is refused here, before anything is opened
        if self.warm_up_steps < 0 or self.warm_up_discriminator_steps < 1:
            raise ValueError(
                "warm_up_steps must not be negative, and warm_up_discriminator_steps must be at least 1. "
                f"Received: {self.warm_up_steps}, {self.warm_up_discriminator_steps}."
            )


class Wgan(alternating.AlternatingGan):
    """A weight-clipped critic; the optimizer applies the clipping after each update (Algorithm 1, line 7)."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        critic = BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)
        weights.constrain(critic, weights.Clip(self.config.clip))
        return critic


def phases(whole: experiment.Experiment) -> tuple[phase.Phase, ...]:
    """`warm_up`, unless it has no steps, then `train`."""
    config: Config = whole.model
    if config.warm_up_steps % whole.training.steps_per_execution:
        raise ValueError(
            "model.warm_up_steps must be a multiple of training.steps_per_execution. "
            f"Received: {config.warm_up_steps}, {whole.training.steps_per_execution}."
        )

    def warm_up(data, run, previous):
        return Wgan(dataclasses.replace(config, discriminator_steps=config.warm_up_discriminator_steps), data, run)

    def train(data, run, previous):
        model = Wgan(config, data, run)
        if "warm_up" in previous:
            phase.carry_over(model, previous["warm_up"])
        return model

    first = (phase.Phase(name="warm_up", steps=config.warm_up_steps, build=warm_up),) if config.warm_up_steps else ()
    return (*first, phase.Phase(name="train", steps=whole.training.steps, build=train))


def _mlp_generator(*, image_shape, latent_size, width):
    return mlp.generator(image_shape=image_shape, latent_size=latent_size, width=width, layers=4)


def _compact_critic(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, norm="batch", spectral_norm=False)


BODIES = {
    "dcgan": (dcgan.generator, dcgan.discriminator),
    "mlp_generator": (_mlp_generator, dcgan.discriminator),
    "compact": (compact.generator, _compact_critic),
} | toy.BODIES
"""Body -> (generator, critic). `mlp_generator`: the paper's test of robustness, a generator without convolutions (section 4.3). Those of
`networks.toy.BODIES` are for vectors."""


def _preset(source: str, model: Config, **options) -> experiment.Experiment:
    return experiment.Experiment(
        variant="wgan",
        model=model,
        data=spec.DatasetConfig(source=source, batch_size=64, **options),
        training=experiment.Training(steps=100_000),
        evaluation=experiment.Evaluation(extractor="inception"),
    )


PRESETS = {
    "lsun_bedroom": _preset("lsun/bedroom", Config(), test_split="validation", image_size=(64, 64)),
    "lsun_bedroom_mlp": _preset("lsun/bedroom", Config(body="mlp_generator", generator_width=512), test_split="validation", image_size=(64, 64)),
    "cifar10": _preset("cifar10", Config()),
    "demo": experiment.demo(
        "wgan",
        Config(
            body="compact",
            clip=0.02,
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_steps=3,
            warm_up_steps=0,
            discriminator_optimizer=optimizers.RMSprop(learning_rate=5e-4, rho=0.99),
            generator_optimizer=optimizers.RMSprop(learning_rate=5e-4, rho=0.99),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("wgan", Config(latent_size=8, generator_width=4, discriminator_width=4, discriminator_steps=2, warm_up_steps=0)),
}
