"""`SimultaneousGan`: both players move at once, down gradients taken at the same weights and the same examples.

That is Algorithm 1 of Nowozin, Cseke, Tomioka 2016 (arXiv:1606.00709), which needs no inner loop, and how the authors' code of Goodfellow et al. 2014
trains.
"""

import dataclasses

import tensorflow as tf

from tfgan_suite.core import alternating, gan
from tfgan_suite.layers import spectral_norm
from tfgan_suite.ops import random


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """An `AlternatingGan` that may move both players at once."""

    simultaneous: bool = False
    """One forward pass of both networks, both gradients from it, then both updates. Off: the discriminator's updates first, the generator's on fresh
    fakes after them."""

    def __post_init__(self):
        super().__post_init__()
        if self.simultaneous and not self.discriminator_steps == self.generator_batches == 1:
            raise ValueError(
                "simultaneous=True moves both players once, on the same batch: discriminator_steps and generator_batches must be 1. "
                f"Received: {self.discriminator_steps} and {self.generator_batches}. Set them to 1, or simultaneous to False."
            )


class SimultaneousGan(alternating.AlternatingGan):
    """Moves both players at once where its config says so, and alternates otherwise."""

    def train_step(self, batch):
        if not self.config.simultaneous:
            return super().train_step(batch)
        ascent, descent, logs = self.evaluate_both(batch, self.random())  # sample X_P and X_Q; both gradients of F(theta_t, omega_t)
        logs["discriminator/gradient_norm"] = self.apply(ascent, self.discriminator_optimizer, self.discriminator)  # update omega
        logs["generator/gradient_norm"] = self.apply(descent, self.generator_optimizer, self.generator)  # update theta
        self.finish_step()
        return self.augmenter.adapt(logs, batch["image"].shape[0])

    def evaluate_both(self, batch: dict[str, tf.Tensor], stream: random.Stream):
        """Both players' gradients from one forward pass per micro-batch of real examples [b, ...] and as many fakes.

        Returns the shares of the discriminator and of the generator, which `apply` takes, and the logs. Every view that a term adds for either
        player is scored, and every loss reads the same scores.
        """
        spectral_norm.power_iterations(self.discriminator)
        spectral_norm.power_iterations(self.generator)
        ascent, descent, logs = [], [], []
        for i, part in enumerate(gan.strided(batch, self.config.accumulation)):
            part_stream = stream.fold(0).part(i, self.config.accumulation)
            for_discriminator, for_generator = (self._steps(part, part_stream, network) for network in (self.discriminator, self.generator))
            with tf.GradientTape(persistent=True) as tape:
                fake = self.fake(part, part_stream)
                variety = alternating.diversity(fake["image"])
                views = self.augmented({"real": part, "fake": fake}, part_stream)
                for t, step in for_discriminator:
                    views |= t.views(views, step)
                for t, step in for_generator:
                    views |= t.generator_views(views, step)
                views = self.prepared(views, part_stream)
                scores = self.discriminate(views)
                losses = {f"discriminator/{t.log_name}": t.discriminator_loss(views, scores, step) for t, step in for_discriminator}
                answers = {f"generator/{t.log_name}": t.generator_loss(views, scores, step) for t, step in for_generator}
                loss, answer = tf.add_n(list(losses.values())), tf.add_n(list(answers.values()))
            ascent.append(self.gradients(loss, tape, self.discriminator_optimizer, self.discriminator))
            descent.append(self.gradients(answer, tape, self.generator_optimizer, self.generator))
            means = {f"discriminator/{v}_logits": tf.reduce_mean(scores[v]["logits"]) for v in ("real", "fake")}
            means |= {"generator/diversity": variety} | {f"discriminator/{key}": value for key, value in self.augmenter.logs(scores).items()}
            logs.append(losses | answers | means | {"discriminator/loss": loss, "generator/loss": answer})
        return ascent, descent, {key: tf.add_n([part[key] for part in logs]) / len(logs) for key in logs[0]}
