"""Augmentations inside the step: how a view is augmented, what becomes of labels where examples are mixed, and how strong an adaptive one is.

Zhao et al. 2020, arXiv:2006.02595, section 3 and Algorithm 1; the adaptive strength is ADA's, Karras et al. 2020, arXiv:2006.06676, section 3.
"""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from tfgan_suite.augment import policy
from tfgan_suite.ops import random, replicas

View = policy.View
Views = dict[str, View]

AUGMENTED = {"real_and_fake": lambda name: True, "real_only": lambda name: name == "real"}
"""Value of `augmented` -> (name of a view -> whether it is augmented)."""


@dataclasses.dataclass(kw_only=True)
class Adaptation:
    """How the probability of an adaptive augmentation follows the discriminator. Defaults: Karras et al. 2020, section 3.1 and the authors' code.

    r = E sign(D(x)) over the real images, as they are scored, of the last `interval` minibatches: 0 where D cannot tell, 1 where it knows them all.
    """

    target: float = 0.6
    """The value of r above which the probability rises, and below which it falls."""
    images: int = 500_000
    """Real images in which it can rise from 0 to 1."""
    interval: int = 4
    """Updates of the discriminator between two adjustments."""

    def __post_init__(self):
        if not (-1.0 <= self.target <= 1.0 and self.images >= 1 and self.interval >= 1):
            raise ValueError(
                "Adaptation needs a target in [-1, 1], a mean of signs, and images and interval of at least 1. "
                f"Received: target={self.target}, images={self.images}, interval={self.interval}."
            )


class Augmenter(keras.layers.Layer):
    """A model's augmentations. Where one is adaptive, also its probability and the signs that it is adjusted by, equal on all replicas."""

    def __init__(self, config: Any, steps: int):
        """config: an `AlternatingGan`'s; steps: the length of the training, in generator steps."""
        super().__init__(name="augmenter")
        self._config, self._steps = config, steps
        self.adapts = any(a.adaptive for a in every(config))
        options = {"shape": (), "initializer": "zeros", "trainable": False, "autocast": False, "aggregation": "only_first_replica"}
        if self.adapts:
            self.probability = self.add_weight(name="probability", dtype="float32", **options)
            self.signs = self.add_weight(name="signs", dtype="float32", **options)
            self.minibatches = self.add_weight(name="minibatches", dtype="int64", **options)
        self.built = True

    def state(self, step: tf.Tensor) -> policy.State:
        """What augmentations may read after `step` steps; the probability is 0 where none adapts."""
        probability = tf.minimum(self.probability.value, 1.0) if self.adapts else tf.zeros([])
        return policy.State(progress=tf.cast(step, tf.float32) / self._steps, probability=probability)

    def views(self, views: Views, stream: random.Stream, state: policy.State) -> Views:
        """The views as they are scored: T(x) in place of the images of those that `augmented` picks, and x itself as `clean`.

        A view that has gone through T, or was made of one that has, stays as it is. The stream is folded by the name of the view and the place of
        the augmentation, so that no two views share their parameters.
        """
        chosen = AUGMENTED[self._config.augmented] if self._config.augmentations else lambda name: False

        def seen(name, view):
            return self._augmented(view, stream.fold(name), state) if chosen(name) and "clean" not in view else view

        return {name: seen(name, view) for name, view in views.items()}

    def _augmented(self, view: View, stream: random.Stream, state: policy.State) -> View:
        clean = view["image"]
        for i, augmentation in enumerate(self._config.augmentations):
            view = augmentation(view, stream.fold(i), state)
        return view | {"clean": clean}

    def logs(self, scores: Views) -> dict[str, tf.Tensor]:
        """{"real_signs": E sign(D(x)) of the real view} where an augmentation adapts to it."""
        return {"real_signs": tf.reduce_mean(tf.sign(scores["real"]["logits"]))} if self.adapts else {}

    def adapt(self, logs: dict[str, tf.Tensor], rows: int) -> dict[str, tf.Tensor]:
        """Takes in the discriminator's logs of one update on `rows` real images of this replica. Returns them with the probability.

        After `interval` updates, with n images in all: p <- max(p + sign(r - target) n / images, 0).
        """
        if not self.adapts:
            return logs
        adaptation: Adaptation = self._config.adaptation
        total, count = self.signs.value + replicas.mean(logs["discriminator/real_signs"]), self.minibatches.value + 1
        due = tf.equal(count % adaptation.interval, 0)
        images = adaptation.interval * rows * replicas.count()
        move = tf.sign(total / adaptation.interval - adaptation.target) * (images / adaptation.images)
        self.probability.assign(tf.where(due, tf.maximum(self.probability.value + move, 0.0), self.probability.value))
        self.signs.assign(tf.where(due, 0.0, total))
        self.minibatches.assign(count)
        return logs | {"discriminator/augmentation_probability": self.probability.value}


def every(config: Any) -> tuple[policy.Augmentation, ...]:
    """The augmentations of an `AlternatingGan`'s config, and those of its terms."""
    return (*config.augmentations, *(a for t in config.terms for a in t.augmentations))


def mixes(config: Any) -> bool:
    """Whether any of them mixes examples, so that a label may be shares of two classes."""
    return any(a.mixes for a in every(config))


def check(config: Any) -> None:
    """Raises a ValueError for augmentations that cannot be used together, or with the config's terms."""
    config.choose(augmented=AUGMENTED)
    if any(a.adaptive for a in every(config)) and not any(a.adaptive for a in config.augmentations):
        raise ValueError(
            "An adaptive augmentation of a term needs one in augmentations too: its probability follows the scores of augmented real images. "
            "Add it there, or give the term an augmentation of a fixed strength."
        )
    mixing = [type(a).__name__ for a in config.augmentations if a.mixes]
    if len(mixing) > 1:
        raise ValueError(f"augmentations may mix examples once. Received: {', '.join(mixing)}. Leave one of them.")
    pairing = [type(t).__name__ for t in config.terms if t.pairs_views]
    if mixing and pairing:
        raise ValueError(
            f"{mixing[0]} in augmentations would mix the two views that {pairing[0]} compares with different partners. "
            "Give it to the term in their place, or leave one of them out."
        )
    whole = [type(t).__name__ for t in config.terms if t.needs_whole_examples]
    if mixing and whole and config.augmented != "real_only":
        raise ValueError(
            f"{mixing[0]} in augmentations would make one image of two examples, and {whole[0]} takes each image to be one. Leave one of them out, "
            'or augment real images alone with augmented="real_only".'
        )


def check_fit(config: Any, discriminator: keras.Model) -> None:
    """Raises a ValueError if the images cannot be augmented so, or if examples are mixed and the discriminator reads one label per image."""
    shapes = {i.name: tuple(i.shape[1:]) for i in discriminator.inputs}
    for a in every(config):
        a.check(shapes["image"])
    mixing = [type(a).__name__ for a in every(config) if a.mixes]
    if mixing and "label" in shapes:
        raise ValueError(
            f"{mixing[0]} mixes images of two classes, and this discriminator reads one label per image. Leave the augmentation out, or choose "
            "a variant and body whose discriminator takes soft labels, such as biggan."
        )


def soft_label(view: View, classes: int) -> tf.Tensor:
    """The labels [b, k] in one-hot form; w of the own and 1 - w of the other where two examples were mixed. Zhao et al. 2020, section 2."""
    own = tf.one_hot(view["label"], classes)
    if "mix_weight" not in view:
        return own
    weight = view["mix_weight"][:, None]
    return weight * own + (1.0 - weight) * tf.one_hot(view["mixed_label"], classes)
