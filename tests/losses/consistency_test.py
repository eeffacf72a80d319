import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf
import tiny_augmentations

from tfgan_suite.losses import consistency

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "consistency.npz")
NUMBERS = np.random.default_rng(0)
IMAGES = {name: NUMBERS.uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32) for name in ("real", "fake")}


def step_of(**functions):
    """A step whose augmentations are those of the term, called without a stream."""
    return types.SimpleNamespace(augment=lambda augmentation, view, name: augmentation(view, None, None), **functions)


def views_of(term, **more):
    views = {name: {"image": tf.constant(image), "label": tf.range(4)} for name, image in IMAGES.items()}
    return views | term.views(views, step_of(**more))


def summed(views):
    """D(x) = sum x."""
    return {name: {"logits": tf.reduce_sum(view["image"], [1, 2, 3])} for name, view in views.items()}


def golden_scores(suffix):
    """The golden scores under the names of a term's views; `suffix` is the term's log name."""
    names = {"real": "real", "fake": "fake", f"real_{suffix}": "real_aug", f"fake_{suffix}": "fake_aug"}
    names |= {"fake_latent_consistency": "fake_eps"}
    return {view: {"logits": tf.constant(GOLDEN[f"d_{n}"]), "embedding": tf.constant(GOLDEN[f"embed_{n}"])} for view, n in names.items()}


@pytest.mark.parametrize("heads, key", [((), "d_term"), (("embedding",), "with_embed.d_term")])
@pytest.mark.parametrize(
    "name, term, suffix",
    [
        ("cr", consistency.ConsistencyRegularization, "consistency_regularization"),
        ("bcr", consistency.BalancedConsistency, "balanced_consistency"),
        ("zcr", consistency.LatentConsistency, "latent_consistency"),
    ],
)
def test_the_discriminators_parts_with_their_defaults_are_the_golden_ones(name, term, suffix, heads, key):
    scores = golden_scores(suffix)
    loss = term(further_heads=heads).discriminator_loss({view: {} for view in scores}, scores, None)
    np.testing.assert_allclose(loss, GOLDEN[f"{name}.{key}"], rtol=1e-5)


def test_the_generators_part_of_zcr_is_the_golden_one_on_pixels_before_augmentation():
    fake = {"latents": tf.zeros([8, 2]), "image": tf.zeros([8, 4, 4, 3]), "clean": tf.constant(GOLDEN["g_z"])}
    normal = types.SimpleNamespace(fold=lambda name: types.SimpleNamespace(normal=tf.zeros))
    step = types.SimpleNamespace(generate=lambda view: view | {"image": tf.constant(GOLDEN["g_z_eps"])}, random=normal)
    np.testing.assert_allclose(consistency.LatentConsistency().generator_loss({"fake": fake}, {}, step), GOLDEN["zcr.g_term"], rtol=1e-5)


@pytest.mark.parametrize("term", [consistency.ConsistencyRegularization, consistency.BalancedConsistency])
def test_an_augmentation_that_changes_nothing_costs_nothing(term):
    term = term(augmentation=tiny_augmentations.Identity())
    views = views_of(term)
    assert float(term.discriminator_loss(views, summed(views), None)) == 0.0


def test_where_d_sums_n_numbers_adding_a_to_each_costs_the_square_of_n_a():
    added = tiny_augmentations.Add(amount=0.5)
    square = (8 * 8 * 3 * 0.5) ** 2
    for term, expected in (
        (consistency.ConsistencyRegularization(augmentation=added, weight=3.0), 3.0 * square),
        (consistency.BalancedConsistency(augmentation=added, real_weight=2.0, fake_weight=5.0), 7.0 * square),
    ):
        views = views_of(term)
        np.testing.assert_allclose(term.discriminator_loss(views, summed(views), None), expected, rtol=1e-4)


def test_cr_augments_real_images_and_bcr_fakes_too_with_draws_of_their_own_under_their_own_labels():
    for term, names in ((consistency.ConsistencyRegularization(), ["real"]), (consistency.BalancedConsistency(), ["real", "fake"])):
        used = []
        step = types.SimpleNamespace(augment=lambda augmentation, view, name, used=used: used.append(name) or view)
        views = {name: {"image": tf.constant(image), "label": tf.range(4)} for name, image in IMAGES.items()}
        added = term.views(views, step)
        assert used == names and list(added) == [f"{name}_{term.log_name}" for name in names]
        assert all(view["label"] is views[name]["label"] for name, view in zip(names, added.values(), strict=True))
        assert not term.generator_views(views, step) and float(term.generator_loss(views, {}, step)) == 0.0


def test_gradients_reach_the_discriminator_through_both_sides():
    clean, augmented = tf.constant([1.0, 2.0]), tf.constant([3.0, 2.5])
    with tf.GradientTape() as tape:
        tape.watch([clean, augmented])
        loss = consistency.distance({"logits": clean}, {"logits": augmented}, ("logits",))
    by_clean, by_augmented = tape.gradient(loss, [clean, augmented])
    np.testing.assert_allclose(by_clean, [-2.0, -0.5])  # (2 / b) (a - b)
    np.testing.assert_allclose(by_augmented, [2.0, 0.5])


def test_a_mixture_is_to_score_what_its_parts_do_in_their_shares():
    """So a linear D loses nothing under mixing, whatever the head's shape."""
    term = consistency.BalancedConsistency(augmentation=tiny_augmentations.Blend(share=0.7), further_heads=("two",))
    views = views_of(term)
    scores = {name: {"logits": tf.reduce_sum(v["image"], [1, 2, 3]), "two": tf.reduce_sum(v["image"], [1, 2])} for name, v in views.items()}
    np.testing.assert_allclose(term.discriminator_loss(views, scores, None), 0.0, atol=1e-6)
    scores["real"]["logits"] = tf.constant([1.0, 0.0, 0.0, 0.0])
    scores["real_balanced_consistency"]["logits"] = tf.zeros([4])
    np.testing.assert_allclose(term.discriminator_loss(views, scores, None), 10.0 * (0.7**2 + 0.3**2) / 4, rtol=1e-5)


def test_zcr_of_linear_players_is_its_closed_form():
    """D: sigma^2 |A' w|^2 for D(x) = w x and G(z) = A z. G: -sigma^2 |A|^2 over the number of pixels."""
    a, w = NUMBERS.standard_normal((12, 3)).astype(np.float32), NUMBERS.standard_normal(12).astype(np.float32)
    rows, sigma = 50_000, 0.1
    noise = tf.constant(NUMBERS.standard_normal((rows, 3)), tf.float32)
    stream = types.SimpleNamespace(fold=lambda name: types.SimpleNamespace(normal=lambda shape: noise))
    step = types.SimpleNamespace(generate=lambda view: view | {"image": tf.matmul(view["latents"], a, transpose_b=True)}, random=stream)
    term = consistency.LatentConsistency(discriminator_weight=2.0, generator_weight=3.0, sigma=sigma)
    fake = step.generate({"latents": tf.ones([rows, 3]), "label": tf.range(rows)})
    views = {"fake": fake} | term.views({"fake": fake}, step)
    scores = {name: {"logits": tf.linalg.matvec(view["image"], w)} for name, view in views.items()}
    np.testing.assert_allclose(term.discriminator_loss(views, scores, step), 2.0 * sigma**2 * np.sum((a.T @ w) ** 2), rtol=0.03)
    np.testing.assert_allclose(term.generator_loss(views, scores, step), -3.0 * sigma**2 * np.sum(a**2) / 12, rtol=0.03)
    assert views["fake_latent_consistency"]["label"] is fake["label"]


def test_logits_of_half_precision_do_not_overflow():
    far = consistency.distance({"logits": tf.constant([300.0], tf.float16)}, {"logits": tf.constant([-300.0], tf.float16)}, ("logits",))
    assert float(far) == 360_000.0


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: consistency.ConsistencyRegularization(weight=-1.0), "ConsistencyRegularization.weight must be at least 0"),
        (lambda: consistency.BalancedConsistency(fake_weight=-1.0), "BalancedConsistency.fake_weight must be at least 0"),
        (lambda: consistency.LatentConsistency(generator_weight=-1.0), "LatentConsistency.generator_weight must be at least 0"),
        (lambda: consistency.LatentConsistency(sigma=0.0), "sigma, the noise's standard deviation, must be above 0. Received: 0.0"),
    ],
)
def test_wrong_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
