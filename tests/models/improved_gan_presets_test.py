import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import registry
from tfgan_suite.losses import adversarial, feature_matching, semi_supervised
from tfgan_suite.models import improved_gan


@pytest.mark.parametrize(
    ("name", "labels", "rate", "start", "kind", "steps"),
    [
        ("mnist_100_labels", 100, 3e-3, None, "l2_mean", 300 * 600),
        ("cifar10_4000_labels", 4000, 3e-4, 2 / 3, "l1_mean", 1200 * 500),
        ("svhn_1000_labels", 1000, 3e-4, 2 / 3, "l1_mean", 900 * 732),
    ],
)
def test_a_papers_preset_has_the_authors_settings(name, labels, rate, start, kind, steps):
    preset = registry.experiment(f"improved_gan/{name}")
    assert preset.data.labelled_per_class * 10 == labels and preset.data.batch_size == 100 and preset.training.steps == steps
    assert preset.model.terms == (semi_supervised.SemiSupervised(unlabelled_weight=0.5), feature_matching.FeatureMatching(kind=kind))
    for optimizer in (preset.model.discriminator_optimizer, preset.model.generator_optimizer):
        assert (optimizer.learning_rate, optimizer.beta_1, getattr(optimizer.schedule, "start", None)) == (rate, 0.5, start)
        assert optimizer.epsilon == 1e-4, "the authors' 1e-8 is below the root"
    assert (preset.model.classifier_average.decay, preset.model.latent_size, preset.model.generator_steps) == (0.9999, 100, 1)


@pytest.mark.parametrize("name", ["mnist_100_labels_short", "fashion_mnist_1000_labels", "cifar10_4000_labels"])
def test_the_baseline_differs_in_what_it_learns_from_alone(name):
    semi = registry.experiment(f"improved_gan/{name}")
    alone = registry.experiment(f"improved_gan/{name.removesuffix('_short')}_supervised")
    assert alone.model.terms == (semi_supervised.SemiSupervised(unlabelled_weight=0.0),)
    same = dataclasses.replace(alone.model, terms=semi.model.terms, generator_steps=semi.model.generator_steps)
    assert dataclasses.replace(alone, model=same) == semi


def test_the_minibatch_preset_is_the_authors():
    model = registry.experiment("improved_gan/cifar10_minibatch").model
    assert (model.minibatch, model.minibatch_kernels, model.minibatch_dimensions) == ("code", 100, 5)
    assert (model.generator_steps, model.input_noise) == (3, "gaussian")
    assert model.terms == (semi_supervised.SemiSupervised(generator="saturating"),)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"body": "resnet"}, "Unknown body 'resnet'. Allowed: mlp, convolutional, compact"),
        ({"minibatch": "mine"}, "Unknown minibatch 'mine'. Allowed: none, paper, code"),
        ({"input_noise": "salt"}, "Unknown input_noise 'salt'"),
        ({"generator_steps": -1}, "must not be negative. Received: -1, 0, 500"),
        ({"reference_size": 5}, "for body='convolutional', not 'mlp'"),
    ],
)
def test_a_wrong_setting_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        improved_gan.Config(**changes)


def test_the_smoothed_game_s_best_discriminator_is_nine_tenths_p_over_p_plus_q_and_costs_the_targets_entropy():
    """Section 3.4: 0.45 where the densities are equal; on real images alone the least is at 0.9, H(0.9) = 0.325083."""
    smoothed = adversarial.LOSSES["non_saturating_smoothed"].discriminator
    nothing = tf.constant([-50.0])  # fakes that cost nothing
    least = smoothed(tf.constant([np.log(9.0)], tf.float32), nothing)
    np.testing.assert_allclose(least, 0.325083, atol=1e-6)
    assert all(float(smoothed(tf.constant([s]), nothing)) > 0.325083 for s in (1.9, 2.5))
    equal = tf.Variable([np.log(0.45 / 0.55)], dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = smoothed(equal, equal)
    np.testing.assert_allclose(tape.gradient(loss, equal), [0.0], atol=1e-6)


def test_the_preset_without_labels_has_every_other_technique():
    preset = registry.experiment("improved_gan/cifar10_unlabelled")
    assert preset.data.labelled_per_class == 0 and preset.model.minibatch == "code" and preset.model.reference_size == preset.data.batch_size == 100
    assert {type(t).__name__ for t in preset.model.terms} == {"SmoothedAdversarial", "HistoricalAveraging"}
