import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import alternating, optimizers
from tfgan_suite.losses import adversarial, gradient_penalty, term


def two_replicas_and_one(mirrored, config, steps=3):
    keras.backend.clear_session()
    with mirrored.scope():
        two = tiny.build(config)
    batches = [tiny.batch(8 * config.discriminator_steps, seed=i) for i in range(steps)]
    tiny.train_mirrored(mirrored, two, batches)
    one = tiny.build(config)
    tiny.train(one, batches)
    return tiny.largest_difference(tiny.weights(two), tiny.weights(one))


@pytest.mark.parametrize(
    "config",
    [
        tiny.Config(),
        tiny.Config(discriminator_steps=2, generator_batches=2, accumulation=2),
        tiny.Config(norm="batch", spectral_norm=False),
        tiny.Config(terms=(adversarial.Adversarial(loss="wasserstein"), gradient_penalty.GradientPenalty())),
        tiny.Config(discriminator_optimizer=optimizers.SGD(learning_rate=0.05, clip_norm=0.1)),
    ],
    ids=["spectral norm", "critic steps and accumulation", "batch norm", "gradient penalty", "clipping"],
)
def test_two_replicas_of_b_equal_one_of_2b(mirrored, config):
    assert two_replicas_and_one(mirrored, config) < 1e-5


def test_xla_equals_the_plain_graph():
    batches = [tiny.batch(8, seed=i) for i in range(2)]
    plain, compiled = tiny.build(), tiny.build()
    tiny.train(plain, batches)
    tiny.train(compiled, batches, jit_compile=True)
    assert tiny.largest_difference(tiny.weights(plain), tiny.weights(compiled)) < 1e-5


def test_accumulated_micro_batches_equal_the_whole_batch_for_losses_per_sample():
    """Without batch norm in the discriminator; the generator's is frozen out by a learning rate of 0."""
    still = optimizers.SGD(learning_rate=0.0)
    real_only = tuple([Linear()])
    models = [tiny.build(tiny.Config(terms=real_only, generator_optimizer=still, accumulation=m)) for m in (1, 4)]
    for model in models:
        tiny.train(model, [tiny.batch(8)])
    whole, parts = ([v.numpy() for v in m.discriminator.trainable_variables] for m in models)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


class Linear(term.Term):
    """Lowers the score of real images; reads no fakes."""

    def discriminator_loss(self, views, scores, step):
        return tf.reduce_mean(scores["real"]["logits"])


class Recorder(term.Term):
    """Notes which batches it saw."""

    def __init__(self):
        self.seen = []

    def discriminator_loss(self, views, scores, step):
        self.seen.append(("discriminator", views["real"]["image"].numpy(), views["fake"]["latents"].numpy()))
        return tf.reduce_mean(scores["real"]["logits"])

    def generator_loss(self, views, scores, step):
        self.seen.append(("generator", None, views["fake"]["latents"].numpy()))
        return tf.reduce_mean(scores["fake"]["logits"])


def test_critic_sees_a_fresh_batch_per_step_and_every_update_fresh_latents():
    recorder = Recorder()
    model = tiny.build(tiny.Config(terms=(recorder,), discriminator_steps=3))
    batch = tiny.batch(12)
    model.train_step(batch)
    assert [who for who, _, _ in recorder.seen] == ["discriminator"] * 3 + ["generator"]
    real = np.concatenate([image for _, image, _ in recorder.seen[:3]])
    assert {row.tobytes() for row in real} == {row.tobytes() for row in batch["image"].numpy()}
    latents = np.concatenate([z for _, _, z in recorder.seen])
    assert len({row.tobytes() for row in latents}) == len(latents) == 16


def test_each_update_moves_its_own_player_only():
    model = tiny.build()
    before = [v.numpy() for v in model.generator.trainable_variables]
    model.update_discriminator(tiny.batch(8), model.random())
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, model.generator.trainable_variables, strict=True))
    before = [v.numpy() for v in model.discriminator.variables]
    model.update_generator(tiny.batch(8), model.random())
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, model.discriminator.variables, strict=True))


def test_views_of_a_discriminator_with_batch_norm_are_scored_apart():
    """Scored together, the statistics would be those of both views, and the logits of `real` would depend on `fake`."""
    model = tiny.build(tiny.Config(norm="batch", spectral_norm=False))
    real, others = tiny.batch(8, seed=1), [tiny.batch(8, seed=s) for s in (2, 3)]
    logits = [model.discriminate({"real": real, "fake": fake})["real"]["logits"].numpy() for fake in others]
    np.testing.assert_array_equal(logits[0], logits[1])


def test_views_without_batch_norm_are_scored_in_one_pass_and_may_differ_in_rows():
    model = tiny.build()
    views = {"real": tiny.batch(8, seed=1), "fake": tiny.batch(4, seed=2)}
    together = model.discriminate(views)
    for name, view in views.items():
        np.testing.assert_allclose(together[name]["logits"], model.score(view)["logits"], atol=1e-5)


def test_terms_are_summed_and_logged_by_name():
    model = tiny.build(tiny.Config(terms=(adversarial.Adversarial(loss="hinge"), gradient_penalty.R1(gamma=2.0))))
    logs = tiny.train(model, [tiny.batch(8)])[0]
    assert logs["discriminator/loss"] == pytest.approx(logs["discriminator/adversarial"] + logs["discriminator/r1"], rel=1e-5)
    assert logs["generator/loss"] == pytest.approx(logs["generator/adversarial"], rel=1e-5)


def test_two_terms_of_one_name_are_refused():
    with pytest.raises(ValueError, match="Two terms are called adversarial"):
        tiny.Config(terms=(adversarial.Adversarial(), adversarial.Adversarial()))


@pytest.mark.parametrize("field", ["discriminator_steps", "generator_batches", "accumulation"])
def test_counts_below_one_are_refused(field):
    with pytest.raises(ValueError, match=f"{field} must be at least 1"):
        alternating.Config(**{field: 0})


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_losses_float32_and_finite(precision):
    model = tiny.build(precision=precision)
    step = tf.function(model.train_step, autograph=False)
    logs = [step(tiny.batch(8, seed=i)) for i in range(3)]
    assert all(value.dtype == tf.float32 for log in logs for value in log.values())
    # The first float16 gradients may overflow: then the update is skipped and the loss scale falls.
    assert all(np.isfinite(value.numpy()) for log in logs for name, value in log.items() if not name.endswith("gradient_norm"))
    assert all(v.dtype == "float32" for v in model.discriminator.trainable_variables)
    assert model.generate(tf.zeros([2, 6]), {"label": tf.zeros([2], tf.int32)}, training=False).dtype == tf.float32


def test_an_infinite_gradient_skips_a_float16_update_and_lowers_the_scale():
    model = tiny.build(precision="mixed_float16")
    optimizer = model.discriminator_optimizer
    before, scale = [v.numpy() for v in model.discriminator.trainable_variables], float(optimizer.dynamic_scale)
    broken = [tf.fill(v.shape, np.inf) for v in model.discriminator.trainable_variables]
    model.apply([broken], optimizer, model.discriminator)
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, model.discriminator.trainable_variables, strict=True))
    assert float(optimizer.dynamic_scale) < scale


def test_fit_trains_on_one_device():
    model = tiny.build()
    model.compile(optimizer=None)
    data = tf.data.Dataset.from_tensor_slices(tiny.batch(16)).batch(8, drop_remainder=True)
    history = model.fit(data, epochs=2, verbose=0, shuffle=False)
    assert int(model.step.numpy()) == 4
    assert np.isfinite(history.history["discriminator/loss"]).all()


def test_fit_trains_on_two_replicas(mirrored):
    with mirrored.scope():
        model = tiny.build()
        model.compile(optimizer=None)
    data = tf.data.Dataset.from_tensor_slices(tiny.batch(16)).batch(8, drop_remainder=True)
    model.fit(data, epochs=1, verbose=0, shuffle=False)
    assert int(model.step.numpy()) == 2
