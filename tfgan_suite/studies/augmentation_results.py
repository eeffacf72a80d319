"""The figures of a grid of augmentations, looked up by cell and averaged over seeds, and whether the findings of Zhao et al. 2020 hold in them."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from tfgan_suite.studies import augmenting, outcome


class Results:
    """The cells of one preset."""

    def __init__(self, cells: Mapping[augmenting.Cell, outcome.Outcome]):
        self.cells = cells
        self.finished = {cell: found for cell, found in cells.items() if not found.problem}
        published = any("fid" in found.scores for found in self.finished.values())
        self.fid, self.heading = ("fid", "FID") if published else ("fid_proxy", "Frechet")
        self.modes = [mode for mode in augmenting.MODES if any(cell.mode == mode for cell in cells)]
        self.augmentations = list(dict.fromkeys(cell.augmentation for cell in cells if cell.augmentation))
        self.dataset = next((str(found.arrays["dataset"]) for found in self.finished.values()), "")

    def of(self, key: str, mode: str, augmentation: str = "", strength: str = "") -> list[float]:
        """A score's values, one per seed that has it; `distance`: under the augmentation named, which may be another than the cell's."""
        found = []
        for cell, o in self.finished.items():
            mine = (cell.augmentation, cell.strength) if augmenting.MODES[cell.mode].graded else (augmentation, strength)
            if cell.mode == mode and mine == (augmentation, strength):
                if key == "distance":
                    found += [float(o.arrays[name]) for name in [f"distance/{augmentation}/{strength}"] if name in o.arrays]
                elif key in o.scores:
                    found.append(o.scores[key].value)
        return found

    def mean(self, key: str, mode: str, augmentation: str = "", strength: str = "") -> float | None:
        """Over seeds; None where no seed has finished."""
        found = self.of(key, mode, augmentation, strength)
        return float(np.mean(found)) if found else None

    def strengths(self, augmentation: str) -> list[str]:
        """The steady strengths of one augmentation that cells have, ascending."""
        return _steady(cell.strength for cell in self.finished if cell.augmentation == augmentation)

    def curve(self, key: str, mode: str, augmentation: str) -> list[tuple[float, float]]:
        """[(steady strength, mean)]; of `distance` also at strengths that no cell was trained at."""
        measured = [name.split("/") for o in self.finished.values() for name in o.arrays if name.startswith(f"distance/{augmentation}/")]
        strengths = _steady([*self.strengths(augmentation), *(s for *_, s in measured)])
        found = [(float(s), self.mean(key, mode, augmentation, s)) for s in strengths] if augmentation in augmenting.AUGMENTATIONS else []
        return [(x, y) for x, y in found if y is not None]

    def best(self, mode: str, augmentation: str) -> float | None:
        """The lowest mean distance to the real images over steady strengths."""
        return min((y for _, y in self.curve(self.fid, mode, augmentation)), default=None)


def _steady(strengths: Iterable[str]) -> list[str]:
    return sorted({s for s in strengths if augmenting.strength_number(s) is not None}, key=float)


def findings(results: Results) -> list[str]:
    """A line per finding of the paper that the grid can speak to: in how many of the cells it holds."""
    every = [(a, s) for a in results.augmentations for s in results.strengths(a)]
    baseline = results.mean(results.fid, "baseline")

    def fid(mode):
        return lambda a, s: results.mean(results.fid, mode, a, s)

    def leak(mode):
        return lambda a, s: results.mean(augmenting.AUGMENTATIONS[a].signature, mode, a, s)

    lines = [
        _count("Augmenting real images alone is worse than not augmenting", every, lambda *c: baseline, fid("real_only")),
        _count(
            "Samples then bear more of the augmentation's signature than with real and fake augmented",
            every,
            leak("real_and_fake"),
            leak("real_only"),
        ),
        _count("Augmenting real and fake is better than not augmenting", every, fid("real_and_fake"), lambda *c: baseline),
        _count("bCR is better than augmenting real and fake", every, fid("bcr"), fid("real_and_fake")),
        _count("bCR is better than not augmenting", every, fid("bcr"), lambda *c: baseline),
        _count("bCR and Cntr are better than bCR", every, fid("cntr"), fid("bcr")),
    ]
    noises = [(a, s) for a, s in every if a == "instance_noise"]
    lines.append(_count("Instance noise on real and fake is worse than not augmenting", noises, lambda *c: baseline, fid("real_and_fake")))
    for mode in ("real_and_fake", "bcr"):
        lines.append(_spatial_first(results, mode))
    fixed = [(a, *pair) for a in results.augmentations for pair in _neighbours(results.curve("distance", "baseline", a))]
    falling = "The distance between augmented real and augmented fake images of the model without augmentation falls with strength"
    lines.append(_count(falling, fixed, lambda a, low, high: high, lambda a, low, high: low))
    return [line for line in lines if line]


def _count(claim: str, cells: Iterable[tuple], lower: Callable, higher: Callable) -> str:
    """In how many cells `lower` is below `higher`; empty where no cell has both."""
    pairs = [(lower(*cell), higher(*cell)) for cell in cells]
    pairs = [pair for pair in pairs if None not in pair]
    return f"- {claim}: in {sum(low < high for low, high in pairs)} of {len(pairs)} cases." if pairs else ""


def _spatial_first(results: Results, mode: str) -> str:
    """Whether each spatial augmentation at its best is better than each visual one."""
    best = {a: results.best(mode, a) for a in results.augmentations if a in augmenting.AUGMENTATIONS}
    best = {a: value for a, value in best.items() if value is not None}
    family = {a: augmenting.AUGMENTATIONS[a].family for a in best}
    cases = [(a, b) for a in best for b in best if (family[a], family[b]) == ("spatial", "visual")]
    title = augmenting.MODES[mode].title
    return _count(f"Spatial augmentations at their best are better than visual ones ({title})", cases, lambda a, b: best[a], lambda a, b: best[b])


def _neighbours(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The values at each strength and the next."""
    return [(a[1], b[1]) for a, b in zip(points, points[1:], strict=False)]
