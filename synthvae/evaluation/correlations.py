"""Pearson's correlations of all pairs of numbers at once, over the rows where both are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.answers import rowwise
from synthvae.evaluation.cells import Cells, standard
from synthvae.evaluation.sides import Array

PART = 65_536  # rows of which sums are taken at a time
DIGITS = 1e-8  # of a square that the spread must keep, or the sums have lost it


@dataclass(frozen=True, eq=False)
class Correlation:
    """Pearson's r and what each witness (w,) does to it (Devlin, Gnanadesikan and Kettenring 1975)."""

    r: float
    influence: Array

    @classmethod
    def of(cls, r: float, x: Array, y: Array, known: Array) -> Correlation:
        """Of standardised values of the known witnesses."""
        return cls(r, rowwise(x * y - r / 2 * (x * x + y * y), known))


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the rows of one side where two of its c numbers are known, all (c, c): of rows, of the first of the two
    numbers, of its square, of their product."""

    columns: tuple[Cells, ...]
    side: str
    witnesses: Array
    count: Array
    first: Array
    square: Array
    product: Array

    @classmethod
    def of(cls, columns: Sequence[Cells], side: str, witnesses: Array) -> Moments:
        """Of the continuous columns; a part of the rows at a time."""
        size = len(columns)
        count, first, square, product = (np.zeros((size, size)) for _ in range(4))
        rows = len(columns[0].missing[side]) if size else 0
        for start in range(0, rows, PART):
            part = slice(start, start + PART)
            values = np.stack([cells.scaled[side][part] for cells in columns])  # (c, n), 0 where missing
            known = 1.0 - np.stack([cells.missing[side][part] for cells in columns])
            count += known @ known.T
            first += values @ known.T
            square += (values * values) @ known.T
            product += values @ values.T
        return cls(tuple(columns), side, witnesses, count, first, square, product)

    def correlation(self, i: int, j: int) -> Correlation | None:
        """Of two columns over the rows where both are known; None where one is constant there."""
        n = self.count[i, j]
        if not n:
            return None
        means = self.first[i, j] / n, self.first[j, i] / n
        squares = self.square[i, j] / n, self.square[j, i] / n
        spreads = [square - mean**2 for square, mean in zip(squares, means, strict=True)]
        if any(spread <= DIGITS * square for spread, square in zip(spreads, squares, strict=True)):
            return self._exactly(i, j)
        r = (self.product[i, j] / n - means[0] * means[1]) / (spreads[0] * spreads[1]) ** 0.5
        known = self._known(i, j)[self.witnesses]
        x, y = (
            (self._values(place)[self.witnesses][known] - mean) / spread**0.5
            for place, mean, spread in zip((i, j), means, spreads, strict=True)
        )
        return Correlation.of(float(np.clip(r, -1, 1)), x, y, known)

    def _exactly(self, i: int, j: int) -> Correlation | None:
        """From the rows themselves, where sums of squares lose too many digits."""
        known = self._known(i, j)
        x, y = (standard(self._values(place)[known]) for place in (i, j))
        if not x.any() or not y.any():
            return None
        heard = known[self.witnesses]
        places = np.cumsum(known)[self.witnesses[heard]] - 1
        return Correlation.of(float(np.clip(x @ y / len(x), -1, 1)), x[places], y[places], heard)

    def _values(self, place: int) -> Array:
        return self.columns[place].scaled[self.side]

    def _known(self, i: int, j: int) -> Array:
        return ~(self.columns[i].missing[self.side] | self.columns[j].missing[self.side])
