import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.networks import compact, infogan


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_mnist_players_have_the_parameters_of_the_authors_code():
    """Biases are kept in front of batch norm; 14 numbers of Q are 10 logits, and mean and deviation of two codes."""
    assert count(infogan.generator()) == 6_652_481
    shared_and_d = 6_559_169
    assert count(infogan.discriminator(code_parameters=14)) == shared_and_d + 133_262
    assert count(infogan.discriminator(code_parameters=12)) == shared_and_d + 133_004


def test_heads_read_one_trunk():
    """A weight of the first layer moves both heads; the last layer of one head leaves the other alone."""
    network = infogan.discriminator(image_shape=(8, 8, 1), code_parameters=3, width=2, units=4, head_units=4)
    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        outputs = network({"image": image}, training=True)
        losses = {head: tf.reduce_sum(tf.sin(outputs[head])) for head in ("logits", "codes")}
    values = [v.value for v in network.trainable_variables]
    reached = {head: [g is not None for g in tape.gradient(loss, values)] for head, loss in losses.items()}
    both = [a and b for a, b in zip(reached["logits"], reached["codes"], strict=True)]
    assert sum(both) == 3 * 2 + 2 * 2  # two convolutions and a dense layer, the last two with a gain and an offset of batch norm
    assert sum(reached["codes"]) - sum(both) == 2 + 2 + 2 and sum(reached["logits"]) - sum(both) == 2


def test_codes_beside_the_latents_of_any_body_reach_the_image():
    network = infogan.with_codes(compact.generator, image_shape=(8, 8, 3), width=4, latent_size=5, code_size=3)
    assert {i.name: tuple(i.shape) for i in network.inputs} == {"latents": (None, 5), "codes": (None, 3)}
    latents = np.tile(np.random.default_rng(0).standard_normal((1, 5)), (3, 1)).astype(np.float32)
    images = network({"latents": latents, "codes": 50 * np.eye(3, dtype=np.float32)})["image"].numpy()
    assert images.shape == (3, 8, 8, 3)
    assert min(np.abs(images[i] - images[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-4


def test_a_head_of_codes_leaves_the_other_heads_as_they_were():
    inner = compact.discriminator(image_shape=(8, 8, 3), width=4)
    network = infogan.with_code_head(inner, code_parameters=7, head_units=5)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype(np.float32)
    outputs, before = network({"image": image}), inner({"image": image})
    np.testing.assert_array_equal(outputs["logits"], before["logits"])
    assert outputs["codes"].shape == (2, 7) and outputs["codes"].dtype == tf.float32
    assert {v.path for v in inner.variables} < {v.path for v in network.variables}


@pytest.mark.parametrize("build", [infogan.generator, infogan.discriminator])
def test_sides_that_are_no_multiples_of_four_are_refused(build):
    with pytest.raises(ValueError, match=r"multiples of 4; received image_shape=\(30, 28, 1\)"):
        build(image_shape=(30, 28, 1))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_images_and_heads_are_float32_under_every_policy(policy):
    keras.config.set_dtype_policy(policy)
    try:
        networks = (
            infogan.generator(image_shape=(8, 8, 1), latent_size=3, code_size=2, width=2, units=4),
            infogan.discriminator(image_shape=(8, 8, 1), code_parameters=3, width=2, units=4, head_units=4),
        )
        compacts = (
            infogan.with_codes(compact.generator, image_shape=(8, 8, 1), width=4, latent_size=3, code_size=2),
            infogan.with_code_head(compact.discriminator(image_shape=(8, 8, 1), width=4), code_parameters=3),
        )
    finally:
        keras.config.set_dtype_policy("float32")
    for generator, discriminator in (networks, compacts):
        image = generator({"latents": np.ones((4, 3), np.float32), "codes": np.eye(4, 2, dtype=np.float32)}, training=True)["image"]
        heads = discriminator({"image": image}, training=True)
        assert {image.dtype, *(head.dtype for head in heads.values())} == {tf.float32}
        assert all(np.isfinite(head).all() for head in heads.values())
