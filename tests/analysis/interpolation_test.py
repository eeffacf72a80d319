import analysed
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from PIL import Image

from tfgan_suite.analysis import interpolation
from tfgan_suite.layers import dense
from tfgan_suite.networks import mlp


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_between_two_classes_a_table_gives_the_share_of_both_rows_and_is_itself_afterwards(spectral_norm):
    label = keras.Input((), dtype="int32", name="label")
    network = keras.Model({"label": label}, {"image": dense.Embedding(3, 5, spectral_norm=spectral_norm)(label)})
    before = analysed.values(network)
    rows = network({"label": tf.range(3)})["image"].numpy()
    with interpolation.blended(network, 3, 2, 0) as blend:
        for share in (0.0, 0.3, 1.0):
            blend(share)
            between = network({"label": tf.constant([2])})["image"].numpy()[0]
            np.testing.assert_allclose(between, (1.0 - share) * rows[2] + share * rows[0], rtol=1e-5, atol=1e-6)
    for a, b in zip(before, analysed.values(network), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_row_goes_from_the_images_of_one_class_to_those_of_the_next(tmp_path):
    subject, options = analysed.run(tmp_path), analysed.options(classes=(1, 0, 2))
    before = analysed.values(subject.model.averaged_generator)
    images = interpolation.classes(subject, options)
    assert images.shape == (8, 3, 8, 8, 3)
    np.testing.assert_allclose(images[3], images[4], atol=1e-5)  # the end of the first way is the beginning of the second
    assert all(np.abs(images[i] - images[i + 1]).max() > 1e-6 for i in (0, 1, 2, 4, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(before, analysed.values(subject.model.averaged_generator), strict=True))


def test_latents_change_and_conditions_stay(tmp_path):
    subject = analysed.run(tmp_path)
    seen = []
    subject.model.sample = lambda latents, conditions: seen.append((latents.numpy(), conditions["label"].numpy())) or tf.zeros([3, 8, 8, 3])
    interpolation.latents(subject, analysed.options(classes=(2, 1)))
    assert [list(labels) for _, labels in seen] == [[2, 1, 2]] * 4
    assert len({latents.tobytes() for latents, _ in seen}) == 4


def test_it_writes_a_strip_and_an_animation_of_each(tmp_path):
    paths = interpolation.run(analysed.run(tmp_path), analysed.options(), str(tmp_path))
    assert [path.rsplit("/")[-1] for path in paths] == ["latents.png", "latents.gif", "classes.png", "classes.gif"]
    assert Image.open(paths[0]).size == (8 * (4 * 10 + 2), 8 * (3 * 10 + 2))
    assert Image.open(paths[3]).n_frames == 4


def test_an_unconditional_model_has_latents_alone(tmp_path):
    model = tiny.build(tiny.Config(conditional=False))
    assert len(interpolation.run(analysed.run(tmp_path, model=model), analysed.options(), str(tmp_path))) == 2


def test_what_cannot_be_interpolated_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match="at least 2 columns.*Received: --columns=1"):
        interpolation.latents(analysed.run(tmp_path), analysed.options(columns=1))
    with pytest.raises(ValueError, match="between two classes or more. Received: 1"):
        interpolation.classes(analysed.run(tmp_path), analysed.options(classes=(1,)))
    with pytest.raises(ValueError, match="looks its label up in no table"), interpolation.blended(mlp.generator(width=12, num_classes=3), 3, 0, 1):
        pass
