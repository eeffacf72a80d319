import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import averaging
from tfgan_suite.layers import batch_norm

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"


def network():
    x = keras.Input((4,), name="latents")
    return keras.Model({"latents": x}, {"image": batch_norm.BatchNorm()(keras.layers.Dense(3)(x))})


def test_the_average_after_n_steps_from_zero_towards_one_is_1_minus_decay_to_the_n():
    live, twin = network(), network()
    for v in live.trainable_variables:
        v.assign(tf.ones_like(v))
    twin.trainable = False
    for v in twin.variables:
        v.assign(tf.zeros_like(v))
    for _ in range(5):
        averaging.update(twin, live, 0.9)
    for v in twin.layers[1].weights:
        np.testing.assert_allclose(v, 1 - 0.9**5, rtol=1e-6)


def test_up_to_the_start_step_the_average_equals_the_live_weights():
    model = tiny.build(tiny.Config(average=averaging.Average(decay=0.9, start=2)))
    tiny.train(model, [tiny.batch(8, seed=i) for i in range(2)])
    pairs = list(zip(model.generator.variables, model.averaged_generator.variables, strict=True))
    trained = {id(v) for v in model.generator.trainable_variables}
    assert all(np.array_equal(a, b) for a, b in pairs if id(a) in trained)
    tiny.train(model, [tiny.batch(8, seed=3)])
    assert any(not np.array_equal(a, b) for a, b in pairs if id(a) in trained)


def test_standing_statistics_are_the_means_over_batches_of_mean_and_biased_variance():
    twin = network()
    batches = np.random.default_rng(0).normal(2.0, 3.0, (4, 16, 4)).astype(np.float32)
    averaging.collect_statistics([twin], lambda i: twin({"latents": tf.gather(batches, i)}, training=True), 4)
    dense, norm = twin.layers[1], twin.layers[2]
    outputs = batches @ dense.kernel.numpy() + dense.bias.numpy()
    np.testing.assert_allclose(norm.moving_mean, outputs.mean(1).mean(0), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, outputs.var(1).mean(0), rtol=1e-4)
    assert norm.momentum == 0.9


def test_ready_is_a_function_of_the_weights_alone():
    model = tiny.build()
    tiny.train(model, [tiny.batch(8)])
    model.ready()
    first = tiny.weights(model)
    model.sample(tf.zeros([8, 6]), {"label": tf.zeros([8], tf.int32)}, training=True)  # disturbs the moving statistics
    model.ready()
    assert tiny.largest_difference(first, tiny.weights(model)) == 0.0


@pytest.mark.parametrize("case", ["no_start", "start2"])
def test_golden_average(case):
    """The weights after each of four updates, computed with StudioGAN's `utils/ema.py`."""
    golden = np.load(GOLDEN / "ortho_ema_split.npz")
    decay, start = float(golden[f"ema.{case}.decay"]), int(golden[f"ema.{case}.start_iter"])
    live, twin = (keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, use_bias=False)]) for _ in range(2))
    twin.trainable = False
    weights = golden["ema.weights_per_step"]
    averaging.set_equal(twin, live)
    for v in (live, twin):
        v.variables[0].assign(weights[:1])
    for step, after in enumerate(golden[f"ema.{case}.studiogan.weights_after"]):
        live.variables[0].assign(weights[step + 1 : step + 2])
        averaging.update(twin, live, 0.0 if step < start else decay)
        np.testing.assert_allclose(twin.variables[0][0], after, atol=1e-6)


@pytest.mark.parametrize("values", [{"decay": 1.0}, {"decay": -0.1}, {"start": -1}])
def test_an_impossible_average_is_refused(values):
    with pytest.raises(ValueError, match="decay in"):
        averaging.Average(**values)
