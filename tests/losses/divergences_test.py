import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import adversarial, divergences

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "fgan.npz")


def log(x):
    return np.log(x)


def softplus(x):
    return np.logaddexp(0.0, x)


def lambert(x):
    """The w with w + log w = x, by bisection of the increasing left side in log w."""
    low, high = np.full_like(x, -60.0), np.full_like(x, 60.0)
    for _ in range(200):
        middle = (low + high) / 2
        above = np.exp(middle) + middle > x
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.exp(middle)


def alpha_f(a):
    return lambda u: (u**a - 1 - a * (u - 1)) / (a * (a - 1))


def alpha_conjugate(a):
    return lambda t: (np.maximum(t * (a - 1) + 1, 0.0) ** (a / (a - 1)) - 1) / a


def weighted_f(p):
    return lambda u: p * u * log(u) - (1 - p + p * u) * log(1 - p + p * u)


def weighted_conjugate(p):
    return lambda t: (1 - p) * log((1 - p) / (1 - p * np.exp(t / p)))


def jeffrey_conjugate(t):
    w = lambert(1 - t)
    return w + 1 / w + t - 2


# name: f, its derivative, f*, g_f, D_f of the two distributions below: the paper's table in NumPy
P, Q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
TABLE = {
    "kl": (lambda u: u * log(u), lambda u: 1 + log(u), lambda t: np.exp(t - 1), lambda v: v, 0.498224),
    "reverse_kl": (lambda u: -log(u), lambda u: -1 / u, lambda t: -1 - log(-t), lambda v: -np.exp(-v), 0.584996),
    "pearson": (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1), lambda t: t**2 / 4 + t, lambda v: v, 1.12),
    "neyman": (lambda u: (1 - u) ** 2 / u, lambda u: 1 - 1 / u**2, lambda t: 2 - 2 * np.sqrt(1 - t), lambda v: 1 - np.exp(-v), 1.866667),
    "squared_hellinger": (
        lambda u: (np.sqrt(u) - 1) ** 2,
        lambda u: 1 - 1 / np.sqrt(u),
        lambda t: t / (1 - t),
        lambda v: 1 - np.exp(-v),
        0.259966,
    ),
    "jensen_shannon": (
        lambda u: u * log(u) - (u + 1) * log((1 + u) / 2),
        lambda u: log(2 * u / (1 + u)),
        lambda t: -log(2 - np.exp(t)),
        lambda v: log(2) - softplus(-v),
        0.250201,
    ),
    "gan": (
        lambda u: u * log(u) - (u + 1) * log(u + 1),
        lambda u: log(u / (1 + u)),
        lambda t: -log(1 - np.exp(t)),
        lambda v: -softplus(-v),
        -1.136093,
    ),
    "total_variation": (lambda u: np.abs(u - 1) / 2, lambda u: np.sign(u - 1) / 2, lambda t: t, lambda v: np.tanh(v) / 2, 0.4),
    "js_weighted": (
        weighted_f(0.3),
        lambda u: 0.3 * log(u / (0.7 + 0.3 * u)),
        weighted_conjugate(0.3),
        lambda v: -0.3 * log(0.3) - softplus(-v),
        0.103352,
    ),
    "alpha_below_1": (alpha_f(0.5), lambda u: (u**-0.5 - 1) / -0.5, alpha_conjugate(0.5), lambda v: 2 - softplus(-v), 0.519932),
    "alpha_below_0": (alpha_f(-1.0), lambda u: (u**-2.0 - 1) / -2, alpha_conjugate(-1.0), lambda v: 0.5 - softplus(-v), 0.933333),
    "alpha_2": (alpha_f(2.0), lambda u: u - 1, alpha_conjugate(2.0), lambda v: v, 0.56),
    "alpha_3": (alpha_f(3.0), lambda u: (u**2 - 1) / 2, alpha_conjugate(3.0), lambda v: v, 0.784),
    "jeffrey": (lambda u: (u - 1) * log(u), lambda u: log(u) + 1 - 1 / u, jeffrey_conjugate, lambda v: v, 1.08322),
}
NUMBERS = {
    "js_weighted": {"divergence": "jensen_shannon_weighted", "pi": 0.3},
    "alpha_below_1": {"divergence": "alpha", "alpha": 0.5},
    "alpha_below_0": {"divergence": "alpha", "alpha": -1.0},
    "alpha_2": {"divergence": "alpha", "alpha": 2.0},
    "alpha_3": {"divergence": "alpha", "alpha": 3.0},
    "alpha_above_1": {"divergence": "alpha", "alpha": 2.5},
}
GOLDEN_NAMES = sorted({key.partition(".")[0] for key in GOLDEN.files if key.endswith("activation")})
EVERY = pytest.mark.parametrize("name", TABLE)


def term(name, **options):
    return divergences.FDivergence(**({"divergence": name} | NUMBERS.get(name, {}) | options))


def numbers(x, dtype=np.float64):
    return tf.constant(np.asarray(x), dtype)


def scores(real, fake, dtype=np.float64):
    return {"real": {"logits": numbers(real, dtype)}, "fake": {"logits": numbers(fake, dtype)}}


def best_scores(name):
    """v* with g_f(v*) = f'(p / q) at each of the three points, by bisection; +-20 for total variation, whose v* is infinite."""
    _, derivative, _, activation, _ = TABLE[name]
    if name == "total_variation":
        return np.array([20.0, 0.0, -20.0])
    low, high = np.full(3, -20.0), np.full(3, 20.0)
    for _ in range(100):
        middle = (low + high) / 2
        above = activation(middle) > derivative(P / Q)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return middle


def value_of_the_game(row, v):
    """F on the discrete P and Q for a score per point."""
    return float(np.sum(P * row.activation(numbers(v))) - np.sum(Q * row.conjugate(numbers(v))))


def test_the_table_of_the_paper_is_complete():
    assert {NUMBERS.get(name, {"divergence": name})["divergence"] for name in TABLE} == set(divergences.DIVERGENCES)
    assert {NUMBERS.get(name, {"divergence": name})["divergence"] for name in GOLDEN_NAMES} == set(divergences.DIVERGENCES)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 1e-4)])
@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_activations_conjugates_and_losses_are_the_golden_ones(name, dtype, tolerance):
    row = term(name).row()
    v = numbers(GOLDEN["v_grid"], dtype)
    np.testing.assert_allclose(row.activation(v), GOLDEN[f"{name}.activation"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(row.conjugate(v), GOLDEN[f"{name}.conjugate_of_activation"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(row.activation(numbers(row.threshold)), GOLDEN[f"{name}.fprime_at_1"], atol=1e-9)
    given = scores(GOLDEN["v_real"], GOLDEN["v_fake"], dtype)
    np.testing.assert_allclose(term(name).discriminator_loss({}, given, None), -GOLDEN[f"{name}.objective_F"], rtol=tolerance)
    for generator in divergences.GENERATORS:
        expected = GOLDEN[f"{name}.g_loss_{generator}"]
        np.testing.assert_allclose(term(name, generator=generator).generator_loss({}, given, None), expected, rtol=tolerance)


@EVERY
def test_the_best_score_reaches_the_divergence_and_any_other_stays_below(name):
    """Nowozin et al. 2016, section 2.2: F is a lower bound, tight at g_f(v) = f'(p / q)."""
    f, *_, published = TABLE[name]
    row, best = term(name).row(), best_scores(name)
    np.testing.assert_allclose(np.sum(Q * f(P / Q)), published, atol=1e-6)
    reached = value_of_the_game(row, best)
    np.testing.assert_allclose(reached, published, atol=1e-6)
    draws = np.random.default_rng(0)
    for size in (0.01, 0.3, 3.0):
        for _ in range(10):
            assert value_of_the_game(row, best + size * draws.standard_normal(3)) <= reached + 1e-12
        for i in range(3):
            moved = best - size * np.eye(3)[i] * np.sign(best[i] or 1.0)  # towards zero, where total variation falls too
            assert value_of_the_game(row, moved) < reached + (1e-12 if name == "total_variation" else 0.0)


def test_the_gan_row_is_the_value_of_the_minimax_game_and_its_alternative_the_non_saturating_loss():
    real, fake = numbers([1.3, -0.4, 2.0]), numbers([0.2, -3.0])
    given = scores(real, fake)
    minimax, saturating = adversarial.LOSSES["minimax"], term("gan", generator="theory")
    np.testing.assert_allclose(saturating.discriminator_loss({}, given, None), minimax.discriminator(real, fake), rtol=1e-6)
    np.testing.assert_allclose(saturating.generator_loss({}, given, None), minimax.generator(fake), rtol=1e-6)
    np.testing.assert_allclose(term("gan").generator_loss({}, given, None), np.mean(softplus(-fake.numpy())), rtol=1e-9)


@EVERY
def test_activation_increases_and_the_threshold_is_the_score_of_equal_densities(name):
    _, derivative, _, activation, _ = TABLE[name]
    row = term(name).row()
    v = np.linspace(-15.0, 15.0, 601)
    assert (np.diff(row.activation(numbers(v)).numpy()) >= 0.0).all()
    np.testing.assert_allclose(activation(np.array(row.threshold)), derivative(np.array(1.0)), atol=1e-9)


@EVERY
def test_fused_conjugate_in_float32_is_finite_and_equals_the_composition_in_float64(name):
    _, _, conjugate, activation, _ = TABLE[name]
    v = np.linspace(-15.0, 15.0, 121)
    row = term(name).row()
    fused = row.conjugate(numbers(v, np.float32)).numpy()
    assert np.isfinite(fused).all() and np.isfinite(row.activation(numbers(v, np.float32))).all()
    np.testing.assert_allclose(fused, conjugate(activation(v)), rtol=2e-4, atol=2e-6)


@EVERY
def test_gradients_in_float32_are_those_of_finite_differences_in_float64(name):
    row = term(name).row()
    v = np.linspace(-14.0, 14.0, 57) + 0.1
    for function in (row.activation, row.conjugate):
        x = numbers(v, np.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        slopes = (function(numbers(v + 1e-5)) - function(numbers(v - 1e-5))) / 2e-5
        np.testing.assert_allclose(tape.gradient(y, x), slopes, rtol=2e-3, atol=1e-5)


@EVERY
def test_scores_that_are_far_out_keep_values_and_gradients_finite(name):
    row = term(name).row()
    x = numbers([-80.0, -40.0, 40.0, 80.0], np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = row.activation(x) + row.conjugate(x)
    assert np.isfinite(y).all() and np.isfinite(tape.gradient(y, x)).all()


@pytest.mark.parametrize("alpha, named", [(1.0 + 1e-4, "kl"), (1e-4, "reverse_kl")])
def test_the_limits_of_alpha_are_kl_and_reverse_kl(alpha, named):
    row = divergences.alpha_divergence(alpha=alpha)
    low, high = np.full(3, -8000.0), np.full(3, 30.0)
    derivative = ((P / Q) ** (alpha - 1) - 1) / (alpha - 1)
    for _ in range(100):
        middle = (low + high) / 2
        above = row.activation(numbers(middle)).numpy() > derivative
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    np.testing.assert_allclose(value_of_the_game(row, middle), TABLE[named][-1], rtol=1e-3)


@EVERY
def test_graph_and_xla_equal_eager_with_gradients(name):
    real, fake = (tf.constant(GOLDEN[key]) for key in ("v_real", "v_fake"))

    def step(real, fake):
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            given = {"real": {"logits": real}, "fake": {"logits": fake}}
            total = term(name).discriminator_loss({}, given, None) + 2.0 * term(name).generator_loss({}, given, None)
        return [total, *tape.gradient(total, [real, fake])]

    for a, b in zip(tf.function(step, jit_compile=True, autograph=False)(real, fake), step(real, fake), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_weight_scales_both_players():
    given = scores([0.5, 1.0], [-1.0, 0.2])
    for player in ("discriminator_loss", "generator_loss"):
        once, thrice = (getattr(term("pearson", weight=w), player)({}, given, None) for w in (1.0, 3.0))
        np.testing.assert_allclose(thrice, 3.0 * once)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"divergence": "hellinger"}, "divergence='hellinger' is unknown. It is one of kl, reverse_kl"),
        ({"generator": "practice"}, "generator='practice' is unknown. It is one of alternative, theory"),
        ({"divergence": "jensen_shannon_weighted", "pi": 1.0}, r"pi, the weight of P, in \(0, 1\). Received: 1.0"),
        ({"divergence": "alpha", "alpha": 1.0}, "other than 0 .take reverse_kl. and 1 .take kl.. Received: 1.0"),
    ],
)
def test_wrong_names_and_numbers_are_refused_with_what_is_allowed(options, message):
    with pytest.raises(ValueError, match=message):
        divergences.FDivergence(**options)
