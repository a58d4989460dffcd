"""Noisy counts made those of some table: not negative, and adding up to what is known already."""

from __future__ import annotations

import numpy as np

from synthvae.surrogate.domains import Array

ROUNDS = 30  # of proportional fitting
TINY = 1e-9
THRESHOLDS = np.linspace(2.0, 4.0, 9)  # in standard deviations of the noise


def consistent(noisy: Array, expected: Array, sigma: float) -> Array:
    """(c_i, c_j): noisy counts drawn towards what they may be, with the margins of ``expected`` (independent columns).

    Either all deviations from ``expected`` are shrunk (James, Stein 1961), or only cells are believed that noise cannot
    explain (a threshold: Donoho, Johnstone 1994) and the others taken for independent, or for empty as where one column
    decides the other; whichever is estimated to err least. Then proportional fitting.
    """
    guesses = [_shrunk(noisy, expected, sigma)]
    guesses += [_believed(noisy, prior, t * sigma, sigma) for t in THRESHOLDS for prior in (expected, 0.0 * expected)]
    counts = np.maximum(min(guesses, key=lambda guess: guess[0])[1], 0.0) + TINY
    rows, columns = expected.sum(axis=1), expected.sum(axis=0)
    for _ in range(ROUNDS):
        counts *= (rows / np.maximum(counts.sum(axis=1), TINY))[:, None]
        counts *= columns / np.maximum(counts.sum(axis=0), TINY)
    return np.asarray(counts)


def parts(noisy: Array, whole: float, sigma: float) -> Array:
    """(p,): noisy counts of the parts of a cell of ``whole`` rows, drawn towards what they may be.

    Either towards parts that are all alike, or towards few parts that hold everything, as in ``consistent``.
    """
    even = np.full(len(noisy), whole / len(noisy))
    guesses = [_shrunk(noisy, even, sigma), *(_believed(noisy, 0.0 * even, t * sigma, sigma) for t in THRESHOLDS)]
    counts = np.maximum(min(guesses, key=lambda guess: guess[0])[1], 0.0)
    return np.asarray(counts * (whole / counts.sum())) if counts.sum() > 0 else even


def _shrunk(noisy: Array, prior: Array, sigma: float) -> tuple[float, Array]:
    """Estimated squared error, and deviations from a prior shrunk by one factor."""
    off, spare = noisy - prior, (noisy.size - 2) * sigma**2
    square = max(float((off**2).sum()), TINY)
    factor = max(1.0 - spare / square, 0.0)
    return noisy.size * sigma**2 - min(spare**2 / square, noisy.size * sigma**2), prior + factor * off


def _believed(noisy: Array, prior: Array, threshold: float, sigma: float) -> tuple[float, Array]:
    """Estimated squared error, and cells far from a prior as they are, the others as the prior says."""
    far = np.abs(noisy - prior) > threshold
    error = np.where(far, sigma**2, (noisy - prior) ** 2 - sigma**2).sum()
    return float(error), np.where(far, noisy, prior)
