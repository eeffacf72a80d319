import numpy as np
import pytest
import tensorflow as tf
import tiny
import tiny_augmentations

from tfgan_suite.core import alternating, augmentation, simultaneous
from tfgan_suite.losses import consistency, term

ROWS = 4


def config(*augmentations, **options) -> tiny.Config:
    return tiny.Config(augmentations=augmentations, **options)


def train(model, batches) -> list[dict[str, float]]:
    """Eager steps, which cost less than a graph of so few; the logs of each."""
    return [{name: float(value) for name, value in model.train_step(batch).items()} for batch in batches]


class Watch(term.Term):
    """Notes the images that are scored, and those before."""

    def __init__(self):
        self.seen = []

    def discriminator_loss(self, views, scores, step):
        self.seen.append(("discriminator", views))
        return tf.reduce_mean(scores["real"]["logits"])

    def generator_views(self, views, step):
        return {"real": step.batch}

    def generator_loss(self, views, scores, step):
        self.seen.append(("generator", views))
        return tf.reduce_mean(scores["fake"]["logits"])


def watched(*augmentations, steps=1, **options):
    """[(player, views as they were scored)] of eager steps."""
    watch = Watch()
    model = tiny.build(config(*augmentations, terms=(watch,), **options), steps=8)
    for i in range(steps):
        model.train_step(tiny.batch(ROWS * options.get("discriminator_steps", 1), seed=i))
    return watch.seen


def test_the_identity_leaves_training_as_it_is_without_augmentation():
    trained = [tiny.build(config(*augmentations)) for augmentations in ((), (tiny_augmentations.Identity(),))]
    for model in trained:
        train(model, [tiny.batch(ROWS, seed=i) for i in range(2)])
    assert tiny.largest_difference(*map(tiny.weights, trained)) == 0.0


def test_real_and_fake_are_scored_augmented_in_both_updates_and_kept_clean_beside():
    augmentations = (tiny_augmentations.Add(amount=0.25), tiny_augmentations.Scale(factor=0.5))
    for _, views in watched(*augmentations):
        for view in views.values():
            np.testing.assert_allclose(view["image"], 0.5 * (view["clean"] + 0.25), atol=1e-6)
    np.testing.assert_array_equal(views["real"]["clean"], tiny.batch(ROWS)["image"])


def test_real_only_touches_no_other_view():
    for _, views in watched(tiny_augmentations.Add(), augmented="real_only"):
        np.testing.assert_allclose(views["real"]["image"], views["real"]["clean"] + 0.25, atol=1e-6)
        assert "clean" not in views["fake"]


def test_the_generator_learns_through_the_augmentation_of_its_images():
    """Under T(x) = 0 no gradient reaches it, unless only real images are augmented."""
    blank = tiny_augmentations.Scale(factor=0.0)
    norms = [train(tiny.build(config(blank, augmented=which)), [tiny.batch(ROWS)])[0] for which in augmentation.AUGMENTED]
    assert norms[0]["generator/gradient_norm"] == 0.0 < norms[1]["generator/gradient_norm"]


def test_the_gradient_of_the_generator_is_that_of_what_the_discriminator_sees():
    """T(x) = x / 2 halves it on the way back, and is another image on the way forth."""
    norms = [
        train(tiny.build(config(*given)), [tiny.batch(ROWS)])[0]["generator/gradient_norm"]
        for given in ((), (tiny_augmentations.Scale(factor=0.5),), (tiny_augmentations.Scale(factor=1e-3),))
    ]
    assert norms[0] > 0.0 and norms[1] > 0.0 and norms[1] != norms[0]
    assert 0.0 < norms[2] < 0.05 * norms[0]


class Compared(Watch):
    """Asks for an augmentation of its own of the real and of the fake view, and for another fake."""

    def views(self, views, step):
        derived = {f"{name}_shifted": step.augment(tiny_augmentations.Add(amount=0.25), views[name], name) for name in ("real", "fake")}
        return derived | {"other": step.generate(views["fake"])}


def compared(augmented):
    watch = Compared()
    model = tiny.build(config(tiny_augmentations.AddRandom(), terms=(watch,), augmented=augmented))
    model.train_step(tiny.batch(ROWS))
    return watch.seen[0][1]


def test_a_view_made_of_an_augmented_one_is_not_augmented_again():
    """CR compares D(T(x)) with D(CR's own augmentation of T(x)): Zhang et al. 2020 with T beneath, as in DiffAugment's code."""
    views = compared("real_and_fake")
    for name in ("real", "fake"):
        assert float(tf.reduce_max(tf.abs(views[name]["image"] - views[name]["clean"]))) > 0.0
        np.testing.assert_allclose(views[f"{name}_shifted"]["image"], views[name]["image"] + 0.25, atol=1e-6)
    another = views["other"]
    np.testing.assert_allclose(another["clean"], views["fake"]["clean"], atol=1e-6)  # of the same latents
    assert float(tf.reduce_max(tf.abs(another["image"] - views["fake"]["image"]))) > 1e-3  # under T drawn anew


def test_where_real_images_alone_are_augmented_what_is_made_of_them_is_and_what_is_made_of_fakes_is_not():
    views = compared("real_only")
    assert float(tf.reduce_max(tf.abs(views["real"]["image"] - views["real"]["clean"]))) > 0.0
    for name in ("real", "fake"):
        np.testing.assert_allclose(views[f"{name}_shifted"]["image"], views[name]["image"] + 0.25, atol=1e-6)
    np.testing.assert_allclose(views["other"]["image"], views["fake"]["image"], atol=1e-6)


def test_every_example_view_update_and_step_has_parameters_of_its_own():
    seen = watched(tiny_augmentations.AddRandom(), tiny_augmentations.AddRandom(), steps=2, discriminator_steps=2)
    amounts = np.concatenate([np.ravel(view["image"] - view["clean"])[:: 8 * 8 * 3] for _, views in seen for view in views.values()])
    assert len(np.unique(np.round(amounts, 5))) == len(amounts) == 2 * 3 * 2 * ROWS


def test_an_augmentation_is_told_the_share_of_the_training_that_is_done():
    seen = watched(tiny_augmentations.AddProgress(), steps=3)
    added = [float(tf.reduce_max(tf.abs(views["fake"]["image"] - views["fake"]["clean"]))) for _, views in seen]
    np.testing.assert_allclose(added, np.repeat([0.0, 1 / 8, 2 / 8], 2), atol=1e-6)


# Adaptive strength


def adapted(signs, rows=4, **settings) -> list[float]:
    """The probability after each update, whose mean signs these are."""
    found = augmentation.Augmenter(config(tiny_augmentations.Adaptive(), adaptation=augmentation.Adaptation(**settings)), steps=8)
    return [float(found.adapt({"discriminator/real_signs": tf.constant(s)}, rows)["discriminator/augmentation_probability"]) for s in signs]


def test_a_discriminator_that_knows_all_real_images_raises_the_probability_by_one_in_500_000_of_them():
    """Four minibatches of four: p rises by 16 / 500,000 at every fourth, 1 / 125,000 per update of the discriminator."""
    found = adapted([1.0] * 40)
    np.testing.assert_allclose(found, [16 / 500_000 * ((i + 1) // 4) for i in range(40)], rtol=1e-5)
    np.testing.assert_allclose(adapted([1.0] * 6, images=8, interval=2), [0.0, 1.0, 1.0, 2.0, 2.0, 3.0])


def test_the_probability_falls_where_the_mean_sign_of_the_interval_is_below_the_target_and_never_below_zero():
    assert adapted([1.0, 1.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5], images=100)[3:] == pytest.approx([0.16, 0.16, 0.16, 0.16, 0.0])  # 0.625, 0.5
    assert adapted([-1.0] * 4, images=100) == [0.0] * 4
    assert adapted([-0.5] * 4, images=100, target=-0.75) == pytest.approx([0.0, 0.0, 0.0, 0.16])


def test_a_probability_above_one_acts_as_one():
    found = augmentation.Augmenter(config(tiny_augmentations.Adaptive()), steps=8)
    found.probability.assign(1.5)
    assert float(found.state(tf.constant(4)).probability) == 1.0 and float(found.state(tf.constant(4)).progress) == 0.5


ADAPTIVE_TERM = consistency.BalancedConsistency(augmentation=tiny_augmentations.Adaptive())
FAST = augmentation.Adaptation(images=32, target=-1.0, interval=2)


def test_the_probability_is_trained_logged_and_checkpointed_where_an_augmentation_adapts():
    model = tiny.build(config(tiny_augmentations.Adaptive(), adaptation=FAST, discriminator_steps=2))
    logs = train(model, [tiny.batch(8 * 2, seed=i) for i in range(2)])
    assert [log["discriminator/augmentation_probability"] for log in logs] == [0.5, 1.0]  # after 16 and 32 images
    assert all(-1.0 <= log["discriminator/real_signs"] <= 1.0 for log in logs)
    assert [v.numpy() for v in model.variable_groups()["augmentation"]] == [1.0, 0.0, 4]
    assert "augmentation" not in tiny.build().variable_groups()


class AtOnce(simultaneous.SimultaneousGan, tiny.Tiny):
    """Both players move at once."""

    def __init__(self, config, data, run):
        config.simultaneous = True
        super().__init__(config, data, run)


def test_players_that_move_at_once_see_the_same_augmented_images_and_adapt():
    still = [tiny.build(config(*given), kind=AtOnce) for given in ((), (tiny_augmentations.Identity(),))]
    for model in still:
        train(model, [tiny.batch(ROWS)])
    assert tiny.largest_difference(*map(tiny.weights, still)) == 0.0
    model = tiny.build(config(tiny_augmentations.Adaptive(), tiny_augmentations.Scale(factor=0.0), adaptation=FAST), kind=AtOnce)
    log = train(model, [tiny.batch(8, seed=i) for i in range(2)])[1]
    assert log["discriminator/augmentation_probability"] == 0.5 and log["generator/gradient_norm"] == 0.0


# Mixed labels


def test_a_mixed_image_is_projected_on_its_two_labels_in_their_shares():
    """The projection is linear in the label's embedding, so D(x, w y + (1 - w) y') = w D(x, y) + (1 - w) D(x, y')."""
    model = tiny.build(config(tiny_augmentations.Blend(share=0.75)))
    batch = tiny.batch(ROWS)
    mixed = model.prepared({"real": batch}, model.random())["real"]
    own, other = (model.score({"image": mixed["image"], "label": label})["logits"] for label in (batch["label"], tf.roll(batch["label"], 1, 0)))
    for score in (model.score, tf.function(model.score, autograph=False, jit_compile=True)):
        np.testing.assert_allclose(score(mixed)["logits"], 0.75 * own + 0.25 * other, atol=1e-5)
    assert not np.allclose(own, other)


def test_a_discriminator_with_soft_labels_scores_one_label_as_one_with_integers():
    soft, integers = tiny.build(config(tiny_augmentations.Blend())), tiny.build()
    assert [[i.name for i in model.discriminator.inputs] for model in (soft, integers)] == [["image", "soft_label"], ["image", "label"]]
    np.testing.assert_allclose(soft.score(tiny.batch(ROWS))["logits"], integers.score(tiny.batch(ROWS))["logits"], atol=1e-6)


# Refusals


class Pairing(term.Term):
    pairs_views = True


class Whole(term.Term):
    needs_whole_examples = True


class Integers(tiny.Tiny):
    soft_labels = False


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: alternating.Config(augmented="fake_only"), "Unknown augmented 'fake_only'. Allowed: real_and_fake, real_only"),
        (lambda: alternating.Config(augmentations=(tiny_augmentations.Blend(),) * 2), "mix examples once. Received: Blend, Blend"),
        (lambda: alternating.Config(augmentations=(tiny_augmentations.Blend(),), terms=(Pairing(),)), "Blend in augmentations would mix .* Pairing"),
        (lambda: alternating.Config(augmentations=(tiny_augmentations.Blend(),), terms=(Whole(),)), "Blend in .* Whole takes each image to be one"),
        (lambda: alternating.Config(terms=(ADAPTIVE_TERM,)), "An adaptive augmentation of a term needs one in augmentations too"),
        (lambda: augmentation.Adaptation(target=2.0), "target in .-1, 1.*Received: target=2.0"),
        (lambda: tiny.build(config(tiny_augmentations.Blend()), kind=Integers), "Blend mixes images of two classes, .* reads one label per image"),
    ],
    ids=[
        "which views",
        "two mixtures",
        "a mixture under a comparison",
        "a mixture under one label",
        "adaptive in a term alone",
        "adaptation",
        "integer labels",
    ],
)
def test_what_does_not_fit_together_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_where_real_images_alone_are_mixed_a_term_may_take_fakes_to_be_whole():
    alternating.Config(augmentations=(tiny_augmentations.Blend(),), terms=(Whole(),), augmented="real_only")
