"""A tiny class-conditional GAN and its data, for tests of the core."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from pipelines import spec
from tfgan_suite.core import alternating, averaging, conditional, optimizers, run
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import compact

CLASSES = 3


def data_spec(classes: int = CLASSES, side: int = 8) -> spec.DataSpec:
    image = spec.Feature(shape=(side, side, 3), dtype="float32", low=-1.0, high=1.0)
    label = spec.Feature(shape=(), dtype="int32", low=0, high=classes - 1)
    return spec.DataSpec(name="tiny", features={"image": image, "label": label}, num_classes=classes, class_names=("a", "b", "c"), size=64)


def batch(rows: int, seed: int = 0, side: int = 8) -> dict[str, tf.Tensor]:
    numbers = np.random.default_rng(seed)
    image = numbers.uniform(-1, 1, (rows, side, side, 3)).astype(np.float32)
    return {"image": tf.constant(image), "label": tf.constant(numbers.integers(0, CLASSES, rows), tf.int32)}


@dataclasses.dataclass(kw_only=True)
class Config(conditional.Config):
    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    latent_size: int = 6
    conditional: bool = True
    norm: str = "none"
    spectral_norm: bool = True
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.SGD(learning_rate=0.05))
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.SGD(learning_rate=0.05))
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.5))


class Tiny(conditional.LabelConditional, alternating.AlternatingGan):
    """Two levels, four channels."""

    def build_generator(self):
        return compact.generator(
            image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=4, num_classes=self.num_classes, embedding_size=4
        )

    def build_discriminator(self):
        return compact.discriminator(
            image_shape=self.data.image_shape,
            width=4,
            num_classes=self.num_classes,
            norm=self.config.norm,
            spectral_norm=self.config.spectral_norm,
            soft_labels=self.soft_labels,
        )


def build(config: Config | None = None, *, seed: int = 0, steps: int = 8, precision: str = "float32", side: int = 8, kind=Tiny) -> Tiny:
    """A fresh model of the class `kind`; equal seeds give equal initial weights. Layer names start anew, since they change rounding."""
    if not tf.distribute.has_strategy():
        keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    return kind(config or Config(), data_spec(side=side), run.Run(seed=seed, phase="train", steps=steps, precision=precision))


def weights(model) -> dict[str, np.ndarray]:
    """Every checkpointed value by name."""
    return {f"{group}.{i}": v.numpy() for group, variables in model.variable_groups().items() for i, v in enumerate(variables)}


def largest_difference(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
    assert a.keys() == b.keys()
    return max(float(np.max(np.abs(a[name].astype(np.float64) - b[name].astype(np.float64)), initial=0.0)) for name in a)


def train(model, batches, *, graph: bool = False, jit_compile: bool = False) -> list[dict[str, float]]:
    """Steps on these batches; the logs of each. Eagerly, unless told otherwise: to trace a step takes longer than to make a few."""
    step = tf.function(model.train_step, autograph=False, jit_compile=jit_compile) if graph or jit_compile else model.train_step
    return [{name: float(value) for name, value in step(b).items()} for b in batches]


def train_mirrored(strategy, model, batches, *, graph: bool = False) -> None:
    """The same on the replicas of `strategy`, each with its contiguous rows."""

    def step(parts):
        strategy.run(model.train_step, args=(parts,))

    step = tf.function(step, autograph=False) if graph else step
    n = strategy.num_replicas_in_sync
    for b in batches:
        parts = {key: tf.split(value, n) for key, value in b.items()}
        step(strategy.experimental_distribute_values_from_function(lambda c, p=parts: {k: v[c.replica_id_in_sync_group] for k, v in p.items()}))
