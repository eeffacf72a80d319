import pytest
import tensorflow as tf

from tfgan_suite import registry
from tfgan_suite.augment import policy, spatial, visual
from tfgan_suite.losses import adversarial, augmentation_contrast, consistency
from tfgan_suite.studies import augmenting, published


def test_names_and_strengths_become_augmentations_compositions_and_annealed_ones():
    assert augmenting.build("translation", "0.3") == spatial.Translation(strength=0.3)
    assert augmenting.build("zoom_out", "0.4-0.1") == spatial.ZoomOut(strength=0.4, schedule=policy.Annealing(end=0.1))
    both = policy.Sequence(augmentations=(spatial.Translation(strength=0.3), visual.Brightness(strength=0.1)))
    assert augmenting.build("translation+brightness", "0.3+0.1") == both


def test_a_composition_has_every_combination_of_the_strengths_and_one_alone_the_papers_where_none_are_given():
    assert augmenting.levels("translation+brightness", ["0.10", "0.5"]) == ["0.1+0.1", "0.1+0.5", "0.5+0.1", "0.5+0.5"]
    assert augmenting.levels("brightness", []) == ["0.02", "0.06", "0.1", "0.2", "0.3"]
    assert augmenting.levels("cutout", ["0.4-0"]) == ["0.4-0"]
    assert len(augmenting.AUGMENTATIONS) == 13


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: augmenting.levels("translatoin", []), "no augmentation 'translatoin' .* Did you mean translation"),
        (lambda: augmenting.mode("brc"), "no mode 'brc' in this study. Did you mean bcr.* Allowed: baseline, real_only"),
        (lambda: augmenting.levels("cutout", ["1.5"]), r"a number in \[0, 1\].* Received: '1.5'"),
        (lambda: augmenting.levels("cutout", ["much"]), "Received: 'much'"),
        (lambda: augmenting.levels("cutout", ["0.3-0.2-0.1"]), "Received: '0.3-0.2-0.1'"),
    ],
)
def test_unknown_names_and_strengths_are_refused_with_what_there_is(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_mode_adds_its_terms_and_augmentations_and_nothing_else():
    base, t = registry.experiment("sndcgan/cifar10_augmentation_study"), spatial.ZoomOut(strength=0.4)
    game = adversarial.Adversarial(loss="hinge")
    assert augmenting.changed(base, "baseline") == base
    assert augmenting.changed(base, "bcr", t) == registry.experiment("sndcgan/cifar10_bcr_zoomout")
    only = augmenting.changed(base, "real_only", t).model
    assert (only.augmentations, only.augmented, only.terms) == ((t,), "real_only", (game,))
    both = augmenting.changed(base, "real_and_fake", t).model
    assert (both.augmentations, both.augmented, both.terms) == ((t,), "real_and_fake", (game,))
    assert augmenting.changed(base, "cr", t).model.terms == (game, consistency.ConsistencyRegularization(augmentation=t))
    latent = registry.experiment("sndcgan/cifar10_icr").model.terms[-1]
    assert augmenting.changed(base, "icr", t).model.terms == (game, consistency.BalancedConsistency(augmentation=t), latent)
    for mode in ("diffaugment", "ada"):
        assert augmenting.changed(base, mode) == registry.experiment(f"sndcgan/cifar10_{mode}")


def test_the_papers_best_cells_on_biggan_are_its_presets():
    base, t = registry.experiment("biggan/cifar10_augmentation_study"), spatial.Translation(strength=0.4)
    assert augmenting.changed(base, "bcr", t) == registry.experiment("biggan/cifar10_bcr_translation")
    assert augmenting.changed(base, "cntr", t) == registry.experiment("biggan/cifar10_bcr_cntr")
    assert augmentation_contrast.AugmentationContrast() in augmenting.changed(base, "cntr", t).model.terms
    pair = augmenting.build("translation+brightness", "0.3+0.3")
    assert augmenting.changed(base, "bcr", pair) == registry.experiment("biggan/cifar10_bcr_translation_brightness")


def test_consistency_is_asked_of_the_class_heads_too_where_a_preset_has_them():
    t = spatial.Translation(strength=0.2)
    for preset, heads in (("acgan/debug", ("class_logits",)), ("contragan/debug", ("embedding",)), ("sndcgan/debug", ())):
        for mode in ("cr", "bcr"):
            assert augmenting.changed(registry.experiment(preset), mode, t).model.terms[-1].further_heads == heads


def test_the_head_of_cntr_is_as_wide_as_the_channels_of_the_last_map():
    t = spatial.Translation(strength=0.2)
    base = registry.experiment("sndcgan/cifar10_augmentation_study")
    assert augmenting.changed(base, "cntr", t).model.terms[-1].hidden_size == 512  # 8 x 64 channels of a 4 x 4 map
    assert augmenting.changed(base, "cntr_alone", t).model.terms[1:] == (augmentation_contrast.AugmentationContrast(augmentation=t, hidden_size=512),)


@pytest.mark.parametrize("name", augmenting.AUGMENTATIONS)
def test_every_augmentation_anneals(name):
    made = augmenting.build(name, "0.1-0")
    half = policy.State(progress=tf.constant(0.5), probability=tf.zeros([]))
    assert float(made.strength_at(half)) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("cell", "figure"),
    [
        (("sndcgan", "cifar10", "baseline", "", ""), "24.73"),
        (("sndcgan", "cifar10", "bcr", "zoom_out", "0.4"), "14.72"),
        (("sndcgan", "cifar10", "real_and_fake", "translation", "0.3"), "~19.3"),
        (("sndcgan", "cifar10", "bcr", "instance_noise", "0.02"), "~24.2"),
        (("biggan", "cifar10", "cntr", "translation", "0.4"), "8.30"),
        (("biggan", "cifar10", "bcr", "translation", "0.3"), ""),
        (("sndcgan", "cifar10", "real_only", "translation", "0.3"), ""),
        (("sndcgan", "cifar10", "bcr", "translation", "0.35"), ""),
        (("sndcgan", "captioned_shapes/studio", "baseline", "", ""), ""),
        (("sngan", "cifar10", "baseline", "", ""), ""),
    ],
)
def test_published_distances_stand_beside_the_cells_that_they_belong_to_alone(cell, figure):
    assert published.fid(*cell) == figure
