"""Gradient accumulation: what equals the whole batch, and what does not."""

import numpy as np
import pytest
import tiny

from tfgan_suite.core import simultaneous
from tfgan_suite.losses import adversarial, gradient_penalty
from tfgan_suite.networks import improved_gan, mlp


class PerSample(tiny.Tiny):
    """No batch norm in either player."""

    def build_generator(self):
        return mlp.generator(image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=12, num_classes=self.num_classes)


class Noisy(PerSample):
    """The discriminator has dropout and Gaussian noise."""

    def build_discriminator(self):
        return improved_gan.mlp_discriminator(image_shape=self.data.image_shape, width=8)


class AtOnce(simultaneous.SimultaneousGan, PerSample):
    """Both players move on the same accumulated gradients."""

    def __init__(self, config, data, run):
        config.simultaneous = True
        super().__init__(config, data, run)


WASSERSTEIN = (adversarial.Adversarial(loss="wasserstein"), gradient_penalty.GradientPenalty())


def after_two_steps(kind, accumulation, **options):
    model = tiny.build(tiny.Config(accumulation=accumulation, **options), kind=kind)
    logs = tiny.train(model, [tiny.batch(8, seed=i) for i in range(2)])
    return tiny.weights(model), logs


@pytest.mark.parametrize(
    ("kind", "options"),
    [(PerSample, {}), (PerSample, {"generator_batches": 2}), (PerSample, {"terms": WASSERSTEIN}), (Noisy, {}), (AtOnce, {})],
    ids=["uniform labels", "a larger batch for the generator", "gradient penalty", "noise", "both players at once"],
)
def test_micro_batches_equal_the_whole_batch_where_losses_are_means_over_samples(kind, options):
    (whole, logs), (accumulated, part_logs) = after_two_steps(kind, 1, **options), after_two_steps(kind, 2, **options)
    assert tiny.largest_difference(whole, accumulated) < 1e-6
    for a, b in zip(logs, part_logs, strict=True):
        for name in a.keys() - {"generator/diversity"}:  # of neighbours in a pass
            np.testing.assert_allclose(a[name], b[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_batch_norm_sees_one_micro_batch_at_a_time():
    """tiny.Tiny's generator has batch norm, so its images are normalised by the statistics of four samples, not of eight."""
    (whole, _), (accumulated, _) = after_two_steps(tiny.Tiny, 1), after_two_steps(tiny.Tiny, 2)
    assert tiny.largest_difference(whole, accumulated) > 1e-4
