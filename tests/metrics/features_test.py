import bar_data
import pytest

from tfgan_suite.metrics import features


def test_an_unknown_extractor_is_refused_with_the_alternatives(tmp_path):
    with pytest.raises(ValueError, match="no feature extractor 'clip'.*embedded, inception"):
        features.load("clip", cache_dir=tmp_path, data=bar_data.Bars())


@pytest.mark.parametrize("shape", [{"side": 12}, {"channels": 5}])
def test_images_that_no_extractor_can_take_are_refused(tmp_path, shape):
    with pytest.raises(ValueError, match="1 to 4 channels and at least 16 pixels"):
        features.load("embedded", cache_dir=tmp_path, data=bar_data.Bars(**shape))


@pytest.mark.parametrize("name", ["embedded:path", "keras:MobileNetV7", "keras:MobileNetV2:missing.h5", "file:missing", "inception:missing"])
def test_arguments_that_name_nothing_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="takes no path|no application|no weights file|neither a SavedModel|no SavedModel"):
        features.load(name, cache_dir=tmp_path, data=bar_data.Bars())


@pytest.mark.parametrize("name", ["embedded", "file:missing", "inception:missing"])
def test_an_unknown_resizer_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="resizer|SavedModel"):
        features.load(name, cache_dir=tmp_path, data=bar_data.Bars(), resizer="lanczos")
