import bar_data
import keras
import numpy as np
import pytest

from tfgan_suite.metrics import embedded, features

CACHED = "embedded-*.npz"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A judge of the bars, the data and the cache folder."""
    data, folder = bar_data.Bars(size=512, test_size=128), tmp_path_factory.mktemp("cache")
    return features.load("embedded", cache_dir=folder, data=data), data, folder


def test_it_learns_the_labels_and_knows_how_well(trained):
    judge, _, _ = trained
    assert judge.accuracy.keys() == {"accuracy", "accuracy_pose", "accuracy_color"}
    assert judge.accuracy["accuracy"] > 0.95 and judge.accuracy["accuracy_color"] > 0.95
    assert (judge.name, judge.classes, judge.standard) == ("embedded", "labels", False)


def test_features_and_probabilities_have_their_widths_and_ranges(trained):
    judge, data, _ = trained
    found = judge(data.draw(5, seed=3)["image"])
    assert found["features"].shape == (5, 96) and found["features"].dtype == np.float32
    assert found["probabilities"].shape == (5, 4)
    np.testing.assert_allclose(found["probabilities"].sum(1), 1.0)


def test_features_do_not_depend_on_batching_or_padding(trained):
    judge, data, _ = trained
    images = data.draw(150, seed=4)["image"]
    together = judge(images)["features"]
    parts = np.concatenate([judge(images[i : i + 37])["features"] for i in range(0, 150, 37)])
    np.testing.assert_allclose(parts, together, atol=1e-4)


def test_the_cache_gives_back_the_same_judge_without_reading_the_data(trained):
    judge, data, folder = trained
    fresh = bar_data.Bars(size=512, test_size=128)
    again = features.load("embedded", cache_dir=folder, data=fresh)
    assert fresh.reads == 0
    assert (again.fingerprint, again.accuracy) == (judge.fingerprint, judge.accuracy)
    images = data.draw(4, seed=5)["image"]
    np.testing.assert_array_equal(again(images)["features"], judge(images)["features"])


def test_the_cache_holds_another_judge_for_other_data_seeds_and_limits(trained, monkeypatch):
    _, _, folder = trained
    monkeypatch.setattr(embedded.Embedded, "train", lambda self, data: None)
    before = len(list(folder.glob(CACHED)))
    features.load("embedded", cache_dir=folder, data=bar_data.Bars(size=64, fingerprint="other"))
    features.load("embedded", cache_dir=folder, data=bar_data.Bars(size=64, fingerprint="other"), seed=1)
    features.load("embedded", cache_dir=folder, data=bar_data.Bars(size=64, fingerprint="other"), limit=32)
    assert len(list(folder.glob(CACHED))) == before + 3


def test_a_damaged_cache_is_trained_anew_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_MAX_EPOCHS", 1)
    data = bar_data.Bars(size=64, test_size=16)
    first = features.load("embedded", cache_dir=tmp_path, data=data)
    (path,) = tmp_path.glob(CACHED)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="is damaged"):
        second = features.load("embedded", cache_dir=tmp_path, data=data)
    assert second.fingerprint == first.fingerprint  # deterministic in data and seed


def test_without_labels_it_learns_which_rotation_was_applied(tmp_path):
    # a bright top and a dark bottom: rotations can be told apart
    data = bar_data.Bars(size=256, test_size=32, labels=False)
    draw = data.draw
    data.draw = lambda count, seed: {
        k: v + np.linspace(0.8, 0, 16)[:, None, None].astype("f4") if k == "image" else v for k, v in draw(count, seed).items()
    }
    judge = features.load("embedded", cache_dir=tmp_path, data=data)
    assert judge.classes == "rotations"
    assert judge.accuracy.keys() == {"accuracy"} and judge.accuracy["accuracy"] > 0.9


def test_without_a_test_split_a_tenth_of_training_is_held_out(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_MAX_EPOCHS", 1)
    seen = []
    monkeypatch.setattr(embedded.Embedded, "train", lambda self, data: seen.append(len(data["image"])))
    monkeypatch.setattr(embedded.Embedded, "measure", lambda self, data, groups: seen.append(len(data["image"])))
    features.load("embedded", cache_dir=tmp_path, data=bar_data.Bars(size=100, test_size=0))
    assert seen == [90, 10]


@pytest.mark.parametrize(("side", "channels", "trains"), [(16, 1, False), (28, 1, False), (20, 2, False), (72, 4, True)])
def test_any_image_shape_is_taken(tmp_path, monkeypatch, side, channels, trains):
    monkeypatch.setattr(embedded, "_MAX_EPOCHS", 1)
    if not trains:
        monkeypatch.setattr(embedded.Embedded, "train", lambda self, data: None)
    data = bar_data.Bars(size=16, test_size=8, side=side, channels=channels)
    judge = features.load("embedded", cache_dir=tmp_path, data=data)
    assert judge(data.draw(3, seed=0)["image"])["features"].shape == (3, 96)


def test_oblong_images_are_seen_as_squares():
    judge = embedded.Embedded((16, 40, 3), 4, seed=0)
    assert judge(np.zeros((2, 16, 40, 3)))["features"].shape == (2, 96)


def test_it_is_float32_under_a_mixed_global_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = embedded.Embedded((16, 16, 3), 4, seed=0)
    finally:
        keras.config.set_dtype_policy("float32")
    plain = embedded.Embedded((16, 16, 3), 4, seed=0)
    images = np.random.RandomState(0).uniform(-1, 1, (2, 16, 16, 3))
    np.testing.assert_array_equal(mixed(images)["features"], plain(images)["features"])


def test_too_few_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 8 images"):
        features.load("embedded", cache_dir=tmp_path, data=bar_data.Bars(size=4))


@pytest.mark.slow
def test_it_reads_shape_and_color_of_the_built_in_dataset(tmp_path):
    from pipelines import build, spec

    data = build.build(spec.DatasetConfig(), str(tmp_path), keys=("image", "label"), seed=0)
    judge = features.load("embedded", cache_dir=tmp_path, data=data)
    assert judge.accuracy["accuracy_shape"] > 0.985 and judge.accuracy["accuracy_color"] > 0.995
