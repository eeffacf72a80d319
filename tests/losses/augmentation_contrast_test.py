import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
import tiny_augmentations

from tfgan_suite.core import augmentation
from tfgan_suite.losses import adversarial, augmentation_contrast

NUMBERS = np.random.default_rng(0)
HEAD = augmentation_contrast.HEAD
KEYS = [f"{name}_augmentation_contrast_{i}" for name in ("real", "fake") for i in (0, 1)]


def loss(embeddings, **options):
    scores = {key: {HEAD: tf.constant(value, tf.float32)} for key, value in zip(KEYS, embeddings, strict=True)}
    return float(augmentation_contrast.AugmentationContrast(**options).discriminator_loss({}, scores, None))


def by_hand(a, b, temperature):
    """NT-Xent of one set in NumPy, row by row. Chen et al. 2020, eq. 1."""
    z = np.concatenate([a, b]).astype(np.float64)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    scores, n = z @ z.T / temperature, len(a)
    rows = [np.log(np.sum(np.exp(np.delete(scores[i], i)))) - scores[i, (i + n) % (2 * n)] for i in range(2 * n)]
    return np.mean(rows)


def test_it_is_the_sum_of_a_contrast_among_real_and_one_among_fake_images():
    r1, r2, f1, f2 = NUMBERS.standard_normal((4, 5, 8))
    expected = 0.1 * (by_hand(r1, r2, 0.5) + by_hand(f1, f2, 0.5))
    assert loss((r1, r2, f1, f2)) == pytest.approx(expected, rel=1e-5)
    order = [3, 1, 0, 4, 2]
    assert loss((r1[order], r2[order], f1, f2)) == pytest.approx(expected, rel=1e-5)
    assert loss((r1, r2, f1[order], f2[order])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n", [2, 7])
def test_equal_embeddings_cost_the_logarithm_of_2n_minus_1_per_set(n):
    assert loss([np.ones((n, 4))] * 4, weight=1.0, temperature=0.3) == pytest.approx(2.0 * np.log(2 * n - 1), rel=1e-5)


def test_every_image_is_augmented_twice_with_draws_of_their_own_and_the_generator_has_no_part():
    used = []
    step = types.SimpleNamespace(augment=lambda augmentation, view, name: used.append(name) or view)
    term = augmentation_contrast.AugmentationContrast()
    views = {name: tiny.batch(2) for name in ("real", "fake")}
    assert list(term.views(views, step)) == KEYS and len(set(used)) == 4
    assert not term.generator_views(views, step) and float(term.generator_loss(views, {}, step)) == 0.0


@pytest.mark.parametrize(
    "options, kernels",
    [({}, [(64, 64), (64, 128)]), ({"hidden_size": 5}, [(64, 5), (5, 128)]), ({"projection": "affine_relu"}, [(64, 128)])],
)
def test_its_head_is_built_on_the_features_and_only_where_it_is_asked_for(options, kernels):
    term = augmentation_contrast.AugmentationContrast(augmentation=tiny_augmentations.Identity(), **options)
    plain, model = tiny.build(), tiny.build(tiny.Config(terms=(adversarial.Adversarial(loss="hinge"), term)))
    assert HEAD not in plain.discriminator.output
    dense = [layer for layer in model.discriminator.layers if isinstance(layer, keras.layers.Dense)]
    assert [tuple(layer.kernel.shape) for layer in dense] == kernels
    batch = tiny.batch(3)
    scores, x = model.score(batch), model.score(batch)["features"].numpy()
    for i, layer in enumerate(dense):
        x = x @ layer.kernel.numpy() + layer.bias.numpy()
        x = np.maximum(x, 0.0) if i < len(dense) - 1 or options.get("projection") == "affine_relu" else x
    np.testing.assert_allclose(scores[HEAD], x, atol=1e-5)
    np.testing.assert_allclose(scores["logits"], plain.score(batch)["logits"], atol=1e-6)


def test_a_discriminator_without_features_is_refused():
    class Bare(tiny.Tiny):
        def build_discriminator(self):
            whole = super().build_discriminator()
            return keras.Model({i.name: i for i in whole.inputs}, {"logits": whole.output["logits"]})

    with pytest.raises(ValueError, match="AugmentationContrast reads the discriminator's head 'features'; this discriminator of Bare has logits"):
        tiny.build(tiny.Config(terms=(augmentation_contrast.AugmentationContrast(),)), kind=Bare)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"weight": -1.0}, "AugmentationContrast.weight must be at least 0"),
        ({"gather": "some"}, "gather='some' is unknown"),
        ({"projection": "linear"}, "projection='linear' is unknown. It is one of dense_relu_dense, affine_relu"),
        ({"hidden_size": -1}, "hidden_size is at least 0"),
        ({"augmentation": tiny_augmentations.Blend()}, "Blend makes one of two"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        augmentation_contrast.AugmentationContrast(**options)


def test_its_augmentation_counts_among_those_of_the_model():
    term = augmentation_contrast.AugmentationContrast(augmentation=tiny_augmentations.AddRandom())
    found = tiny.Config(augmentations=(tiny_augmentations.Identity(),), terms=(adversarial.Adversarial(), term))
    assert augmentation.every(found) == (*found.augmentations, term.augmentation)


def test_two_views_of_one_image_are_not_mixed_with_different_partners():
    with pytest.raises(ValueError, match="Blend in augmentations would mix the two views that AugmentationContrast compares"):
        tiny.Config(augmentations=(tiny_augmentations.Blend(),), terms=(augmentation_contrast.AugmentationContrast(),))
