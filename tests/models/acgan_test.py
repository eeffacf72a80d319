import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import optimizers, run
from tfgan_suite.losses import adversarial, auxiliary_classifier
from tfgan_suite.models import acgan


def build(side=8, **changes):
    sgd = {name: optimizers.SGD(learning_rate=0.05) for name in ("discriminator_optimizer", "generator_optimizer")}
    values = {"body": "compact", "latent_size": 4, "generator_width": 4, "discriminator_width": 4, "discriminator_steps": 1} | sgd | changes
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    return acgan.Acgan(acgan.Config(**values), tiny.data_spec(side=side), run.Run(seed=0, phase="train", steps=8))


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_the_conditional_resnet_of_wgan_gp_has_its_published_parameters():
    generator, critic = acgan.BODIES["wasserstein_resnet"]
    image = {"image_shape": (32, 32, 3), "width": 128, "num_classes": 10}
    assert count(generator(**image, latent_size=128)) == 1_218_307
    assert count(critic(**image, conditioning="auxiliary")) == 1_055_115


def test_the_discriminator_does_not_read_the_label():
    assert [i.name for i in build().discriminator.inputs] == ["image"]


@pytest.mark.parametrize("fake_in_discriminator", [False, True])
def test_only_where_told_do_fake_labels_enter_the_discriminator_s_update(fake_in_discriminator):
    """Two models whose fakes are the same images under other names: G's label tables still have equal rows, as at the start."""
    changes = []
    for shift in (0, 1):
        terms = (adversarial.Adversarial(loss="hinge"), auxiliary_classifier.AuxiliaryClassifier(fake_in_discriminator=fake_in_discriminator))
        model = build(side=16, body="wasserstein_resnet", terms=terms)
        fake = model.fake
        model.fake = lambda *given, fake=fake, shift=shift: (view := fake(*given)) | {"label": (view["label"] + shift) % tiny.CLASSES}
        model.update_discriminator(tiny.batch(4, side=16), model.random())
        changes.append(np.concatenate([v.numpy().ravel() for v in model.discriminator.trainable_variables]))
    assert np.array_equal(*changes) != fake_in_discriminator


def test_the_classifier_learns_the_classes_of_real_images_while_the_game_goes_on():
    """Images of one colour per class: the class loss of D falls from about ln 3 to below a tenth of it."""
    colors = np.eye(3, dtype=np.float32)[:, None, None] * 1.6 - 0.8
    labels = np.random.default_rng(0).integers(0, 3, (40, 16))
    adam = {name: optimizers.Adam(learning_rate=2e-3) for name in ("discriminator_optimizer", "generator_optimizer")}
    model = build(**adam)
    batches = [{"image": tf.constant(np.broadcast_to(colors[k], (16, 8, 8, 3))), "label": tf.constant(k, tf.int32)} for k in labels]
    logs = tiny.train(model, batches, graph=True)
    assert logs[0]["discriminator/auxiliary_classifier"] > np.log(3) / 2
    assert logs[-1]["discriminator/auxiliary_classifier"] < np.log(3) / 10


def test_presets_say_what_was_published():
    """StudioGAN's ACGAN-Mod, and WGAN-GP's conditional model."""
    modern, wasserstein = (acgan.PRESETS[name].model for name in ("cifar10", "cifar10_wgan_gp"))
    assert (modern.terms[0].loss, modern.discriminator_steps, modern.generator_optimizer.epsilon) == ("hinge", 5, 1e-6)
    assert modern.terms[1] == auxiliary_classifier.AuxiliaryClassifier(discriminator_weight=1.0, generator_weight=1.0, fake_in_discriminator=False)
    classifier = wasserstein.terms[2]
    assert (classifier.discriminator_weight, classifier.generator_weight, classifier.fake_in_discriminator) == (1.0, 0.1, False)
    assert (wasserstein.discriminator_optimizer.beta_1, wasserstein.discriminator_optimizer.beta_2) == (0.0, 0.9)
