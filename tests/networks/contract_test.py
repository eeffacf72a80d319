"""What every pair of networks promises, whatever its paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import spectral_norm
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import biggan, compact, conditional_dcgan, damped_resnet, dcgan, good_resnet, lsgan, mlp, resnet, sndcgan

SHAPE = (16, 16, 3)
K = 4


def pair(module, **options):
    return lambda **more: (
        module.generator(image_shape=SHAPE, latent_size=6, width=12, **options, **more),
        module.discriminator(image_shape=SHAPE, width=8, **options, **more),
    )


PAIRS = {
    "dcgan": pair(dcgan),
    "compact": pair(compact),
    "compact_conditional": pair(compact, num_classes=K),
    "sndcgan": pair(sndcgan),
    "sndcgan_conditional": pair(sndcgan, num_classes=K),
    "resnet": pair(resnet),
    "resnet_conditional": pair(resnet, num_classes=K),
    "resnet_attending": pair(resnet, attention=(8,)),
    "biggan": pair(biggan, multipliers=(2, 2, 2), attention=(8,)),
    "biggan_conditional": pair(biggan, multipliers=(2, 2, 2), attention=(8,), num_classes=K),
    "lsgan": pair(lsgan),
    "good_resnet": pair(good_resnet),
    "damped_resnet": pair(damped_resnet),
    "damped_resnet_conditional": pair(damped_resnet, num_classes=K),
    "dcgan_conditional": pair(conditional_dcgan, num_classes=K, units=16),
    "mlp": pair(mlp),
    "mlp_conditional": pair(mlp, num_classes=K),
}
each_pair = pytest.mark.parametrize("name", PAIRS)


@pytest.fixture(scope="module", params=PAIRS)
def built(request):
    """(name, generator, discriminator, their initial values), built once under seed 3 for the tests that change nothing."""
    keras.utils.set_random_seed(3)
    networks = PAIRS[request.param]()
    return request.param, *networks, values_of(networks)


def batch(b):
    generator = np.random.default_rng(b)
    labels = tf.constant(generator.integers(0, K, b), tf.int32)
    return {"latents": tf.constant(generator.standard_normal((b, 6)), tf.float32), "label": labels}


def values_of(networks):
    return [v.numpy() for network in networks for v in network.variables]


def run(generator, discriminator):
    """(image [3, h, w, c], heads) of both players in training."""
    values = batch(3)
    values["image"] = generator({key.name: values[key.name] for key in generator.inputs}, training=True)["image"]
    return values["image"], discriminator({key.name: values[key.name] for key in discriminator.inputs}, training=True)


def assert_finite_float32(generator, image, heads):
    assert image.shape == (3, *SHAPE) and heads["logits"].shape == (3,) and heads["features"].shape.rank == 2
    assert image.dtype == heads["logits"].dtype == heads["features"].dtype == tf.float32
    assert np.abs(image).max() <= 1.0
    assert np.isfinite(heads["logits"]).all()
    assert all(v.dtype == "float32" for v in generator.variables)


def test_inputs_are_batch_keys_and_outputs_are_heads(built):
    name, generator, discriminator, _ = built
    label = {"label"} if "conditional" in name else set()
    assert {x.name for x in generator.inputs} == {"latents"} | label
    assert {x.name for x in discriminator.inputs} == {"image"} | label
    assert set(generator.output) == {"image"}
    assert set(discriminator.output) == {"logits", "features"}


def test_images_and_heads_are_finite_float32(built):
    _, generator, discriminator, _ = built
    assert_finite_float32(generator, *run(generator, discriminator))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@each_pair
def test_images_and_heads_are_finite_float32_under_every_policy(name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        generator, discriminator = PAIRS[name]()
        assert_finite_float32(generator, *run(generator, discriminator))
    finally:
        keras.config.set_dtype_policy("float32")


def test_another_build_has_the_same_architecture_and_other_weights_under_the_same_seed_the_same(built):
    name, *first, initial = built
    for seed in (4, 3):
        keras.utils.set_random_seed(seed)
        second = PAIRS[name]()
        for a, b in zip(first, second, strict=True):
            assert [(v.name, tuple(v.shape), v.trainable) for v in a.variables] == [(v.name, tuple(v.shape), v.trainable) for v in b.variables]
        same = [np.array_equal(a, b) for a, b in zip(initial, values_of(second), strict=True)]
        drawn = [np.ptp(a) > 0 for a in initial]
        assert all(same) if seed == 3 else not any(s and d for s, d in zip(same, drawn, strict=True))


def test_in_inference_an_example_does_not_depend_on_its_neighbours(built):
    _, generator, discriminator, _ = built
    values = batch(4)
    whole = generator({x.name: values[x.name] for x in generator.inputs})["image"]
    one = generator({x.name: values[x.name][1:2] for x in generator.inputs})["image"]
    np.testing.assert_allclose(one, whole[1:2], atol=1e-5)
    values["image"] = whole
    logits = discriminator({x.name: values[x.name] for x in discriminator.inputs})["logits"]
    alone = discriminator({x.name: values[x.name][1:2] for x in discriminator.inputs})["logits"]
    np.testing.assert_allclose(alone, logits[1:2], atol=1e-4)


@pytest.mark.parametrize("name", [name for name in PAIRS if "conditional" in name])
def test_the_label_reaches_both_players(name):
    generator, discriminator = PAIRS[name]()
    image, _ = run(generator, discriminator)
    if "compact" not in name and "mlp" not in name:  # tables of gains start equal for all classes
        for v in generator.trainable_variables:
            v.assign(v + 0.1 * np.random.default_rng(0).standard_normal(v.shape))
    first, second = (generator(batch(3) | {"label": tf.constant([k] * 3)})["image"] for k in (0, 1))
    assert np.abs(first - second).max() > 1e-6
    first, second = (discriminator({"image": image, "label": tf.constant([k] * 3)})["logits"] for k in (0, 1))
    assert np.abs(first - second).max() > 1e-9


def test_every_weight_takes_part(built):
    _, generator, discriminator, _ = built
    values = batch(8)
    with tf.GradientTape() as tape:
        values["image"] = generator({x.name: values[x.name] for x in generator.inputs}, training=True)["image"]
        logits = discriminator({x.name: values[x.name] for x in discriminator.inputs}, training=True)["logits"]
        loss = tf.reduce_sum(tf.sin(logits) * np.linspace(1.0, 2.0, 8))
    weights = [v for network in (generator, discriminator) for v in network.trainable_variables]
    for v, gradient in zip(weights, tape.gradient(loss, [v.value for v in weights]), strict=True):
        assert gradient is not None, v.path


@pytest.mark.parametrize("name", ["dcgan", "compact_conditional"])
def test_each_player_beats_an_opponent_that_stands_still(name):
    """On one fixed batch: the generator lowers its loss against a frozen discriminator, the discriminator tells that batch from real images."""
    generator, discriminator = PAIRS[name]()
    values = batch(8)
    loss = adversarial.LOSSES["non_saturating"]
    real = tf.constant(np.random.default_rng(0).uniform(-1.0, 1.0, (8, *SHAPE)), tf.float32)

    def score(image):
        return discriminator({x.name: (values | {"image": image})[x.name] for x in discriminator.inputs}, training=True)["logits"]

    def fake():
        return generator({x.name: values[x.name] for x in generator.inputs}, training=True)["image"]

    def train(network, objective, steps):
        optimizer = keras.optimizers.Adam(2e-3, beta_1=0.5)
        optimizer.build(network.trainable_variables)

        @tf.function(autograph=False)
        def step():
            spectral_norm.power_iterations(network)
            with tf.GradientTape() as tape:
                value = objective()
            optimizer.apply(tape.gradient(value, [v.value for v in network.trainable_variables]), network.trainable_variables)
            return value

        return [float(step()) for _ in range(steps)]

    still = fake()
    assert train(discriminator, lambda: loss.discriminator(score(real), score(still)), 60)[-1] < 0.1
    losses = train(generator, lambda: loss.generator(score(fake())), 30)
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("name", ["dcgan", "compact_conditional", "resnet"])
def test_a_train_step_compiles_with_xla(name):
    generator, discriminator = PAIRS[name]()
    values = batch(4)

    def logits():
        image = generator({x.name: values[x.name] for x in generator.inputs}, training=True)["image"]
        return discriminator({x.name: (values | {"image": image})[x.name] for x in discriminator.inputs}, training=True)["logits"]

    np.testing.assert_allclose(tf.function(logits, jit_compile=True)(), logits(), rtol=1e-3, atol=1e-4)
