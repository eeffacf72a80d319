import dataclasses
import random
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from pipelines import spec
from tfgan_suite.core import gan, optimizers, run


@pytest.fixture(scope="module")
def model():
    """Not trained, as far as anything here needs; its discriminator's kernels have a spectral norm, its generator's a batch norm."""
    return tiny.build()


# Construction


def unlabelled() -> spec.DataSpec:
    labelled = tiny.data_spec()
    return dataclasses.replace(labelled, features={"image": labelled.features["image"]}, num_classes=0, class_names=())


def test_a_dataset_without_labels_fails_a_conditional_model_by_name_key_and_remedy():
    message = "Tiny trains on the batch key 'label', which the dataset 'tiny' does not have.*Choose a dataset with 'label'"
    with pytest.raises(ValueError, match=message):
        tiny.Tiny(tiny.Config(conditional=True), unlabelled(), run.Run(seed=0, phase="train", steps=1))


def test_without_conditions_labels_are_neither_needed_nor_read():
    free = tiny.Tiny(tiny.Config(conditional=False), unlabelled(), run.Run(seed=0, phase="train", steps=1))
    assert (free.needs, free.condition_keys) == (("image",), ())
    assert [i.name for i in free.generator.inputs] == ["latents"]
    pair = {"seed", "other_seed", "position", "truncation"}
    assert [set(e.inputs) for e in free.endpoints()] == [{"latents", "truncation"}, {"seed", "truncation"}, pair, {"latents"}]


@pytest.mark.parametrize(
    "values, message", [({"latent_size": 0}, "latent_size must be at least 1"), ({"prior": "norml"}, "Unknown prior 'norml'. Allowed: normal")]
)
def test_impossible_settings_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        gan.Config(**values)


def initial(**changes):
    return tiny.weights(tiny.Tiny(tiny.Config(), tiny.data_spec(), run.Run(**({"seed": 0, "phase": "train", "steps": 1} | changes))))


def test_initial_weights_are_a_function_of_seed_and_phase_whatever_was_drawn_before():
    random.seed(1)
    first, drawn = initial(), random.random()
    random.seed(1)
    assert random.random() == drawn  # building has not moved Python's generator
    assert tiny.largest_difference(initial(), first) == 0.0
    assert all(tiny.largest_difference(initial(**change), first) > 0.01 for change in ({"seed": 1}, {"phase": "other"}))


def test_batch_norms_take_the_statistics_of_all_replicas_or_of_their_own_rows_as_the_config_says(mirrored):
    """Two replicas with the same rows each have the statistics of one; with other rows only where they exchange them."""
    found = {}
    for synchronized in (True, False):
        with mirrored.scope():
            model = tiny.build(tiny.Config(synchronized_batch_norm=synchronized))
        latents, labels = tf.random.stateless_normal([8, 6], [1, 2]), {"label": tf.zeros([8], tf.int32)}

        def draw(model=model, latents=latents, labels=labels):
            i = tf.distribute.get_replica_context().replica_id_in_sync_group
            part = slice(4 * i, 4 * i + 4)
            return model.generate(latents[part], {"label": labels["label"][part]}, training=True)

        parts = mirrored.run(draw).values
        whole = np.concatenate([part.numpy() for part in parts])
        found[synchronized] = np.abs(whole - model.generate(latents, labels, training=True).numpy()).max()
    assert found[True] < 1e-5 < 1e-3 < found[False]


# What a checkpoint holds


def test_every_variable_made_during_construction_is_in_exactly_one_group(monkeypatch):
    made, initialise = [], keras.Variable.__init__

    def note(self, *arguments, **options):
        initialise(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(keras.Variable, "__init__", note)
    model = tiny.build(tiny.Config(discriminator_optimizer=optimizers.Adam(), norm="batch", spectral_norm=False))
    held = [id(v) for group in model.variable_groups().values() for v in group]
    assert len(set(held)) == len(held) == len(made) > 30
    assert set(held) == {id(v.value) for v in made}


class Line(gan.Gan):
    """One network w x on two inputs."""

    def __init__(self, optimizer=None):
        self.player = optimizer or optimizers.SGD(learning_rate=1.0)
        super().__init__(gan.Config(), tiny.data_spec(), run.Run(seed=0, phase="train", steps=10))

    def build_networks(self):
        self.line = self.network()
        self.line_optimizer = self.optimizer("line", self.player, self.line)

    def network(self):
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])

    def move(self, *gradient):
        """One step on a loss with this gradient; returns the norm that was reported."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.line.trainable_variables[0][:, 0] * tf.constant(gradient))
        return float(self.descend(loss, tape, self.line_optimizer, self.line))

    @property
    def weights_now(self):
        return self.line.trainable_variables[0][:, 0].numpy()


def test_networks_in_a_list_are_found_by_number():
    class Several(Line):
        def build_networks(self):
            super().build_networks()
            self.critics = [self.network(), self.network()]

    model = Several()
    assert list(model.networks()) == ["line", "critics.0", "critics.1"]
    assert {"counters", "line", "critics.0", "critics.1", "optimizer.line"} == set(model.variable_groups())


@pytest.mark.parametrize("hide", [lambda n: {"a": n}, lambda n: [[n]], lambda n: n.layers[0]], ids=["dict", "nested list", "bare layer"])
def test_a_network_where_none_is_looked_for_is_refused_rather_than_forgotten(hide):
    class Hidden(Line):
        def build_networks(self):
            super().build_networks()
            self.hidden = hide(self.network())

    with pytest.raises(AssertionError, match="variables outside every network attribute would not be saved"):
        Hidden().variable_groups()


# Descent


def test_descent_subtracts_the_learning_rate_times_the_gradient_and_reports_its_norm():
    model = Line(optimizers.SGD(learning_rate=0.5))
    assert model.move(3.0, 4.0) == pytest.approx(5.0)
    np.testing.assert_allclose(model.weights_now, [-1.5, -2.0])


def test_clipping_scales_the_whole_gradient_to_the_norm_and_leaves_a_shorter_one_alone():
    model = Line(optimizers.SGD(learning_rate=1.0, clip_norm=2.5))
    assert model.move(3.0, 4.0) == pytest.approx(5.0)  # what is reported is the norm before clipping
    np.testing.assert_allclose(model.weights_now, [-1.5, -2.0], rtol=1e-6)
    assert model.move(0.6, 0.8) == pytest.approx(1.0)
    np.testing.assert_allclose(model.weights_now, [-2.1, -2.8], rtol=1e-6)


# Random numbers


def numbers(model, *, step=0, rollbacks=0, **changes):
    counters = {name: keras.Variable(value, dtype="int64") for name, value in (("step", step), ("rollbacks", rollbacks))}
    then = types.SimpleNamespace(run=dataclasses.replace(model.run, **changes), **counters)
    return tuple(gan.Gan.random(then).uniform((4,)).numpy())


def test_the_stream_is_a_function_of_seed_phase_step_and_roll_backs(model):
    assert numbers(model) == numbers(model)
    changes = [{"seed": 1}, {"phase": "other"}, {"step": 1}, {"rollbacks": 1}, {"step": 2}, {"rollbacks": 2}]
    assert len({numbers(model), *(numbers(model, **change) for change in changes)}) == 7


def test_n_replicas_draw_what_one_would(mirrored, model):
    def draw(rows):
        stream = model.random()
        return model.sample_latents(stream, rows), model.sample_conditions(stream, rows)["label"]

    latents, labels = draw(8)
    parts = mirrored.run(lambda: draw(4))
    np.testing.assert_array_equal(np.concatenate([p.numpy() for p in parts[0].values]), latents)
    np.testing.assert_array_equal(np.concatenate([p.numpy() for p in parts[1].values]), labels)


def test_labels_of_fakes_are_uniform_over_the_classes(model):
    counts = np.bincount(model.sample_conditions(model.random(), 3000)["label"], minlength=3)
    assert len(counts) == 3
    assert abs(counts - 1000).max() < 5 * np.sqrt(3000 * (1 / 3) * (2 / 3))  # five standard deviations


def test_latents_follow_the_configured_prior_within_the_truncation(model):
    z = model.sample_latents(model.random(), 2000, 0.5).numpy()
    assert z.shape == (2000, 6) and 0.49 < np.abs(z).max() <= 0.5
    free = model.sample_latents(model.random(), 2000).numpy()
    assert abs(free.std() - 1.0) < 0.03 and np.abs(free).max() > 3.0


def test_a_condition_that_cannot_be_drawn_comes_from_the_batch_or_is_an_error(model):
    reads_text, text = types.SimpleNamespace(condition_keys=("text",)), tf.ones([2, 5])
    assert gan.Gan.sample_conditions(reads_text, model.random(), 2, {"text": text})["text"] is text
    with pytest.raises(ValueError, match="The condition 'text' cannot be drawn"):
        gan.Gan.sample_conditions(reads_text, model.random(), 2)


def test_minibatches_are_every_kth_row():
    parts = gan.strided({"image": tf.range(6)}, 3)
    assert [part["image"].numpy().tolist() for part in parts] == [[0, 3], [1, 4], [2, 5]]
