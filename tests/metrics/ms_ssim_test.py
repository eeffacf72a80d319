import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import ms_ssim


def photographs(n, side, seed=0, channels=3):
    """Smooth random images [n, side, side, c] in [0, 255]."""
    coarse = np.random.RandomState(seed).uniform(0, 255, (n, 8, 8, channels))
    return tf.image.resize(coarse, (side, side), method="bicubic").numpy().clip(0, 255)


@pytest.mark.parametrize("side", [16, 28, 32, 180])
def test_an_image_is_wholly_similar_to_itself(side):
    x = photographs(2, side)
    np.testing.assert_allclose(ms_ssim.similarity(x, x), 1.0, rtol=1e-9)


@pytest.mark.parametrize("side", [32, 180])
def test_an_image_is_unlike_its_negative(side):
    x = photographs(3, side)
    assert ms_ssim.similarity(x, 255.0 - x).max() < 0.2


def test_it_is_symmetric_and_a_noisier_copy_is_less_similar():
    x = photographs(4, 32)
    noise = np.random.RandomState(1).standard_normal(x.shape)
    some, more = x + 10.0 * noise, x + 60.0 * noise
    np.testing.assert_allclose(ms_ssim.similarity(x, some), ms_ssim.similarity(some, x), rtol=1e-12)
    assert (ms_ssim.similarity(x, more) < ms_ssim.similarity(x, some)).all() and ms_ssim.similarity(x, some).max() < 1.0


def test_grey_images_large_enough_for_the_whole_window_have_tensorflows_value():
    """Of color images TensorFlow takes the mean of the channels' products over scales, Karras et al. the product of the means."""
    x = photographs(3, 192, channels=1)
    y = 0.7 * x + 0.3 * photographs(3, 192, seed=1, channels=1)
    expected = tf.image.ssim_multiscale(tf.constant(x), tf.constant(y), 255.0).numpy()
    np.testing.assert_allclose(ms_ssim.similarity(x, y), expected, rtol=2e-5)


def test_a_lighter_copy_differs_in_luminance_alone_which_counts_at_the_last_scale():
    x, y = np.full((1, 32, 32, 1), 100.0), np.full((1, 32, 32, 1), 150.0)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    np.testing.assert_allclose(ms_ssim.similarity(x, y), luminance**0.1333, rtol=1e-9)


def test_opposite_structure_counts_as_nothing_and_not_as_a_number_that_is_none():
    x = np.tile([0.0, 255.0], (1, 32, 16, 1))[..., :32].reshape(1, 32, 32, 1)
    assert ms_ssim.similarity(x, 255.0 - x).tolist() == [0.0]


def test_pairs_are_of_two_different_images_of_one_class_and_of_all_classes_equally():
    labels = np.array([0] * 3 + [1] * 40 + [2])
    pairs = ms_ssim.random_pairs(labels, 100, seed=0)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert (labels[pairs[:, 0]] == labels[pairs[:, 1]]).all()
    assert np.bincount(labels[pairs[:, 0]]).tolist() == [50, 50]  # one image of class 2 is no pair
    assert {tuple(p) for p in pairs if p[0] < 3} == {(a, b) for a in range(3) for b in range(3) if a != b}


def test_a_collapsed_class_is_more_similar_than_a_varied_one():
    varied = photographs(40, 32).astype(np.uint8)
    collapsed = np.repeat(varied[:2], 20, axis=0)
    labels = np.repeat([0, 1], 20)
    one, number = ms_ssim.mean_similarity(collapsed, labels, pairs=60, seed=0)
    other, _ = ms_ssim.mean_similarity(varied, labels, pairs=60, seed=0)
    assert one == pytest.approx(1.0) and other < 0.6 and number == 60


def test_images_of_two_shapes_and_single_images_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        ms_ssim.similarity(np.zeros((1, 8, 8, 1)), np.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="at least one pair"):
        ms_ssim.mean_similarity(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1]), pairs=5, seed=0)
