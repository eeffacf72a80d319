import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from pipelines import augment

SHAPE = (16, 16, 3)
ALL = [cls() for cls in augment.AUGMENTATIONS.values()]
BY_NAME = pytest.mark.parametrize("augmentation", ALL, ids=lambda a: type(a).__name__)


def _images(count=32, shape=SHAPE, seed=0):
    return tf.constant(np.random.default_rng(seed).integers(0, 256, (count, *shape)), tf.float32) / 127.5 - 1.0


def _apply(augmentation, images, first=0, seed=7):
    return augmentation(images, augment.Draws(seed, first, images.shape[0])).numpy()


@BY_NAME
def test_what_happens_to_an_example_depends_on_its_index_and_not_on_its_batch(augmentation):
    images = _images()
    whole = _apply(augmentation, images, first=1000)
    parts = [_apply(augmentation, images[a:b], first=1000 + a) for a, b in ((0, 5), (5, 6), (6, 32))]
    np.testing.assert_array_equal(whole, _apply(augmentation, images, first=1000))
    # To rounding: another number of elements may take another path through the vector unit.
    np.testing.assert_allclose(whole, np.concatenate(parts), atol=1e-5)


@BY_NAME
def test_another_seed_or_index_gives_other_numbers(augmentation):
    images = _images()
    first = _apply(augmentation, images)
    assert not np.array_equal(first, _apply(augmentation, images, seed=8))
    assert not np.array_equal(first, _apply(augmentation, images, first=32))


@BY_NAME
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_range_are_kept(augmentation, channels):
    images = tf.sign(_images(shape=(16, 12, channels)))  # the ends of the range
    out = _apply(augmentation, images)
    assert out.shape == images.shape and out.dtype == np.float32
    assert out.min() >= -1.0 and out.max() <= 1.0


@BY_NAME
def test_eager_and_graph_agree(augmentation):
    images = _images(8)
    graph = tf.function(lambda x, first: augmentation(x, augment.Draws(7, first, 8)))
    np.testing.assert_allclose(_apply(augmentation, images, first=40), graph(images, tf.constant(40, tf.int64)).numpy(), atol=1e-5)


def test_the_table_is_keyed_by_class_name():
    assert {name: cls.__name__ for name, cls in augment.AUGMENTATIONS.items()} == {name: name for name in augment.AUGMENTATIONS}
    assert all(dataclasses.is_dataclass(cls) for cls in augment.AUGMENTATIONS.values())


def test_draws_are_uniform_and_of_different_names_independent():
    draws = augment.Draws(0, 0, 4096)
    a, b = draws.uniform("a", (6,)).numpy(), draws.uniform("b", (6,)).numpy()
    assert a.min() >= 0.0 and a.max() < 1.0
    assert abs(a.mean() - 0.5) < 0.01 and abs(a.std() - 12**-0.5) < 0.01
    assert np.abs(np.corrcoef(np.concatenate([a, b], 1).T) - np.eye(12)).max() < 0.06  # 4 / sqrt(4096)
    assert np.unique(a).size > 0.99 * a.size


def test_the_same_augmentation_twice_in_a_list_draws_twice():
    images = _images(64)
    once = augment.apply((augment.Flip(),), images, augment.Draws(0, 0, 64)).numpy()
    twice = augment.apply((augment.Flip(), augment.Flip()), images, augment.Draws(0, 0, 64)).numpy()
    flipped_once = [not np.array_equal(x, y) for x, y in zip(once, images.numpy(), strict=True)]
    changed_between = [not np.array_equal(x, y) for x, y in zip(once, twice, strict=True)]
    assert flipped_once != changed_between and any(changed_between) and not all(changed_between)


def test_flip_mirrors_half_of_the_images():
    images = _images(512, (2, 3, 1))
    out, images = _apply(augment.Flip(), images), images.numpy()
    flipped = [np.array_equal(o, i[:, ::-1]) for o, i in zip(out, images, strict=True)]
    kept = [np.array_equal(o, i) for o, i in zip(out, images, strict=True)]
    assert all(f or k for f, k in zip(flipped, kept, strict=True)) and 200 < sum(flipped) < 312
    np.testing.assert_array_equal(_apply(augment.Flip(probability=1.0), tf.constant(images)), images[:, :, ::-1])


@pytest.mark.parametrize(("margins", "numpy_mode"), [("reflect", {"mode": "reflect"}), ("black", {"constant_values": -1.0})])
def test_pad_and_crop_takes_every_window_of_the_padded_image(margins, numpy_mode):
    image = np.random.default_rng(0).uniform(-1, 1, (5, 6, 2)).astype(np.float32)
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), **numpy_mode)
    windows = {padded[i : i + 5, j : j + 6].tobytes() for i in range(5) for j in range(5)}
    out = _apply(augment.PadAndCrop(padding=2, margins=margins), tf.tile(tf.constant(image)[None], [500, 1, 1, 1]))
    assert {o.tobytes() for o in out} == windows


def test_color_jitter_is_brightness_then_contrast_then_saturation():
    images, draws = _images(4), augment.Draws(3, 20, 4)
    u = draws.uniform("factors", (3,), -1.0, 1.0).numpy()
    out = augment.ColorJitter(brightness=0.4, contrast=0.6, saturation=0.8)(images, draws).numpy()
    grey = np.asarray([0.2989, 0.5870, 0.1140])
    for i, image in enumerate(images.numpy().astype(np.float64)):
        v = np.clip((image + 1) / 2 * (1 + 0.4 * u[i, 0]), 0, 1)
        mean = (v @ grey).mean()
        v = np.clip(mean + (v - mean) * (1 + 0.6 * u[i, 1]), 0, 1)
        shade = (v @ grey)[..., None]
        v = np.clip(shade + (v - shade) * (1 + 0.8 * u[i, 2]), 0, 1)
        np.testing.assert_allclose(out[i], 2 * v - 1, atol=1e-5)


def test_rotation_by_zero_degrees_is_the_identity_and_turns_stay_within_the_angle():
    images = _images(8)
    np.testing.assert_allclose(_apply(augment.Rotation(degrees=0.0), images), images.numpy(), atol=1e-6)
    # A horizontal edge turned by at most 10 degrees stays where it is at the middle column and tilts by at most tan 10 at the sides.
    edge = np.full((64, 33, 33, 1), -1.0, np.float32)
    edge[:, 17:] = 1.0
    out = _apply(augment.Rotation(degrees=10.0), tf.constant(edge))[..., 0]
    heights = (out < 0).sum(1)
    assert np.abs(heights[:, 16] - 17).max() <= 1
    tilt = (heights[:, 26] - heights[:, 6]) / 20
    assert np.abs(tilt).max() <= np.tan(np.radians(10)) + 0.1 and tilt.min() < -0.05 and tilt.max() > 0.05


def test_blur_is_a_gaussian_that_reflects_at_the_edges():
    image = np.random.default_rng(0).uniform(-1, 1, (12, 12, 1)).astype(np.float32)
    out = _apply(augment.Blur(sigma=1.0, probability=1.0), tf.constant(image)[None])[0, ..., 0]
    weights = np.exp(-(np.arange(-3, 4) ** 2) / 2.0)
    weights /= weights.sum()
    padded = np.pad(image[..., 0], 3, mode="reflect")
    rows = np.stack([weights @ padded[i : i + 7] for i in range(12)])
    expected = np.stack([rows[:, j : j + 7] @ weights for j in range(12)], 1)
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_resized_crop_of_the_whole_area_is_the_image_and_smaller_windows_magnify():
    images = _images(4)
    np.testing.assert_allclose(_apply(augment.ResizedCrop(min_area=1.0, max_aspect=1.0), images), images.numpy(), atol=1e-5)
    ramp = tf.tile(tf.linspace(-1.0, 1.0, 16)[None, None, :, None], [64, 16, 1, 1])
    out = _apply(augment.ResizedCrop(min_area=0.25, max_aspect=1.0), ramp)
    spans = out[:, 0, -1, 0] - out[:, 0, 0, 0]  # the window's width, of 2
    assert spans.min() >= 2 * 0.25**0.5 - 1e-4 and spans.max() <= 2.0 and spans.std() > 0.1


def test_dequantize_is_wgan_gps_formula():
    x = np.arange(256, dtype=np.uint8)
    images = tf.constant(np.tile(x[None, None, :, None], (16, 4, 1, 1)), tf.float32) / 127.5 - 1.0
    out = _apply(augment.Dequantize(), images)
    noise = out - 2 * (x[None, None, :, None] / 256 - 0.5)
    assert noise.min() >= -1e-6 and noise.max() <= 1 / 128 + 1e-6
    assert abs(noise.mean() - 1 / 256) < 1e-4 and abs(noise.std() - 1 / 128 / 12**0.5) < 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: augment.Flip(probability=1.5), r"Flip.probability must lie in \[0, 1\]. Received: 1.5"),
        (lambda: augment.PadAndCrop(padding=0), "PadAndCrop.padding must be at least 1"),
        (lambda: augment.PadAndCrop(margins="white"), "PadAndCrop.margins must be one of black, reflect"),
        (lambda: augment.Dequantize(noise=1.0), "Dequantize.noise must lie in"),
        (lambda: augment.Rotation(degrees=-5.0), "Rotation.degrees"),
        (lambda: augment.check((augment.PadAndCrop(padding=8),), (8, 8, 3)), "reflects at most 7 pixels"),
        (lambda: augment.check((augment.ColorJitter(),), (8, 8, 4)), "needs grey or RGB"),
        (lambda: augment.check((augment.Blur(sigma=4.0),), (8, 8, 3)), "reaches 12 pixels"),
        (lambda: augment.check(("flip",), (8, 8, 3)), "configs of pipelines.augment: Blur, .*Received: 'flip'"),
    ],
)
def test_what_cannot_work_is_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()
