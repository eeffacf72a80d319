"""Every way of using augmentations at once: both players' images, consistency, contrast and an adaptive strength, in one training."""

import numpy as np
import pytest
import tiny
import tiny_augmentations

from tfgan_suite.core import augmentation, optimizers
from tfgan_suite.losses import adversarial, augmentation_contrast, consistency

RANDOM = tiny_augmentations.AddRandom()
TERMS = (
    adversarial.Adversarial(loss="hinge"),
    consistency.BalancedConsistency(augmentation=RANDOM),
    consistency.LatentConsistency(sigma=0.5),
    augmentation_contrast.AugmentationContrast(augmentation=RANDOM, hidden_size=8),
)
BATCHES = [tiny.batch(8, seed=i) for i in range(3)]


def model(**options):
    """Slow enough for rounding to stay rounding under these weights."""
    slow = {f"{player}_optimizer": optimizers.SGD(learning_rate=1e-3) for player in ("generator", "discriminator")}
    adaptation = augmentation.Adaptation(images=32, target=-1.0, interval=2)
    return tiny.build(tiny.Config(terms=TERMS, augmentations=(RANDOM, tiny_augmentations.Adaptive()), adaptation=adaptation, **slow), **options)


@pytest.fixture(scope="module")
def trained():
    """(weights before, weights after three steps, logs)."""
    plain = model()
    before = tiny.weights(plain)
    logs = tiny.train(plain, BATCHES)
    return before, tiny.weights(plain), logs


def test_every_term_pulls_where_it_should_and_the_probability_rises(trained):
    before, after, logs = trained
    assert tiny.largest_difference(before, after) > 1e-3
    for log in logs:
        assert all(np.isfinite(value) for value in log.values())
        assert all(log[f"discriminator/{name}"] > 0.0 for name in ("balanced_consistency", "latent_consistency", "augmentation_contrast"))
        assert log["generator/latent_consistency"] < 0.0 == log["generator/balanced_consistency"] == log["generator/augmentation_contrast"]
    assert [log["discriminator/augmentation_probability"] for log in logs] == [0.0, 0.5, 0.5]


def test_two_replicas_move_as_one_and_agree_on_the_probability(mirrored, trained):
    with mirrored.scope():
        two = model()
    tiny.train_mirrored(mirrored, two, BATCHES)
    assert tiny.largest_difference(tiny.weights(two), trained[1]) < 1e-5
    assert [float(c) for c in mirrored.experimental_local_results(two.augmenter.probability.value)] == [0.5, 0.5]


def test_xla_equals_the_plain_graph(trained):
    compiled = model()
    tiny.train(compiled, BATCHES, jit_compile=True)
    assert tiny.largest_difference(tiny.weights(compiled), trained[1]) < 1e-5


def test_half_precision_stays_finite():
    logs = model(precision="mixed_bfloat16").train_step(BATCHES[0])
    assert all(np.isfinite(value.numpy()) and value.dtype == "float32" for value in logs.values())


def test_regularisers_alone_leave_the_generators_update_as_it_is():
    """bCR and Cntr add views to the discriminator's pass, and none to the generator's."""
    scored = []

    class Counting(tiny.Tiny):
        def discriminate(self, views):
            scored.append(list(views))
            return super().discriminate(views)

    tiny.build(tiny.Config(terms=TERMS), kind=Counting).train_step(BATCHES[0])
    assert len(scored) == 2 and len(scored[0]) == 2 + 2 + 1 + 4 and scored[1] == ["fake"]
