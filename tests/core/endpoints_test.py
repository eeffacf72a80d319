"""What every GAN answers when it is served: `Gan.endpoints()`."""

import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.ops import priors

ENDLESS = 1e9


@pytest.fixture(scope="module")
def model():
    return tiny.build()


def endpoint(model, name):
    return {e.name: e for e in model.endpoints()}[name]


def row(values, i):
    return {key: value[i : i + 1] for key, value in values.items()}


NAMES = ("serving_default", "sample", "interpolate", "generate_default")


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_an_endpoint_are_independent(model, name):
    served = endpoint(model, name)
    inputs = {key: tf.constant(value) for key, value in served.examples(4).items()}
    together = served.function(**inputs)
    assert together["images"].shape == (4, 8, 8, 3)
    for i in range(4):
        for key, value in served.function(**row(inputs, i)).items():
            np.testing.assert_allclose(value[0], together[key][i], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_examples_fit_the_declared_inputs_and_are_equal_on_every_call(model, name):
    served = endpoint(model, name)
    first, again = served.examples(3), served.examples(3)
    assert set(first) == set(served.inputs)
    for key, expected in served.inputs.items():
        assert (first[key].dtype, first[key].shape) == (expected.dtype.as_numpy_dtype, (3, *expected.shape[1:]))
        np.testing.assert_array_equal(first[key], again[key])


def ask(model, seeds, truncation=ENDLESS, labels=None):
    labels = np.zeros(len(seeds)) if labels is None else labels
    given = {"seed": tf.constant(seeds, tf.int64), "truncation": tf.fill([len(seeds)], truncation), "label": tf.constant(labels, tf.int64)}
    return {key: value.numpy() for key, value in endpoint(model, "sample").function(**given).items()}


def test_a_seed_gives_the_same_sample_whatever_else_is_in_the_batch(model):
    alone, beside = ask(model, [7]), ask(model, [3, 2**40, 7, 7])
    for i in (2, 3):
        np.testing.assert_array_equal(beside["latents"][i], alone["latents"][0])
        np.testing.assert_allclose(beside["images"][i], alone["images"][0], atol=1e-6)
    assert not np.allclose(beside["latents"][0], beside["latents"][2])
    assert not np.allclose(beside["latents"][1], beside["latents"][2])


def test_the_label_changes_the_picture_and_not_the_latents(model):
    asked = ask(model, [7, 7, 7], labels=[0, 1, 2])
    np.testing.assert_array_equal(asked["latents"][0], asked["latents"][1])
    assert len({image.tobytes() for image in asked["images"]}) == 3


def test_truncation_bounds_the_latents_of_sample_row_by_row(model):
    limits = np.array([0.1, 0.5, 2.0, ENDLESS], np.float32)
    seeds = tf.constant([1, 2, 3, 4], tf.int64)
    latents = endpoint(model, "sample").function(seed=seeds, truncation=tf.constant(limits), label=tf.zeros([4], tf.int64))["latents"]
    assert (np.abs(latents).max(axis=1) <= limits).all()
    np.testing.assert_array_equal(latents[3], ask(model, [4])["latents"][0])


def test_truncation_clips_given_latents_row_by_row(model):
    served = endpoint(model, "serving_default").function
    z = np.random.default_rng(0).normal(0, 2, (2, 6)).astype(np.float32)
    label = tf.constant([0, 1], tf.int64)
    clipped = np.stack([np.clip(z[0], -0.5, 0.5), np.clip(z[1], -1.0, 1.0)])
    expected = served(latents=tf.constant(clipped), truncation=tf.fill([2], ENDLESS), label=label)["images"]
    np.testing.assert_array_equal(served(latents=tf.constant(z), truncation=tf.constant([0.5, 1.0]), label=label)["images"], expected)


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("name", ["serving_default", "sample", "interpolate"])
@pytest.mark.parametrize("label", [-1, 3, 2**32])
def test_a_label_outside_the_classes_is_an_invalid_argument(model, name, graph, label):
    served = endpoint(model, name)
    inputs = {key: tf.constant(value) for key, value in served.examples(2).items()} | {"label": tf.constant([0, label], tf.int64)}
    function = tf.function(served.function, autograph=False) if graph else served.function
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"label must be in \[0, 3\), received\W+{abs(label)}"):
        function(**inputs)


def interpolated(model, position, **changes):
    rows = len(position)
    given = {
        "seed": tf.fill([rows], tf.constant(7, tf.int64)),
        "other_seed": tf.fill([rows], tf.constant(8, tf.int64)),
        "position": tf.constant(position, tf.float32),
        "truncation": tf.fill([rows], 2.0),
        "label": tf.ones([rows], tf.int64),
    }
    return {key: value.numpy() for key, value in endpoint(model, "interpolate").function(**(given | changes)).items()}


def test_the_ends_of_an_interpolation_are_the_samples_of_its_seeds(model):
    between = interpolated(model, [0.0, 0.5, 1.0])
    ends = ask(model, [7, 8, 8], truncation=2.0, labels=[1, 1, 1])
    for i, j in ((0, 0), (2, 1)):
        np.testing.assert_array_equal(between["latents"][i], ends["latents"][j])
        np.testing.assert_array_equal(between["images"][i], ends["images"][j])
    assert all(np.abs(between["images"][1] - between["images"][i]).max() > 1e-4 for i in (0, 2))


@pytest.mark.parametrize("prior", priors.PRIORS)
def test_an_interpolation_goes_the_way_of_the_prior(prior):
    model = tiny.build(tiny.Config(prior=prior))
    latents = interpolated(model, [0.0, 0.25, 1.0])["latents"].astype(np.float64)
    a, b = latents[0], latents[2]
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    bent = (np.sin(0.75 * angle) * a + np.sin(0.25 * angle) * b) / np.sin(angle)
    np.testing.assert_allclose(latents[1], bent if prior == "normal" else 0.75 * a + 0.25 * b, atol=1e-5)


def test_a_position_outside_the_way_is_its_end(model):
    answers = interpolated(model, [0.0, -3.0, -np.inf, 1.0, 1.5, np.inf])["images"]
    for i in (1, 2):
        np.testing.assert_array_equal(answers[i], answers[0])
        np.testing.assert_array_equal(answers[i + 3], answers[3])


BAD = [
    ("serving_default", "latents", np.nan, "latents must be finite"),
    ("serving_default", "latents", np.inf, "latents must be finite"),
    ("generate_default", "latents", -np.inf, "latents must be finite"),
    ("serving_default", "truncation", np.nan, "truncation must be a number from 0"),
    ("sample", "truncation", -0.5, "truncation must be a number from 0"),
    ("interpolate", "truncation", np.nan, "truncation must be a number from 0"),
    ("interpolate", "position", np.nan, "position must be a number"),
]


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("name, key, value, message", BAD)
def test_a_number_without_an_answer_is_an_invalid_argument(model, name, key, value, message, graph):
    served = endpoint(model, name)
    inputs = {k: v.copy() for k, v in served.examples(2).items()}
    inputs[key].reshape(-1)[-1] = value
    function = tf.function(served.function, autograph=False) if graph else served.function
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{message}, received\W+{abs(value)}"):
        function(**{k: tf.constant(v) for k, v in inputs.items()})


def test_an_infinite_truncation_and_none_at_all_are_answered(model):
    served, z = endpoint(model, "serving_default"), tf.constant([[9.0, -9.0, 0.0, 1.0, 2.0, 3.0]] * 2)
    label = tf.zeros([2], tf.int64)
    images = served.function(latents=z, truncation=tf.constant([np.inf, 10.0]), label=label)["images"].numpy()
    np.testing.assert_allclose(images[0], images[1], atol=1e-6)
    zero = ask(model, [1, 2], truncation=0.0)
    np.testing.assert_array_equal(zero["latents"], np.zeros([2, 6]))
    np.testing.assert_allclose(zero["images"][0], zero["images"][1], atol=1e-6)


def test_the_one_input_endpoint_chooses_the_conditions_by_the_latents(model):
    one_input, served = endpoint(model, "generate_default").function, endpoint(model, "serving_default").function
    z = tf.random.stateless_normal([60, 6], [1, 2])
    images = one_input(latents=z)["images"].numpy()
    np.testing.assert_allclose(one_input(latents=tf.concat([z[50:51]] * 2 + [z[3:4]], 0))["images"], images[[50, 50, 3]], atol=1e-6)
    by_label = np.stack(
        [served(latents=z, truncation=tf.fill([60], ENDLESS), label=tf.fill([60], tf.constant(label, tf.int64)))["images"] for label in range(3)]
    )
    distances = np.abs(by_label - images).max(axis=(2, 3, 4))  # [label, row]
    np.testing.assert_allclose(distances.min(0), 0.0, atol=1e-6)
    assert (np.bincount(distances.argmin(0), minlength=3) > 5).all()


def test_endpoints_serve_the_averaged_generator():
    model = tiny.build()
    before = ask(model, [1])["images"]
    for v in model.generator.variables:
        v.assign(tf.zeros_like(v))
    np.testing.assert_array_equal(ask(model, [1])["images"], before)
    for v in model.averaged_generator.variables:
        v.assign(tf.zeros_like(v))
    assert not np.array_equal(ask(model, [1])["images"], before)
