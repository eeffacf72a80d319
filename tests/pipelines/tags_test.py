import numpy as np
import pytest

from pipelines import build, catalog, spec, tags

SOURCE = "tags:12x8x300"


@pytest.fixture(scope="module")
def reader():
    return tags.Tags("12x8x300", "")


def rows(reader, split, count=None, keys=("image", "features", "tags")):
    records = list(reader.records(split, keys).take(count or reader.count(split)).as_numpy_iterator())
    return {key: np.stack([record[key] for record in records]) for key in keys}


def test_two_readers_give_the_same_numbers(reader):
    first, again = rows(reader, "test"), rows(tags.Tags("12x8x300", "elsewhere"), "test")
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    np.testing.assert_array_equal(reader.dictionary, tags.Tags("12x8x300", "").dictionary)


def test_every_word_has_length_one_and_each_image_is_a_word_of_its_own_tags(reader):
    np.testing.assert_allclose(np.linalg.norm(reader.dictionary, axis=1), 1.0, rtol=1e-6)
    found = rows(reader, "train", 500)
    for image, own in zip(found["image"].reshape(500, 8), found["tags"], strict=True):
        assert any(np.array_equal(image, reader.dictionary[word]) for word in own[own >= 0])


def test_in_training_an_image_comes_once_per_tag_and_held_out_once(reader):
    found = rows(reader, "train")
    images, first, repeats = np.unique(found["features"], axis=0, return_index=True, return_counts=True)
    assert len(images) == 1000
    np.testing.assert_array_equal(repeats, (found["tags"][first] >= 0).sum(1))
    assert len(np.unique(rows(reader, "test")["features"], axis=0)) == reader.count("test") == 200


def test_tags_are_two_opposite_topics_of_which_some_words_were_forgotten(reader):
    found = rows(reader, "test")["tags"]
    kept = found >= 0
    assert (np.diff(kept.astype(int), axis=1) <= 0).all()  # -1 after the last
    assert kept.sum(1).min() >= 1 and abs(kept.mean() - 0.8) < 0.03
    words = reader.dictionary[found[0][kept[0]]]
    cosines = words @ words.T
    sides = cosines[0] > 0
    assert 0 < sides.sum() < len(sides)
    assert cosines[sides][:, sides].min() > 0 > cosines[sides][:, ~sides].max()


def test_equal_subjects_have_near_features_and_equal_topics(reader):
    found = rows(reader, "test")
    subject = found["tags"].max(1) // 20
    for number in np.unique(subject):
        own = found["features"][subject == number]
        assert np.abs(own - own.mean(0)).max() < 0.7
    assert len(np.unique(subject)) == 15  # 300 words for at most 25 subjects of 20


def test_the_declared_ranges_hold_what_comes(reader):
    for split in ("train", "test"):
        for key, values in rows(reader, split, 300).items():
            column = reader.columns[key]
            assert values.shape[1:] == column.shape and column.low <= values.min() and values.max() <= column.high, key


def test_batches_slices_and_shards_are_as_of_any_source(tmp_path):
    data = build.build(spec.DatasetConfig(source=SOURCE, batch_size=4), str(tmp_path), keys=("image", "features"), seed=0)
    batch = next(iter(data.batches(start=0, batch_size=4)))
    assert {key: tuple(value.shape) for key, value in batch.items()} == {"image": (4, 1, 8, 1), "features": (4, 12)}
    assert data.spec.image_shape == (1, 8, 1) and data.spec.num_classes == 0
    assert data.dictionary.shape == (300, 8)
    reader = catalog.open_source(SOURCE, "")
    assert reader.count("test[:10%]") == 20
    halves = [rows_of["tags"] for rows_of in ({"tags": list(reader.records("test", ["tags"], shard=(i, 2)))} for i in range(2))]
    assert [len(half) for half in halves] == [100, 100]


@pytest.mark.parametrize("path", ["64", "64x16", "1x16x500", "64x1x500", "64x16x10", "axbxc", "64x16x500x2"])
def test_a_malformed_size_is_explained(path):
    with pytest.raises(ValueError, match=r"written tags:<features>x<numbers>x<words>, at least tags:2x2x20, for example"):
        tags.Tags(path, "")
