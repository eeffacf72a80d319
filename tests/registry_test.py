import json
import math

import pytest

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.augment import policy, spatial, visual
from tfgan_suite.core import optimizers
from tfgan_suite.losses import adversarial, augmentation_contrast, consistency, divergences, gradient_penalty, least_squares, weights

PRESETS = registry.names()


def test_every_preset_of_every_variant_is_named_once():
    assert len(set(PRESETS)) == len(PRESETS)
    assert {name.partition("/")[0] for name in PRESETS} == set(registry.VARIANTS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json_and_names_its_own_variant(name):
    preset = registry.experiment(name)
    assert registry.load(registry.dump(preset)) == preset
    assert registry.dump(registry.load(registry.dump(preset))) == registry.dump(preset)
    assert preset.variant == name.partition("/")[0]
    assert type(preset.model) is registry.module(preset.variant).Config


def test_a_preset_is_a_fresh_copy_each_time():
    registry.experiment("dcgan/debug").model.latent_size = 999
    registry.experiment("dcgan/debug").model.generator_optimizer.learning_rate = 9.0
    assert registry.experiment("dcgan/debug").model.latent_size == 8
    assert registry.experiment("dcgan/debug").model.generator_optimizer.learning_rate == 2e-4


@pytest.mark.parametrize("variant", registry.VARIANTS)
def test_a_variant_has_its_model_a_debug_and_a_demo_preset_and_the_default_phase(variant):
    assert registry.model_class(variant).__name__ == registry.VARIANTS[variant].model
    assert {"debug", "demo"} <= set(registry.module(variant).PRESETS)
    [phase] = registry.phases(registry.experiment(f"{variant}/demo"))
    assert (phase.name, phase.steps, phase.data) == ("train", registry.experiment(f"{variant}/demo").training.steps, {})


@pytest.mark.parametrize("name", registry.TYPES)
def test_every_named_type_is_a_configuration_in_its_module(name):
    values = {"type": name} | ({"variant": "gan", "model": {"type": "Config"}} if name == "Experiment" else {})
    made = registry.load(json.dumps(values)) if name == "Experiment" else experiments.from_json(values, type_of(name), type_of, name)
    assert type(made).__name__ == name


def type_of(name):
    return getattr(__import__(registry.TYPES[name], fromlist=[name]), name)


@pytest.mark.parametrize(
    "name, message",
    [
        ("sgan/demo", r"Unknown variant 'sgan'. Did you mean (sngan|gan).*Allowed: gan, dcgan"),
        ("", "Unknown variant ''. Allowed: gan"),
        ("sngan", "Unknown preset 'sngan'. .*Allowed: sngan/cifar10, .*sngan/debug"),
        ("sngan/", "Unknown preset 'sngan/'"),
        ("sngan/cifar", "Unknown preset 'sngan/cifar'. Did you mean sngan/cifar10"),
        ("sngan/demo/", "Unknown preset 'sngan/demo/'. Did you mean sngan/demo"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_all(name, message):
    with pytest.raises(ValueError, match=message):
        registry.experiment(name)


def edited(change) -> str:
    values = json.loads(registry.dump(registry.experiment("wgan_gp/debug")))
    change(values)
    return json.dumps(values)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda v: v.update(variant="wgangp"), "Unknown variant 'wgangp'. Did you mean wgan_gp"),
        (lambda v: v.pop("variant"), "Unknown variant ''"),
        (lambda v: v.pop("model"), "experiment .Experiment. lacks model"),
        (lambda v: v.update(sed=1), r"experiment \(Experiment\) has no field 'sed'. Did you mean seed"),
        (lambda v: v["model"].update(latent=1), r"experiment.model \(Config\) has no field 'latent'. Did you mean latent_size"),
        (
            lambda v: v["model"]["terms"][1].update(type="GradientPenality"),
            "Unknown type 'GradientPenality' in an experiment. Did you mean GradientPenalty",
        ),
        (lambda v: v["model"]["terms"][0].update(loss="wassertein"), "loss='wassertein' is unknown"),
        (
            lambda v: v["model"]["generator_optimizer"].update(type="R1"),
            "experiment.model.generator_optimizer must be one of Optimizer. Received: R1",
        ),
        (lambda v: v["data"].update(batch_size="64"), "experiment.data.batch_size must be of type int. Received: '64'"),
        (lambda v: v["health"].update(action="no"), "health.action must be stop, roll_back or warn"),
        (lambda v: v.update(model=None), "experiment.model must be"),
    ],
)
def test_a_wrong_experiment_file_is_refused_with_the_place_and_what_is_allowed(change, message):
    with pytest.raises(ValueError, match=message):
        registry.load(edited(change))


def test_fields_set_one_by_one_are_checked_together_afterwards():
    experiment = registry.experiment("sngan/debug")
    experiment.model.discriminator_optimizer.learning_rate = -1.0
    with pytest.raises(ValueError, match="Adam needs a finite learning_rate >= 0"):
        registry.checked(experiment)
    experiment.model.discriminator_optimizer.learning_rate = 1
    assert registry.checked(experiment).model.discriminator_optimizer.learning_rate == 1.0


# The papers' numbers


def rates(optimizer: optimizers.Optimizer, steps: int) -> list[float]:
    """Learning rates at the start, in the middle and at the end."""
    built = optimizer.build(steps=steps)
    found = []
    for step in (0, steps // 2, steps):
        built.iterations.assign(step)
        found.append(float(built.learning_rate))
    return found


PAPERS = {
    # name: loss (a game's name or a term), latents, prior, discriminator steps, batch, generator's batch, steps, learning rates, optimizer's numbers
    "gan/mnist": ("non_saturating_halved", 100, "uniform_unit_variance", 1, 100, 1, 150_000, 0.1, {"momentum": 0.5, "final_momentum": 0.7}),
    "gan/ring8_wgan_gp": ("wasserstein", 2, "normal", 5, 256, 1, 100_000, 1e-4, {"beta_1": 0.5, "beta_2": 0.9}),
    "gan/grid25_wgan_gp": ("wasserstein", 2, "normal", 5, 256, 1, 100_000, 1e-4, {"beta_1": 0.5, "beta_2": 0.9}),
    "gan/swiss_roll": ("wasserstein", 2, "normal", 5, 256, 1, 100_000, 1e-4, {"beta_1": 0.5, "beta_2": 0.9}),
    "gan/grid25": ("non_saturating", 2, "normal", 1, 100, 1, 400_000, 1e-4, {"beta_1": 0.2, "beta_2": 0.999}),
    "dcgan/stacked_digits": ("non_saturating", 100, "normal", 1, 64, 1, None, 2e-4, {"beta_1": 0.5}),
    "dcgan/lsun_bedroom": ("non_saturating", 100, "normal", 1, 64, 1, None, 2e-4, {"beta_1": 0.5, "beta_2": 0.999}),
    "dcgan/celeb_a_theano": ("non_saturating", 100, "uniform", 1, 128, 1, 15_900, 2e-4, {"beta_1": 0.5, "beta_2": 0.999}),
    "lsgan/lsun_bedroom": (least_squares.LeastSquares(), 1024, "uniform", 1, 64, 1, 1_000_000, 1e-3, {"beta_1": 0.5, "beta_2": 0.999}),
    "wgan/lsun_bedroom": ("wasserstein", 100, "normal", 5, 64, 1, None, 5e-5, {"rho": 0.99}),
    "wgan_gp/cifar10": ("wasserstein", 128, "normal", 5, 64, 2, 100_000, 2e-4, {"beta_1": 0.0, "beta_2": 0.9}),
    "wgan_gp/cifar10_convolutional": ("wasserstein", 128, "normal", 5, 64, 1, 200_000, 1e-4, {"beta_1": 0.5, "beta_2": 0.9}),
    "wgan_gp/lsun_bedroom64": ("wasserstein", 128, "normal", 5, 64, 1, 200_000, 1e-4, {"beta_1": 0.0, "beta_2": 0.9}),
    "dragan/mnist": ("non_saturating", 100, "uniform", 1, 128, 1, 200_000, 1e-4, {"beta_1": 0.5, "beta_2": 0.9}),
    "r1/lsun_bedroom256": ("non_saturating", 256, "normal", 1, 64, 1, None, 1e-4, {"rho": 0.99}),
    "fgan/mnist_kl": (divergences.FDivergence(divergence="kl"), 100, "uniform", 1, 4096, 1, None, 2e-4, {"beta_1": 0.5, "beta_2": 0.999}),
    "sngan/cifar10": ("hinge", 128, "normal", 5, 64, 2, 50_000, 2e-4, {"beta_1": 0.0, "beta_2": 0.9}),
    "sndcgan/cifar10": ("hinge", 128, "uniform", 1, 64, 1, 200_000, 2e-4, {"beta_1": 0.5, "beta_2": 0.999}),
    "sndcgan/celebahq128": ("non_saturating", 128, "uniform", 1, 64, 1, 100_000, 2e-4, {"beta_1": 0.5, "beta_2": 0.999}),
}


@pytest.mark.parametrize("name", PAPERS)
def test_a_papers_preset_has_the_papers_numbers(name):
    loss, latents, prior, discriminator_steps, batch, generator_batches, steps, rate, numbers = PAPERS[name]
    preset = registry.experiment(name)
    model = preset.model
    assert model.terms[0] == (adversarial.Adversarial(loss=loss) if isinstance(loss, str) else loss)
    assert (model.latent_size, model.prior) == (latents, prior)
    assert (model.discriminator_steps, model.generator_batches, preset.data.batch_size) == (discriminator_steps, generator_batches, batch)
    assert steps in (None, preset.training.steps)
    for optimizer in (model.discriminator_optimizer, model.generator_optimizer):
        assert optimizer.learning_rate == rate
        assert {field: getattr(optimizer, field) for field in numbers} == numbers
        assert optimizer.clip_norm == math.inf


@pytest.mark.parametrize("name, steps", [("wgan_gp/cifar10", 100_000), ("sngan/cifar10", 50_000), ("sngan/cifar10_conditional", 50_000)])
def test_rates_fall_linearly_to_zero_over_the_whole_run(name, steps):
    model = registry.experiment(name).model
    for optimizer in (model.discriminator_optimizer, model.generator_optimizer):
        assert rates(optimizer, steps) == pytest.approx([2e-4, 1e-4, 0.0], abs=1e-10)


@pytest.mark.parametrize("name", ["dcgan/lsun_bedroom", "lsgan/lsun_bedroom", "wgan/lsun_bedroom", "sndcgan/cifar10"])
def test_rates_of_the_others_stay(name):
    model = registry.experiment(name).model
    for optimizer in (model.discriminator_optimizer, model.generator_optimizer):
        assert rates(optimizer, 100) == pytest.approx([optimizer.learning_rate] * 3)


def test_the_first_gan_lowers_its_rate_by_1_000004_a_step_but_not_below_1e_6():
    optimizer = registry.experiment("gan/mnist").model.generator_optimizer
    assert rates(optimizer, 150_000) == pytest.approx([0.1, 0.1 / 1.000004**75_000, 0.1 / 1.000004**150_000], rel=1e-4)
    assert rates(optimizer, 20_000_000)[1:] == pytest.approx([1e-6, 1e-6])


def test_the_second_published_targets_of_lsgan_make_it_pearsons_divergence():
    """Mao et al. 2017, eq. 8: b - c = 1 and b - a = 2."""
    [game] = registry.experiment("lsgan/lsun_bedroom_pearson").model.terms
    assert (game.real_target - game.generator_target, game.real_target - game.fake_target) == (1.0, 2.0)


def test_lsgan_draws_lsun_at_112_pixels_and_wgan_gp_at_64_and_128():
    names = {"lsgan/lsun_bedroom": 112, "wgan_gp/lsun_bedroom64": 64, "wgan_gp/lsun_bedroom128": 128}
    assert {name: registry.experiment(name).data.image_size for name in names} == {name: (side, side) for name, side in names.items()}


def test_theano_dcgan_decays_its_weights_and_the_drift_preset_of_wgan_gp_holds_its_scores():
    assert registry.experiment("dcgan/celeb_a_theano").model.terms[1] == weights.WeightDecay(weight=1e-5)
    assert registry.experiment("wgan_gp/cifar10_drift").model.terms[2] == gradient_penalty.Drift(weight=0.001)


def test_dragan_and_r1_weigh_their_penalties_with_10_and_r1_judges_an_average_of_0_999():
    assert registry.experiment("dragan/mnist").model.terms[1] == gradient_penalty.Dragan(weight=10.0)
    assert registry.experiment("r1/lsun_bedroom256").model.terms[1] == gradient_penalty.R1(gamma=10.0)
    assert registry.experiment("r1/lsun_bedroom256").model.average.decay == 0.999


def test_f_gan_moves_both_players_at_once_and_has_a_preset_per_divergence_that_the_paper_trained():
    names = [name for name in PRESETS if name.startswith("fgan/mnist_")]
    assert {name.removeprefix("fgan/mnist_") for name in names} == {
        "kl", "reverse_kl", "pearson", "neyman", "squared_hellinger", "jeffrey", "jensen_shannon", "gan",
    }  # fmt: skip
    for name in names:
        model = registry.experiment(name).model
        assert model.simultaneous and model.terms[0].divergence == name.removeprefix("fgan/mnist_")


def test_the_first_gans_code_moves_both_players_at_once_and_its_algorithm_in_turn():
    assert registry.experiment("gan/mnist_simultaneous").model.simultaneous
    assert not registry.experiment("gan/mnist").model.simultaneous


def test_wgan_clips_at_0_01_and_wgan_gp_weighs_its_penalty_with_10():
    assert registry.experiment("wgan/lsun_bedroom").model.clip == 0.01
    assert registry.experiment("wgan_gp/cifar10").model.terms[1] == gradient_penalty.GradientPenalty(weight=10.0)


def test_the_baseline_of_unrolled_gan_moves_its_generator_ten_times_as_fast():
    preset = registry.experiment("gan/ring8_unrolled")
    model = preset.model
    assert (model.body, model.latent_size, model.generator_width, model.discriminator_width) == ("tanh_mlp", 256, 128, 128)
    assert (model.generator_optimizer, model.discriminator_optimizer) == tuple(optimizers.Adam(learning_rate=r, beta_1=0.5) for r in (1e-3, 1e-4))
    assert (preset.data.batch_size, preset.training.steps) == (512, 25_000)


def test_the_toys_of_wgan_gp_weigh_its_penalty_with_a_tenth():
    for toy in ("ring8_wgan_gp", "grid25_wgan_gp", "swiss_roll"):
        preset = registry.experiment(f"gan/{toy}")
        assert preset.model.terms[1] == gradient_penalty.GradientPenalty(weight=0.1) and preset.data.source == f"toy:{toy}"


@pytest.mark.parametrize("name", [name for name in PAPERS if name not in ("gan/mnist", "r1/lsun_bedroom256")])
def test_what_no_paper_averaged_is_judged_with_its_live_weights(name):
    assert registry.experiment(name).model.average.decay == 0.0


STUDY = [name for name in PRESETS if name.startswith(("sndcgan/cifar10_", "biggan/cifar10_")) and name.rpartition("_")[2] not in ("small", "narrow")]
FROM_ELSEWHERE = ("sndcgan/cifar10_conditional", "biggan/cifar10_pytorch", "biggan/cifar10_diffaugment", "biggan/cifar10_ada")


@pytest.mark.parametrize("name", sorted(set(STUDY) - set(FROM_ELSEWHERE)))
def test_the_augmentation_study_has_one_protocol_for_all_its_cells(name):
    """Zhao et al. 2020: hinge; batches of 64 for 200,000 steps or 256 for 100,000; real images cropped and flipped; judged by the test images."""
    preset = registry.experiment(name)
    assert preset.model.terms[0] == adversarial.Adversarial(loss="hinge")
    assert (preset.data.batch_size, preset.training.steps) == ((64, 200_000) if preset.variant == "sndcgan" else (256, 100_000))
    assert [type(a).__name__ for a in preset.data.augmentations] == ["PadAndCrop", "Flip"]
    judged = preset.evaluation
    assert (judged.extractor, judged.samples, judged.reference_split, judged.reference_samples) == ("inception", 10_000, "test", 10_000)


TRANSLATION = spatial.Translation(strength=0.4)


@pytest.mark.parametrize(
    "name, terms",
    [
        ("sndcgan/cifar10_bcr_zoomout", [consistency.BalancedConsistency(augmentation=spatial.ZoomOut(strength=0.4))]),
        ("sndcgan/cifar10_cr", [consistency.ConsistencyRegularization(weight=10.0)]),
        ("biggan/cifar10_bcr_translation", [consistency.BalancedConsistency(augmentation=TRANSLATION, real_weight=10.0, fake_weight=10.0)]),
        (
            "biggan/cifar10_bcr_translation_brightness",
            [
                consistency.BalancedConsistency(
                    augmentation=policy.Sequence(augmentations=(spatial.Translation(strength=0.3), visual.Brightness(strength=0.3))),
                    real_weight=15.0,
                    fake_weight=15.0,
                )
            ],
        ),
        (
            "biggan/cifar10_bcr_cntr",
            [
                consistency.BalancedConsistency(augmentation=TRANSLATION, real_weight=5.0, fake_weight=5.0),
                augmentation_contrast.AugmentationContrast(weight=0.1),
            ],
        ),
        (
            "biggan/cifar10_icr",
            [
                consistency.BalancedConsistency(real_weight=10.0, fake_weight=10.0),
                consistency.LatentConsistency(discriminator_weight=20.0, generator_weight=0.5, sigma=0.05),
            ],
        ),
    ],
)
def test_the_best_cells_of_the_augmentation_study_have_the_published_strengths_and_weights(name, terms):
    assert list(registry.experiment(name).model.terms[1:]) == terms
