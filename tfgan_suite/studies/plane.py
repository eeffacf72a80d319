"""A GAN of the plane as a picture: where its points lie, what its discriminator says of every place, and where the generator is pushed."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib import figure

_POINTS = 1000
_VALUES, _ARROWS = 80, 15  # places along each axis
_MARGIN = 0.25
_INCHES, _DPI = 1.7, 80


def snapshot(model: Any, seed: int = 0) -> dict[str, np.ndarray]:
    """`points` [1000, 2] of the averaged generator, `logits` [80, 80] of the discriminator, `field` [15, 15, 2], and the `frame` (low, high) they lie
    in: the range of the data and a quarter of it more on every side. Rows of the grids are the second coordinate.
    """
    image = model.data.features["image"]
    margin = _MARGIN * (image.high - image.low)
    low, high = image.low - margin, image.high + margin
    latents = tf.random.stateless_normal([_POINTS, model.config.latent_size], [seed, 1])
    rows = tf.split(_places(low, high, _VALUES), _VALUES)  # row by row: minibatch discrimination compares the points of a pass with each other
    return {
        "points": model.sample(latents, {}).numpy().reshape(_POINTS, 2),
        "logits": np.stack([model.score({"image": row})["logits"].numpy() for row in rows]),
        "field": field(model, _places(low, high, _ARROWS)).numpy().reshape(_ARROWS, _ARROWS, 2),
        "frame": np.array([low, high]),
    }


def field(model: Any, places: tf.Tensor) -> tf.Tensor:
    """Where a generated point at each of `places` [n, 1, 2, 1] is pushed: minus the gradient of the generator's loss on that point alone.

    For objectives whose generator's loss is a mean over the fake scores; a term that asks more of the step cannot be drawn so.
    """
    with tf.GradientTape() as tape:
        tape.watch(places)
        view = {"image": places}
        scores = {"fake": model.score(view)}
        loss = tf.add_n([term.generator_loss({"fake": view}, scores, None) for term in model.config.terms])
    return -tape.gradient(loss, places) * places.shape[0]


def training(rows: Mapping[str, Sequence[tuple[int, Mapping[str, np.ndarray]]]], centers: np.ndarray) -> bytes:
    """PNG: a row of panels per entry, a column per snapshot (step, arrays): level sets, field, and points, over the true `centers` [k, 2]."""
    columns = max(map(len, rows.values()))
    drawing = figure.Figure(figsize=(_INCHES * columns + 0.3, _INCHES * len(rows) + 0.3), layout="constrained")
    panels = drawing.subplots(len(rows), columns, squeeze=False)
    for row, (name, snapshots) in zip(panels, rows.items(), strict=True):
        for axes in row:
            axes.set_axis_off()
        for axes, (step, arrays) in zip(row, snapshots, strict=False):
            _panel(axes, arrays, centers)
            axes.set_title(f"{name}\nstep {step}" if axes is row[0] else f"step {step}", fontsize=6)
    return _png(drawing)


def overview(cells: Mapping[str, Mapping[str, np.ndarray]], centers: np.ndarray, columns: int = 7) -> bytes:
    """PNG: one panel for the last snapshot of every cell."""
    columns = min(columns, len(cells))
    lines = -(-len(cells) // columns)
    drawing = figure.Figure(figsize=(_INCHES * columns, _INCHES * lines), layout="constrained")
    panels = drawing.subplots(lines, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (name, arrays) in zip(panels, cells.items(), strict=False):
        _panel(axes, arrays, centers)
        axes.set_title(name, fontsize=6)
    return _png(drawing)


def _places(low: float, high: float, count: int) -> tf.Tensor:
    """A square grid of points [count^2, 1, 2, 1]."""
    axis = np.linspace(low, high, count, dtype=np.float32)
    return tf.constant(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 1, 2, 1))


def _panel(axes, arrays: Mapping[str, np.ndarray], centers: np.ndarray) -> None:
    low, high = arrays["frame"]
    values, places = np.linspace(low, high, len(arrays["logits"])), np.linspace(low, high, len(arrays["field"]))
    logits = np.nan_to_num(arrays["logits"].astype(np.float64), posinf=0.0, neginf=0.0)
    if np.ptp(logits) > 0:  # a constant has no level sets
        axes.contourf(values, values, logits, levels=8, cmap="PuOr", alpha=0.6)
    directions = np.nan_to_num(arrays["field"].astype(np.float64), posinf=0.0, neginf=0.0)
    shown = directions / max(np.linalg.norm(directions, axis=-1).max(), 1e-30)
    axes.quiver(places, places, shown[..., 0], shown[..., 1], color="0.35", width=0.006, scale=12.0)
    axes.plot(*arrays["points"].T, ".", color="tab:red", markersize=1.2)
    axes.plot(*centers.T, "x", color="black", markersize=3, markeredgewidth=0.6)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")


def _png(drawing: figure.Figure) -> bytes:
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
