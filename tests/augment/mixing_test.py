import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import mixing, policy
from tfgan_suite.ops import random

START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))
ROWS = 16
LABELS = np.arange(ROWS) * 3


def mixed(augmentation, seed=0):
    """Image i is the constant i / 16, so that an output tells who is in it."""
    image = np.broadcast_to((np.arange(ROWS, dtype=np.float32) / ROWS)[:, None, None, None], (ROWS, 8, 6, 3))
    view = augmentation({"image": tf.constant(image), "label": tf.constant(LABELS)}, random.Stream(seed, "test"), START)
    return image, {key: value.numpy() for key, value in view.items()}


@pytest.mark.parametrize("cls", [mixing.CutMix, mixing.MixUp], ids=lambda cls: cls.__name__)
def test_the_partner_is_another_example_and_its_label_is_told(cls):
    shifts = set()
    for seed in range(12):
        _, view = mixed(cls(strength=0.5), seed)
        partner = view["mix_partner"]
        shift = (np.arange(ROWS) - partner) % ROWS
        assert len(set(shift)) == 1 and shift[0] != 0
        np.testing.assert_array_equal(view["mixed_label"], LABELS[partner])
        np.testing.assert_array_equal(view["label"], LABELS)
        shifts.add(shift[0])
    assert len(shifts) > 4


@pytest.mark.parametrize("cls", [mixing.CutMix, mixing.MixUp], ids=lambda cls: cls.__name__)
def test_where_all_images_are_one_colour_nothing_is_seen_of_a_mixture(cls):
    images = tf.fill([ROWS, 8, 6, 3], 0.375)
    view = cls(strength=0.5)({"image": images, "label": tf.constant(LABELS)}, random.Stream(0, "test"), START)
    np.testing.assert_allclose(view["image"], images, atol=1e-6)


def test_cut_mix_counts_the_pixels_of_the_partner_in_its_weight():
    image, view = mixed(mixing.CutMix(strength=0.9))
    partner = image[view["mix_partner"]]
    taken = view["image"] == partner
    np.testing.assert_array_equal(np.where(taken, partner, image), view["image"])
    assert (taken.all(axis=3) == taken.any(axis=3)).all()
    np.testing.assert_allclose(view["mix_weight"], 1.0 - taken.mean(axis=(1, 2, 3)), atol=1e-6)
    sides = {round(a * 8) * round(a * 6) for a in np.linspace(0, 0.9, 9001)}
    assert set(taken[..., 0].sum((1, 2))) <= sides and view["mix_weight"].min() < 0.7


def test_mix_up_is_the_convex_combination_with_the_larger_share_to_the_original():
    image, view = mixed(mixing.MixUp(strength=1.0))
    weight = view["mix_weight"][:, None, None, None]
    assert weight.min() >= 0.5 and weight.max() <= 1.0 and weight.min() < 0.7
    np.testing.assert_allclose(view["image"], weight * image + (1 - weight) * image[view["mix_partner"]], atol=1e-6)


@pytest.mark.parametrize("strength", [0.02, 0.3, 1.0])
def test_the_shares_of_mix_up_are_of_a_beta_distribution(strength):
    share = mixing.larger_share(random.Stream(0, "test"), 4096, tf.constant(strength)).numpy()
    reference = np.random.default_rng(0).beta(strength, strength, 200_000)
    reference = np.maximum(reference, 1 - reference)
    np.testing.assert_allclose(np.quantile(share, [0.1, 0.3, 0.5, 0.8]), np.quantile(reference, [0.1, 0.3, 0.5, 0.8]), atol=0.02)
    np.testing.assert_allclose(share.mean(), reference.mean(), atol=0.006)


def test_views_without_labels_are_mixed_too():
    view = mixing.MixUp()({"image": tf.zeros((2, 4, 4, 3))}, random.Stream(0, "test"), START)
    assert set(view) == {"image", "mix_partner", "mix_weight"}


def test_a_single_example_cannot_be_mixed():
    with pytest.raises(ValueError, match="CutMix mixes examples of one replica with each other and needs two. Received: 1"):
        mixing.CutMix()({"image": tf.zeros((1, 4, 4, 3))}, random.Stream(0, "test"), START)
