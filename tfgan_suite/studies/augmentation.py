"""Every augmentation, at every strength, in every way of using it: the study of Zhao et al. 2020, arXiv:2006.02595, as a grid of runs.

Each cell is a preset that differs from the others in `model.augmentations` and further terms alone; no cell is tuned for itself.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.augment import policy
from tfgan_suite.core import sampling
from tfgan_suite.metrics import frechet
from tfgan_suite.ops import random
from tfgan_suite.studies import augmentation_page, augmenting, outcome

_PRESET = "sndcgan/cifar10_augmentation_study"
_QUICK_PRESET, _QUICK_STEPS = "sngan/demo", 600
_QUICK = {"augmentations": "translation,brightness", "strengths": "0.1,0.3,0.5"}
_MODES = "baseline,real_only,real_and_fake,bcr"
_LEAK = "augmentation_leak"
_FIXED = {"translation": ("0.1", "0.3", "0.5"), "brightness": ("0.1", "0.3", "0.5")}
"""What the images of a model without augmentation are seen through, to measure what augmentation alone does to distances."""
_IMAGES, _BATCH = 1000, 100
_ROWS, _CLASSES = 6, 12


def cells(
    quick: bool,
    *,
    experiment: str = "",
    augmentations: str = "",
    strengths: str = "",
    modes: str = "",
    seeds: str = "0",
    steps: str = "",
) -> dict[str, experiments.Experiment]:
    """`<preset>/<mode>[/<augmentation>/<strength>]/seed_<i>` -> its experiment; the options are lists with commas between their items.

    quick: a small network and few steps on the built-in dataset, two augmentations at three strengths. ValueError for an unknown name, with those
    that there are.
    """
    given = {"augmentations": augmentations, "strengths": strengths}
    asked = {key: _items(value or (_QUICK[key] if quick else "")) for key, value in given.items()}
    asked["augmentations"] = asked["augmentations"] or list(augmenting.AUGMENTATIONS)
    pairs = [(a, level) for a in asked["augmentations"] for level in augmenting.levels(a, asked["strengths"])]
    base = _base(quick, experiment)
    place = "quick" if quick and not experiment else (experiment or _PRESET).replace("/", "-")
    if steps:
        base.training.steps = _count("steps", steps)
    found = {}
    for seed, mode in itertools.product(_items(seeds), _items(modes or _MODES)):
        for augmentation, strength in pairs if augmenting.mode(mode).graded else [("", "")]:
            made = augmenting.changed(base, mode, augmenting.build(augmentation, strength) if augmentation else None)
            made.seed = _count("seeds", seed)
            found[augmenting.Cell(place, mode, augmentation, strength, made.seed).name] = made
    return found


def _base(quick: bool, preset: str) -> experiments.Experiment:
    """The preset, judged for leaks too; what it does to collapsed samples is taken off, since a collapse is a result here."""
    made = registry.experiment(preset or (_QUICK_PRESET if quick else _PRESET))
    if not hasattr(made.model, "augmentations"):
        raise ValueError(f"{preset} has no model.augmentations: its algorithm is its own. Choose a preset of sndcgan, biggan, sngan or the like.")
    if made.model.augmentations or any(t.augmentations for t in made.model.terms):
        raise ValueError(f"{preset} augments already. Choose a preset that does not, such as {_PRESET}, and let --modes and --augmentations add it.")
    if quick and not preset:
        made.training.steps = _QUICK_STEPS
        made.checkpointing, made.logging = experiments.Checkpointing(every_steps=_QUICK_STEPS), experiments.Logging(samples_every_steps=0)
        made.evaluation = experiments.Evaluation(metrics=("fid",), samples=2000, reference_samples=4000)
    made.evaluation.metrics = tuple(dict.fromkeys((*made.evaluation.metrics, _LEAK)))
    made.health = dataclasses.replace(made.health, saturation=float("inf"), min_diversity=0.0)
    return made


def _items(text: str) -> list[str]:
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _count(flag: str, text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"--{flag} takes whole numbers, not negative. Received: {text!r}.")
    return int(text)


def measure(name: str, model: Any, restore: Callable[[int], Any]) -> dict[str, np.ndarray]:
    """The `grid` of the finished `model`, uint8 [h, w, c], with a column for each of 12 classes at most, and the name of its `dataset`."""
    classes = range(0, model.data.num_classes, -(-model.data.num_classes // _CLASSES)) if "label" in model.condition_keys else ()
    return {"grid": sampling.grid(model, rows=_ROWS, seed=0, classes=tuple(classes)), "dataset": np.array(model.data.name)}


def compare(name: str, model: Any, by: Any) -> dict[str, np.ndarray]:
    """`distance/<augmentation>/<strength>`: Frechet distance in the features of `by`, an `evaluation.Evaluator` whose reference keeps its images,
    between 1,000 augmented real images and as many generated ones, augmented alike.

    Of a cell, under its own augmentation; of one without, under `_FIXED`: what augmentation does to the distance of fixed distributions.
    """
    cell = augmenting.Cell.of(name)
    found = {}
    real, fake = list(_real_images(by.reference.images)), list(_fake_images(model))
    for augmentation, strengths in ({cell.augmentation: (cell.strength,)} if cell.augmentation else _FIXED).items():
        for strength in strengths:
            changed = augmenting.build(augmentation, strength)
            numbers = random.Stream(0, augmentation)
            moments = [_moments(images, changed, numbers.fold(side), by.extractor) for side, images in (("real", real), ("fake", fake))]
            found[f"distance/{augmentation}/{strength}"] = np.array(frechet.frechet_distance(*moments))
    return found


def _moments(batches, augmentation: policy.Augmentation, numbers: random.Stream, extractor: Any) -> frechet.Moments:
    state = policy.State(progress=tf.zeros([]), probability=tf.zeros([]))
    views = (augmentation({"image": tf.constant(images)}, numbers.fold(i), state)["image"] for i, images in enumerate(batches))
    return frechet.Moments.of(extractor(view)["features"] for view in views)


def _real_images(images: np.ndarray):
    """Batches of 1,000 of the uint8 images, drawn once and for all, in [-1, 1]."""
    rows = np.random.RandomState(0).permutation(len(images))[:_IMAGES]
    for start in range(0, len(rows), _BATCH):
        yield images[rows[start : start + _BATCH]].astype(np.float32) / 127.5 - 1.0


def _fake_images(model: Any):
    for batch in sampling.samples(model, _IMAGES, batch_size=_BATCH, seed=0):
        yield batch["image"]


def report(outcomes: Mapping[str, outcome.Outcome], command: str, folder: str) -> dict[str, bytes | str]:
    """The page (under the empty name) and its figures by file name; `folder`: where they will lie, as the page refers to them."""
    return augmentation_page.write({augmenting.Cell.of(name): found for name, found in outcomes.items()}, command, folder)
