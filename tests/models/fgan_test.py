import dataclasses

import numpy as np
import tiny

from pipelines import spec
from tfgan_suite import registry
from tfgan_suite.core import run


def built(experiment, data):
    return registry.model_class("fgan")(experiment.model, data, run.Run(seed=0, phase="train", steps=4))


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_the_mnist_players_have_the_papers_layers():
    """G: 100 -> 1200 -> 1200 -> 784 with batch norm; V: 784 -> 240 -> 240 -> 1."""
    image = spec.Feature(shape=(28, 28, 1), dtype="float32", low=-1.0, high=1.0)
    model = built(registry.experiment("fgan/mnist_kl"), spec.DataSpec(name="mnist", features={"image": image}, size=60_000))
    assert count(model.generator) == 101 * 1200 + 1201 * 1200 + 1201 * 784 + 2 * 2 * 1200
    assert count(model.discriminator) == 785 * 240 + 241 * 240 + 241


def test_with_single_steps_off_it_alternates_with_as_many_updates_as_told():
    experiment = registry.experiment("fgan/debug")
    experiment.model = dataclasses.replace(experiment.model, simultaneous=False, discriminator_steps=2)
    model = built(experiment, tiny.data_spec())
    assert model.batches_per_step == 2
    tiny.train(model, [tiny.batch(8)])
    assert [int(model.optimizers_by_name[name].iterations.numpy()) for name in ("discriminator", "generator")] == [2, 1]
