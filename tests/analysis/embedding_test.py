import analysed
import numpy as np
import pytest
import tiny
from PIL import Image

from tfgan_suite.analysis import embedding


def test_principal_components_are_the_directions_of_greatest_variance():
    """Points along (3, 4) / 5 with twice the spread of those across it, about a mean."""
    along, across = np.array([0.6, 0.8, 0.0]), np.array([-0.8, 0.6, 0.0])
    steps = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    coordinates, shares = embedding.principal_components(steps @ np.stack([along, across]) + 7.0)
    np.testing.assert_allclose(np.abs(coordinates), np.abs(steps), atol=1e-12)
    np.testing.assert_allclose(shares, [0.8, 0.2])


def test_the_sprite_has_the_images_row_by_row():
    images = np.arange(3 * 2 * 4, dtype=np.float32).reshape(3, 2, 4, 1) * 2.0 / 255.0 - 1.0
    sheet = embedding.sprite(images)
    assert sheet.shape == (4, 8, 3)
    numbers = np.arange(24).reshape(3, 2, 4)
    np.testing.assert_array_equal(sheet[..., 0], np.block([[numbers[0], numbers[1]], [numbers[2], np.zeros((2, 4))]]))


def test_real_and_generated_images_have_the_discriminator_s_features(tmp_path):
    subject = analysed.run(tmp_path)
    points = embedding.measure(subject, analysed.options(), "features")
    assert points.real.tolist() == [True] * 8 + [False] * 8
    scores = subject.model.discriminator({"image": points.images, "label": points.labels}, training=False)
    np.testing.assert_allclose(points.values, scores["features"].numpy(), atol=1e-5)
    np.testing.assert_array_equal(points.labels[8:], [0, 1, 2, 0, 1, 2, 0, 1])


def test_the_projector_s_files_have_a_line_per_image(tmp_path):
    paths = embedding.run(analysed.run(tmp_path), analysed.options(), str(tmp_path / "out"))
    folder = tmp_path / "out"
    assert {path.rsplit("/")[-1] for path in paths} == {p.name for p in folder.iterdir()}
    assert np.loadtxt(folder / "tensors.tsv", delimiter="\t").shape[0] == 16
    metadata = (folder / "metadata.tsv").read_text().splitlines()
    assert metadata[0] == "source\tclass" and len(metadata) == 17 and metadata[9] == "generated\ta"
    assert Image.open(folder / "sprite.png").size == (32, 32)
    assert 'tensor_path: "tensors.tsv"' in (folder / "projector_config.pbtxt").read_text()


def test_an_unconditional_model_is_one_cloud_without_names(tmp_path):
    subject = analysed.run(tmp_path, model=tiny.build(tiny.Config(conditional=False)))
    points = embedding.measure(subject, analysed.options(), "features")
    assert set(points.labels) == {-1}
    assert embedding.plot(points, subject, "features").startswith(b"\x89PNG")


@pytest.mark.parametrize("head", ["logits", "colour"])
def test_a_head_that_is_no_vector_is_refused_with_those_that_are(tmp_path, head):
    with pytest.raises(ValueError, match=f"has no vector '{head}'. Choose --head from: features"):
        embedding.run(analysed.run(tmp_path), analysed.options(head=head), str(tmp_path))
