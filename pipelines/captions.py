"""The sentences of `captioned_shapes`: several wordings of what is in a picture, every one true of it. It needs numpy alone."""

import numpy as np

from pipelines import backdrops, shape_scenes

COUNT = 5
"""Captions of one image."""

_STUDIO = (
    "{a_color} {shape}",
    "a picture of {a_color} {shape}",
    "an image with one {color} {shape}",
    "a {shape} that is {color}",
    "there is {a_color} {shape} in this picture",
    "the object is a {shape} and its color is {color}",
    "the {shape} in the picture is {color}",
    "this {shape} is {color}",
    "here we see {a_color} {shape}",
    "one {shape}, colored {color}",
    "a single {color} {shape} on a plain floor",
    "{a_color} {shape} casts a soft shadow",
)
_SCENES = (
    "a {size} {color} {shape} {place}",
    "a picture of a {size} {color} {shape} {place}",
    "an image with one {size} {color} {shape} {place}",
    "{place} there is a {size} {color} {shape}",
    "there is a {size} {color} {shape} {place}",
    "there is a {size} {shape} {place} and its color is {color}",
    "the {color} {shape} {place} is {size}",
    "the {shape} {place} is {size} and {color}",
    "this {size} {shape} {place} is {color}",
    "{place} we see a {size} {shape}, colored {color}",
    "a {floor} floor with a {size} {color} {shape} {place}",
    "{place} a {size} {color} {shape} rests on a {floor} floor",
)
_PLACES = {
    "center": ("in the center", "in the middle"),
    "top left": ("in the top left corner", "at the top left"),
    "top right": ("in the top right corner", "at the top right"),
    "bottom left": ("in the bottom left corner", "at the bottom left"),
    "bottom right": ("in the bottom right corner", "at the bottom right"),
}
_FLOORS = {"gradient": "plain", "checker": "checkered", "noise": "mottled"}
_VOWELS = tuple("aeiou")


def describe(kind: str, split: str, indices: np.ndarray) -> list[list[str]]:
    """`COUNT` captions, all worded differently, for each of the examples `indices` int [b].

    All name shape and color. Those of `scenes` also name size and position; those of `studio`, where these never vary, do not.
    """
    facts, draws = shape_scenes.labels(kind, split, indices), shape_scenes.Draws(kind, split, indices)
    patterns = _STUDIO if kind == "studio" else _SCENES
    order = np.argsort(draws.uniform("captions/order", count=len(patterns)), axis=1, kind="stable")[:, :COUNT]
    places = (draws.uniform("captions/place", count=COUNT) * 2).astype(np.int64)
    colors = tuple(shape_scenes.COLORS)
    captions = []
    for i in range(len(order)):
        color = colors[facts.color[i]]
        words = {
            "shape": shape_scenes.SHAPES[facts.shape[i]],
            "color": color,
            "a_color": f"{'an' if color.startswith(_VOWELS) else 'a'} {color}",
            "size": shape_scenes.SIZES[facts.size[i]],
            "floor": _FLOORS[backdrops.KINDS[facts.backdrop[i]]],
        }
        place = _PLACES[shape_scenes.POSITIONS[facts.position[i]]]
        captions.append([patterns[order[i, j]].format(place=place[places[i, j]], **words) for j in range(COUNT)])
    return captions
