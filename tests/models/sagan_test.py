import keras
import numpy as np
import pytest
import tiny

from tfgan_suite.core import optimizers, run
from tfgan_suite.layers import attention, spectral_norm
from tfgan_suite.models import sagan


def networks(body, side, width=8, **options):
    """(generator, discriminator) of a body, for three classes."""
    keras.backend.clear_session()
    shape = {"image_shape": (side, side, 3), "width": width, "num_classes": 3}
    generator, discriminator = sagan.BODIES[body]
    return generator(latent_size=5, **shape, **options), discriminator(conditioning="projection", **shape, **options)


def layers(network, *kinds):
    return [layer for layer in network._flatten_layers() if isinstance(layer, kinds)]


@pytest.mark.parametrize(
    "body, side, attended, multiple",
    [("resnet", 32, 16, (1, 1)), ("resnet64", 64, 32, (2, 1)), ("resnet128", 128, 32, (4, 2)), ("compact", 32, 16, (1, 1))],
)
def test_one_block_of_either_player_is_followed_by_attention(body, side, attended, multiple):
    for network, m in zip(networks(body, side), multiple, strict=True):
        [layer] = layers(network, attention.SelfAttention)
        assert tuple(layer.output.shape) == (None, attended, attended, 8 * m)  # at 128 pixels after the third and the second block


@pytest.mark.parametrize("body, side, plain", [("resnet", 32, set()), ("resnet64", 64, set()), ("resnet128", 128, {"gain", "offset"})])
def test_every_kernel_of_both_players_is_spectrally_normalised_except_the_authors_tables_of_gains(body, side, plain):
    """StudioGAN's gains are 1 plus a normalised matrix of the label; the authors' are tables."""
    generator, discriminator = networks(body, side, width=2)
    assert {layer.name for layer in layers(generator, spectral_norm.WeightLayer) if not layer.spectral_norm} == plain
    assert all(layer.spectral_norm for layer in layers(discriminator, spectral_norm.WeightLayer))


def test_the_form_of_the_attention_is_the_configuration_s():
    for body in ("resnet", "compact"):
        for network in networks(body, 32, attention_form="paper"):
            assert [layer.form for layer in layers(network, attention.SelfAttention)] == ["paper"]


def test_the_discriminator_s_vectors_move_only_in_its_own_update_and_the_generator_s_in_its():
    data, adam = tiny.data_spec(side=32), optimizers.SGD(learning_rate=0.01)
    config = sagan.Config(
        body="resnet", latent_size=4, generator_width=4, discriminator_width=4, generator_optimizer=adam, discriminator_optimizer=adam
    )
    model = sagan.Sagan(config, data, run.Run(seed=0, phase="train", steps=2))

    def vectors(network):
        return [layer.u.numpy() for layer in layers(network, spectral_norm.WeightLayer) if layer.spectral_norm and layer.u.shape[0] > 1]

    stream, batch = model.random(), tiny.batch(4, side=32)
    for update, mover, other in (
        (model.update_discriminator, model.discriminator, model.generator),
        (model.update_generator, model.generator, model.discriminator),
    ):
        moving, still = vectors(mover), vectors(other)
        update(batch, stream)
        assert all(np.abs(a - b).max() > 0 for a, b in zip(vectors(mover), moving, strict=True))
        assert all(np.array_equal(a, b) for a, b in zip(vectors(other), still, strict=True))


def test_presets_say_what_was_published():
    paper, studiogan = (sagan.PRESETS[name].model for name in ("imagenet128", "cifar10"))
    rates = [(o.learning_rate, o.beta_1, o.beta_2) for o in (paper.discriminator_optimizer, paper.generator_optimizer)]
    assert rates == [(4e-4, 0.0, 0.9), (1e-4, 0.0, 0.9)] and paper.discriminator_steps == 1
    assert sagan.PRESETS["imagenet128"].data.batch_size == 256
    assert (studiogan.generator_width, studiogan.discriminator_width, studiogan.discriminator_steps) == (256, 128, 5)


@pytest.mark.parametrize("values, names", [({"body": "vgg"}, "resnet, resnet64"), ({"attention_form": "dot"}, "pooled, paper")])
def test_unknown_names_are_refused_with_the_alternatives(values, names):
    with pytest.raises(ValueError, match=names):
        sagan.Config(**values)
