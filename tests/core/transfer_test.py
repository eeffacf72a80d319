import re

import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.core import run, transfer
from tfgan_suite.networks import resnet


def values(network):
    return [v.numpy() for v in network.variables]


def moved(before, network):
    return [not np.array_equal(a, v.numpy()) for a, v in zip(before, network.variables, strict=True)]


def test_a_block_is_what_reads_maps_of_one_size():
    """SN-GAN's 32-pixel discriminator: blocks at 32 and 16 with three convolutions each, then two of two at 8 that keep their size."""
    network = resnet.discriminator(width=4, num_classes=3)
    found = transfer.blocks(network)
    assert [len(block) for block in found] == [3, 3, 4]
    assert [{layer.input.shape[1] for layer in block} for block in found] == [{32}, {16}, {8}]
    outside = {layer.name for layer in network.layers if layer.weights} - {layer.name for block in found for layer in block}
    assert outside == {"logits", "projection"}


def test_frozen_blocks_keep_their_weights_and_spectral_vectors_and_the_rest_learns():
    model = tiny.build(tiny.Config(frozen_blocks=1), side=16)
    frozen, *others = transfer.blocks(model.discriminator)
    before = {layer.name: values(layer) for block in (frozen, *others) for layer in block}
    tiny.train(model, [tiny.batch(8, seed=i, side=16) for i in range(2)])
    assert all(not any(moved(before[layer.name], layer)) for layer in frozen)
    assert others and all(all(moved(before[layer.name], layer)) for block in others for layer in block)
    held = {id(v) for v in model.discriminator.trainable_variables}
    assert not any(id(v) in held for layer in frozen for v in layer.variables)


@pytest.mark.parametrize(
    ("count", "says"), [(3, "frozen_blocks=3 is more than the resolutions of the discriminator, 2. Set it to 2"), (-1, "at least 0.*-1")]
)
def test_more_blocks_than_there_are_or_fewer_than_none_are_refused(count, says):
    with pytest.raises(ValueError, match=says):
        tiny.build(tiny.Config(frozen_blocks=count), side=16)


def test_a_transfer_brings_live_and_averaged_networks_and_leaves_counters_and_optimizers_new():
    source, model = tiny.build(seed=1), tiny.build()
    tiny.train(source, [tiny.batch(8)])
    assert transfer.initialize_from(model, source) == []
    for name, network in model.networks().items():
        assert not any(moved(values(source.networks()[name]), network)), name
    assert int(model.step.numpy()) == 0 and int(model.generator_optimizer.iterations.numpy()) == 0
    assert moved(values(model.generator), model.averaged_generator) != [False] * len(model.generator.variables)


def test_with_other_classes_what_has_an_axis_of_classes_stays_as_it_was():
    source = tiny.build(seed=1)
    model = tiny.Tiny(tiny.Config(), tiny.data_spec(classes=5), run.Run(seed=0, phase="train", steps=8))
    before = {name: values(network) for name, network in model.networks().items()}
    kept = transfer.initialize_from(model, source)
    assert kept
    for name, network in model.networks().items():
        for i, (old, given, now) in enumerate(zip(before[name], source.networks()[name].variables, network.variables, strict=True)):
            other = 5 in old.shape and 3 in given.shape
            assert (f"{name}.{i}" in kept) == other
            np.testing.assert_array_equal(now.numpy(), old if other else given.numpy())


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (tiny.Config(latent_size=7), "has the shape .*7.*Use the widths, the latent size and the image size of the source"),
        (tiny.Config(norm="batch"), "has a 'discriminator' of .* variables; this model's has"),
    ],
    ids=["latents", "normalisation"],
)
def test_another_architecture_is_refused_and_nothing_is_changed(config, says):
    source, model = tiny.build(seed=1, side=16), tiny.build(config, side=16)
    before = tiny.weights(model)
    with pytest.raises(ValueError, match=re.compile(says, re.DOTALL)):
        transfer.initialize_from(model, source)
    assert tiny.largest_difference(before, tiny.weights(model)) == 0.0


def test_on_replicas_every_copy_begins_with_the_source(mirrored):
    source = tiny.build(seed=1)
    with mirrored.scope():
        model = tiny.build()
        transfer.initialize_from(model, source)
    for given, there in zip(source.generator.variables, model.generator.variables, strict=True):
        for copy in mirrored.experimental_local_results(there.value):
            np.testing.assert_array_equal(tf.convert_to_tensor(copy).numpy(), given.numpy())
