import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import optimizers, run
from tfgan_suite.layers import convolution, dense
from tfgan_suite.losses import adversarial, contrastive, data_to_data
from tfgan_suite.models import contragan, reacgan
from tfgan_suite.networks import class_conditional

TERMS = {"2c": contrastive.ConditionalContrast, "d2d_ce": data_to_data.DataToDataCrossEntropy}


def build(precision="float32", **changes):
    sgd = {name: optimizers.SGD(learning_rate=0.05) for name in ("discriminator_optimizer", "generator_optimizer")}
    values = {"body": "compact", "latent_size": 4, "generator_width": 4, "discriminator_width": 4, "discriminator_steps": 1, "embedding_size": 6}
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    config = contragan.Config(**values | sgd | changes)
    return contragan.ContraGan(config, tiny.data_spec(), run.Run(seed=0, phase="train", steps=40, precision=precision))


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.parametrize("module", [contragan, reacgan])
def test_the_cifar10_presets_have_the_published_parameters(module):
    model = module.PRESETS["cifar10"].model
    generator, discriminator = class_conditional.BODIES[model.body]
    options = {"num_classes": 10, "initializer": "normal"}
    assert count(generator(width=model.generator_width, latent_size=model.latent_size, **options)) == 9_416_196
    heads = {"conditioning": "contrastive", "embedding_size": model.embedding_size}
    assert count(discriminator(width=model.discriminator_width, **heads, **options)) == 2_517_186


@pytest.mark.parametrize("body", ["biggan", "resnet", "sndcgan", "narrow"])
def test_every_layer_of_every_body_s_discriminator_is_spectrally_normalised_and_its_scores_do_not_depend_on_the_label(body):
    shape = {"image_shape": (32, 32, 3), "width": 8, "num_classes": 3, "conditioning": "contrastive", "embedding_size": 5}
    discriminator = class_conditional.BODIES[body][1](**shape)
    kernels = [layer for layer in discriminator._flatten_layers() if isinstance(layer, convolution.Convolution | dense.Dense | dense.Embedding)]
    assert all(layer.spectral_norm for layer in kernels)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    zero, two = (discriminator({"image": image, "label": np.full(2, k)}) for k in (0, 2))
    np.testing.assert_array_equal(zero["logits"], two["logits"])
    np.testing.assert_array_equal(zero["embedding"], two["embedding"])
    assert np.abs(zero["proxy"] - two["proxy"]).max() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(two["embedding"], axis=1), [1.0, 1.0], rtol=1e-5)


@pytest.mark.parametrize("name", TERMS)
def test_real_images_alone_teach_the_discriminator_its_embedding(name):
    """With the contrast as the only term, fakes of other classes change nothing in D's update."""
    changes = []
    for shift in (0, 1):
        model = build(terms=(TERMS[name](),))
        fake = model.fake
        model.fake = lambda *given, fake=fake, shift=shift: (view := fake(*given)) | {"label": (view["label"] + shift) % tiny.CLASSES}
        before = [v.numpy() for v in model.discriminator.trainable_variables]
        model.update_discriminator(tiny.batch(8), model.random())
        changes.append([v.numpy() - b for v, b in zip(model.discriminator.trainable_variables, before, strict=True)])
    for a, b in zip(*changes, strict=True):
        np.testing.assert_array_equal(a, b)
    assert max(np.abs(a).max() for a in changes[0]) > 1e-6


@pytest.mark.parametrize("name", TERMS)
def test_the_generator_s_update_moves_neither_the_embedding_nor_the_proxies_but_learns_through_them(name):
    model = build(terms=(TERMS[name](),))
    before = {network: [v.numpy() for v in getattr(model, network).variables] for network in ("generator", "discriminator")}
    model.update_generator(tiny.batch(8), model.random())
    after = {network: [v.numpy() for v in getattr(model, network).variables] for network in before}
    assert all(np.array_equal(a, b) for a, b in zip(before["discriminator"], after["discriminator"], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(before["generator"], after["generator"], strict=True))


@pytest.mark.parametrize("term", [contrastive.ConditionalContrast(temperature=0.05), data_to_data.DataToDataCrossEntropy(temperature=0.05)])
def test_networks_in_half_precision_have_finite_float32_losses_at_a_low_temperature(term):
    model = build("mixed_bfloat16", terms=(adversarial.Adversarial(loss="hinge"), term), embedding_size=512)
    batch = tiny.batch(64)
    assert model.discriminator(batch)["embedding"].dtype == tf.float32
    logs = model.train_step(batch)
    for player in ("discriminator", "generator"):
        for value in (logs[f"{player}/{term.log_name}"], logs[f"{player}/gradient_norm"]):
            assert value.dtype == tf.float32 and np.isfinite(value)


def test_embeddings_of_real_images_come_to_name_their_classes():
    """Images of one colour per class: the nearest proxy is that of the class, and the loss falls to that of classes as far apart as can be."""
    colors = np.eye(3, dtype=np.float32)[:, None, None] * 1.6 - 0.8
    labels = np.random.default_rng(0).integers(0, 3, (60, 16))
    adam = {name: optimizers.Adam(learning_rate=5e-3) for name in ("discriminator_optimizer", "generator_optimizer")}
    model = build(terms=(adversarial.Adversarial(loss="hinge"), contrastive.ConditionalContrast(temperature=0.5)), **adam)
    batches = [{"image": tf.constant(np.broadcast_to(colors[k], (16, 8, 8, 3))), "label": tf.constant(k, tf.int32)} for k in labels]
    tiny.train(model, batches, graph=True)
    images = {"image": np.broadcast_to(colors, (3, 8, 8, 3)), "label": np.arange(3)}
    heads = model.discriminator(images)
    np.testing.assert_array_equal(np.argmax(heads["embedding"].numpy() @ heads["proxy"].numpy().T, axis=1), [0, 1, 2])


def test_presets_say_what_was_published():
    def adam(preset, player):
        found = getattr(preset.model, f"{player}_optimizer")
        return found.learning_rate, found.beta_1, found.beta_2, found.epsilon

    cifar10, tiny_imagenet, imagenet = (contragan.PRESETS[name] for name in ("cifar10", "tiny_imagenet", "imagenet128"))
    assert adam(cifar10, "generator") == adam(cifar10, "discriminator") == (2e-4, 0.5, 0.999, 1e-6)
    assert (cifar10.data.batch_size, cifar10.model.discriminator_steps, cifar10.model.average.start) == (64, 5, 1000)
    assert tiny_imagenet.data.batch_size // tiny_imagenet.model.accumulation == 256
    assert [adam(imagenet, player)[0] for player in ("generator", "discriminator")] == [5e-5, 2e-4]
    contrast = reacgan.PRESETS["cifar10"].model.terms[1]
    assert (contrast.weight, contrast.temperature, contrast.margin, contrast.form) == (0.5, 0.5, 0.98, "paper")
    np.testing.assert_allclose(reacgan.PRESETS["cifar10"].model.generator_optimizer.learning_rate, 2e-4 * np.sqrt(2.0), rtol=1e-6)
    assert reacgan.PRESETS["tiny_imagenet"].model.terms[1].margin == 1.0


@pytest.mark.parametrize("module", [contragan, reacgan])
def test_an_unknown_body_is_refused_with_the_alternatives(module):
    with pytest.raises(ValueError, match="Unknown body 'dcgan'. Allowed: biggan, resnet, batch_norm_resnet, sndcgan, narrow, compact, attentive"):
        module.Config(body="dcgan")
