"""Parameters of the published class-conditional models, as their presets build them, against the official constructors."""

import json
import pathlib

import numpy as np
import pytest

from tfgan_suite import registry

COUNTS = json.loads((pathlib.Path(__file__).resolve().parents[1] / "golden" / "parameter_counts.json").read_text())["summary"]
OFFICIAL = {
    "biggan/cifar10": "studiogan/CIFAR10/BigGAN",
    "acgan/cifar10_biggan": "studiogan/CIFAR10/ACGAN-Mod-Big",
    "contragan/cifar10": "studiogan/CIFAR10/ContraGAN",
    "reacgan/cifar10": "studiogan/CIFAR10/ReACGAN",
    "projection_gan/cifar10_studiogan": "studiogan/CIFAR10/ProjGAN",
    "sagan/cifar10": "studiogan/CIFAR10/SAGAN",
    "biggan/cifar10_pytorch": "biggan_pytorch/cifar10",
    "biggan/imagenet128": "biggan_pytorch/128_biggan",
    "contragan/imagenet128": "studiogan/ImageNet_128/ContraGAN-256",
    "reacgan/imagenet128": "studiogan/ImageNet_128/ReACGAN-256",
    "sagan/imagenet128": "sagan_official/128_attention32",
}


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.parametrize("preset", [p if "imagenet" not in p else pytest.param(p, marks=pytest.mark.slow) for p in OFFICIAL])
def test_a_preset_has_the_official_parameters(preset):
    experiment = registry.experiment(preset)
    config, side, classes = experiment.model, *((128, 1000) if "imagenet" in preset else (32, 10))
    generator, discriminator = config.bodies[config.body]
    shared = {"image_shape": (side, side, 3), "num_classes": classes}
    conditioning = registry.model_class(experiment.variant).conditioning
    embedding = {"embedding_size": config.embedding_size} if conditioning == "contrastive" else {}
    official = COUNTS[OFFICIAL[preset]]
    assert count(generator(latent_size=config.latent_size, width=config.generator_width, **shared)) == official["generator"]
    built = discriminator(width=config.discriminator_width, conditioning=conditioning, **embedding, **shared)
    assert count(built) == official["discriminator"]
