import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import alternating, optimizers
from tfgan_suite.layers import minibatch_discrimination
from tfgan_suite.losses import adversarial, auxiliary_classifier, feature_matching, gradient_penalty, historical_averaging, term
from tfgan_suite.networks import improved_gan


def two_replicas_and_one(mirrored, config, steps=2, kind=tiny.Tiny):
    keras.backend.clear_session()
    with mirrored.scope():
        two = tiny.build(config, kind=kind)
    batches = [tiny.batch(8 * config.discriminator_steps, seed=i) for i in range(steps)]
    tiny.train_mirrored(mirrored, two, batches)
    one = tiny.build(config, kind=kind)
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
    tiny.train(plain, batches, graph=True)
    tiny.train(compiled, batches, jit_compile=True)
    assert tiny.largest_difference(tiny.weights(plain), tiny.weights(compiled)) < 1e-5


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


class Noisy(tiny.Tiny):
    """A discriminator with dropout and Gaussian noise."""

    def build_discriminator(self):
        return improved_gan.mlp_discriminator(image_shape=self.data.image_shape, width=8)


class Coupled(tiny.Tiny):
    """A discriminator that compares the samples of a batch."""

    def build_discriminator(self):
        join = minibatch_discrimination.MinibatchDiscrimination(3, 2, form="paper")
        return improved_gan.compact_discriminator(image_shape=self.data.image_shape, width=4, join=join)


HISTORY = historical_averaging.HistoricalAveraging(generator_weight=0.5, discriminator_weight=0.2)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (Noisy, tiny.Config()),
        (Coupled, tiny.Config()),
        (tiny.Tiny, tiny.Config(terms=(adversarial.Adversarial(loss="hinge"), feature_matching.FeatureMatching()), generator_batches=2)),
        (tiny.Tiny, tiny.Config(terms=(adversarial.Adversarial(loss="hinge"), HISTORY), discriminator_steps=2)),
    ],
    ids=["noise", "minibatch discrimination", "feature matching", "historical averaging"],
)
def test_two_replicas_of_b_equal_one_of_2b_with_what_salimans_et_al_add(mirrored, kind, config):
    assert two_replicas_and_one(mirrored, config, kind=kind) < 1e-5


def test_a_noisy_discriminator_gets_fresh_numbers_for_every_view_and_update():
    model = tiny.build(kind=Noisy)
    views = {name: {"image": tf.zeros([4, 8, 8, 3])} for name in ("real", "fake")}
    stream = model.random()
    noisy = [model.with_noise(views, stream.fold(i)) for i in range(2)]
    inputs = {i.name: tuple(i.shape[1:]) for i in model.discriminator.inputs if i.name != "image"}
    assert len(inputs) == 6 and set(noisy[0]["real"]) == {"image", *inputs}
    for key, shape in inputs.items():
        drawn = [view[key].numpy() for given in noisy for view in given.values()]
        assert drawn[0].shape == (4, *shape)
        assert len({numbers.tobytes() for numbers in drawn}) == 4
    assert np.std(noisy[0]["real"]["normal_noise_0"]) == pytest.approx(1.0, abs=0.1)
    scores = model.discriminate(noisy[0])
    assert not np.allclose(scores["real"]["logits"], scores["fake"]["logits"])


def test_numbers_that_a_view_brings_are_kept():
    given = tf.fill([4, 192], 7.0)
    views = tiny.build(kind=Noisy).with_noise({"real": {"image": tf.zeros([4, 8, 8, 3]), "normal_noise_0": given}}, tiny.build().random())
    np.testing.assert_array_equal(views["real"]["normal_noise_0"], given)


def test_a_penalty_scores_its_own_points_under_the_noise_of_its_view():
    config = tiny.Config(terms=(adversarial.Adversarial(loss="wasserstein"), gradient_penalty.GradientPenalty()))
    logs = tiny.train(tiny.build(config, kind=Noisy), [tiny.batch(8)])[0]
    assert np.isfinite(list(logs.values())).all()


def test_views_of_a_discriminator_that_compares_samples_are_scored_apart():
    model = tiny.build(kind=Coupled)
    assert alternating.couples_samples(model.discriminator) and not alternating.couples_samples(tiny.build().discriminator)
    noise = model.with_noise({"real": tiny.batch(8, seed=1), **{f"fake {s}": tiny.batch(8, seed=s) for s in (2, 3)}}, model.random())
    logits = [model.discriminate({"real": noise["real"], "fake": noise[f"fake {s}"]})["real"]["logits"].numpy() for s in (2, 3)]
    np.testing.assert_array_equal(logits[0], logits[1])


def test_a_history_is_the_mean_of_the_weights_after_every_update_and_at_the_start():
    model = tiny.build(tiny.Config(terms=(adversarial.Adversarial(loss="hinge"), HISTORY), discriminator_steps=2))
    seen = {"generator": [], "discriminator": []}

    def note(name):
        seen[name].append([v.numpy() for v in getattr(model, name).trainable_variables])

    for name in seen:
        note(name)
    for i in range(3):
        for part in model.minibatches(tiny.batch(8, seed=i)):
            model.update_discriminator(part, model.random().fold(i))
            note("discriminator")
        model.update_generator(part, model.random().fold(i))
        note("generator")
    for name, count in (("generator", 4), ("discriminator", 7)):
        assert len(seen[name]) == count
        network, history = getattr(model, name), getattr(model, f"{name}_history")
        trained = [a.numpy() for a, v in zip(history.variables, network.variables, strict=True) if v.trainable]
        for average, values in zip(trained, zip(*seen[name], strict=True), strict=True):
            np.testing.assert_allclose(average, np.mean(values, 0), atol=1e-6)


def test_a_history_is_checkpointed_like_any_network_and_kept_only_where_a_term_reads_it():
    assert {"generator_history", "discriminator_history"} <= tiny.build(tiny.Config(terms=(HISTORY,))).variable_groups().keys()
    assert not [name for name in tiny.build().variable_groups() if "history" in name]


def test_a_term_s_batch_keys_are_required_of_the_dataset():
    class Needy(Linear):
        needs = ("labelled_image",)

    assert alternating.AlternatingGan.keys_for(alternating.Config(terms=(Needy(), Linear()))) == ("image", "labelled_image")
    assert tiny.Tiny.keys_for(tiny.Config(terms=(Needy(), Linear()), conditional=True)) == ("image", "labelled_image", "label")


def test_a_term_whose_head_the_discriminator_lacks_is_refused_before_training():
    message = (
        r"AuxiliaryClassifier reads the discriminator's head 'class_logits'; this discriminator of Tiny has logits, features\. Leave the term out"
    )
    with pytest.raises(ValueError, match=message):
        tiny.build(tiny.Config(terms=(adversarial.Adversarial(), auxiliary_classifier.AuxiliaryClassifier())))
