"""What every variant must do, on its `debug` preset: the contract of the house, checked without knowing any GAN."""

import dataclasses
import json
import os

import commands
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from export import linter, rounding, saved_model, signatures
from pipelines import build as pipelines_build
from tfgan_suite import registry
from tfgan_suite.core import checkpoint, optimizers, run
from tfgan_suite.ops import random

VARIANTS = list(registry.VARIANTS)
SERVED = ("sngan", "biggan", "infogan", "improved_gan")
"""Without a condition, with a label, with codes, with a classifier beside the generator; the others are served in the slow tests."""


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


FEW_SERVED = pytest.mark.parametrize(
    "trained", [variant if variant in SERVED else pytest.param(variant, marks=pytest.mark.slow) for variant in VARIANTS], indirect=True
)


@FEW_SERVED
def test_every_endpoint_answers_alike_where_only_tensorflow_is(trained, tmp_path):
    """Publishing reloads the version by TensorFlow's C API, in a session, by `tf.saved_model.load` and behind its batching kernel, in processes
    without this project: every signature in batches of 1, 3 and 8 against the model, and the answers to 16 callers at once against their rows."""
    experiment, data, model, _, _ = trained
    model.ready()
    version = saved_model.publish(model.endpoints(), str(tmp_path), experiment.variant, batch_sizes=(1, 3, 8), metadata={})
    forms = () if data.spec.is_vector else ("", "_png", "_jpeg", "_uint8")
    names = {"serving_default", "generate_default", *(f"{name}{form}" for name in ("sample", "interpolate") for form in forms)}
    with open(os.path.join(version, "assets.extra", "verification.json")) as file:
        checks = json.load(file)["largest_difference"]
    for differences in checks.values():
        assert names <= differences.keys()
        assert all(difference <= 1e-5 for name, difference in differences.items() if not name.endswith(("_png", "_jpeg", "_uint8")))


@FEW_SERVED
def test_every_endpoint_is_what_a_server_takes_and_reads_its_weights_rounded_where_they_are_stored_so(trained, tmp_path):
    _, _, model, _, _ = trained
    model.ready()
    offered = rounding.stored(model.endpoints(), "bfloat16")
    built = signatures.build(offered)
    saved_model.save(built, str(tmp_path))
    assert linter.lint(str(tmp_path)) == []
    assert {v.dtype for signature in built for v in signature.concrete.graph.variables if v.dtype.is_floating} == {tf.bfloat16}
    inputs = {key: tf.constant(value) for key, value in offered[0].examples(3).items()}
    answer = offered[0].function(**inputs)["images"]
    weights = [v for network in model.endpoints()[0].networks for v in network.variables if v.dtype == "float32"]
    before = [v.numpy() for v in weights]
    try:
        for v, value in zip(weights, before, strict=True):
            v.assign(value.astype(tf.bfloat16.as_numpy_dtype).astype(np.float32))
        np.testing.assert_allclose(answer, model.endpoints()[0].function(**inputs)["images"], atol=1e-5)
    finally:
        for v, value in zip(weights, before, strict=True):
            v.assign(value)
