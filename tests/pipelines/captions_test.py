import re

import numpy as np
import pytest

from pipelines import backdrops, captions, shape_scenes

INDICES = np.arange(0, 20_000, 19)
POSITION_WORDS = {"top", "bottom", "left", "right", "center", "middle", "corner"}


@pytest.fixture(params=shape_scenes.KINDS)
def described(request):
    """The kind, the facts and the captions of a thousand images."""
    return request.param, shape_scenes.labels(request.param, "train", INDICES), captions.describe(request.param, "train", INDICES)


def test_every_caption_names_the_shape_and_the_color_and_no_other(described):
    _, facts, texts = described
    for shape, color, sentences in zip(facts.shape, facts.color, texts, strict=True):
        for sentence in sentences:
            words = set(re.findall(r"\w+", sentence))
            assert words & set(shape_scenes.SHAPES) == {shape_scenes.SHAPES[shape]}
            assert words & set(shape_scenes.COLORS) == {tuple(shape_scenes.COLORS)[color]}


def test_captions_of_scenes_tell_size_and_position_and_those_of_the_studio_neither(described):
    kind, facts, texts = described
    for size, position, sentences in zip(facts.size, facts.position, texts, strict=True):
        name = shape_scenes.POSITIONS[position]
        for sentence in sentences:
            words = set(re.findall(r"\w+", sentence))
            sizes, places = words & set(shape_scenes.SIZES), words & POSITION_WORDS - {"corner"}
            if kind == "studio":
                assert not sizes and not places
            else:
                assert sizes == {shape_scenes.SIZES[size]}
                assert places == set(name.split()) or (name == "center" and places == {"middle"})


def test_a_floor_that_is_named_is_the_floor_that_is_seen(described):
    kind, facts, texts = described
    names = {"gradient": "plain", "checker": "checkered", "noise": "mottled"}
    seen = set()
    for backdrop, sentences in zip(facts.backdrop, texts, strict=True):
        for sentence in sentences:
            named = re.findall(r"(\w+) floor", sentence)
            assert named in ([], [names[backdrops.KINDS[backdrop]]])
            seen.update(named)
    assert seen == ({"plain"} if kind == "studio" else set(names.values()))


def test_articles_fit_the_word_that_follows(described):
    _, _, texts = described
    for sentence in (sentence for sentences in texts for sentence in sentences):
        for article, word in re.findall(r"\b(an?) (\w+)", sentence):
            assert (article == "an") == (word[0] in "aeiou"), sentence


def test_the_captions_of_an_image_are_five_and_worded_differently(described):
    _, _, texts = described
    assert all(len(set(sentences)) == captions.COUNT == 5 for sentences in texts)


def test_captions_are_a_function_of_the_index(described):
    kind, _, texts = described
    assert captions.describe(kind, "train", INDICES[7:8]) == texts[7:8]
