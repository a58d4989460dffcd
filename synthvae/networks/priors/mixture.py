"""A mixture of Gaussians with diagonal covariances, p(z) = sum_c w_c N(z; m_c, diag s_c^2).

A draw has no noise but (k,) normals, so that rows stay addressable. The first of them chooses the component:
u = Phi(e_1) is uniform and falls into one of consecutive intervals of lengths w_c; where it lies inside its interval is
uniform again and independent of the choice, so the quantile of that place is the normal that the component uses. The
map is exact.
"""

from __future__ import annotations

import math

import numpy as np
from keras import ops
from scipy.special import ndtr, ndtri

from synthvae.errors import ParameterError
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array
from synthvae.networks.priors.base import Prior

EDGE = 1e-12  # of an interval at either end: the quantile of 0 is infinite


class DiagonalMixture(Prior):
    """weights: (c,) above 0 with sum 1; means, deviations: (c, k), deviations above 0.

    ParameterError where they are no such arrays.
    """

    kind = "diagonal_mixture"

    def __init__(self, weights: Array, means: Array, deviations: Array) -> None:
        self.weights, self.means, self.deviations = (np.asarray(x, np.float32) for x in (weights, means, deviations))
        _check(self.weights, self.means, self.deviations)
        self._ends = np.cumsum(self.weights, dtype=np.float64)
        self._ends /= self._ends[-1]

    def sample(self, noise: Array) -> Array:
        u = ndtr(noise[:, 0].astype(np.float64))
        chosen = np.minimum(np.searchsorted(self._ends, u, side="right"), len(self.weights) - 1)  # (n,)
        starts = np.concatenate([[0.0], self._ends[:-1]])
        inside = (u - starts[chosen]) / (self._ends - starts)[chosen]
        own = noise.astype(np.float64)
        own[:, 0] = ndtri(np.clip(inside, EDGE, 1.0 - EDGE))
        return np.asarray(self.means[chosen] + self.deviations[chosen] * own, np.float32)

    def log_prob(self, z: Tensor) -> Tensor:
        k = self.means.shape[1]
        apart = (z[:, None, :] - self.means) / self.deviations  # (n, c, k)
        heights = np.log(self.weights) - np.log(self.deviations).sum(axis=1) - 0.5 * k * math.log(2.0 * math.pi)
        return ops.logsumexp(heights - 0.5 * ops.sum(apart * apart, axis=2), axis=1)

    def config(self) -> dict[str, Array]:
        return {"weights": self.weights, "means": self.means, "deviations": self.deviations}


def _check(weights: Array, means: Array, deviations: Array) -> None:
    shapes = weights.shape, means.shape, deviations.shape
    fits = weights.ndim == 1 and means.ndim == 2 and len(weights) == len(means) > 0 and means.shape == deviations.shape
    if not fits:
        raise ParameterError(f"Expected weights (c,), means (c, k) and deviations (c, k). Got shapes {shapes}.")
    finite = all(np.isfinite(x).all() for x in (weights, means, deviations))
    if not finite or (weights <= 0).any() or (deviations <= 0).any() or abs(float(weights.sum()) - 1.0) > 1e-3:
        raise ParameterError("Expected finite numbers, weights above 0 that sum to 1, deviations above 0.")
