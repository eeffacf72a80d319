"""Pictures of what an augmentation does as it grows stronger, and of the ways of using it side by side."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import figure

_COLUMNS = 4
_PANEL = (3.1, 2.5)
_DPI = 90


class Panel(NamedTuple):
    """One pair of axes over strength."""

    title: str
    label: str
    """Of the vertical axis."""
    lines: Mapping[str, Sequence[tuple[float, float]]]
    """Name -> [(strength, value)]."""
    level: float | None = None
    """What is without augmentation, a dashed line."""


def curves(panels: Sequence[Panel], order: Sequence[str], columns: int = _COLUMNS) -> bytes:
    """PNG: the panels row by row; a line has the colour of its place in `order` in all of them."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    drawing = figure.Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.4), layout="constrained")
    grid = drawing.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    handles = {}
    for axes, panel in zip(grid, panels, strict=False):
        for name, points in panel.lines.items():
            handles[name] = axes.plot(*zip(*sorted(points), strict=True), marker="o", markersize=3, color=_color(name, order))[0]
        if panel.level is not None:
            handles["without"] = axes.axhline(panel.level, color="0.3", linestyle="--", linewidth=1)
        axes.set_title(panel.title, fontsize=9)
        axes.set_xlabel("strength", fontsize=8)
        axes.set_ylabel(panel.label, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    drawing.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=max(1, len(handles)), fontsize=8)
    return _png(drawing)


def bars(groups: Mapping[str, Mapping[str, float]], order: Sequence[str], label: str, level: float | None = None) -> bytes:
    """PNG: for each group a bar for each of its names, coloured by the place in `order`; `level`: a dashed line."""
    shown = [name for name in order if any(name in group for group in groups.values())]
    width = 0.8 / max(1, len(shown))
    drawing = figure.Figure(figsize=(max(4.5, 1.0 + 0.32 * len(groups) * (len(shown) + 1)), 3.2), layout="constrained")
    axes = drawing.add_subplot()
    for i, name in enumerate(shown):
        places = [(g + (i - (len(shown) - 1) / 2) * width, group[name]) for g, group in enumerate(groups.values()) if name in group]
        axes.bar(*zip(*places, strict=True), width, color=_color(name, order), label=name)
    if level is not None:
        axes.axhline(level, color="0.3", linestyle="--", linewidth=1, label="without")
    axes.set_xticks(range(len(groups)), groups, fontsize=8, rotation=30 if len(groups) > 4 else 0)
    axes.set_ylabel(label, fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    axes.grid(alpha=0.3, axis="y")
    axes.legend(fontsize=7)
    return _png(drawing)


def heat_map(values: Mapping[tuple[str, str], float], names: tuple[str, str], label: str) -> bytes:
    """PNG: a field for each pair of strengths (rows: the first augmentation's), its value written in it."""
    rows, columns = (sorted({pair[i] for pair in values}, key=float) for i in (0, 1))
    field = np.array([[values.get((row, column), np.nan) for column in columns] for row in rows])
    drawing = figure.Figure(figsize=(1.8 + 0.7 * len(columns), 1.4 + 0.55 * len(rows)), layout="constrained")
    axes = drawing.add_subplot()
    drawing.colorbar(axes.imshow(field, cmap="viridis_r", aspect="auto"), label=label)
    for i, j in np.argwhere(np.isfinite(field)):
        axes.text(j, i, f"{field[i, j]:.3g}", ha="center", va="center", fontsize=8, color="white", fontweight="bold")
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xticks(range(len(columns)), columns, fontsize=8)
    axes.set_ylabel(f"strength of {names[0]}", fontsize=8)
    axes.set_xlabel(f"strength of {names[1]}", fontsize=8)
    return _png(drawing)


def _color(name: str, order: Sequence[str]) -> str:
    return f"C{list(order).index(name) % 10}"


def _png(drawing: figure.Figure) -> bytes:
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
