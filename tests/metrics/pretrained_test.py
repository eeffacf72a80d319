import urllib.error

import bar_data
import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import features, network

IMAGES = np.random.RandomState(0).uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)
ON_GRID = np.round((IMAGES + 1) * 127.5) / 127.5 - 1.0


def load(name, **keywords):
    return features.load(name, cache_dir="", data=bar_data.Bars(**keywords))


def network_with(outputs, classes=4):
    """A functional model: mean colour as features, a fixed map of it as scores."""
    image = keras.Input((16, 16, 3), name="image")
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    heads = {"features": pooled}
    for name in outputs:
        heads[name] = keras.layers.Dense(classes, activation="softmax" if name == "probabilities" else None, name=name)(pooled)
    return keras.Model({"image": image}, heads)


@pytest.fixture(scope="module")
def mobile_net(tmp_path_factory):
    """A file of random weights of the smallest application that is quick to build, and its model."""
    path = tmp_path_factory.mktemp("weights") / "mobile.weights.h5"
    model = keras.applications.MobileNet(weights=None)
    model.save_weights(path)
    return path, model


def test_an_application_with_local_weights_gives_its_pooled_features_and_its_probabilities(mobile_net):
    path, model = mobile_net
    judge = load(f"keras:MobileNet:{path}")
    found = judge(IMAGES)
    assert found["features"].shape == (3, 1024)
    assert (judge.name, judge.classes, judge.standard) == ("keras:MobileNet", "imagenet", False)
    shown = keras.applications.mobilenet.preprocess_input(tf.image.resize((ON_GRID + 1) * 127.5, (224, 224)).numpy())
    np.testing.assert_allclose(found["probabilities"], model.predict(shown, verbose=0), atol=1e-5)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.weights.h5"
    network_with(["class_logits"]).save_weights(path)
    with pytest.raises(ValueError, match="keras:MobileNet could not be made with the weights"):
        load(f"keras:MobileNet:{path}")


def test_an_unknown_application_is_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="no application 'ResNet51'.*ResNet50.*VGG16"):
        load("keras:ResNet51")


def test_imagenet_weights_without_a_network_fail_at_once_with_the_remedies(tmp_path, monkeypatch):
    def refuse(*arguments, **keywords):
        raise urllib.error.URLError("unreachable")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(network.urllib.request, "urlopen", refuse)
    with pytest.raises(ValueError, match="weights of keras:ResNet50.*unreachable.*keras:ResNet50:<weights file>.*embedded"):
        load("keras:ResNet50")


@pytest.mark.parametrize("head", ["class_logits", "probabilities"])
def test_a_keras_file_with_named_outputs(tmp_path, head):
    model = network_with([head])
    model.save(tmp_path / "net.keras")
    judge = load(f"file:{tmp_path}/net.keras")
    found, expected = judge(IMAGES), {k: v.numpy() for k, v in model({"image": ON_GRID}).items()}
    np.testing.assert_allclose(found["features"], expected["features"], atol=1e-5)
    probabilities = expected[head] if head == "probabilities" else tf.nn.softmax(expected[head]).numpy()
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=1e-5)
    assert judge.name == "file:net.keras"


def test_a_plain_classifier_gives_what_its_last_layer_reads(tmp_path):
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(5), keras.layers.Dense(4, activation="softmax")])
    model.save(tmp_path / "net.keras")
    found = load(f"file:{tmp_path}/net.keras")(IMAGES)
    assert found["features"].shape == (3, 5)
    np.testing.assert_allclose(found["probabilities"], model.predict(ON_GRID, verbose=0), atol=1e-5)


def test_a_saved_model_equals_the_network_it_was_saved_from(tmp_path):
    model = network_with(["class_logits"])
    model.export(tmp_path / "net", verbose=False)
    found = load(f"file:{tmp_path}/net")(IMAGES)
    np.testing.assert_allclose(found["features"], model({"image": ON_GRID})["features"], atol=1e-5)
    assert found["probabilities"].shape == (3, 4)


def test_a_classifier_of_the_datasets_labels_is_measured_on_the_held_out_split(tmp_path):
    network_with(["class_logits"]).save(tmp_path / "net.keras")
    judge = load(f"file:{tmp_path}/net.keras", test_size=40)
    assert judge.classes == "labels"
    assert judge.accuracy.keys() == {"accuracy", "accuracy_pose", "accuracy_color"}


def test_a_classifier_of_other_classes_is_not_taken_for_one_of_the_labels(tmp_path):
    network_with(["class_logits"], classes=7).save(tmp_path / "net.keras")
    judge = load(f"file:{tmp_path}/net.keras")
    assert (judge.classes, judge.accuracy) == ("other", {})


def test_features_alone_have_no_classes(tmp_path):
    network_with([]).save(tmp_path / "net.keras")
    judge = load(f"file:{tmp_path}/net.keras")
    assert judge.classes == "none" and judge(IMAGES)["probabilities"].shape == (3, 0)


def test_other_channels_are_refused(tmp_path):
    network_with([]).save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="takes images of 3 channels, the data has 1"):
        load(f"file:{tmp_path}/net.keras", channels=1)


def test_outputs_without_features_are_refused(tmp_path):
    image = keras.Input((16, 16, 3))
    keras.Model(image, {"logits": keras.layers.GlobalAveragePooling2D()(image)}).save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="gives the output 'features'.*gives: logits"):
        load(f"file:{tmp_path}/net.keras")
