import json

import analysed
import numpy as np
import pytest
from PIL import Image

from tfgan_suite.analysis import neighbours


def features(images):
    """The means of quarters, by NumPy, of images rounded to 8 bits."""
    pixels = np.clip(np.floor((images + 1.0) * 127.5 + 0.5), 0, 255) / 255.0
    return pixels.reshape(-1, 2, 4, 2, 4, 3).mean((2, 4)).reshape(-1, 12)


def test_the_nearest_are_those_of_all_distances_and_their_images_are_shown(tmp_path):
    judge = analysed.judge(tmp_path)
    queries = judge.data.splits["test"]["image"][:5]
    distances, images = neighbours.nearest(judge, queries, 3, 2)
    train = judge.data.splits["train"]["image"]
    every = np.linalg.norm(features(queries)[:, None] - features(train)[None], axis=-1)
    order = np.argsort(every, axis=1)[:, :3]
    np.testing.assert_allclose(distances, np.take_along_axis(every, order, 1), atol=1e-5)
    assert len(images) == 2
    for i in range(2):
        np.testing.assert_array_equal(images[i], train[order[i]])


def test_a_copy_of_a_training_image_is_at_distance_nothing(tmp_path):
    judge = analysed.judge(tmp_path)
    distances, _ = neighbours.nearest(judge, judge.data.splits["train"]["image"][30:32], 1, 0)
    np.testing.assert_allclose(distances, 0.0, atol=1e-6)


def test_a_generator_that_copies_is_told_from_one_that_does_not_by_the_held_out_images(tmp_path):
    def record(images, name):
        subject = analysed.run(tmp_path)
        subject.model.sample = lambda latents, conditions: images[: latents.shape[0]]
        return json.load(open(neighbours.run(subject, analysed.options(neighbours=2), str(tmp_path / name))[1]))

    splits = analysed.Noise().splits
    copied, new = record(splits["train"]["image"], "copied"), record(splits["test"]["image"], "new")
    assert copied["ratio_of_medians"] == pytest.approx(0.0, abs=1e-5)
    assert 0.5 < new["ratio_of_medians"] < 2.0
    assert copied["held_out"]["images"] == 16 and np.shape(new["distances"]) == (16, 2)
    assert Image.open(tmp_path / "new" / "neighbours.png").size[0] == 8 * (3 * 10 + 2)


def test_more_neighbours_than_training_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match="41 neighbours were asked for, and 'tiny' has 40"):
        neighbours.run(analysed.run(tmp_path), analysed.options(neighbours=41), str(tmp_path))
