import numpy as np
import pytest
import tensorflow as tf

from export import expectations
from export.homes import checking, source

LATENTS = np.array([[0.1], [-0.2], [0.3]], np.float32)
LABELS = np.array([0, 1, 2])


def images(inputs):
    """Images [b, 1, 1, 1]: a latent plus its label, which is clamped to 0..2."""
    return (inputs["latents"] + np.clip(inputs["label"], 0, 2)[:, None]).astype(np.float32)[:, :, None, None]


@pytest.fixture
def version():
    inputs = {"latents": LATENTS, "label": LABELS}
    expected = expectations.Expectation(inputs=inputs, outputs={"images": images(inputs)}, encoding="", tolerance=1e-5)
    declared = (
        source.Input(name="latents", shape=(1,), dtype=tf.float32, low=None, high=None),
        source.Input(name="label", shape=(), dtype=tf.int64, low=0, high=2),
    )
    shape = expected.outputs["images"].shape[1:]
    return source.Version(model="toy", number="1", inputs=declared, image_shape=shape, expected=expected, prior=None, function=images, module=None)


def test_equal_images_pass_in_every_batch_size(version):
    sizes = []

    def run(inputs):
        sizes.append(len(inputs["latents"]))
        return images(inputs)

    converted = checking.checked(version, b"content", None, run, "the runtime")
    assert (converted.content, converted.rows, converted.batches, converted.difference) == (b"content", None, (1, 3), 0.0)
    assert sizes[:4] == [1, 1, 1, 3]
    assert checking.checked(version, b"", 1, run, "the runtime").batches == (1,)


def test_the_largest_difference_is_reported_relative_where_values_are_large(version):
    converted = checking.checked(version, b"", None, lambda inputs: images(inputs) * np.float32(1.000004), "the runtime")
    assert converted.difference == pytest.approx(4e-6, rel=0.1)  # of 2.3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: images(x) + np.float32(2e-5) * (x["latents"] < 0.0)[:, :, None, None],
        lambda x: images(x) * np.nan,
        lambda x: images(x)[:, 0],
        lambda x: images({key: value[::-1] for key, value in x.items()}),
    ],
    ids=["one row", "not a number", "another shape", "rows in another order"],
)
def test_other_images_are_refused(version, wrong):
    with pytest.raises(ValueError, match="the runtime differs from toy by"):
        checking.checked(version, b"", None, wrong, "the runtime")


def test_a_label_outside_that_is_not_clamped_is_refused(version):
    def wraps(inputs):
        return images(inputs | {"label": np.where(inputs["label"] > 2, 0, inputs["label"])})

    with pytest.raises(ValueError, match="the runtime answers label = 5 otherwise than 2"):
        checking.checked(version, b"", None, wraps, "the runtime")
