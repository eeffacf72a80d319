"""Augmentations that are easy to follow, for tests of what uses them."""

import dataclasses

import tensorflow as tf

from tfgan_suite.augment import policy


class Identity(policy.Augmentation):
    """T(x) = x."""

    def __call__(self, view, stream, state):
        return view


@dataclasses.dataclass(kw_only=True)
class Scale(policy.Augmentation):
    """T(x) = factor x."""

    factor: float = 0.5

    def __call__(self, view, stream, state):
        return view | {"image": self.factor * view["image"]}


@dataclasses.dataclass(kw_only=True)
class Add(policy.Augmentation):
    """T(x) = x + amount."""

    amount: float = 0.25

    def __call__(self, view, stream, state):
        return view | {"image": view["image"] + self.amount}


class AddProgress(policy.Augmentation):
    """T(x) = x + the share of the training that is done."""

    def __call__(self, view, stream, state):
        return view | {"image": view["image"] + state.progress}


class AddRandom(policy.Augmentation):
    """T(x) = x + u, one u in [0, 1) for each example."""

    def __call__(self, view, stream, state):
        return view | {"image": view["image"] + stream.uniform((view["image"].shape[0], 1, 1, 1))}


class Adaptive(policy.Augmentation):
    """T(x) = 0.5 x with the adapted probability, x otherwise."""

    adaptive = True

    def __call__(self, view, stream, state):
        chosen = stream.uniform((view["image"].shape[0], 1, 1, 1)) < state.probability
        return view | {"image": tf.where(chosen, 0.5 * view["image"], view["image"])}


@dataclasses.dataclass(kw_only=True)
class Blend(policy.Augmentation):
    """T(x_i) = share x_i + (1 - share) x_(i-1)."""

    mixes = True

    share: float = 0.75

    def __call__(self, view, stream, state):
        image, rows = view["image"], view["image"].shape[0]
        mixed = self.share * image + (1.0 - self.share) * tf.roll(image, 1, 0)
        found = view | {"image": mixed, "mix_weight": tf.fill([rows], self.share), "mix_partner": tf.roll(tf.range(rows), 1, 0)}
        return found | ({"mixed_label": tf.roll(view["label"], 1, 0)} if "label" in view else {})
