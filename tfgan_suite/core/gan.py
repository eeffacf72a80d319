"""`Gan`: the contract of every variant. A variant is a Keras model whose `train_step` is its paper's algorithm."""

import contextlib
import dataclasses
import math
import random
from collections.abc import Iterable, Iterator, Sequence

import keras
import tensorflow as tf

from pipelines import spec
from tfgan_suite.core import averaging, endpoint, optimizers, precision, run, sampling_endpoints
from tfgan_suite.layers import batch_norm
from tfgan_suite.ops import priors
from tfgan_suite.ops import random as streams

STATISTICS_BATCHES = 50
STATISTICS_BATCH_SIZE = 64


@dataclasses.dataclass(kw_only=True)
class Config:
    """What every variant's configuration has."""

    latent_size: int = 128
    prior: str = "normal"
    """Distribution of the latents, a name in `ops.priors.PRIORS`."""
    average: averaging.Average = dataclasses.field(default_factory=averaging.Average)
    synchronized_batch_norm: bool = True
    """Batch norms take the statistics of all replicas' rows, as one replica with all of them would. Without, each takes those of its own rows, as the
    multi-GPU code of many papers did: then the result depends on the number of replicas."""

    def __post_init__(self):
        if self.latent_size < 1:
            raise ValueError(f"latent_size must be at least 1. Received: {self.latent_size}.")
        self.choose(prior=priors.PRIORS)

    def choose(self, **tables: Iterable[str]) -> None:
        """Raises a ValueError for the first of these fields whose value is no name in its table."""
        for field, table in tables.items():
            if getattr(self, field) not in table:
                raise ValueError(f"Unknown {field} {getattr(self, field)!r}. Allowed: {', '.join(table)}.")


class Gan(keras.Model):
    """A GAN under training.

    A variant gives `needs`, `condition_keys`, `build_networks()`, `train_step(batch)` and, where it differs, `generate`, `sample`, `endpoints`.
    Networks and optimizers are made once, in the constructor, inside the strategy's scope.
    """

    needs: Sequence[str] = ("image",)
    """Batch keys it trains on."""
    condition_keys: Sequence[str] = ()
    """Batch keys that the generator reads beside the latents."""

    def __init__(self, config: Config, data: spec.DataSpec, run: run.Run):
        """Raises a ValueError if the dataset lacks a needed key."""
        super().__init__()
        data.require(self.keys_for(config), type(self).__name__)
        self.config, self.data, self.run = config, data, run
        self.needs = tuple(self.keys_for(config))
        self.step = self.add_weight(shape=(), dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica", name="step")
        self.rollbacks = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica", name="rollbacks"
        )
        self.optimizers_by_name: dict[str, keras.optimizers.Optimizer] = {}
        self._clip_norms: dict[int, float] = {}
        self._averages: list[tuple[keras.Model, keras.Model]] = []
        with precision.policy(run.precision), _initial_values(run):
            self.build_networks()
        for layer in (layer for network in self.networks().values() for layer in network._flatten_layers()):
            if isinstance(layer, batch_norm.BatchNorm):
                layer.synchronized = config.synchronized_batch_norm
        self.built = True

    # What a variant gives.

    @classmethod
    def keys_for(cls, config: Config) -> Sequence[str]:
        """The batch keys that a model with this configuration trains on."""
        return cls.needs

    def build_networks(self) -> None:
        """Sets the networks (`self.averaged` for those that are averaged) and the optimizers (`self.optimizer`) as attributes."""
        raise NotImplementedError(f"{type(self).__name__} must build its networks")

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of the paper's algorithm on {key: [batches_per_step * b, ...]}; returns {log name: float32 scalar of this replica}."""
        raise NotImplementedError(f"{type(self).__name__} must write its paper's algorithm")

    @property
    def batches_per_step(self) -> int:
        """Fresh real batches that one step consumes."""
        return 1

    def generate(self, latents: tf.Tensor, conditions: dict[str, tf.Tensor], training: bool) -> tf.Tensor:
        """Images [b, h, w, c] in the data's range, [-1, 1] for pictures, of the live generator from latents [b, z]."""
        return self.generator({"latents": latents, **conditions}, training=training)["image"]

    def sample(self, latents: tf.Tensor, conditions: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Images [b, h, w, c] in [-1, 1] of the averaged generator. Call `ready` after training steps and before it."""
        return self.averaged_generator({"latents": latents, **conditions}, training=training)["image"]

    def endpoints(self) -> tuple[endpoint.Endpoint, ...]:
        """The servable functions; `export` walks them."""
        return self.sampling_endpoints()

    @property
    def initial_examples(self) -> int:
        """Real examples that `initialize` wants; 0 where nothing depends on data."""
        return 0

    def initialize(self, batch: dict[str, tf.Tensor]) -> None:
        """Sets what depends on data, once, eagerly, before the first step of a new run. `batch`: the first examples, equal in all processes."""

    def condition_feature(self, key: str) -> spec.Feature:
        """Shape, type and range of the condition `key`; a model whose conditions are not all in its data says what the others are."""
        return self.data.features[key]

    def sweeps(self, conditions: dict[str, tf.Tensor], steps: int) -> dict[str, dict[str, tf.Tensor]]:
        """{name: conditions [steps, ...]}: one row of conditions [1, ...], in each with another single thing going from one end to the other."""
        return {}

    # What the base does.

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Samples: {"latents": [b, z], condition keys} -> images."""
        conditions = {key: value for key, value in inputs.items() if key != "latents"}
        return self.sample(inputs["latents"], conditions, training)

    def averaged(self, build) -> tuple[keras.Model, keras.Model]:
        """Builds a network and its average from the same function: (live, average)."""
        live = build()
        twin = averaging.twin(live, build)
        self._averages.append((live, twin))
        return live, twin

    def optimizer(self, name: str, config: optimizers.Optimizer, *networks: keras.Model, updates_per_step: int = 1) -> keras.optimizers.Optimizer:
        """A player's optimizer over the weights of `networks`; it is checkpointed under `name`."""
        float16 = self.run.precision == "mixed_float16"
        optimizer = config.build(steps=self.run.steps, updates_per_step=updates_per_step, float16=float16)
        optimizer.build(_trainable(networks))
        self.optimizers_by_name[name] = optimizer
        self._clip_norms[id(optimizer)] = config.clip_norm
        return optimizer

    def random(self) -> streams.Stream:
        """The stream of this step: a function of the seed, the phase, the roll-backs so far and the step."""
        return streams.Stream(self.run.seed, self.run.phase, self.rollbacks.value, self.step.value)

    def sample_latents(self, stream: streams.Stream, batch_size: int, truncation: float = math.inf) -> tf.Tensor:
        """Latents [b, z] from the prior."""
        return priors.PRIORS[self.config.prior].draw(stream, (batch_size, self.config.latent_size), truncation)

    def sample_conditions(self, stream: streams.Stream, batch_size: int, batch: dict[str, tf.Tensor] | None = None) -> dict[str, tf.Tensor]:
        """What the generator reads beside the latents: labels uniform over the classes, anything else from the real `batch`."""
        conditions = {}
        for key in self.condition_keys:
            if key == "label":
                conditions[key] = stream.fold("label").integers((batch_size,), self.data.num_classes)
            elif batch is not None:
                conditions[key] = batch[key]
            else:
                raise ValueError(f"The condition {key!r} cannot be drawn; give a batch that holds it.")
        return conditions

    def minibatches(self, batch: dict[str, tf.Tensor]) -> list[dict[str, tf.Tensor]]:
        """[k * b, ...] -> k batches [b, ...]; strided, so that another number of replicas mixes the same examples into each."""
        return strided(batch, self.batches_per_step)

    def descend(self, loss: tf.Tensor, tape: tf.GradientTape, optimizer: keras.optimizers.Optimizer, *networks: keras.Model) -> tf.Tensor:
        """Moves the weights of `networks` down `loss`, this replica's mean or a gathered global loss. Returns the norm of the global gradient."""
        return self.apply([self.gradients(loss, tape, optimizer, *networks)], optimizer, *networks)

    def gradients(self, loss, tape, optimizer, *networks) -> list[tf.Tensor]:
        """This replica's share of the gradient of the mean over replicas, times the optimizer's loss scale."""
        seed = tf.convert_to_tensor(getattr(optimizer, "dynamic_scale", 1.0), loss.dtype) / _replicas()
        sources = [v.value for v in _trainable(networks)]
        return [tf.convert_to_tensor(g) for g in tape.gradient(loss, sources, output_gradients=seed, unconnected_gradients="zero")]

    def apply(self, shares: list[list[tf.Tensor]], optimizer, *networks) -> tf.Tensor:
        """Applies the mean of `shares` (one per micro-batch): summed over replicas first, so that clipping and the check for infinities see the
        global gradient. Returns its norm."""
        gradients = [tf.add_n(parts) / len(parts) for parts in zip(*shares, strict=True)] if len(shares) > 1 else shares[0]
        n = _replicas()
        if n > 1:
            gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        norm = tf.linalg.global_norm(gradients) / tf.convert_to_tensor(getattr(optimizer, "dynamic_scale", 1.0), tf.float32)
        clip = self._clip_norms[id(optimizer)]
        if math.isfinite(clip):
            gradients = [g * (clip / tf.maximum(norm, clip)) for g in gradients]
        optimizer.apply([g / n for g in gradients], _trainable(networks))  # Keras sums the n equal copies once more
        return norm

    def finish_step(self) -> None:
        """The averages and the step counter; the last line of every `train_step`."""
        config = self.config.average
        decay = tf.where(self.step.value < config.start, 0.0, config.decay)
        for live, twin in self._averages:
            averaging.update(twin, live, decay)
        self.step.assign_add(1)

    def ready(self) -> None:
        """Makes the averaged networks fit to be judged: state copied from the live ones, normalisation statistics collected anew on a fixed stream.

        Equal weights give equal pixels, whatever was trained or sampled before.
        """
        for live, twin in self._averages:
            averaging.copy_state(twin, live)
        stream = streams.Stream(self.run.seed, "statistics")

        def generate(i):
            batch = stream.fold(i)
            conditions = self.sample_conditions(batch.fold("conditions"), STATISTICS_BATCH_SIZE)
            self.sample(self.sample_latents(batch.fold("latents"), STATISTICS_BATCH_SIZE), conditions, training=True)

        averaging.collect_statistics([twin for _, twin in self._averages], generate, STATISTICS_BATCHES)

    def variable_groups(self) -> dict[str, list[tf.Variable]]:
        """Everything a checkpoint holds, as raw variables under explicit names."""
        groups = {"counters": [self.step, self.rollbacks]} | {name: network.variables for name, network in self.networks().items()}
        groups |= {f"optimizer.{name}": optimizer.variables for name, optimizer in self.optimizers_by_name.items()} | self.further_variables()
        held = {id(v) for group in groups.values() for v in group}
        missing = [v.path for v in self.variables if id(v) not in held]
        assert not missing, f"variables outside every network attribute would not be saved: {missing}"
        return {name: [v.value for v in group] for name, group in groups.items()}

    def further_variables(self) -> dict[str, list[keras.Variable]]:
        """What else a checkpoint holds, by name: state outside networks and optimizers."""
        return {}

    def networks(self) -> dict[str, keras.Model]:
        """All networks by attribute name; those in a list attribute as `name.i`."""
        found = {}
        for name, value in vars(self).items():
            if isinstance(value, keras.Model):
                found[name] = value
            elif isinstance(value, list) and not name.startswith("_"):
                found |= {f"{name}.{i}": network for i, network in enumerate(value) if isinstance(network, keras.Model)}
        return found

    def sampling_endpoints(self) -> tuple[endpoint.Endpoint, ...]:
        """`serving_default` (latents in) and `sample` (one seed per row in)."""
        return sampling_endpoints.of(self, [twin for _, twin in self._averages])


@contextlib.contextmanager
def _initial_values(run: run.Run) -> Iterator[None]:
    """Makes the initial weights of networks built inside a function of the seed and the phase: Keras takes its initializers' seeds from Python's
    generator, which goes on afterwards as if nothing had been drawn."""
    before = random.getstate()
    random.seed(f"{run.seed} {run.phase}")
    try:
        yield
    finally:
        random.setstate(before)


def strided(batch: dict[str, tf.Tensor], parts: int) -> list[dict[str, tf.Tensor]]:
    """Splits a batch [parts * b, ...] into `parts` batches of every parts-th row."""
    return [{key: value[i::parts] for key, value in batch.items()} for i in range(parts)] if parts > 1 else [batch]


def _replicas() -> int:
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def _trainable(networks) -> list[keras.Variable]:
    return [v for network in networks for v in network.trainable_variables]
