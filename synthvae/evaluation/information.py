"""Mutual information of two columns from their table of counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.sides import Array


@dataclass(frozen=True, eq=False)
class Information:
    """Mutual information in nats less its bias; per cell (x, y) what it gains there; the variance of that over rows."""

    nats: float
    gain: Array
    variance: float
    freedom: float

    @classmethod
    def of(cls, counts: Array) -> Information:
        """Of a table of counts (x, y)."""
        n = counts.sum()
        p = counts / n
        rows, columns = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
        gain = np.zeros_like(p)
        np.log(p, out=gain, where=p > 0)
        expected = rows * columns
        gain -= np.where(p > 0, np.log(np.where(expected > 0, expected, 1)), 0)
        filled, x, y = (int(np.count_nonzero(part)) for part in (p, rows, columns))
        bias = max(filled - x - y + 1, 0) / (2 * n)
        mean = float((p * gain).sum())
        variance = float((p * gain**2).sum()) - mean**2
        return cls(mean - bias, gain, max(variance, 0.0), float((x - 1) * (y - 1)))

    def noise(self, rows: float, other: float) -> float:
        """The standard deviation of the difference between two tables like this one of so many rows."""
        return (self.variance * (1 / rows + 1 / other) + self.chance(rows) + self.chance(other)) ** 0.5

    def chance(self, rows: float) -> float:
        """The variance of a chi-squared, all that ``rows`` rows have where nothing is shared."""
        return self.freedom / (2 * rows**2)


def entropy(counts: Array) -> float:
    """In nats, of counts (v,)."""
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())
