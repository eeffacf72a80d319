import hashlib
import urllib.error

import bar_data
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import features, network, resize


class Module(tf.Module):
    """TF-GAN's interface; its features are pixels on the diagonal of what it was shown, times a weight."""

    def __init__(self, width=2048):
        super().__init__()
        self.weight = tf.Variable(1.0)
        self.width = width

    @tf.function(input_signature=[tf.TensorSpec([None, 299, 299, 3])])
    def __call__(self, images):
        diagonal = tf.linalg.diag_part(tf.transpose(images, [0, 3, 1, 2]))
        pooled = tf.pad(tf.reshape(diagonal, [-1, 3 * 299]), [[0, 0], [0, self.width - 3 * 299]])
        return {"pool_3": self.weight * pooled[:, None, None, :], "logits": pooled[:, :1008]}


@pytest.fixture
def path(tmp_path):
    tf.saved_model.save(Module(), str(tmp_path / "inception"))
    return tmp_path / "inception"


def load(path, **keywords):
    return features.load(f"inception:{path}", cache_dir="", data=keywords.pop("data", bar_data.Bars()), **keywords)


@pytest.mark.parametrize("resizer", ["default", "clean"])
def test_it_shows_the_graph_pixels_less_128_over_128_after_the_named_resize(path, resizer):
    images = np.random.RandomState(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    judge = load(path, resizer=resizer)
    pixels = np.floor((images + 1) * 127.5 + 0.5)
    resized = resize.resize(tf.constant(pixels), (299, 299), "legacy_tf" if resizer == "default" else resizer).numpy()
    expected = (np.diagonal(resized, axis1=1, axis2=2).reshape(2, -1) - 128) / 128
    np.testing.assert_allclose(judge(images)["features"][:, :897], expected, atol=1e-5)


def test_its_features_are_those_of_published_scores(path):
    judge = load(path)
    assert (judge.standard, judge.name, judge.resizer, judge.classes) == (True, "inception", "legacy_tf", "imagenet")
    assert judge(np.zeros((3, 16, 16, 3)))["probabilities"].shape == (3, 1008)


def test_the_fingerprint_is_the_files(path, tmp_path):
    other = Module()
    other.weight.assign(2.0)
    tf.saved_model.save(other, str(tmp_path / "other"))
    assert load(path).fingerprint == load(path).fingerprint != load(tmp_path / "other").fingerprint


def test_grey_images_are_taken(path):
    assert load(path, data=bar_data.Bars(channels=1))(np.zeros((1, 16, 16, 1)))["features"].shape == (1, 2048)


def test_another_network_is_refused_as_no_fid(tmp_path):
    tf.saved_model.save(Module(width=2000), str(tmp_path / "other"))
    with pytest.raises(ValueError, match="2048 features.*Received 2000.*no FID"):
        load(tmp_path / "other")(np.zeros((1, 16, 16, 3)))


def test_without_a_network_it_fails_at_once_with_the_remedies(tmp_path, monkeypatch):
    def refuse(*arguments, **keywords):
        raise urllib.error.URLError("unreachable")

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(network.urllib.request, "urlopen", refuse)
    with pytest.raises(ValueError, match=r"tfgan/eval/inception.*unreachable.*inception:<directory>.*TFHUB_CACHE_DIR.*embedded"):
        features.load("inception", cache_dir="", data=bar_data.Bars())


def test_a_module_in_the_hub_cache_needs_no_network(tmp_path, monkeypatch):
    folder = tmp_path / hashlib.sha1(b"https://tfhub.dev/tensorflow/tfgan/eval/inception/1").hexdigest()
    tf.saved_model.save(Module(), str(folder))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(network.urllib.request, "urlopen", lambda *a, **k: pytest.fail("asked the network"))
    assert features.load("inception", cache_dir="", data=bar_data.Bars()).name == "inception"
