"""Class-conditional models: labels as one more tensor in the batch."""

import dataclasses

import tensorflow as tf

from tfgan_suite.core import alternating


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """An `AlternatingGan` that may read labels."""

    conditional: bool = False
    """Generate a given class; the dataset must have labels."""


@dataclasses.dataclass(kw_only=True)
class AlwaysConditional(alternating.Config):
    """A `ClassConditional` that always reads labels."""

    conditional = True  # not annotated, hence not a field
    labels: str = "uniform"
    """Labels of the fakes in training: `uniform` over the classes, or as in the `data`, those of the real batch (for long-tailed classes)."""

    def __post_init__(self):
        super().__post_init__()
        if self.labels not in ("uniform", "data"):
            raise ValueError(f"labels={self.labels!r} is unknown. It is uniform or data.")


@dataclasses.dataclass(kw_only=True)
class BodyConfig(AlwaysConditional):
    """A `BodyGan`. A variant gives `bodies` and the defaults."""

    bodies = {}  # body -> (generator, discriminator); not annotated, hence not a field
    body: str
    """A name in the variant's `BODIES`."""
    generator_width: int
    discriminator_width: int

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=self.bodies)


class LabelConditional:
    """Mixed into a `Gan` whose config's `conditional` says whether it reads labels. How they enter is a layer chosen in its networks."""

    @classmethod
    def keys_for(cls, config):
        keys = super().keys_for(config)
        return tuple(dict.fromkeys((*keys, "label"))) if config.conditional else keys

    @property
    def condition_keys(self):
        return ("label",) if self.config.conditional else ()

    def sweeps(self, conditions, steps):
        """Class after class, round and round."""
        return {"label": {"label": tf.range(steps) % self.num_classes}} if self.config.conditional else {}

    @property
    def num_classes(self) -> int:
        """Classes that the networks are built for; 0 without conditioning."""
        return self.data.num_classes if self.config.conditional else 0


class ClassConditional(LabelConditional):
    """The same for a config that is `AlwaysConditional`."""

    def sample_conditions(self, stream, batch_size, batch=None):
        if batch is not None and self.config.labels == "data":
            return {"label": batch["label"]}
        return super().sample_conditions(stream, batch_size, batch)


class BodyGan(ClassConditional):
    """The same for a `BodyConfig`: the players are a pair of networks from its table, the generator reads the label, and D by its `conditioning`."""

    conditioning: str
    """A name in `networks.parts.CONDITIONINGS`."""

    def build_generator(self, **options):
        return self.config.bodies[self.config.body][0](
            image_shape=self.data.image_shape,
            latent_size=self.config.latent_size,
            width=self.config.generator_width,
            num_classes=self.num_classes,
            **options,
        )

    def build_discriminator(self, **options):
        return self.config.bodies[self.config.body][1](
            image_shape=self.data.image_shape,
            width=self.config.discriminator_width,
            num_classes=self.num_classes,
            conditioning=self.conditioning,
            soft_labels=self.soft_labels,
            **options,
        )
