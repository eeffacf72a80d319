import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import policy, rectangle, sampling, spatial
from tfgan_suite.ops import random

START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))
ROW = np.array([0.0, 1.0, 2.0, 3.0], np.float32).reshape(1, 1, 4, 1)
ALL = [spatial.ZoomIn, spatial.ZoomOut, spatial.Translation, spatial.TranslationX, spatial.TranslationY]


def pictures(rows=4, height=8, width=6, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (rows, height, width, 3)).astype(np.float32)


def moved(images, rows, columns, margins="reflect"):
    b, h, w, _ = images.shape
    coordinates = [None if s is None else sampling.shifted(n, tf.constant(s, tf.float32)) for n, s in ((h, rows), (w, columns))]
    return sampling.resample(tf.constant(images), *coordinates, margins).numpy()


@pytest.mark.parametrize(("margins", "expected"), [("reflect", [1, 0, 1, 2]), ("symmetric", [0, 0, 1, 2]), ("zero", [0, 0, 1, 2])])
def test_a_row_moved_right_by_one_pixel_shows_its_mirror(margins, expected):
    np.testing.assert_array_equal(moved(ROW, None, [1.0], margins).ravel(), expected)
    np.testing.assert_array_equal(moved(ROW.transpose(0, 2, 1, 3), [1.0], None, margins).ravel(), expected)


@pytest.mark.parametrize("margins", ["reflect", "symmetric"])
def test_translations_are_crops_of_the_padded_image(margins):
    images, rows, columns = pictures(), [3, -3, 0, 1], [2, 0, -5, -1]
    padded = np.pad(images, ((0, 0), (5, 5), (5, 5), (0, 0)), mode=margins)
    expected = [p[5 - r : 13 - r, 5 - c : 11 - c] for p, r, c in zip(padded, rows, columns, strict=True)]
    np.testing.assert_array_equal(moved(images, rows, columns, margins), expected)


def test_a_translation_and_its_inverse_restore_the_interior():
    there = moved(pictures(), [2, -1, 0, 2], [1, 1, -2, -2])
    np.testing.assert_array_equal(moved(there, [-2, 1, 0, -2], [-1, -1, 2, 2])[:, 2:-2, 2:-2], pictures()[:, 2:-2, 2:-2])


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_constant_images_stay_and_no_value_leaves_the_range(cls):
    constant = np.full((16, 8, 8, 3), 0.3, np.float32)
    out = cls(strength=0.9)({"image": tf.constant(constant)}, random.Stream(0, "test"), START)["image"]
    np.testing.assert_allclose(out, constant, atol=1e-6)
    out = cls(strength=0.9)({"image": tf.sign(pictures(16))}, random.Stream(0, "test"), START)["image"].numpy()
    assert np.abs(out).max() <= 1.0 + 1e-6


def test_translations_reach_the_strength_and_one_axis_stays_where_it_is():
    ramp = np.zeros((256, 9, 20, 2), np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(9)[:, None], np.arange(20)
    shifts = {}
    for cls in (spatial.Translation, spatial.TranslationX, spatial.TranslationY):
        out = cls(strength=0.2)({"image": tf.constant(ramp)}, random.Stream(1, "test"), START)["image"].numpy()
        shifts[cls] = set((4 - out[:, 4, 10, 0]).round(3)), set((10 - out[:, 4, 10, 1]).round(3))
    rows, columns = set(range(-2, 3)), set(range(-4, 5))  # round(0.2 * 9) and 0.2 * 20
    assert shifts == {spatial.Translation: (rows, columns), spatial.TranslationX: ({0}, columns), spatial.TranslationY: (rows, {0})}


@pytest.mark.parametrize(("cls", "scales"), [(spatial.ZoomIn, (0.6, 1.0)), (spatial.ZoomOut, (1.0, 1.4))])
def test_a_zoom_shows_a_window_of_the_stated_size_at_any_place(cls, scales):
    size, strength = 40, 0.4
    ramp = np.broadcast_to(np.arange(size, dtype=np.float32)[:, None, None], (256, size, size, 1)).copy()
    out = cls(strength=strength)({"image": tf.constant(ramp)}, random.Stream(2, "test"), START)["image"].numpy()[:, :, 0, 0]
    scale = out[:, 20] - out[:, 19]  # the middle is in no margin
    centre = (out[:, 19] + out[:, 20]) / 2
    assert scales[0] <= scale.min() < scales[0] + 0.02 and scales[1] - 0.02 < scale.max() <= scales[1] + 1e-5
    np.testing.assert_allclose(scale.mean(), np.mean(scales), atol=0.03)
    room = np.abs(1.0 - scale) * size / 2  # a window that lies in the (padded) image has its centre within this of the image's
    offsets = (centre - 19.5) / np.maximum(room, 1e-3)
    assert np.abs(offsets[room > 0.1]).max() <= 1.01 and np.abs(offsets[room > 0.1].mean()) < 0.15 and offsets.std() > 0.4


def test_a_zoom_reads_between_pixels_bilinearly():
    # Half the row from its left edge: centres at 0.25, 0.75, 1.25, 1.75 in edges, so at -0.25 (mirrored), 0.25, 0.75, 1.25 in pixels.
    coordinates = sampling.window(4, tf.constant([0.5]), tf.constant([0.0]))
    np.testing.assert_allclose(sampling.resample(tf.constant(ROW), None, coordinates).numpy().ravel(), [0.25, 0.25, 0.75, 1.25])


def test_a_zoom_is_a_crop_scaled_bilinearly_but_for_the_outer_half_pixel():
    image, first, count = pictures(1)[0, :, 0, 0], 2, 4
    out = sampling.resample(tf.constant(image.reshape(1, 8, 1, 1)), sampling.window(8, tf.constant([0.5]), tf.constant([2.0])), None)
    centres = (np.arange(8) + 0.5) * count / 8 - 0.5
    crop = np.interp(centres, np.arange(count), image[first : first + count])  # clamps at the crop's ends
    np.testing.assert_allclose(out.numpy().ravel()[1:-1], crop[1:-1], atol=1e-6)
    assert out.numpy().ravel()[0] == pytest.approx(0.75 * image[2] + 0.25 * image[1], abs=1e-6)  # not clamped: the image goes on


def test_the_gradients_of_a_translation_sum_to_the_number_of_pixels_and_are_constant_in_the_pixels():
    images = tf.constant(pictures())
    with tf.GradientTape() as outer:
        outer.watch(images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(spatial.Translation(strength=0.4)({"image": images}, random.Stream(0, "test"), START)["image"])
        gradient = tape.gradient(total, images)
    np.testing.assert_allclose(tf.reduce_sum(gradient, (1, 2, 3)), np.full(4, 8 * 6 * 3), rtol=1e-6)
    assert outer.gradient(gradient, images) is None


def test_rectangles_have_rounded_sides_lie_inside_and_are_found_anywhere():
    amount = np.linspace(0.0, 1.0, 512, dtype=np.float32)
    mask, area = rectangle.draw(random.Stream(0, "test"), tf.constant(amount), 8, 6)
    sides = np.round(amount * 8), np.round(amount * 6)
    np.testing.assert_array_equal(mask.numpy().sum((1, 2, 3)), sides[0] * sides[1])
    np.testing.assert_allclose(area, sides[0] * sides[1] / 48, rtol=1e-6)
    corners = mask.numpy()[sides[0] * sides[1] > 0][:, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    assert corners.any(axis=0).all()


def test_cut_out_is_black_inside_its_rectangle_and_passes_no_gradient_there():
    images = tf.constant(np.clip(pictures(64), -0.9, 0.9))
    with tf.GradientTape() as tape:
        tape.watch(images)
        out = spatial.CutOut(strength=0.9)({"image": images}, random.Stream(0, "test"), START)["image"]
    hole = out.numpy() == -1.0
    sides = {(round(a * 8), round(a * 6)) for a in np.linspace(0, 0.9, 9001)}
    counts = {tall * wide * 3 for tall, wide in sides}
    assert set(hole.sum((1, 2, 3))) <= counts and len(set(hole.sum((1, 2, 3)))) > 5
    np.testing.assert_array_equal(out.numpy()[~hole], images.numpy()[~hole])
    np.testing.assert_array_equal(tape.gradient(out, images), ~hole)


def test_other_margins_are_refused():
    with pytest.raises(ValueError, match="TranslationX.margins must be reflect or symmetric. Received: 'zero'"):
        spatial.TranslationX(margins="zero")
