import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite import registry
from tfgan_suite.core import averaging, optimizers, run
from tfgan_suite.layers import attention, conditional_batch_norm, spectral_norm
from tfgan_suite.losses import adversarial, weights
from tfgan_suite.models import biggan

COUNTS = json.loads((pathlib.Path(__file__).resolve().parents[1] / "golden" / "parameter_counts.json").read_text())["networks"]


def model(**changes):
    sgd = optimizers.SGD(learning_rate=1e-4)  # sums over 64 positions of orthogonal layers make large gradients
    config = biggan.Config(
        **{"latent_size": 8, "generator_width": 2, "discriminator_width": 4, "discriminator_steps": 1}
        | {"discriminator_optimizer": sgd, "generator_optimizer": sgd}
        | changes
    )
    if not tf.distribute.has_strategy():
        keras.backend.clear_session()
    return biggan.BigGan(config, tiny.data_spec(side=32), run.Run(seed=0, phase="train", steps=4))


def layers(network, kind):
    return [layer for layer in network._flatten_layers() if isinstance(layer, kind)]


@pytest.mark.parametrize("body", biggan.BODIES)
def test_every_body_reads_latents_and_label_and_gives_an_image(body):
    built = model(body=body)
    image = built.generate(tf.zeros((2, 8)), {"label": tf.constant([0, 2])}, training=False)
    assert image.shape == (2, 32, 32, 3)
    assert built.score({"image": image, "label": tf.constant([0, 2])})["logits"].shape == (2,)
    attending = [len(layers(network, attention.SelfAttention)) for network in (built.generator, built.discriminator)]
    assert attending == ([0, 0] if body == "unshared" else [1, 1])


def test_the_class_embedding_is_one_for_all_blocks_and_each_has_its_own_latents():
    norms = layers(model().generator, conditional_batch_norm.ConditionalBatchNorm)
    assert [tuple(layer.condition_gain.kernel.shape) for layer in norms] == [(128 + 2, 8)] * 6  # a quarter of eight latents


@pytest.mark.slow
def test_two_replicas_move_as_one(mirrored):
    batches = [tiny.batch(8, side=32)]
    keras.utils.set_random_seed(0)
    alone = model()
    alone.generator.get_layer("self_attention").gamma.assign(0.5)  # at 0 it would do nothing
    before = tiny.weights(alone)
    with mirrored.scope():
        many = model()
    for name, variables in many.variable_groups().items():
        for i, variable in enumerate(variables):
            variable.assign(before[f"{name}.{i}"])
    tiny.train(alone, batches)
    tiny.train_mirrored(mirrored, many, batches)
    assert tiny.largest_difference(tiny.weights(alone), before) > 1e-4
    assert tiny.largest_difference(tiny.weights(alone), tiny.weights(many)) < 1e-5


def test_the_orthogonal_term_leaves_the_class_embedding_alone():
    built = model(terms=(adversarial.Adversarial(loss="hinge"), weights.OrthogonalRegularization(generator_weight=1.0)))
    for layer in layers(built.generator, spectral_norm.WeightLayer):
        layer.kernel.assign(layer.kernel + 0.1)
    with tf.GradientTape() as tape:
        loss = built.config.terms[1].penalty(built.generator)
    kernels = {layer.path: layer.kernel.value for layer in layers(built.generator, spectral_norm.WeightLayer)}
    moved = {path for path, g in tape.gradient(loss, kernels).items() if g is not None and np.abs(g).max() > 0}
    one_column = {layer.path for layer in layers(built.generator, spectral_norm.WeightLayer) if layer.kernel.shape[-1] == 1}
    assert moved == set(kernels) - one_column - {"embedding"}


def test_the_average_begins_late_and_equals_the_live_weights_until_then():
    built = model(average=averaging.Average(decay=0.9, start=1))
    for last in (False, True):
        built.train_step(tiny.batch(4, side=32))
        pairs = averaging.pairs(built.averaged_generator, built.generator)
        assert all(np.array_equal(a, v) for a, v in pairs) != last


@pytest.mark.parametrize("preset, golden", [("cifar10", "studiogan/CIFAR10/BigGAN"), ("tiny_imagenet", "studiogan/Baby_ImageNet_64/BigGAN")])
def test_studiogan_s_presets_have_its_settings(preset, golden):
    experiment, official = registry.experiment(f"biggan/{preset}"), COUNTS[golden]["config"]
    settings, config = official["optimization"], experiment.model
    adams = (config.generator_optimizer, config.discriminator_optimizer)
    assert [a.learning_rate for a in adams] == [settings["g_lr"], settings["d_lr"]]
    assert {(a.beta_1, a.beta_2, a.epsilon) for a in adams} == {(settings["beta1"], settings["beta2"], 1e-6)}
    assert (experiment.data.batch_size, experiment.training.steps) == (settings["batch_size"], settings["total_steps"])
    assert (config.discriminator_steps, config.latent_size) == (settings["d_updates_per_step"], official["z_dim"])
    assert (config.generator_width, config.discriminator_width) == (official["g_conv_dim"], official["d_conv_dim"])
    assert (config.average.decay, config.average.start) == (official["g_ema_decay"], official["g_ema_start"])


def test_imagenet_s_batch_is_eight_micro_batches_of_256():
    experiment = registry.experiment("biggan/imagenet128")
    assert (experiment.data.batch_size, experiment.model.accumulation) == (256 * 8, 8)
    assert [type(t) for t in registry.experiment("biggan/imagenet128_orthogonal").model.terms][1:] == [weights.OrthogonalRegularization]


def test_an_unknown_body_is_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="biggan, studiogan, unshared, narrow, compact"):
        biggan.Config(body="deep")
