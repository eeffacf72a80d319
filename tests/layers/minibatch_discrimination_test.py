import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import data_dependent, minibatch_discrimination

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "minibatch_features.npz")
ROWS = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)


def layer(form="paper", kernels=5, dimensions=3, **values):
    """A built layer for 4 features (or as many as the given kernel has) with these weights."""
    made = minibatch_discrimination.MinibatchDiscrimination(kernels, dimensions, form=form)
    made.build((None, np.shape(values.get("kernel", np.zeros((4, 1, 1))))[0]))
    for name, value in values.items():
        getattr(made, name).assign(value)
    return made


def features(made, x):
    """The added features of x."""
    return made(x).numpy()[:, np.shape(x)[1] :]


def test_the_papers_form_equals_the_golden_values():
    made = layer(kernel=GOLDEN["mbd.T"])
    np.testing.assert_allclose(made(GOLDEN["mbd.features"]), GOLDEN["mbd.paper_concat"], rtol=1e-5, atol=1e-5)


def test_the_codes_form_equals_the_golden_values():
    made = layer("code", kernel=GOLDEN["mbd.T"], log_scale=GOLDEN["mbd.official.log_weight_scale"], bias=GOLDEN["mbd.official.bias"])
    np.testing.assert_allclose(features(made, GOLDEN["mbd.features"]), GOLDEN["mbd.official.out_features_only"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("form", "each"), [("paper", 6.0), ("code", 6.0 - 2.0)])
def test_identical_samples_are_n_close_ones_or_in_the_codes_form_n_less_oneself_and_the_bias_of_minus_one(form, each):
    np.testing.assert_allclose(features(layer(form), np.repeat(ROWS[:1], 6, 0)), np.full((6, 5), each), rtol=1e-6)


@pytest.mark.parametrize(("form", "alone"), [("paper", 1.0), ("code", -1.0)])
def test_a_sample_alone_is_close_to_itself_or_to_nobody(form, alone):
    np.testing.assert_allclose(features(layer(form), ROWS[:1]), np.full((1, 5), alone), atol=1e-6)


def test_two_groups_far_apart_count_their_own():
    made = layer(kernel=np.ones((4, 5, 3)))
    groups = np.repeat([[0.0] * 4, [100.0] * 4], 3, 0).astype(np.float32)
    np.testing.assert_allclose(features(made, groups), np.full((6, 5), 3.0), rtol=1e-6)


def test_without_a_projection_all_are_alike():
    np.testing.assert_allclose(features(layer(kernel=np.zeros((4, 5, 3))), ROWS), np.full((6, 5), 6.0), rtol=1e-6)


def test_two_scalars_one_apart_are_1_plus_1_over_e():
    made = layer(kernels=1, dimensions=1, kernel=np.ones((1, 1, 1)))
    np.testing.assert_allclose(features(made, np.array([[0.0], [1.0]], np.float32)), [[1.367879], [1.367879]], rtol=1e-6)


@pytest.mark.parametrize("form", minibatch_discrimination.FORMS)
def test_the_order_of_samples_is_the_order_of_outputs_and_the_first_columns_are_the_input(form):
    made, order = layer(form), np.array([3, 1, 5, 0, 2, 4])
    y = made(ROWS).numpy()
    assert y.shape == (6, 4 + 5) and made.compute_output_shape((None, 4)) == (None, 9)
    np.testing.assert_array_equal(y[:, :4], ROWS)
    np.testing.assert_allclose(made(ROWS[order]).numpy(), y[order], rtol=1e-5, atol=1e-6)


def test_the_gradient_at_identical_samples_is_finite():
    made, x = layer(), tf.constant(np.repeat(ROWS[:1], 4, 0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(made(x)[:, 4:])
    np.testing.assert_array_equal(tape.gradient(y, x), np.zeros((4, 4)))


def test_the_authors_layer_for_192_features_has_their_parameters():
    made = minibatch_discrimination.MinibatchDiscrimination(100, 5, form="code")
    made.build((None, 192))
    assert sum(int(np.prod(v.shape)) for v in made.trainable_variables) == 96_600


def test_a_first_batch_brings_the_nearest_other_to_a_mean_distance_of_2_and_the_mean_feature_to_0():
    inputs = keras.Input((4,))
    network = keras.Model(inputs, minibatch_discrimination.MinibatchDiscrimination(5, 3, form="code")(inputs))
    made = network.layers[-1]
    data_dependent.initialize(network, ROWS * 7.0)
    projected = np.einsum("na,abc->nbc", ROWS * 7.0, made.weight().numpy())
    distance = np.abs(projected[:, None] - projected[None]).sum(-1) + 1e9 * np.eye(6)[..., None]
    np.testing.assert_allclose(distance.min(1).mean(0), np.full(5, 2.0), rtol=1e-4)
    np.testing.assert_allclose(network(ROWS * 7.0).numpy()[:, 4:].mean(0), np.zeros(5), atol=1e-5)
    assert not made.initializing


@pytest.mark.parametrize("form", minibatch_discrimination.FORMS)
def test_a_sample_is_compared_with_those_of_all_replicas_and_so_are_gradients(mirrored, form):
    rows = ROWS.reshape(2, 3, 4)
    with mirrored.scope():
        made = layer(form, kernel=np.random.default_rng(1).standard_normal((4, 5, 3)))

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = made(x)
            loss = tf.reduce_sum(tf.sin(y))
        return y, tape.gradient(loss, x)

    parts = mirrored.experimental_distribute_values_from_function(lambda context: tf.constant(rows[context.replica_id_in_sync_group]))
    found = [np.concatenate([part.numpy() for part in mirrored.experimental_local_results(v)]) for v in mirrored.run(tf.function(step), (parts,))]
    for value, whole in zip(found, step(tf.constant(ROWS)), strict=True):
        np.testing.assert_allclose(value, whole, rtol=1e-4, atol=1e-5)


def test_half_precision_before_it_does_not_reach_its_distances():
    made = minibatch_discrimination.MinibatchDiscrimination(2, 2, form="code")
    y = made(tf.constant(ROWS * 1e4, tf.float16))
    assert y.dtype == tf.float32 and np.isfinite(y).all()


@pytest.mark.parametrize(("options", "says"), [({"form": "papr"}, "form='papr' is unknown"), ({"kernels": 0}, "at least 1; received 0 and 5")])
def test_what_cannot_be_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        minibatch_discrimination.MinibatchDiscrimination(**options)


def test_a_layer_is_rebuilt_from_its_configuration():
    made = layer("code")
    assert type(made).from_config(made.get_config()).get_config() == made.get_config()
