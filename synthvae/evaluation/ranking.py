"""How well a score ranks: the area under the ROC curve with the influence of every row."""

from __future__ import annotations

import numpy as np

from synthvae.evaluation.sides import Array


def auc(scores: Array, positive: Array) -> tuple[float, Array]:
    """The chance that a positive row scores above a negative one, ties half; and (n,) the influence of every row.

    Influences sum to 0, and the sum of their squares is the variance of the area (DeLong, DeLong and Clarke-Pearson,
    Biometrics 44, 1988). 0.5 and no influence where one of the classes is missing.
    """
    above, below = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(above) or not len(below):
        return 0.5, np.zeros(len(scores))
    beaten = _share_below(below, scores[positive])
    beating = 1 - _share_below(above, scores[~positive])
    value = float(beaten.mean())
    influence = np.empty(len(scores))
    influence[positive] = (beaten - value) / len(above)
    influence[~positive] = (beating - value) / len(below)
    return value, influence


def _share_below(ordered: Array, at: Array) -> Array:
    left, right = np.searchsorted(ordered, at, side="left"), np.searchsorted(ordered, at, side="right")
    return (left + right) / (2 * len(ordered))


def variance(influence: Array, owner: Array) -> float:
    """Of a value whose error is the sum of influences (n,), where rows of one owner go together (Obuchowski 1997)."""
    _, owners = np.unique(owner, return_inverse=True)
    return float((np.bincount(owners, weights=influence) ** 2).sum()) if len(influence) else 0.0
