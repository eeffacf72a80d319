"""MODE score: an inception score that also asks whether the classes occur as often as in the data. Two formulas go by this name.

    (a) exp(E KL(p(y|x) || p_g(y)) - KL(p_g(y) || p_real(y)))        Xu et al. 2018, section 2.1, and their code
    (b) exp(E KL(p(y|x) || p_real(y)) - KL(p_g(y) || p_real(y)))     Che et al. 2017, section 4.1

Here p_g is the mean of p(y|x) over the generated images. (b) equals the inception score, whatever p_real is: the two terms in p_real cancel.
"""

import numpy as np


def mode_score(probabilities: np.ndarray, real: np.ndarray) -> float:
    """(a) of class probabilities [n, k] of generated images; `real` [k]: the frequencies of the classes in the data. Between 0 and k.

    0 where a generated class has no share in the data.
    """
    p, real = _checked(probabilities, real)
    mean = p.mean(0)
    return float(np.exp(_divergences(p, mean).mean() - _divergences(mean[None], real)[0]))


def mode_score_che(probabilities: np.ndarray, real: np.ndarray) -> float:
    """(b) of the same; NaN where a generated class has no share in the data."""
    p, real = _checked(probabilities, real)
    with np.errstate(invalid="ignore"):
        return float(np.exp(_divergences(p, real).mean() - _divergences(p.mean(0)[None], real)[0]))


def _divergences(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL(p_i || q) for rows p_i [n, k] and one q [k]: [n]; 0 log 0 = 0."""
    with np.errstate(divide="ignore"):
        logs = np.log(p, where=p > 0, out=np.zeros_like(p)) - np.where(p > 0, np.log(q), 0.0)
    return np.where(p > 0, p * logs, 0.0).sum(1)


def _checked(probabilities: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, real = np.asarray(probabilities, np.float64), np.asarray(real, np.float64)
    sums = [*p.sum(-1, keepdims=True).ravel(), real.sum()]
    if p.ndim != 2 or real.shape != p.shape[1:] or not np.allclose(sums, 1.0, atol=1e-3) or min(p.min(), real.min()) < 0:
        raise ValueError(f"A MODE score needs class probabilities [n, k] and [k] that sum to 1. Received: shapes {p.shape} and {real.shape}.")
    return p, real
