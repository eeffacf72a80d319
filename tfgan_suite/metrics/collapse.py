"""The metrics of mode collapse as an `evaluation.Evaluator` asks for them: {name of the result: the fields of its `catalog.Result`}."""

from typing import Any

import numpy as np

from tfgan_suite.metrics import mode_score, ms_ssim, sliced_wasserstein
from tfgan_suite.metrics import modes as coverage

Figures = dict[str, dict[str, Any]]


def modes(evaluator: Any, fake: Any) -> Figures:
    """The modes of a toy distribution that the points lie in, and how. `reverse_kl` and `std_ratio` only if any point is of high quality."""
    mixture = evaluator.reference.spec.mixture
    found = coverage.coverage(fake.features, np.asarray(mixture.centers), mixture.deviation)
    figures: Figures = {name: {"value": value} for name, value in found.figures().items()}
    figures["modes"]["details"] = {"missing": found.missing}
    return figures


def class_modes(evaluator: Any, fake: Any) -> Figures:
    """The classes that occur, and how far their frequencies are from equal ones."""
    counts = np.bincount(fake.probabilities.argmax(1), minlength=fake.probabilities.shape[1])
    missing = np.flatnonzero(counts == 0).tolist()
    return {
        "class_modes": {"value": float((counts > 0).sum()), "details": {"missing": missing}},
        "class_reverse_kl": {"value": coverage.kl_to_uniform(counts)},
    }


def mode_scores(evaluator: Any, fake: Any) -> Figures:
    """Both formulas that are called MODE score."""
    formulas = {"mode_score": mode_score.mode_score, "mode_score_che": mode_score.mode_score_che}
    return {name: {"value": formula(fake.probabilities, evaluator.reference.classes)} for name, formula in formulas.items()}


def similarities(evaluator: Any, fake: Any) -> Figures:
    """MS-SSIM within the classes of the generated images, and of the real ones; over all pairs where either set has no labels."""
    real = evaluator.reference
    labelled = len(real.labels) and len(fake.labels)
    figures: Figures = {}
    for name, images, labels in (("ms_ssim", fake.images, fake.labels), ("ms_ssim_real", real.images, real.labels)):
        labels = labels if labelled else np.zeros(len(images), np.int32)
        value, pairs = ms_ssim.mean_similarity(images, labels, pairs=evaluator.pairs, seed=evaluator.seed)
        figures[name] = {"value": value, "record": {"pairs": pairs}}
    return figures


def sliced_distances(evaluator: Any, fake: Any) -> Figures:
    """Sliced Wasserstein distances, times 1000 as they are published."""
    found = sliced_wasserstein.distances(evaluator.reference.images, fake.images, seed=evaluator.seed)
    return {name: {"value": 1e3 * value, "unit": "x10^3"} for name, value in found.items()}
