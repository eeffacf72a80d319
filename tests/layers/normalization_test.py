import pytest

from tfgan_suite.layers import batch_norm, normalization


def test_a_name_gives_a_new_layer_with_its_options():
    layer = normalization.create("batch", epsilon=1e-4)
    assert isinstance(layer, batch_norm.BatchNorm) and layer.epsilon == 1e-4


def test_an_unknown_name_is_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="batch, layer, none"):
        normalization.create("instance")
