"""Noise, and what it costs: the arithmetic of each mechanism, apart from the rows."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from scipy.special import ndtri

Array = np.ndarray[Any, Any]


def noise_source(seed: int | None = None) -> np.random.Generator:
    """A generator seeded with 256 bits of the operating system; a seed is for tests alone."""
    return np.random.default_rng(secrets.randbits(256) if seed is None else seed)


def noisy_counts(counts: Array, sigma: float, noise: np.random.Generator) -> Array:
    """Counts with Gaussian noise, as whole numbers: rounding comes after, so the last bits of the noise say nothing."""
    return np.rint(counts + noise.normal(0.0, sigma, np.shape(counts)))


def stable_threshold(sigma: float, delta: float, rows: int) -> float:
    """A noisy count above which a level may be named that nobody said there is.

    A unit of ``rows`` rows can bring up to so many new levels. Each passes with probability at most
    delta / rows, where threshold = rows + sigma Phi^-1(1 - delta / rows) (Korolova et al. 2009; with Gaussian noise).
    """
    return rows - sigma * float(ndtri(delta / rows))
