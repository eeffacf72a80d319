import bar_data
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import extractor, reference


class Means(extractor.Extractor):
    """Mean over rows of each column and channel."""

    name, fingerprint, resizer, accuracy = "means", "f00d", "half_pixel", {}

    def network(self, pixels):
        return tf.reshape(tf.reduce_mean(tf.cast(pixels, tf.float32), 1), [pixels.shape[0], -1]), tf.zeros([pixels.shape[0], 0])


def build(data, folder, **keywords):
    return reference.build(Means(), data, cache_dir=folder, **({"split": "test"} | keywords))


def expected_features(data, count, split="test"):
    images = np.concatenate([b["image"] for b in data.examples(split, batch_size=1000)])[:count]
    return extractor.quantise(images).astype(np.float64).mean(1).reshape(count, -1)


def test_moments_features_and_labels_are_those_of_the_split(tmp_path):
    data = bar_data.Bars(test_size=90)
    real, rows = build(data, tmp_path), expected_features(data, 90)
    assert real.count == 90
    np.testing.assert_allclose(real.features, rows, rtol=1e-5)
    np.testing.assert_allclose(real.moments.covariance, np.cov(rows, rowvar=False), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(real.labels, np.arange(90) % 4)
    assert real.images.shape == (0, 16, 16, 3) and real.classes.shape == (0,)
    assert (real.data, real.split, real.extractor, real.weights, real.resizer) == ("bars", "test", "means", "f00d", "half_pixel")


def test_the_cache_gives_back_the_same_without_reading_the_data(tmp_path):
    first = build(bar_data.Bars(), tmp_path)
    data = bar_data.Bars()
    second = build(data, tmp_path)
    assert data.reads == 0
    np.testing.assert_array_equal(second.features, first.features)
    np.testing.assert_array_equal(second.labels, first.labels)
    np.testing.assert_allclose(second.moments.covariance, first.moments.covariance, rtol=1e-12)
    assert second.count == first.count


@pytest.mark.parametrize(
    "change",
    [
        {"split": "train"},
        {"limit": 40},
        {"keep_features": False},
        {"keep_images": True},
        {"data": "other"},
        {"fingerprint": "beef"},
        {"resizer": "clean"},
        {"name": "x"},
    ],
)
def test_another_dataset_split_extractor_resizer_or_count_is_another_entry(tmp_path, change):
    build(bar_data.Bars(), tmp_path)
    judge = Means()
    for name in ("fingerprint", "resizer", "name"):
        setattr(judge, name, change.get(name, getattr(judge, name)))
    data = bar_data.Bars(fingerprint=change.get("data", "bars"))
    options = {"split": "test"} | {k: v for k, v in change.items() if k in ("split", "limit", "keep_features", "keep_images")}
    reference.build(judge, data, cache_dir=tmp_path, **options)
    assert data.reads == 1


def test_a_damaged_cache_is_rebuilt_with_a_warning(tmp_path):
    first = build(bar_data.Bars(), tmp_path)
    (path,) = tmp_path.glob("reference-*.npz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.warns(UserWarning, match="damaged"):
        second = build(bar_data.Bars(), tmp_path)
    np.testing.assert_array_equal(second.features, first.features)
    assert build(bar_data.Bars(), tmp_path).count == first.count


def test_moments_alone_keep_no_rows(tmp_path):
    real = build(bar_data.Bars(), tmp_path, keep_features=False)
    assert real.features.shape == (0, 48) and real.count == 64
    np.testing.assert_array_equal(real.moments.mean, build(bar_data.Bars(), tmp_path).moments.mean)


def test_a_limit_is_the_count(tmp_path):
    assert build(bar_data.Bars(), tmp_path, limit=24).count == 24
    assert build(bar_data.Bars(), tmp_path, limit=1000).count == 64


def test_data_without_labels_have_none(tmp_path):
    assert build(bar_data.Bars(labels=False), tmp_path).labels.shape == (0,)


def test_one_image_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 2 images"):
        build(bar_data.Bars(), tmp_path, limit=1)


def test_images_are_kept_as_bytes_when_asked_and_come_back_from_the_cache(tmp_path):
    data = bar_data.Bars(test_size=30)
    expected = extractor.quantise(np.concatenate([b["image"] for b in data.examples("test", batch_size=100)]))
    for _ in range(2):
        real = build(data, tmp_path, keep_images=True)
        assert real.images.dtype == np.uint8
        np.testing.assert_array_equal(real.images, expected)
    assert data.reads == 2  # once here, once by the first build


def test_class_frequencies_are_the_mean_probabilities(tmp_path):
    class Sure(Means):
        name = "sure"

        def network(self, pixels):
            features, _ = super().network(pixels)
            return features, 40.0 * tf.one_hot(tf.range(pixels.shape[0]) % 4, 3)  # the fourth is none of the three

    rows = np.tile(np.concatenate([np.eye(3), np.full((1, 3), 1 / 3)]), (12, 1))
    data = bar_data.Bars(test_size=48)
    for _ in range(2):
        real = reference.build(Sure(), data, cache_dir=tmp_path, split="test")
        np.testing.assert_allclose(real.classes, rows.mean(0), atol=1e-6)
