import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import data_to_data

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "contrastive.npz")
Y = np.array([0, 0, 1, 1, 2], np.int32)


def loss_and_gradients(f, v, y, **options):
    f, v = tf.constant(f, tf.float32), tf.constant(v, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch((f, v))
        loss = data_to_data.data_to_data_cross_entropy(f, v, tf.constant(y), **options)
    return loss, tape.gradient(loss, (f, v))


def close(value, expected):
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-5 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("case", [0, 1, 2])
@pytest.mark.parametrize(("form", "key"), [("paper", "paper"), ("studiogan", "code")])
def test_both_forms_and_their_gradients_are_the_golden_ones(case, form, key):
    case = f"d2dce.{case}"
    options = {"temperature": float(GOLDEN[f"{case}.temperature"]), "margin": float(GOLDEN[f"{case}.m_p"]), "form": form}
    loss, (by_embedding, by_proxy) = loss_and_gradients(GOLDEN["embed"], GOLDEN["proxy"], GOLDEN["labels"], **options)
    close(loss, GOLDEN[f"{case}.loss_{key}"])
    close(by_embedding, GOLDEN[f"{case}.grad_embed_{key}"])
    close(by_proxy, GOLDEN[f"{case}.grad_proxy_{key}"])


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_rows_near_their_proxy_and_apart_from_other_classes_cost_the_log_of_their_negatives_and_push_nothing(temperature):
    """Classes at right angles, cosine 0 < 1 - 0.98, each row on its proxy: log(1 + n) for n rows of other classes."""
    x = np.eye(4)[Y]
    loss, gradients = loss_and_gradients(x, x, Y, temperature=temperature)
    np.testing.assert_allclose(loss, np.mean(np.log(1 + np.array([3, 3, 3, 3, 4]))), rtol=1e-6)
    for gradient in gradients:
        np.testing.assert_allclose(gradient, np.zeros_like(x), atol=1e-6)


def test_without_rows_of_other_classes_nothing_is_lost():
    numbers = np.random.default_rng(0)
    loss, _ = loss_and_gradients(*numbers.standard_normal((2, 5, 4)), np.zeros(5, np.int32))
    np.testing.assert_allclose(loss, 0.0, atol=1e-6)


def test_a_pair_of_classes_by_hand():
    """f = (1, 0), (0.6, 0.8); v = (0, 1) twice; m = 0.9, t = 0.5: p = 1.8 and 0.2, n = (0.6 - 0.1) / 0.5 = 1 for both."""
    loss, _ = loss_and_gradients([[1.0, 0.0], [0.6, 0.8]], [[0.0, 1.0]] * 2, [0, 1], temperature=0.5, margin=0.9)
    np.testing.assert_allclose(loss, np.mean([np.log(np.exp(-p) + np.e) + p for p in (1.8, 0.2)]), rtol=1e-5)


def test_rows_of_one_class_do_not_see_each_other():
    """Only the second row's distance from the first, of its own class, changes; its cosines with the proxy and the third row do not."""
    f = [[np.sqrt(0.5), np.sqrt(0.5), 0.0], [np.sqrt(0.5), np.sqrt(0.5), 0.0], [0.0, 0.0, 1.0]]
    turned = [f[0], [np.sqrt(0.5), -np.sqrt(0.5), 0.0], f[2]]
    v = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    losses = [loss_and_gradients(x, v, [0, 0, 1])[0] for x in (f, turned)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_the_paper_s_form_does_not_depend_on_order_length_or_a_common_rotation():
    numbers = np.random.default_rng(0)
    f, v = numbers.standard_normal((2, 5, 4))
    order, (rotation, _) = numbers.permutation(5), np.linalg.qr(numbers.standard_normal((4, 4)))
    expected, _ = loss_and_gradients(f, v, Y)
    for other in ((f[order], v[order], Y[order]), (f * 7.0, v * 0.01, Y), (f @ rotation, v @ rotation, Y)):
        np.testing.assert_allclose(loss_and_gradients(*other)[0], expected, rtol=1e-4)


def test_a_term_gives_each_player_the_loss_of_its_own_images():
    f, v = np.random.default_rng(0).standard_normal((2, 5, 4)).astype(np.float32)
    views = {name: {"label": tf.constant(Y)} for name in ("real", "fake")}
    scores = {"real": {"embedding": tf.constant(f), "proxy": tf.constant(v)}, "fake": {"embedding": tf.constant(v), "proxy": tf.constant(f)}}
    term = data_to_data.DataToDataCrossEntropy(weight=0.5, temperature=0.2, margin=0.9, form="studiogan")
    options = {"temperature": 0.2, "margin": 0.9, "form": "studiogan"}
    np.testing.assert_allclose(term.discriminator_loss(views, scores, None), 0.5 * loss_and_gradients(f, v, Y, **options)[0], rtol=1e-6)
    np.testing.assert_allclose(term.generator_loss(views, scores, None), 0.5 * loss_and_gradients(v, f, Y, **options)[0], rtol=1e-6)


def test_wrong_settings_are_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="form='code' is unknown. It is one of paper, studiogan"):
        data_to_data.DataToDataCrossEntropy(form="code")
    with pytest.raises(ValueError, match="DataToDataCrossEntropy: gather='all' is unknown. It is one of exact, none"):
        data_to_data.DataToDataCrossEntropy(gather="all")
    for margin in (98.0, -1.5):
        with pytest.raises(ValueError, match=rf"margin is a cosine, in \[-1, 1\]. Received: {margin}"):
            data_to_data.DataToDataCrossEntropy(margin=margin)
    with pytest.raises(ValueError, match="DataToDataCrossEntropy.weight must be at least 0"):
        data_to_data.DataToDataCrossEntropy(weight=-1.0)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        data_to_data.DataToDataCrossEntropy(temperature=-1.0)
