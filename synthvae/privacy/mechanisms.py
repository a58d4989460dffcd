"""Noise, and what it costs: the arithmetic of each mechanism, apart from the rows."""

from __future__ import annotations

import math
import secrets
from typing import Any

import numpy as np
from scipy.special import ndtri

Array = np.ndarray[Any, Any]
TAIL = 2.0**-20  # the share of draws whose 52 bits are refined


class Noise:
    """Random numbers from the operating system's cryptographic generator, or from a seed, which is for tests alone."""

    def __init__(self, seed: int | None = None) -> None:
        self._seeded = None if seed is None else np.random.default_rng(seed)

    def uniform(self, *shape: int) -> Array:
        """Numbers within (0, 1), of 52 bits each."""
        if self._seeded is not None:
            return self._seeded.random(shape)
        bits = np.frombuffer(secrets.token_bytes(8 * math.prod(shape)), np.uint64) >> np.uint64(12)
        return ((bits + 0.5) * 2.0**-52).reshape(shape)

    def gaussian(self, sigma: float, *shape: int) -> Array:
        """Normal numbers of standard deviation ``sigma``, by the inverse of their distribution function.

        As far out as they go: what lies in a tail is drawn anew inside it, with all bits, again and again. Noise that
        ended somewhere would tell for certain whose presence carries a count beyond it.
        """
        u = self.uniform(*shape)
        tail, edge = np.minimum(u, 1.0 - u), 1.0
        while (far := np.flatnonzero(tail < edge * TAIL)).size:
            edge *= TAIL
            tail.flat[far] = edge * self.uniform(far.size)
        return np.where(u < 0.5, ndtri(tail), -ndtri(tail)) * sigma


def secret_generator() -> np.random.Generator:
    """For random choices that must be as secret as noise but are many: a generator with a key of the system's."""
    return np.random.Generator(np.random.Philox(key=secrets.randbits(128)))


def noisy_counts(counts: Array, sigma: float, noise: Noise) -> Array:
    """Counts with Gaussian noise, as whole numbers: rounding comes after, so the last bits of the noise say nothing."""
    return np.rint(counts + noise.gaussian(sigma, *np.shape(counts)))


def stable_threshold(sigma: float, delta: float, rows: int) -> float:
    """A noisy count above which a level may be named that nobody said there is.

    A unit of ``rows`` rows can bring up to so many new levels. Each passes with probability at most
    delta / rows, where threshold = rows + sigma Phi^-1(1 - delta / rows) (Korolova et al. 2009; with Gaussian noise).
    """
    return rows - sigma * float(ndtri(delta / rows))
