import bar_data
import numpy as np
import pytest

from tfgan_suite.metrics import features, numbers


def test_vectors_are_their_own_features_neither_rounded_nor_bounded():
    vectors = np.array([[0.001, 7.5, -300.0], [1.0, 2.0, 3.0]])
    found = numbers.Numbers()(vectors.reshape(2, 1, 3, 1))
    np.testing.assert_array_equal(found["features"], vectors.astype(np.float32))
    assert found["features"].dtype == np.float32 and found["probabilities"].shape == (2, 0)


def test_it_is_found_by_name_for_any_shape(tmp_path):
    found = features.load("numbers", cache_dir=tmp_path, data=bar_data.Bars(side=2))
    assert (found.name, found.quantised, found.classes, found.standard) == ("numbers", False, "none", False)


def test_diverged_vectors_are_refused():
    with pytest.raises(ValueError, match="diverged"):
        numbers.Numbers()(np.array([[[[np.nan]]]]))


def test_it_takes_no_path(tmp_path):
    with pytest.raises(ValueError, match="neither path nor resizer"):
        features.load("numbers:here", cache_dir=tmp_path, data=bar_data.Bars())
