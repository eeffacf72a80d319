import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.networks import parts

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "discriminator_heads.npz")


def head(case, **options):
    """The golden discriminator: ReLU, sum pool and heads on a given map."""
    inputs = parts.discriminator_inputs((4, 4, 8), 0 if case == "unconditional" else 5, options.get("conditioning", "projection"))
    features = parts.pool(keras.layers.ReLU()(inputs["image"]), "sum")
    network = keras.Model(inputs, parts.heads(features, inputs, num_classes=0 if case == "unconditional" else 5, **options))
    network.get_layer("logits").kernel.assign(GOLDEN[f"{case}.kernel"])
    network.get_layer("logits").bias.assign(GOLDEN[f"{case}.bias"])
    return network


def score(network):
    return network({"image": GOLDEN["features"], "label": GOLDEN["labels"]} if len(network.inputs) > 1 else {"image": GOLDEN["features"]})


def assert_golden(value, key):
    np.testing.assert_allclose(value, GOLDEN[key], rtol=0, atol=1e-5 * max(1.0, np.abs(GOLDEN[key]).max()), err_msg=key)


def test_unconditional_head_is_the_golden_one():
    outputs = score(head("unconditional"))
    assert_golden(outputs["logits"], "unconditional.adv_output")
    assert_golden(outputs["features"], "pooled")


def test_projection_head_is_the_golden_one():
    network = head("projection")
    network.get_layer("projection").kernel.assign(GOLDEN["projection.embedding"])
    assert_golden(score(network)["logits"], "projection.adv_output")


def test_auxiliary_head_is_the_golden_one():
    network = head("auxiliary", conditioning="auxiliary")
    network.get_layer("class_logits").kernel.assign(GOLDEN["auxiliary.kernel2"])
    outputs = score(network)
    assert_golden(outputs["logits"], "auxiliary.adv_output")
    assert_golden(outputs["class_logits"], "auxiliary.cls_output")


@pytest.mark.parametrize("case", ["contragan", "reacgan"])
def test_contrastive_heads_are_the_golden_ones(case):
    network = head(case, conditioning="contrastive", embedding_size=7)
    network.get_layer("embedding").kernel.assign(GOLDEN[f"{case}.kernel2"])
    network.get_layer("embedding").bias.assign(GOLDEN[f"{case}.bias2"])
    network.get_layer("proxy").kernel.assign(GOLDEN[f"{case}.embedding"])
    outputs = score(network)
    for name, key in {"logits": "adv_output", "embedding": "embed", "proxy": "proxy"}.items():
        assert outputs[name].dtype == tf.float32
        assert_golden(outputs[name], f"{case}.{key}")


def test_a_zero_embedding_leaves_the_unconditional_logit_and_a_vector_adds_its_inner_product():
    network = head("projection")
    table = network.get_layer("projection").kernel
    table.assign(tf.zeros_like(table))
    plain = score(network)
    a = np.linspace(-1.0, 1.0, 8).astype(np.float32)
    table.assign(np.tile(a, (5, 1)))
    np.testing.assert_allclose(score(network)["logits"] - plain["logits"], plain["features"].numpy() @ a, rtol=1e-4)


def test_the_logit_of_zero_features_is_the_bias():
    network = head("projection")
    outputs = network({"image": np.zeros((2, 4, 4, 8), np.float32), "label": np.array([0, 3])})
    np.testing.assert_allclose(outputs["logits"], [GOLDEN["projection.bias"][0]] * 2, rtol=1e-6)


def test_with_one_class_the_projection_is_one_more_linear_term():
    """s = <w, h> + b + <e, h>: the gradients in w and in e are equal, so that descent from equal values keeps D an unconditional one."""
    inputs = parts.discriminator_inputs((4, 4, 8), 1, "projection")
    network = keras.Model(inputs, parts.heads(parts.pool(inputs["image"], "sum"), inputs, num_classes=1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(network({"image": GOLDEN["features"], "label": np.zeros(6, np.int32)})["logits"]))
    own, projected = tape.gradient(loss, [network.get_layer(name).kernel.value for name in ("logits", "projection")])
    np.testing.assert_allclose(tf.convert_to_tensor(projected)[0], own[:, 0], rtol=1e-5)


def test_pools_are_the_sum_the_mean_and_all_elements():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    inputs = keras.Input((3, 4, 5))
    for how, expected in {"sum": x.sum((1, 2)), "mean": x.mean((1, 2)), "flatten": x.reshape(2, -1)}.items():
        np.testing.assert_allclose(keras.Model(inputs, parts.pool(inputs, how))(x), expected, rtol=1e-5, atol=1e-6)


def test_sums_of_half_precision_features_do_not_overflow():
    inputs = keras.Input((8, 8, 1), dtype="float16")
    pooled = keras.Model(inputs, parts.pool(inputs, "sum"))(np.full((1, 8, 8, 1), 2000.0, np.float16))
    np.testing.assert_array_equal(pooled, [[128_000.0]])


def test_unknown_names_are_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="flatten, mean, sum"):
        parts.pool(keras.Input((3, 4, 5)), "max")
    with pytest.raises(ValueError, match="projection, auxiliary, contrastive"):
        parts.discriminator_inputs((4, 4, 3), 5, "concat")
