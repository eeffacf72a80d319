"""What is used from TF-GAN and TensorFlow Addons works on this TensorFlow, loading them leaves no trace, and the detour is still needed."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import compat

_FACTS = """
import json, sys
import keras
from tfgan_suite import compat
stand_ins = ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_addons", "keras.src.engine", "keras.src.engine.keras_tensor")
ours = lambda: sorted(n for n in sys.modules if n.partition(".")[0] in ("tensorflow_gan", "tensorflow_addons"))
facts = {"after_import": ours(), "left": {}}
for loader in ("tfa_image", "tfgan_losses", "tfa_losses", "tfa_metrics", "tfgan_features", "tfgan_eval"):
    getattr(compat, loader)()
    facts["left"][loader] = [n for n in stand_ins if n in sys.modules]
facts["keras_has_engine"] = hasattr(keras.src, "engine")
PLAIN
print(json.dumps(facts))
"""
_PLAIN = """
for name in ("tensorflow_gan", "tensorflow_addons"):
    try:
        __import__(name)
        facts[name] = "imports"
    except BaseException as error:
        facts[name] = type(error).__name__
"""


@pytest.fixture(scope="module")
def fresh_processes() -> dict[str, dict]:
    """Facts of a process that loads everything, and of one that only tries the plain imports."""
    programs = {"loaded": _FACTS.replace("PLAIN", _PLAIN), "plain": "import json\nfacts = {}\n" + _PLAIN + "print(json.dumps(facts))"}
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    running = {
        name: subprocess.Popen([sys.executable, "-c", p], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        for name, p in programs.items()
    }
    return {name: json.loads(process.communicate(timeout=300)[0].splitlines()[-1]) for name, process in running.items()}


def test_importing_compat_imports_neither_project(fresh_processes):
    assert fresh_processes["loaded"]["after_import"] == []


def test_no_bare_package_and_no_stub_stays_after_a_load(fresh_processes):
    assert fresh_processes["loaded"]["left"] == {
        loader: [] for loader in ("tfa_image", "tfgan_losses", "tfa_losses", "tfa_metrics", "tfgan_features", "tfgan_eval")
    }
    assert not fresh_processes["loaded"]["keras_has_engine"]


@pytest.mark.parametrize("project", ["tensorflow_gan", "tensorflow_addons"])
def test_a_plain_import_fails_alike_with_and_without_a_load(fresh_processes, project):
    assert fresh_processes["loaded"][project] == fresh_processes["plain"][project]


@pytest.mark.parametrize("project", ["tensorflow_gan", "tensorflow_addons"])
def test_the_detour_is_still_needed(fresh_processes, project):
    assert fresh_processes["plain"][project] != "imports", (
        f"`import {project}` works again on this TensorFlow: import it directly where it is used and remove its detour from tfgan_suite/compat.py"
    )


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    compat._bare_packages.cache_clear()
    monkeypatch.setattr(compat.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"tensorflow_gan is not installed.*pip install tensorflow-gan==2\.1\.0"):
        compat._load("tensorflow_gan.python.losses.no_such_part")
    compat._bare_packages.cache_clear()


def test_a_part_that_cannot_be_loaded_says_so():
    with pytest.raises(ImportError, match="tensorflow_addons.no_such_part could not be loaded.*known to load with"):
        compat._load("tensorflow_addons.no_such_part")


def test_a_loader_returns_the_same_module_every_time():
    assert compat.tfgan_losses() is compat.tfgan_losses()


def test_tfgan_wasserstein_and_hinge_and_least_squares_equal_hand_worked_numbers():
    losses = compat.tfgan_losses()
    # mean(0, 1) - mean(1, 3)
    np.testing.assert_allclose(losses.wasserstein_discriminator_loss(tf.constant([1.0, 3]), tf.constant([0.0, 1])), -1.5, rtol=1e-6)
    # mean(relu(1 - r)) + mean(relu(1 + f)) = mean(0.5, 0) + mean(0, 2)
    np.testing.assert_allclose(losses.wasserstein_hinge_discriminator_loss(tf.constant([0.5, 2]), tf.constant([-2.0, 1])), 1.25, rtol=1e-6)
    # (mean((r - 1)^2) + mean(f^2)) / 2 = (mean(0, 4) + mean(0, 4)) / 2
    np.testing.assert_allclose(losses.least_squares_discriminator_loss(tf.constant([1.0, 3]), tf.constant([0.0, 2])), 2.0, rtol=1e-6)


def test_tfgan_minimax_smooths_labels_by_a_quarter_unless_told():
    losses = compat.tfgan_losses()
    real, fake = tf.constant([math.log(3)]), tf.constant([0.0])
    # softplus(x) - target x at x = log 3, plus softplus(0); the smoothed target is 1 (1 - 0.25) + 0.5 * 0.25
    smoothed = math.log(4) - 0.875 * math.log(3) + math.log(2)
    plain = math.log(4) - math.log(3) + math.log(2)
    np.testing.assert_allclose(losses.minimax_discriminator_loss(real, fake), smoothed, rtol=1e-6)
    np.testing.assert_allclose(losses.minimax_discriminator_loss(real, fake, label_smoothing=0.0), plain, rtol=1e-6)


def test_tfgan_losses_have_gradients_inside_a_function():
    fake = tf.Variable([1.0, 3.0])

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            loss = compat.tfgan_losses().wasserstein_generator_loss(fake)
        return tape.gradient(loss, fake)

    np.testing.assert_allclose(gradient(), [-0.5, -0.5])


def test_tfgan_frechet_distance_of_two_points_against_two_points_is_one():
    # means 1 and 2, variances 2 and 2 with n - 1: (2 - 1)^2 + 2 + 2 - 2 sqrt(2 * 2)
    distance = compat.tfgan_eval().frechet_classifier_distance_from_activations(
        tf.constant([[0.0], [2.0]], tf.float64), tf.constant([[1.0], [3.0]], tf.float64)
    )
    np.testing.assert_allclose(distance, 1.0, atol=1e-12)


def test_tfgan_classifier_score_of_k_certain_classes_is_k():
    score = compat.tfgan_eval().classifier_score_from_logits(tf.constant(1000.0 * np.eye(5)))
    np.testing.assert_allclose(score, 5.0, rtol=1e-12)


def test_tfgan_spectral_norm_finds_the_largest_singular_value():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        norm = compat.tfgan_features().compute_spectral_norm(tf.constant([[0.0, 2.0], [1.0, 0.0]]), power_iteration_rounds=30)
        session.run(tf.compat.v1.global_variables_initializer())
        np.testing.assert_allclose(session.run(norm), [[2.0]], rtol=1e-5)


def test_tfa_image_translates_by_whole_pixels_in_a_pipeline():
    images = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    data = tf.data.Dataset.from_tensors(images).map(lambda x: compat.tfa_image().translate(x, [1.0, 0.0]))
    np.testing.assert_array_equal(next(iter(data))[0, :, :, 0], [[0, 0, 1], [0, 3, 4], [0, 6, 7]])


def test_tfa_losses_triplet_is_the_margin_when_all_embeddings_agree():
    loss = compat.tfa_losses().triplet_semihard_loss(tf.constant([0, 0, 1, 1]), tf.ones([4, 2]), margin=1.0)
    np.testing.assert_allclose(loss, 1.0, rtol=1e-6)


def test_tfa_metrics_hamming_distance_is_the_share_of_differing_entries():
    np.testing.assert_allclose(compat.tfa_metrics().hamming_distance(tf.constant([1, 0, 1]), tf.constant([1, 1, 1])), 1 / 3, rtol=1e-6)


def test_only_deprecation_records_are_dropped(caplog):
    logger = tf.get_logger()
    with caplog.at_level("WARNING", logger="tensorflow"), compat.without_deprecation_logs():
        logger.propagate = True
        logger.warning("%s is deprecated and will be removed in a future version.", "map_fn")
        logger.warning("something else")
    logger.propagate = False
    logger.warning("%s is deprecated and will be removed in a future version.", "map_fn")
    assert [r.getMessage() for r in caplog.records] == ["something else"]
