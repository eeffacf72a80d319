"""The page of the study of augmentations: its table, and the figures of Zhao et al. 2020, arXiv:2006.02595."""

from collections.abc import Mapping

import numpy as np

from tfgan_suite.core import picture
from tfgan_suite.studies import augmentation_results, augmenting, outcome, published, strength

_LEAKS = {"leak_color": "colour", "leak_black": "black", "leak_reflection": "mirrored"}
"""Score -> how the page calls it."""
_SCORES = {
    "is": ("IS", "{:.2f}"),
    "is_proxy": ("inception score", "{:.2f}"),
    "leak_color": ("colour", "{:.2f}"),
    "leak_black": ("black", "{:.2%}"),
    "leak_reflection": ("mirrored", "{:.3f}"),
    "distance": ("distance", "{:.2f}"),
}
"""Score -> (heading, how it is written), after the distance to the real images. A page shows those that it has."""

_LEGEND = (
    "*FID* is in the features of the 2015 Inception network, *Frechet* in those of another. Leaks compare samples with real images, "
    "0 is none: *colour*, how far the images' mean values lie apart, in deviations of the real ones, mean over channels; *black*, share of pixels in "
    "black rectangles, less that of real images; *mirrored*, agreement of border strips with their mirror images, less that of real images. A bad "
    "generator has some of each: read them against the row without augmentation. *distance*: Frechet distance of 1,000 augmented real and as many "
    "augmented generated images, both under the row's augmentation. A strength `0.4-0` was annealed linearly; `0.3+0.1` belongs to two augmentations."
)

Cells = Mapping[augmenting.Cell, outcome.Outcome]


def write(cells: Cells, command: str, folder: str) -> dict[str, bytes | str]:
    """The page (under the empty name) and its figures by file name; `folder`: where they will lie, as the page refers to them."""
    lines = ["# Augmentations", "", f"Written by `{command}`.", "", _about(cells), "", _LEGEND]
    files: dict[str, bytes | str] = {}
    for place in dict.fromkeys(cell.place for cell in cells):
        results = augmentation_results.Results({cell: found for cell, found in cells.items() if cell.place == place})
        lines += ["", f"## {place}{f' on {results.dataset}' if results.dataset else ''}", "", *_table(results, place), *_problems(results)]
        held = augmentation_results.findings(results)
        lines += ["", "What the paper finds, and how often it is so here (differences of one run each may be chance):", "", *held] if held else []
        for name, (title, content) in _figures(results).items():
            files[f"{place}-{name}.png"] = content
            lines += ["", f"{title}:", "", f"![{title}]({folder}/{place}-{name}.png)"]
    return files | {"": "\n".join(lines) + "\n"}


def _about(cells: Cells) -> str:
    record = next((score.protocol for o in cells.values() for score in o.scores.values()), None)
    judged = "no run has finished"
    if record:
        seeds = sorted({cell.seed for cell in cells})
        runs = f"seeds {', '.join(map(str, seeds))}, mean ± deviation" if len(seeds) > 1 else f"one run each, seed {seeds[0]}"
        real = f"{record.num_real:,} real ones of the split {record.split!r}"
        judged = f"{record.step:,} steps, {runs}; {record.num_fake:,} samples against {real}, features of `{record.backbone}`"
    return f"Rows of a table differ in the augmentation and in how it is used alone: {judged}."


def _table(results: augmentation_results.Results, place: str) -> list[str]:
    variant = place.partition("-")[0]
    rows = list(dict.fromkeys((cell.mode, cell.augmentation, cell.strength) for cell in results.cells))
    shown = {key: c for key, c in _SCORES.items() if any(results.of(key, *row) for row in rows)}
    papers = {row: published.fid(variant, results.dataset, *row) for row in rows}
    compared = any(papers.values())
    head = ["used", "augmentation", "strength", results.heading, *(heading for heading, _ in shown.values())]
    head += [*(["published FID"] if compared else []), "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|" + "---:|" * (len(head) - 3)]
    for row in rows:
        figures = [_spread(results.of(results.fid, *row), "{:.2f}"), *(_spread(results.of(key, *row), form) for key, (_, form) in shown.items())]
        figures += [papers[row]] if compared else []
        seconds = [found.seconds for cell, found in results.cells.items() if (cell.mode, cell.augmentation, cell.strength) == row]
        lines.append("| " + " | ".join([augmenting.MODES[row[0]].title, *row[1:], *figures, f"{np.mean(seconds):.0f}"]) + " |")
    return [*lines, "", published.ABOUT] if compared else lines


def _spread(values: list[float], form: str) -> str:
    if not values:
        return ""
    return form.format(np.mean(values)) + (f" ± {form.format(np.std(values, ddof=1))}" if len(values) > 1 else "")


def _problems(results: augmentation_results.Results) -> list[str]:
    failed = [f"- `{cell.name}`: {found.problem}" for cell, found in results.cells.items() if found.problem]
    return ["", "Stopped before the last step:", "", *failed] if failed else []


def _figures(results: augmentation_results.Results) -> dict[str, tuple[str, bytes]]:
    """Name -> (title, PNG) of every figure that the grid has cells for."""
    graded = [mode for mode in results.modes if augmenting.MODES[mode].graded]
    baseline = results.mean(results.fid, "baseline")
    order = [augmenting.MODES[mode].title for mode in augmenting.MODES]
    found = {}
    panels = [_panel(results, a, results.fid, results.heading, graded, baseline) for a in results.augmentations]
    if any(panel.lines for panel in panels):
        found["strengths"] = (f"{results.heading} against strength", strength.curves([p for p in panels if p.lines], order))
    groups = {a: {m: results.best(m, a) for m in graded} for a in results.augmentations}
    groups |= {"without strength": {m: results.mean(results.fid, m) for m in results.modes if m not in graded and m != "baseline"}}
    if bars := _bars(groups):
        found["modes"] = (f"{results.heading} at the best strength", strength.bars(bars, order, results.heading, baseline))
    panels = [_panel(results, a, "distance", "distance", ["baseline", *graded], None) for a in results.augmentations]
    if any(panel.lines for panel in panels):
        title = "Distance between augmented real and augmented generated images against strength"
        found["distances"] = (title, strength.curves([p for p in panels if p.lines], order))
    panels = [_leak_panel(results, a, key, graded) for a in results.augmentations for key in _LEAKS]
    if any(panel.lines for panel in panels):
        found["leaks"] = ("Leaks against strength", strength.curves([p for p in panels if p.lines], order, columns=len(_LEAKS)))
    return found | _annealing(results, graded) | _heat_maps(results, graded) | _samples(results)


def _panel(results, augmentation: str, key: str, label: str, modes: list[str], level: float | None) -> strength.Panel:
    lines = {augmenting.MODES[mode].title: results.curve(key, mode, augmentation) for mode in modes}
    return strength.Panel(augmentation, label, {name: points for name, points in lines.items() if points}, level)


def _leak_panel(results, augmentation: str, key: str, modes: list[str]) -> strength.Panel:
    """Of a colour, the channel that the augmentation shifts, where it is one."""
    kind = augmenting.AUGMENTATIONS.get(augmentation)
    own = kind.signature if kind and kind.signature.startswith(key) else key
    channel = own.removeprefix(key).replace("_", " ")
    return _panel(results, augmentation, own, _LEAKS[key] + channel, modes, results.mean(own, "baseline"))


def _bars(groups: Mapping[str, Mapping[str, float | None]]) -> dict[str, dict[str, float]]:
    """Of modes by their titles; without the bars and the groups that there are none of."""
    kept = {name: {augmenting.MODES[m].title: v for m, v in group.items() if v is not None} for name, group in groups.items()}
    return {name: group for name, group in kept.items() if group}


def _annealing(results: augmentation_results.Results, graded: list[str]) -> dict[str, tuple[str, bytes]]:
    """Annealed cells beside those that stay at the strength they begin with."""
    groups: dict[str, dict[str, float]] = {}
    for cell in results.finished:
        if "-" not in cell.strength or "+" in cell.strength:
            continue
        start = cell.strength.partition("-")[0]
        for level, how in ((start, "steady"), (cell.strength, "annealed")):
            value = results.mean(results.fid, cell.mode, cell.augmentation, level)
            if value is not None:
                group = groups.setdefault(f"{cell.augmentation} {cell.strength}", {})
                group[f"{augmenting.MODES[cell.mode].title}, {how}"] = value
    order = [f"{augmenting.MODES[mode].title}, {how}" for mode in graded for how in ("steady", "annealed")]
    if not groups:
        return {}
    drawn = strength.bars(groups, order, results.heading, results.mean(results.fid, "baseline"))
    return {"annealing": (f"{results.heading} with strength annealed, and steady at its start", drawn)}


def _heat_maps(results: augmentation_results.Results, graded: list[str]) -> dict[str, tuple[str, bytes]]:
    """One for each mode and pair of augmentations, over steady strengths."""
    found = {}
    for mode in graded:
        for augmentation in results.augmentations:
            names = tuple(augmentation.split("+"))
            mine = [cell for cell in results.finished if (cell.mode, cell.augmentation) == (mode, augmentation)]
            levels = {cell.strength for cell in mine if "-" not in cell.strength}
            if len(names) == 2 and levels:
                values = {tuple(level.split("+")): results.mean(results.fid, mode, augmentation, level) for level in levels}
                title = f"{results.heading} of {augmentation}, {augmenting.MODES[mode].title}"
                found[f"{mode}-{'-'.join(names)}"] = (title, strength.heat_map(values, names, results.heading))
    return found


def _samples(results: augmentation_results.Results) -> dict[str, tuple[str, bytes]]:
    """The first seed's grids: of every cell without strength, and of each augmentation and mode at its strongest."""
    found = {}
    first = min((cell.seed for cell in results.finished), default=0)
    for cell, o in results.finished.items():
        if cell.seed == first and cell.strength in ["", *results.strengths(cell.augmentation)[-1:]]:
            name = "-".join(filter(None, ("samples", cell.mode, cell.augmentation)))
            what = f" of {cell.augmentation} at {cell.strength}" if cell.augmentation else ""
            found[name] = (f"Samples{what}, {augmenting.MODES[cell.mode].title}", picture.png(o.arrays["grid"]))
    return found
