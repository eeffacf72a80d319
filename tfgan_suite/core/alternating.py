"""`AlternatingGan`: Goodfellow et al. 2014, Algorithm 1, for papers that change only a loss, a network, a penalty or an augmentation."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from tfgan_suite.augment import policy
from tfgan_suite.core import augmentation, averaging, gan, optimizers, transfer
from tfgan_suite.layers import spectral_norm
from tfgan_suite.losses import term
from tfgan_suite.ops import random

Views = dict[str, dict[str, tf.Tensor]]
Terms = tuple[term.Term, ...]

NOISE = {"uniform_noise": lambda stream, shape: stream.uniform(shape), "normal_noise": lambda stream, shape: stream.normal(shape)}
"""What the discriminator's inputs whose names begin so are given, anew for each view and update: numbers in [0, 1), or from N(0, 1)."""


@dataclasses.dataclass(kw_only=True)
class Config(gan.Config):
    """An objective (a tuple of terms), two players, and how often each moves."""

    terms: Terms = ()
    augmentations: tuple[policy.Augmentation, ...] = ()
    """What the discriminator sees images through, one after another, in both players' updates: the generator's gradient flows through them."""
    augmented: str = "real_and_fake"
    """Which images: those of every view, or of the real one alone (`real_only`, an experiment: artefacts leak into the samples)."""
    adaptation: augmentation.Adaptation = dataclasses.field(default_factory=augmentation.Adaptation)
    """How the probability of an adaptive augmentation is found."""
    discriminator_steps: int = 1
    """Discriminator updates per generator update, each on a fresh real batch."""
    generator_batches: int = 1
    """The generator's update draws this many times the batch size (SN-GAN: 2)."""
    accumulation: int = 1
    """Micro-batches per update, each every n-th row of the batch and a pass of its own; their gradients are averaged, and the memory of one is held.

    Where a loss is a mean over samples, penalties included, the update is the whole batch's, random numbers and all (of conditions that are the
    real batch's own, with `generator_batches` above 1, only in distribution). What couples samples sees one micro-batch, which is another
    objective on smaller batches: the statistics of a batch norm, minibatch discrimination, feature matching, contrastive losses, and any other
    term that compares samples or multiplies batch means. A batch spread over replicas keeps all of that exact.
    """
    frozen_blocks: int = 0
    """Resolutions of the discriminator, from the image's on, that stay as they are: FreezeD, beside `transfer.source` (Mo et al. 2020)."""
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=optimizers.Adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=optimizers.Adam)

    def __post_init__(self):
        super().__post_init__()
        for name in ("discriminator_steps", "generator_batches", "accumulation"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1. Received: {getattr(self, name)}.")
        if self.frozen_blocks < 0:
            raise ValueError(f"frozen_blocks must be at least 0. Received: {self.frozen_blocks}.")
        names = [t.log_name for t in self.terms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"Two terms are called {', '.join(twice)}; give each a `name` of its own.")
        augmentation.check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What a term may ask of the update it is part of."""

    model: "AlternatingGan"
    batch: dict[str, tf.Tensor]
    random: random.Stream
    network: keras.Model

    @property
    def history(self) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """(mean of all it has been since initialisation, present value) of each trained weight of `network`; for a term with `needs_history`."""
        return [(tf.convert_to_tensor(a), tf.convert_to_tensor(v)) for a, v in averaging.pairs(self.model.history(self.network), self.network)]

    def score(self, view: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The discriminator's heads on points of the term's own, in a pass of their own."""
        return self.model.score(view)

    def augment(self, augmentation: policy.Augmentation, view: dict[str, tf.Tensor], name: str) -> dict[str, tf.Tensor]:
        """The view under an augmentation of the term's own; `name` tells its uses in one step apart."""
        return augmentation(view, self.random.fold(name), self.model.augmenter.state(self.model.step.value))

    def generate(self, view: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The view with the live generator's image for its latents and conditions."""
        conditions = {key: view[key] for key in self.model.condition_keys}
        kept = {key: value for key, value in view.items() if key != "clean"}
        return kept | {"image": self.model.generate(view["latents"], conditions, training=True)}


class AlternatingGan(gan.Gan):
    """k discriminator updates, then one generator update, on losses that are sums of the config's terms."""

    @classmethod
    def keys_for(cls, config):
        return tuple(dict.fromkeys((*cls.needs, *(key for t in config.terms for key in t.needs))))

    def build_networks(self) -> None:
        config: Config = self.config
        if not config.terms:
            raise ValueError("model.terms is empty: an objective needs at least one term, such as Adversarial.")
        self.generator, self.averaged_generator = self.averaged(self.build_generator)
        self.discriminator = self.extended(self.build_discriminator())
        self._check_heads()
        augmentation.check_fit(config, self.discriminator)
        transfer.freeze(self.discriminator, config.frozen_blocks)
        self.generator_optimizer = self.optimizer("generator", config.generator_optimizer, self.generator)
        self.discriminator_optimizer = self.optimizer(
            "discriminator", config.discriminator_optimizer, self.discriminator, updates_per_step=config.discriminator_steps
        )
        self._scores_together = not couples_samples(self.discriminator)  # it would mix real and fake
        if any(t.needs_history for t in config.terms):
            self.generator_history = averaging.twin(self.generator, self.build_generator)
            self.discriminator_history = averaging.twin(self.discriminator, lambda: self.extended(self.build_discriminator()))
        self.augmenter = augmentation.Augmenter(config, self.run.steps)

    def extended(self, discriminator: keras.Model) -> keras.Model:
        """The discriminator with the heads that the terms bring along."""
        for t in self.config.terms:
            discriminator = t.extend(discriminator)
        return discriminator

    def _check_heads(self) -> None:
        given = list(self.discriminator.output)
        for t in self.config.terms:
            missing = [head for head in t.heads if head not in given]
            if missing:
                raise ValueError(
                    f"{type(t).__name__} reads the discriminator's head {missing[0]!r}; this discriminator of {type(self).__name__} has "
                    f"{', '.join(given)}. Leave the term out, or choose a variant or body with that head."
                )

    @property
    def soft_labels(self) -> bool:
        """Whether a discriminator that reads labels must take shares of the classes, "soft_label" [b, k], in place of integers."""
        return augmentation.mixes(self.config)

    def build_generator(self) -> keras.Model:
        """A new generator: {"latents", condition keys} -> {"image"}."""
        raise NotImplementedError(f"{type(self).__name__} must build its generator")

    def build_discriminator(self) -> keras.Model:
        """A new discriminator: {"image", ...} -> {"logits", further heads}."""
        raise NotImplementedError(f"{type(self).__name__} must build its discriminator")

    @property
    def batches_per_step(self) -> int:
        return self.config.discriminator_steps

    def train_step(self, batch):
        stream = self.random()
        for i, minibatch in enumerate(self.minibatches(batch)):  # for k steps do
            logs = self.update_discriminator(minibatch, stream.fold("discriminator").fold(i))  # ascend the discriminator's gradient
        logs |= self.update_generator(minibatch, stream.fold("generator"))  # descend the generator's gradient
        self.finish_step()
        return logs

    def update_discriminator(self, batch: dict[str, tf.Tensor], stream: random.Stream) -> dict[str, tf.Tensor]:
        """One update on a batch of real examples [b, ...] and as many fakes."""
        spectral_norm.power_iterations(self.discriminator)  # the one place where its u moves
        shares, logs = [], []
        for i, part in enumerate(gan.strided(batch, self.config.accumulation)):
            part_stream = stream.fold(0).part(i, self.config.accumulation)
            steps = self._steps(part, part_stream, self.discriminator)
            views = self.augmented({"real": part, "fake": self.fake(part, part_stream)}, part_stream)
            for t, step in steps:
                views |= t.views(views, step)
            views = self.prepared(views, part_stream)
            with tf.GradientTape() as tape:
                scores = self.discriminate(views)
                losses = {t.log_name: t.discriminator_loss(views, scores, step) for t, step in steps}
                loss = tf.add_n(list(losses.values()))
            shares.append(self.gradients(loss, tape, self.discriminator_optimizer, self.discriminator))
            logs.append(
                losses | {"loss": loss} | {f"{v}_logits": tf.reduce_mean(scores[v]["logits"]) for v in ("real", "fake")} | self.augmenter.logs(scores)
            )
        norm = self.apply(shares, self.discriminator_optimizer, self.discriminator)
        return self.augmenter.adapt(_prefixed("discriminator", logs, norm), batch["image"].shape[0])

    def update_generator(self, batch: dict[str, tf.Tensor], stream: random.Stream) -> dict[str, tf.Tensor]:
        """One update on fresh fakes; `batch` gives the conditions that cannot be drawn."""
        spectral_norm.power_iterations(self.generator)
        shares, logs = [], []
        for i, part in enumerate(gan.strided(batch, self.config.accumulation)):
            part_stream = stream.fold(0).part(i, self.config.accumulation)
            steps = self._steps(part, part_stream, self.generator)
            with tf.GradientTape() as tape:
                fake = self.fake(part, part_stream, self.config.generator_batches)
                variety = diversity(fake["image"])
                views = self.augmented({"fake": fake}, part_stream)
                for t, step in steps:
                    views |= t.generator_views(views, step)
                views = self.prepared(views, part_stream)
                scores = self.discriminate(views)
                losses = {t.log_name: t.generator_loss(views, scores, step) for t, step in steps}
                loss = tf.add_n(list(losses.values()))
            shares.append(self.gradients(loss, tape, self.generator_optimizer, self.generator))
            logs.append(losses | {"loss": loss, "diversity": variety})
        norm = self.apply(shares, self.generator_optimizer, self.generator)
        return _prefixed("generator", logs, norm)

    def fake(self, batch: dict[str, tf.Tensor], stream: random.Stream, times: int = 1) -> dict[str, tf.Tensor]:
        """A view of `times` as many generated examples as the batch has, with their latents and conditions."""
        if times > 1:
            batch = {key: tf.repeat(value, times, axis=0) for key, value in batch.items()}
        rows = batch["image"].shape[0]
        conditions = self.sample_conditions(stream.fold("conditions"), rows, batch)
        latents = self.sample_latents(stream.fold("latents"), rows)
        return {"latents": latents, **conditions, "image": self.generate(latents, conditions, training=True)}

    def augmented(self, views: Views, stream: random.Stream) -> Views:
        """The views through the config's augmentations; those that have been stay."""
        return self.augmenter.views(views, stream.fold("augmentation"), self.augmenter.state(self.step.value))

    def prepared(self, views: Views, stream: random.Stream) -> Views:
        """The views as they are scored: augmented, and with noise."""
        return self.with_noise(self.augmented(views, stream), stream.fold("noise"))

    def further_variables(self):
        return {"augmentation": self.augmenter.variables} if self.augmenter.variables else {}

    def with_noise(self, views: Views, stream: random.Stream) -> Views:
        """The views with the random numbers that the discriminator reads and they lack: a key of its inputs whose name begins like one in `NOISE`."""
        inputs = [(i.name, i.shape[1:], draw) for i in self.discriminator.inputs for prefix, draw in NOISE.items() if i.name.startswith(prefix)]

        def noise(name, view):
            numbers = stream.fold(name)
            return {key: draw(numbers.fold(key), (view["image"].shape[0], *shape)) for key, shape, draw in inputs}

        return {name: noise(name, view) | view for name, view in views.items()}

    def history(self, network: keras.Model) -> keras.Model:
        """The network whose weights are the means of all that those of `network` have been."""
        return self.generator_history if network is self.generator else self.discriminator_history

    def apply(self, shares, optimizer, *networks):
        """As `Gan.apply`. A history, where one is kept, takes in the new weights, mean_t = mean_(t-1) + (theta_t - mean_(t-1)) / t."""
        norm = super().apply(shares, optimizer, *networks)
        if any(t.needs_history for t in self.config.terms):
            count = tf.cast(tf.convert_to_tensor(optimizer.iterations), tf.float32) + 1.0  # the initial weights are the first
            for network in networks:
                averaging.update(self.history(network), network, 1.0 - 1.0 / count)
        return norm

    def score(self, view: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """{key: [b, ...]} -> {head: [b, ...]}, one pass of the discriminator."""
        return self._read(self.inputs_of(view))

    def inputs_of(self, view: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What the discriminator reads of a view; soft labels, where it wants them, are made of the view's integers."""
        keys = [i.name for i in self.discriminator.inputs]
        return {key: augmentation.soft_label(view, self.data.num_classes) if key == "soft_label" else view[key] for key in keys}

    def discriminate(self, views: Views) -> Views:
        """{view: batch} -> {view: {head: [b, ...]}}: one pass over all views together, or a pass per view if it couples samples."""
        if not self._scores_together:
            return {name: self.score(view) for name, view in views.items()}
        given = {name: self.inputs_of(view) for name, view in views.items()}
        joined = {key: [tf.cast(inputs[key], like.dtype) for inputs in given.values()] for key, like in given["fake"].items()}
        together = self._read({key: tf.concat(values, 0) for key, values in joined.items()})
        rows = [view["image"].shape[0] for view in views.values()]  # views may differ in rows
        parts = {head: tf.split(value, rows) for head, value in together.items()}
        return {name: {head: p[i] for head, p in parts.items()} for i, name in enumerate(views)}

    def _read(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self.discriminator(inputs, training=True)

    def _steps(self, batch, stream, network) -> list[tuple[term.Term, Step]]:
        return [(t, Step(model=self, batch=batch, random=stream.fold(t.log_name), network=network)) for t in self.config.terms]


def couples_samples(network: keras.Model) -> bool:
    """Whether a sample's scores in training depend on the others of its pass: by batch norm, or by a layer with `couples_samples`."""
    coupled = any(getattr(layer, "couples_samples", False) for layer in network._flatten_layers())
    return coupled or bool(averaging.normalization_layers(network))


def diversity(images: tf.Tensor) -> tf.Tensor:
    """Mean absolute pixel difference between neighbours in a batch [b, h, w, c] in [-1, 1]; near 0 when all are one picture."""
    return tf.reduce_mean(tf.abs(images - tf.roll(images, 1, 0)))


def _prefixed(player: str, logs: list[dict[str, Any]], norm: tf.Tensor) -> dict[str, tf.Tensor]:
    """The mean of the micro-batches' logs under the player's name."""
    means = {key: tf.add_n([part[key] for part in logs]) / len(logs) for key in logs[0]} | {"gradient_norm": norm}
    return {f"{player}/{key}": value for key, value in means.items()}
