"""Noisy two-way counts made those of some table: not negative, and with the one-way counts that are known."""

from __future__ import annotations

import numpy as np

from synthvae.surrogate.domains import Array

ROUNDS = 30  # of proportional fitting
TINY = 1e-9


def consistent(noisy: Array, expected: Array, sigma: float) -> Array:
    """(c_i, c_j): noisy counts drawn towards those of independent columns, with their margins.

    The squares of what is left of noise are sigma^2 a cell; by the share of them in all squares the deviation from
    ``expected`` shrinks (James, Stein 1961). Then proportional fitting to the margins of ``expected``.
    """
    off = noisy - expected
    signal = 1.0 - off.size * sigma**2 / max(float((off**2).sum()), TINY)
    counts = np.maximum(expected + max(signal, 0.0) * off, 0.0) + TINY
    rows, columns = expected.sum(axis=1), expected.sum(axis=0)
    for _ in range(ROUNDS):
        counts *= (rows / np.maximum(counts.sum(axis=1), TINY))[:, None]
        counts *= columns / np.maximum(counts.sum(axis=0), TINY)
    return np.asarray(counts)
