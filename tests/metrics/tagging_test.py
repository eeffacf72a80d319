import dataclasses

import bar_data
import numpy as np
import pytest

from pipelines import spec
from tfgan_suite.metrics import evaluation, numbers, reference, tagging


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def dictionary(words, size, seed=0):
    return unit(np.random.RandomState(seed).standard_normal((words, size))).astype(np.float32)


def test_the_word_nearest_to_a_row_of_the_dictionary_is_that_word_whatever_its_length():
    words = dictionary(300, 8)
    found, cosines = tagging.nearest(words * np.linspace(0.1, 9.0, 300)[:, None], words, 1)
    np.testing.assert_array_equal(found[:, 0], np.arange(300))
    np.testing.assert_allclose(cosines[:, 0], 1.0, rtol=1e-5)


@pytest.mark.parametrize(("rows", "words", "k"), [(3, 50, 50), (7, 9000, 20), (1500, 60, 3)])
def test_neighbours_are_those_of_a_full_sort_across_all_chunks(rows, words, k):
    vectors, table = np.random.RandomState(1).standard_normal((rows, 6)), dictionary(words, 6) * 3.0
    cosine = unit(vectors) @ unit(table.astype(np.float64)).T
    found, cosines = tagging.nearest(vectors, table, k)
    np.testing.assert_array_equal(found, np.argsort(-cosine, axis=1)[:, :k])
    np.testing.assert_allclose(cosines, -np.sort(-cosine, axis=1)[:, :k], atol=1e-5)


def test_more_neighbours_than_words_are_refused():
    with pytest.raises(ValueError, match="There are 10 words, and 20 nearest"):
        tagging.nearest(np.ones((1, 3)), dictionary(10, 3))


def test_voting_returns_the_planted_tags():
    """Two images with ten words each out of 2,000, near each other; samples scatter around the words, more around some than around others."""
    words, draws = dictionary(2000, 64), np.random.RandomState(0)
    planted = draws.permutation(2000)[:20].reshape(2, 10)
    words[planted] = unit(dictionary(2, 64, seed=1)[:, None] + 0.3 * words[planted])
    shares = np.linspace(1.0, 2.0, 10) / 15.0
    chosen = np.stack([draws.choice(row, 100, p=shares) for row in planted])
    samples = words[chosen] + 0.05 * draws.standard_normal((2, 100, 64))
    found, named = tagging.tags(samples, words)
    np.testing.assert_array_equal(named, chosen)
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(planted, axis=1))


def test_votes_come_first_and_cosines_break_ties():
    """Words on a circle at 0, 10 and 100 degrees; with two neighbours a sample at 1 degree and one at 98 degrees elect the middle one."""
    degrees = np.deg2rad([0.0, 10.0, 100.0])
    words = np.stack([np.cos(degrees), np.sin(degrees)], 1)
    near = np.deg2rad([1.0, 98.0])
    samples = np.stack([np.cos(near), np.sin(near)], 1)[None]
    np.testing.assert_array_equal(tagging.tags(samples, words, neighbours=2, count=3)[0], [[1, 0, 2]])
    np.testing.assert_array_equal(tagging.tags(samples[:, :1], words, neighbours=2, count=2)[0], [[0, 1]])
    np.testing.assert_array_equal(tagging.tags(samples[:, :1], words, neighbours=2, count=3)[0], [[0, 1, -1]])


def test_precision_and_recall_worked_by_hand():
    found = np.array([[1, 2, 3, 4], [7, 8, -1, -1], [5, 6, 7, 8]])
    true = np.array([[2, 4, 9, -1], [8, -1, -1, -1], [1, 2, 3, -1]])
    precision, recall = tagging.precision_recall(found, true)
    np.testing.assert_allclose(precision, [2 / 4, 1 / 2, 0.0])
    np.testing.assert_allclose(recall, [2 / 3, 1.0, 0.0])


def test_a_word_named_many_times_is_one_word_recalled():
    precision, recall = tagging.precision_recall(np.array([[4, 4, 4, 7]]), np.array([[4, 9, -1]]))
    np.testing.assert_allclose([precision[0], recall[0]], [3 / 4, 1 / 2])


def test_an_image_without_tags_is_refused():
    with pytest.raises(ValueError, match="Image 1 has no tag"):
        tagging.precision_recall(np.zeros((2, 10), int), np.array([[3], [-1]]))


class Words:
    """Two images with one true word each, out of 30 that lie on axes of their own."""

    features = {"image": spec.Feature(shape=(1, 30, 1), dtype="float32", low=-1.0, high=1.0)}
    spec = dataclasses.replace(bar_data.Bars(labels=False).spec, features=features, test_size=4)
    fingerprint, dictionary = "words", np.eye(30, dtype=np.float32)

    def examples(self, split, *, batch_size, limit=-1):
        yield {"image": self.dictionary[:4].reshape(4, 1, 30, 1)}


def tag_evaluator(folder, held_out, dictionary=Words.dictionary):
    real = reference.build(numbers.Numbers(), Words(), cache_dir=folder, split="test")
    return evaluation.Evaluator(extractor=numbers.Numbers(), reference=real, metrics=("tags",), held_out=held_out, dictionary=dictionary)


def test_sample_i_is_a_word_for_held_out_image_i_modulo_their_number(tmp_path):
    """Image 0 has the words 3 and 5, image 1 has 4: samples for image 0 are all near 3, those for image 1 near 9."""
    true = np.array([[3, 5], [4, -1]])
    samples = Words.dictionary[np.tile([3, 9], 6)].reshape(12, 1, 30, 1)
    scores = tag_evaluator(tmp_path, {"tags": true}).run([{"image": samples[:5]}, {"image": samples[5:]}])
    assert scores["tag_recall"].value == pytest.approx((1 / 2 + 0) / 2)
    assert scores["tag_precision"].value <= 0.1  # one or, by the ties of orthogonal words, two of the ten found
    assert scores["tag_coverage"].value == pytest.approx((1 / 2 + 0) / 2)
    assert scores["tag_recall"].protocol.quantised is False and scores["tag_recall"].protocol.backbone == "numbers"
    with pytest.raises(ValueError, match="equally many samples .* for each of the 2 held-out images. Received: 5 samples. Set evaluation.samples"):
        tag_evaluator(tmp_path, {"tags": true}).run([{"image": samples[:5]}])
    with pytest.raises(ValueError, match="no dictionary"):
        tag_evaluator(tmp_path, {"tags": true}, dictionary=None).run([{"image": samples}])
    with pytest.raises(ValueError, match="'tags' needs the key 'tags' of held-out examples, which 'bars' lacks"):
        tag_evaluator(tmp_path, {})
