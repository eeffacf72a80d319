"""Inception score: how certain each image's class is, and how evenly the classes occur.

    exp(mean_x KL(p(y|x) || p(y)))        Salimans et al. 2016, section 4

In numpy, from probabilities. TF-GAN's `classifier_score_from_logits` is the same figure from logits (a test holds them equal) and serves less well
here: it normalises rows anew, which moves float32 probabilities by 5e-9, gives NaN where a probability is exactly 0, and knows no splits.
"""

import numpy as np


def split_scores(probabilities: np.ndarray, splits: int) -> np.ndarray:
    """Scores [splits] of the rows i n / splits to (i + 1) n / splits of probabilities [n, k], in their order (shuffle first)."""
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or not np.allclose(p.sum(1), 1.0, atol=1e-3) or (p < 0).any():
        raise ValueError(f"An inception score needs class probabilities [n, k] whose rows sum to 1. Received: shape {p.shape}.")
    if not 1 <= splits <= len(p):
        raise ValueError(f"An inception score needs between 1 split and one per row. Received: {splits} splits of {len(p)} rows.")
    edges = [i * len(p) // splits for i in range(splits + 1)]
    return np.array([_score(p[a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True)])


def inception_score(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """Mean and standard deviation (population, as the original code) over splits of probabilities [n, k]. Between 1 and k."""
    scores = split_scores(probabilities, splits)
    return float(scores.mean()), float(scores.std())


def _score(p: np.ndarray) -> float:
    marginal = np.broadcast_to(p.mean(0), p.shape)
    ratio = np.divide(p, marginal, out=np.ones_like(p), where=p > 0)  # 0 log 0 is 0
    return float(np.exp((p * np.log(ratio)).sum(1).mean()))
