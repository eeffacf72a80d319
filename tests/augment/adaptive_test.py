import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import adaptive, policy, sampling
from tfgan_suite.ops import random


def augmented(images, probability, groups="bgc", seed=0):
    state = policy.State(progress=tf.constant(0.0), probability=tf.constant(probability))
    view = adaptive.AdaptiveAugmentation(groups=groups)({"image": tf.constant(images)}, random.Stream(seed, "test"), state)
    return view["image"].numpy()


def pictures(rows=4, size=8, channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (rows, size, size, channels)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_with_probability_zero_it_is_the_identity(channels):
    images = pictures(channels=channels)
    np.testing.assert_allclose(augmented(images, 0.0), images, atol=1e-5)
    assert np.abs(augmented(images, 1.0) - images).max(axis=(1, 2, 3)).min() > 0.1


def test_blits_are_mirrors_quarter_turns_and_whole_shifts():
    images = pictures(128)
    out = augmented(images, 1.0, "b")
    seen = set()
    for image, result in zip(images, out, strict=True):
        options = {
            (flip, turns, down, right): np.pad(np.rot90(image[:, ::-1] if flip else image, turns), ((1, 1), (1, 1), (0, 0)), mode="reflect")[
                1 - down : 9 - down, 1 - right : 9 - right
            ]
            for flip in (0, 1)
            for turns in range(4)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        }
        seen |= {key for key, option in options.items() if np.allclose(option, result, atol=1e-5)}
    assert {key[:2] for key in seen} == {(flip, turns) for flip in (0, 1) for turns in range(4)}
    assert {key[2] for key in seen} == {key[3] for key in seen} == {-1, 0, 1}
    assert all(any(np.allclose(r, o, atol=1e-5) for r in out) for o in out)


def test_each_transformation_happens_with_the_probability():
    changed = np.abs(augmented(np.zeros((2048, 2, 2, 3), np.float32), 0.3, "c")).max(axis=(1, 2, 3)) > 1e-6
    assert abs(changed.mean() - 0.3) < 0.04  # of the changes of colour, brightness alone moves mid-grey


def test_a_turn_happens_with_the_probability_once_or_twice():
    chances = adaptive.Chances(random.Stream(0, "test"), 8192, tf.constant(0.4))
    matrices = adaptive.geometry(chances, 8, 8).numpy()
    turned = np.abs(matrices[:, 0, 1]) + np.abs(matrices[:, 1, 0]) > 1e-6
    assert abs(turned.mean() - 0.4) < 0.03  # 1 - (1 - p_rot)^2 = p
    scale = np.log2(np.linalg.det(matrices)) / -2
    np.testing.assert_allclose(scale[np.abs(scale) > 1e-4].std(), 0.2, rtol=0.05)
    assert abs((np.abs(scale) > 1e-4).mean() - 0.4) < 0.03


def test_colours_are_composed_in_the_order_of_the_paper():
    chances = adaptive.Chances(random.Stream(0, "test"), 4096, tf.constant(1.0))
    matrices = adaptive.colors(chances).numpy()
    v = np.array([1, 1, 1]) / np.sqrt(3)
    along = np.einsum("i,bij,j->b", v, matrices[:, :3, :3], v)  # contrast, negated by half of the luma flips
    np.testing.assert_allclose(np.log2(np.abs(along)).std(), 0.5, rtol=0.05)
    assert abs((along < 0).mean() - 0.5) < 0.04
    np.testing.assert_allclose((matrices[:, :3, 3].mean(axis=1) / along).std(), 0.2, rtol=0.05)  # brightness comes first, contrast scales it
    across = np.sqrt(np.linalg.det(matrices[:, :3, :3]) / along) / np.abs(along)
    np.testing.assert_allclose(np.log2(across).std(), 1.0, rtol=0.05)  # saturation


def test_the_affine_sampler_reads_bilinearly_and_mirrors_the_margins():
    images = pictures(2)
    sources = np.array([[[0.6, -0.5, 1.3], [0.4, 1.2, -2.6], [0, 0, 1]], [[2.0, 0.3, 0], [0, -1.5, 0.25], [0, 0, 1]]], np.float32)
    out = sampling.affine(tf.constant(images), tf.constant(sources)).numpy()
    padded = np.pad(images, ((0, 0), (16, 16), (16, 16), (0, 0)), mode="reflect")
    for n in range(2):
        for i in range(8):
            for j in range(8):
                x, y = sources[n, :2] @ [j - 3.5, i - 3.5, 1] + 3.5 + 16
                left, top = int(np.floor(x)), int(np.floor(y))
                box, fx, fy = padded[n, top : top + 2, left : left + 2], x - left, y - top
                expected = (1 - fy) * ((1 - fx) * box[0, 0] + fx * box[0, 1]) + fy * ((1 - fx) * box[1, 0] + fx * box[1, 1])
                np.testing.assert_allclose(out[n, i, j], expected, atol=1e-5)


def test_gradients_reach_the_pixels():
    images = tf.constant(pictures())
    with tf.GradientTape() as tape:
        tape.watch(images)
        state = policy.State(progress=tf.constant(0.0), probability=tf.constant(1.0))
        out = adaptive.AdaptiveAugmentation(groups="bg")({"image": images}, random.Stream(0, "test"), state)["image"]
        total = tf.reduce_sum(out, (1, 2, 3))
    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(total, images)), 4 * 8 * 8 * 3, rtol=1e-5)  # the weights of each sample sum to 1


@pytest.mark.parametrize("groups", ["", "bb", "bgx"])
def test_other_groups_are_refused(groups):
    with pytest.raises(ValueError, match="some of the letters b, g and c, each once"):
        adaptive.AdaptiveAugmentation(groups=groups)


def test_images_are_grey_or_coloured_and_the_model_is_told_to_adapt():
    with pytest.raises(ValueError, match="grey or colour"):
        adaptive.AdaptiveAugmentation().check((8, 8, 4))
    assert policy.Sequence(augmentations=(adaptive.AdaptiveAugmentation(),)).adaptive
