import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import optimizers, run
from tfgan_suite.losses import adversarial, mutual_information
from tfgan_suite.models import infogan

CODES = (mutual_information.Categorical(classes=3), mutual_information.Continuous())


def build(weight=1.0, **changes):
    """On 8x8 images, under SGD."""
    count = len(changes.get("codes", CODES))
    terms = (adversarial.Adversarial(), *(mutual_information.MutualInformation(code=i, weight=weight) for i in range(count)))
    sgd = {name: optimizers.SGD(learning_rate=0.05) for name in ("discriminator_optimizer", "generator_optimizer")}
    values = {"codes": CODES, "terms": terms, "latent_size": 4, "generator_width": 2, "discriminator_width": 2} | sgd
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    return infogan.InfoGan(infogan.Config(**(values | changes)), tiny.data_spec(), run.Run(seed=0, phase="train", steps=8))


def moved(model, update, network):
    """Weights of `network` by which one update changed them."""
    before = [v.numpy() for v in network.trainable_variables]
    getattr(model, update)(tiny.batch(4), model.random())
    return [v.numpy() - b for v, b in zip(network.trainable_variables, before, strict=True)]


def test_without_weight_the_generator_moves_as_in_the_plain_game():
    changes = []
    for changed in ({"weight": 0.0}, {"terms": (adversarial.Adversarial(),)}, {"weight": 1.0}):
        model = build(**changed)
        changes.append(np.concatenate([change.ravel() for change in moved(model, "update_generator", model.generator)]))
    np.testing.assert_allclose(changes[0], changes[1], atol=1e-8)
    assert np.abs(changes[1]).max() > 1e-5 and np.abs(changes[2] - changes[1]).max() > 1e-6


def test_the_bound_teaches_the_trunk_in_the_discriminator_s_update():
    """With the bound as the only term the first convolution moves, and the head of the game does not."""
    model = build(terms=(mutual_information.MutualInformation(code=0),))
    changes = moved(model, "update_discriminator", model.discriminator)
    assert np.abs(changes[0]).max() > 1e-6
    head = [i for i, v in enumerate(model.discriminator.trainable_variables) if v.path.startswith("logits/")]
    assert len(head) == 2 and all(np.abs(changes[i]).max() == 0.0 for i in head)


def test_the_generator_s_update_leaves_q_as_it_is():
    model = build()
    assert all(np.abs(change).max() == 0.0 for change in moved(model, "update_generator", model.discriminator))


def test_codes_are_logged_one_by_one_in_nats():
    model = build()
    [logs] = tiny.train(model, [tiny.batch(4)])
    for player in ("discriminator", "generator"):
        values = [logs[f"{player}/{name}"] for name in ("adversarial", "mutual_information_0", "mutual_information_1")]
        assert sum(values) == pytest.approx(logs[f"{player}/loss"], rel=1e-5)
        assert -values[1] <= np.log(3) and -values[2] <= 0.5


def test_the_image_depends_on_every_code():
    model = build()
    latents = tf.ones([1, 4])
    images = {
        vector: model.generate(latents, {"codes": tf.constant([vector], tf.float32)}, training=False).numpy()
        for vector in ((1, 0, 0, 0.5), (0, 1, 0, 0.5), (1, 0, 0, -0.5))
    }
    first, *others = images.values()
    assert not any(np.array_equal(first, other) for other in others)


def test_images_come_to_tell_their_category_where_the_bound_is_raised_and_only_there():
    """On images of three colours, 120 steps: the bound ends near log 3, while the same Q, untaught, knows nothing."""
    colors = np.eye(3, dtype=np.float32)[:, None, None] * 1.6 - 0.8
    chosen = np.random.default_rng(0).integers(0, 3, (120, 32))
    batches = [{"image": tf.constant(np.broadcast_to(colors[k], (32, 8, 8, 3)))} for k in chosen]
    adam = {name: optimizers.Adam(learning_rate=2e-3) for name in ("discriminator_optimizer", "generator_optimizer")}
    told = {}
    for weight in (1.0, 1e-6):
        model = build(weight=weight, body="compact", codes=CODES[:1], generator_width=8, discriminator_width=8, **adam)
        logs = tiny.train(model, batches, graph=True)
        told[weight] = np.mean([-log["generator/mutual_information_0"] / weight for log in logs[-10:]])
    assert told[1.0] > 0.8 * np.log(3)
    assert told[1e-6] < 0.3


def test_endpoints_take_the_code_vector_of_each_row():
    model = build()
    model.ready()
    served = model.endpoints()[0]
    assert served.inputs["codes"].shape == (None, 4)
    inputs = {key: tf.constant(value) for key, value in served.examples(3).items()}
    images = served.function(**inputs)["images"].numpy()
    swapped = served.function(**(inputs | {"codes": inputs["codes"][::-1]}))["images"].numpy()
    np.testing.assert_allclose(images[1], swapped[1], atol=1e-6)
    assert np.abs(images[0] - swapped[0]).max() > 1e-5


def test_a_bound_about_no_code_is_refused():
    with pytest.raises(ValueError, match="about code 2, and there are 2, counted from 0"):
        dataclasses.replace(build().config, terms=(mutual_information.MutualInformation(code=2),))
    with pytest.raises(ValueError, match="codes is empty"):
        infogan.Config(codes=(), terms=(adversarial.Adversarial(),))


def test_the_mnist_preset_has_the_published_codes_and_rates():
    config = infogan.PRESETS["mnist"].model
    assert [type(c).__name__ for c in config.codes] == ["Categorical", "Continuous", "Continuous"]
    assert config.latent_size + sum(c.size for c in config.codes) == 74
    assert (config.discriminator_optimizer.learning_rate, config.generator_optimizer.learning_rate) == (2e-4, 1e-3)
    assert [t.weight for t in config.terms] == [1.0] * 4
