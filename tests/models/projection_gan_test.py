import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import run
from tfgan_suite.layers import batch_norm, convolution, dense
from tfgan_suite.models import projection_gan


def networks(body, side, width):
    """(generator, discriminator) of a body at a small width, for three classes."""
    keras.backend.clear_session()
    generator, discriminator = projection_gan.BODIES[body]
    shape = {"image_shape": (side, side, 3), "width": width, "num_classes": 3}
    return generator(latent_size=5, **shape), discriminator(conditioning="projection", **shape)


def layers(network, *kinds):
    return [layer for layer in network._flatten_layers() if isinstance(layer, kinds)]


@pytest.mark.parametrize(("body", "side", "ups", "downs"), [("sngan_resnet", 32, 3, 2), ("large_resnet", 128, 5, 5), ("batch_norm_resnet", 32, 3, 2)])
def test_bodies_have_the_published_number_of_resampling_blocks(body, side, ups, downs):
    generator, discriminator = networks(body, side, 1)
    up = [layer for layer in layers(generator, convolution.Convolution) if layer.resample == "up"]
    down = [layer for layer in layers(discriminator, convolution.Convolution) if layer.resample == "down"]
    pooled = layers(discriminator, keras.layers.AveragePooling2D)
    assert (len(up), len(down) + len(pooled)) == (2 * ups, 2 * downs)  # a block resamples in its branch and in its shortcut


def test_widths_of_the_128_pixel_networks_are_the_published_multiples():
    generator, discriminator = networks("large_resnet", 128, 2)
    inside = [layer.filters for layer in layers(generator, convolution.Convolution) if layer.resample == "up" and layer.kernel_size == 3]
    assert inside == [2 * m for m in (16, 8, 4, 2, 1)]
    assert [layer for layer in layers(generator, dense.Dense)][0].units == 16 * 2 * 16
    widths = [layer.filters for layer in layers(discriminator, convolution.Convolution) if layer.kernel_size == 3]
    assert widths == [2 * m for m in (1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 16, 16)]


def test_the_paper_s_discriminator_normalises_every_kernel_by_its_spectral_norm_and_studiogan_s_its_features():
    _, paper = networks("sngan_resnet", 32, 2)
    assert all(layer.spectral_norm for layer in layers(paper, convolution.Convolution, dense.Dense, dense.Embedding))
    assert not layers(paper, batch_norm.BatchNorm)
    _, studiogan = networks("batch_norm_resnet", 32, 2)
    assert not any(layer.spectral_norm for layer in layers(studiogan, convolution.Convolution, dense.Dense, dense.Embedding))
    assert layers(studiogan, batch_norm.BatchNorm)


def test_the_label_moves_the_score_by_the_inner_product_alone():
    _, discriminator = networks("sngan_resnet", 32, 2)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    outputs = [discriminator({"image": image, "label": np.full(2, k)}) for k in range(3)]
    table = discriminator.get_layer("projection").weight().numpy()
    np.testing.assert_array_equal(outputs[0]["features"], outputs[2]["features"])
    moved = (outputs[2]["logits"] - outputs[0]["logits"]).numpy()
    np.testing.assert_allclose(moved, outputs[0]["features"].numpy() @ (table[2] - table[0]), rtol=1e-4, atol=1e-6)


def test_presets_say_what_was_published():
    paper, studiogan, large = (projection_gan.PRESETS[name] for name in ("cifar10", "cifar10_studiogan", "imagenet128"))
    assert (paper.model.generator_batches, paper.model.discriminator_steps, paper.training.steps) == (2, 5, 50_000)
    adam = studiogan.model.discriminator_optimizer
    assert (adam.beta_1, adam.beta_2, adam.epsilon, studiogan.model.generator_batches) == (0.5, 0.999, 1e-6, 1)
    factor = large.model.discriminator_optimizer.schedule.factor
    rates = [float(factor(tf.constant(float(n)), large.training.steps)) for n in (0, 400_000, 425_000, 450_000)]
    np.testing.assert_allclose(rates, [1.0, 1.0, 0.5, 0.0], atol=1e-5)


def test_labels_of_fakes_are_uniform_or_those_of_the_data():
    def labels(how):
        config = projection_gan.Config(body="compact", latent_size=4, generator_width=4, discriminator_width=4, labels=how)
        model = projection_gan.ProjectionGan(config, tiny.data_spec(), run.Run(seed=0, phase="train", steps=1))
        batch = tiny.batch(60) | {"label": tf.constant([0] * 57 + [1, 1, 2])}
        return np.bincount(model.fake(batch, model.random())["label"], minlength=3)

    np.testing.assert_array_equal(labels("data"), [57, 2, 1])
    assert (labels("uniform") > 8).all()
    with pytest.raises(ValueError, match="labels='empirical' is unknown. It is uniform or data"):
        labels("empirical")
