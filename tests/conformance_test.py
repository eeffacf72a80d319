"""What every variant must do, on its `debug` preset: the contract of the house, checked without knowing any GAN."""

import dataclasses

import commands
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from export import saved_model
from pipelines import build as pipelines_build
from tfgan_suite import registry
from tfgan_suite.core import checkpoint, optimizers, run
from tfgan_suite.ops import random

VARIANTS = list(registry.VARIANTS)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return commands.image_folder(tmp_path_factory.mktemp("images") / "set", side=32)


def experiment_on(variant, source, **model):
    """The debug preset on random images. Under SGD, since Adam turns rounding noise into steps of the learning rate."""
    experiment = registry.experiment(f"{variant}/debug")
    experiment.data = dataclasses.replace(experiment.data, source=source)
    for field in dataclasses.fields(experiment.model):
        if isinstance(getattr(experiment.model, field.name), optimizers.Optimizer):
            model[field.name] = optimizers.SGD(learning_rate=0.01)
    experiment.model = dataclasses.replace(experiment.model, **model)
    return experiment


def opened(experiment, tmp_path):
    keys = registry.model_class(experiment.variant).keys_for(experiment.model)
    return pipelines_build.build(experiment.data, str(tmp_path), keys=keys, seed=experiment.seed)


def built(experiment, data):
    """The model of the first phase, from the same initial values each time."""
    stage = registry.phases(experiment)[0]
    if not tf.distribute.has_strategy():
        keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    return stage.build(data.spec, run.Run(seed=1, phase=stage.name, steps=stage.steps), {})


def batches(experiment, data, model, count):
    rows = experiment.data.batch_size * model.batches_per_step
    return list(data.batches(start=0, batch_size=rows).take(count))


@pytest.fixture(scope="module", params=VARIANTS)
def trained(request, source, tmp_path_factory):
    """(experiment, data, model after two steps, weights before, logs)."""
    experiment = experiment_on(request.param, source)
    data = opened(experiment, tmp_path_factory.mktemp("data"))
    model = built(experiment, data)
    before = tiny.weights(model)
    logs = tiny.train(model, batches(experiment, data, model, 2), graph=True)
    return experiment, data, model, before, logs


def test_every_network_moves(trained):
    _, _, model, before, _ = trained
    after = tiny.weights(model)
    for name in model.networks():
        assert any(not np.array_equal(before[key], after[key]) for key in before if key.startswith(f"{name}.")), name


def test_logs_are_finite_and_name_both_players(trained):
    logs = trained[4]
    assert all(np.isfinite(value) for log in logs for value in log.values())
    assert {"discriminator/loss", "generator/loss"} <= logs[0].keys()


def test_steps_are_counted(trained):
    assert int(trained[2].step.numpy()) == 2


def test_two_replicas_end_with_the_weights_of_one(trained, mirrored):
    experiment, data, model, _, _ = trained
    keras.backend.clear_session()
    with mirrored.scope():
        two = built(experiment, data)
    tiny.train_mirrored(mirrored, two, batches(experiment, data, two, 2), graph=True)
    assert tiny.largest_difference(tiny.weights(two), tiny.weights(model)) < 1e-5


def test_a_checkpoint_gives_back_every_weight_slot_and_counter(trained, tmp_path):
    experiment, data, model, _, _ = trained
    saved = checkpoint.Checkpoints(str(tmp_path), model, keep=1)
    saved.save([{"step": 2}])
    other = built(experiment, data)
    assert tiny.largest_difference(tiny.weights(model), tiny.weights(other)) > 0.0
    assert checkpoint.Checkpoints(str(tmp_path), other, keep=1).restore() == [{"step": 2}]
    assert tiny.largest_difference(tiny.weights(model), tiny.weights(other)) == 0.0


def test_samples_are_images_of_the_data_s_shape(trained):
    _, data, model, _, _ = trained
    model.ready()
    conditions = model.sample_conditions(random.Stream(1), 3)
    images = model.sample(tf.random.stateless_normal([3, model.config.latent_size], [1, 2]), conditions)
    assert images.shape == (3, *data.spec.image_shape) and images.dtype == tf.float32
    assert float(tf.reduce_max(tf.abs(images))) <= 1.0


def test_a_dataset_without_a_needed_key_is_refused_before_the_first_step(trained):
    experiment, data, _, _, _ = trained
    for key in registry.model_class(experiment.variant).keys_for(experiment.model):
        features = {k: f for k, f in data.spec.features.items() if k != key}
        with pytest.raises(ValueError, match=f"batch key '{key}'"):
            stage = registry.phases(experiment)[0]
            stage.build(dataclasses.replace(data.spec, features=features), run.Run(seed=1, phase="train", steps=1), {})


def test_every_endpoint_answers_alike_where_only_tensorflow_is(source, tmp_path):
    """One SavedModel holds the endpoints of all variants; publishing reloads it by TensorFlow's C API, in a session and by `tf.saved_model.load`,
    in processes without this project, and compares the pixels with the models'."""
    endpoints = []
    for variant in VARIANTS:
        experiment = experiment_on(variant, source)
        model = built(experiment, opened(experiment, tmp_path))
        model.ready()
        endpoints += [dataclasses.replace(e, name=f"{variant}_{e.name}") for e in model.endpoints()]
    version = saved_model.publish(endpoints, str(tmp_path / "served"), "every_variant", batch_sizes=(1, 4), metadata={})
    loaded = tf.saved_model.load(version)
    for variant in VARIANTS:
        assert {f"{variant}_serving_default", f"{variant}_sample", f"{variant}_sample_png"} <= loaded.signatures.keys()
