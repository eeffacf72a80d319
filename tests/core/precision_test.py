import keras
import pytest
import tiny

from tfgan_suite.core import precision


@pytest.mark.parametrize("name, compute", [("float32", "float32"), ("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16")])
def test_layers_built_inside_compute_in_the_policy_and_keep_float32_weights(name, compute):
    with precision.policy(name):
        layer = keras.layers.Dense(2)
        layer.build((None, 3))
    assert (layer.compute_dtype, layer.kernel.dtype) == (compute, "float32")


def test_the_policy_before_comes_back_also_after_an_error():
    with pytest.raises(KeyError), precision.policy("mixed_bfloat16"):
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"


def test_an_unknown_policy_is_refused_with_the_alternatives_and_changes_nothing():
    with pytest.raises(ValueError, match="Unknown precision 'float8'. Allowed: float32, mixed_bfloat16, mixed_float16"):
        with precision.policy("float8"):
            raise AssertionError("not reached")
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
def test_heads_images_and_slots_stay_float32(name):
    model = tiny.build(precision=name)
    assert {output.dtype for network in model.networks().values() for output in network.outputs} == {"float32"}
    assert not [v.path for v in model.generator_optimizer.variables if "16" in v.dtype]
    assert "float32" not in {layer.compute_dtype for layer in model.discriminator.layers if layer.name.startswith("convolution")}
