"""InfoGAN. Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel 2016, arXiv:1606.03657.

Goodfellow's Algorithm 1 with a generator that reads codes c beside its noise z, and a head Q of the discriminator that guesses them:
min_{G, Q} max_D V(D, G) - lambda L_I(G, Q), eq. 6. The bound L_I is a term of both updates: D's teaches Q and the layers that it shares with D, G's
makes images that tell their codes. Nothing is labelled; which code means what is found.

Differs from the paper: G moves on latents of its own, not on those of D's update; the entropies of continuous codes are reckoned under N(0, 1), as
in the authors' code.
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial, mutual_information
from tfgan_suite.networks import compact, infogan

Codes = tuple[mutual_information.Categorical | mutual_information.Continuous, ...]


def _informative(codes: Codes, continuous_weight: float = 1.0, loss: str = "non_saturating") -> alternating.Terms:
    """The game, and a bound for every code."""
    weights = [continuous_weight if isinstance(c, mutual_information.Continuous) else 1.0 for c in codes]
    return adversarial.Adversarial(loss=loss), *(mutual_information.MutualInformation(code=i, weight=w) for i, w in enumerate(weights))


def _mnist_codes() -> Codes:
    return mutual_information.Categorical(classes=10), mutual_information.Continuous(), mutual_information.Continuous()


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' MNIST code."""

    codes: Codes = dataclasses.field(default_factory=_mnist_codes)
    terms: alternating.Terms = dataclasses.field(default_factory=lambda: _informative(_mnist_codes()))
    """A code without its `MutualInformation` is noise."""
    body: str = "mnist"
    """A name in `BODIES`."""
    latent_size: int = 62
    """Of the noise z alone."""
    prior: str = "uniform"
    generator_width: int = 64
    discriminator_width: int = 64
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.Adam(learning_rate=2e-4))
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.Adam(learning_rate=1e-3))
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)
        if not self.codes:
            raise ValueError("model.codes is empty: InfoGAN needs at least one code, such as Categorical.")
        about = [t.code for t in self.terms if isinstance(t, mutual_information.MutualInformation)]
        missing = sorted({code for code in about if not 0 <= code < len(self.codes)})
        if missing:
            raise ValueError(f"MutualInformation is about code {missing[0]}, and there are {len(self.codes)}, counted from 0.")


class InfoGan(alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` with `MutualInformation` among its terms is its algorithm."""

    condition_keys = ("codes",)

    def build_generator(self):
        return BODIES[self.config.body][0](
            image_shape=self.data.image_shape,
            latent_size=self.config.latent_size,
            code_size=self._code_size,
            width=self.config.generator_width,
        )

    def build_discriminator(self):
        return BODIES[self.config.body][1](
            image_shape=self.data.image_shape,
            code_parameters=sum(code.parameters for code in self.config.codes),
            width=self.config.discriminator_width,
        )

    def sample_conditions(self, stream, batch_size, batch=None):
        """All codes side by side: {"codes": [b, c]}."""
        return {"codes": mutual_information.draw(self.config.codes, stream, batch_size)}

    def condition_feature(self, key):
        return spec.Feature(shape=(self._code_size,), dtype="float32", low=-1.0, high=1.0)

    def sweeps(self, conditions, steps):
        """A row per code: from one end to the other, the other codes as in `conditions`."""
        return mutual_information.sweeps(self.config.codes, conditions["codes"], steps)

    @property
    def _code_size(self) -> int:
        return sum(code.size for code in self.config.codes)


def _mnist_generator(*, width, **options):
    return infogan.generator(width=width, units=16 * width, **options)


def _mnist_discriminator(*, width, **options):
    return infogan.discriminator(width=width, units=16 * width, head_units=2 * width, **options)


def _compact_generator(**options):
    return infogan.with_codes(compact.generator, **options)


def _compact_discriminator(*, code_parameters, **options):
    return infogan.with_code_head(compact.discriminator(gain=1.2, **options), code_parameters=code_parameters)


BODIES = {"mnist": (_mnist_generator, _mnist_discriminator), "compact": (_compact_generator, _compact_discriminator)}
"""Body -> (generator, discriminator). `mnist`: the paper's. `compact`: no batch norm in the discriminator."""


def _demo() -> Config:
    """Codes for five shapes, eight colours and two degrees of anything."""
    codes = mutual_information.Categorical(classes=5), mutual_information.Categorical(classes=8), *_mnist_codes()[1:]
    return Config(
        codes=codes,
        terms=_informative(codes, continuous_weight=0.3, loss="hinge"),
        body="compact",
        latent_size=64,
        prior="normal",
        generator_width=32,
        discriminator_width=32,
        discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
        generator_optimizer=optimizers.Adam(learning_rate=1e-3),
        average=averaging.Average(decay=0.995),
    )


PRESETS = {
    "mnist": experiment.Experiment(
        variant="infogan",
        model=Config(),
        data=spec.DatasetConfig(source="mnist", batch_size=128),
        training=experiment.Training(steps=5000),  # 50 epochs of 100 updates
        checkpointing=experiment.Checkpointing(every_steps=500),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    ),
    "demo": experiment.demo("infogan", _demo()),
    "debug": experiment.debug("infogan", Config(latent_size=8, generator_width=4, discriminator_width=4)),
}
