"""The part of an axis that a wish allows: which tokens reach into it, and draws from the part of a step inside it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.binning import allowed_range
from synthvae.codecs.bins import Bins, squeeze_down, squeeze_up, unsqueeze
from synthvae.codecs.grid import Grid, NumberArray, Units
from synthvae.schema.conditions import Wish


@dataclass(frozen=True, eq=False)
class Intervals:
    """Disjoint intervals in increasing order, ends included. low, high: (m,) units, integers or floats."""

    low: NumberArray
    high: NumberArray

    @classmethod
    def of(cls, pairs: list[tuple[Any, Any]], dtype: np.dtype[Any]) -> Self:
        """From any pairs of ends; pairs in the wrong order hold nothing, overlapping ones are joined."""
        joined: list[list[Any]] = []
        for low, high in sorted(pair for pair in pairs if pair[0] <= pair[1]):
            if joined and low <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], high)
            else:
                joined.append([low, high])
        return cls(np.array([p[0] for p in joined], dtype), np.array([p[1] for p in joined], dtype))

    def contains(self, number: NumberArray) -> BoolArray:
        """(n,) whether a unit lies in one of them."""
        if not len(self.low):
            return np.zeros(len(number), bool)
        place = np.searchsorted(self.low, number, side="right") - 1
        return np.asarray((place >= 0) & (number <= self.high[np.maximum(place, 0)]))

    def around(self, number: NumberArray) -> tuple[NumberArray, NumberArray]:
        """(n,) the ends of the interval that a unit lies in, or of one beside it where it lies in none."""
        if not len(self.low):
            return number, number
        place = np.maximum(np.searchsorted(self.low, number, side="right") - 1, 0)
        return self.low[place], self.high[place]


@dataclass(frozen=True, eq=False)
class Part:
    """The allowed part of an axis under the tokens of ``bins``; nan: whether NaN is allowed.

    ``before(x)`` is how much of the allowed lies below x: whole numbers that are no atoms (numbered without gaps, see
    ``bins.squeeze_up``), or length on a float axis. The share of a step is a difference of two, a draw the inverse.
    """

    bins: Bins
    intervals: Intervals
    nan: bool

    def weights(self, null: bool, shares: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """(v,) and (v_parent, v) the share of each token's values that is allowed; the first 0 or 1 where refined.

        shares: (s,) of each step, where its values are not equally likely.
        """
        bins, atoms = self.bins, len(self.bins.atoms)
        shares = self.shares if shares is None else shares
        in_bin = np.add.reduceat(shares, bins.first[:-1]) if bins.bins else np.zeros(0)
        coarse = np.zeros(bins.size)
        coarse[0] = null
        coarse[1 : 1 + atoms] = self.intervals.contains(bins.atoms)
        coarse[1 + atoms : 1 + atoms + bins.bins] = in_bin > 0 if bins.refined else in_bin
        if bins.nan:
            coarse[-1] = self.nan
        fine = np.zeros((bins.size, bins.fine_size))
        fine[:, 0] = 1.0
        step = np.arange(bins.steps)
        parent = np.searchsorted(bins.first[:-1], step, side="right") - 1
        rows = 1 + atoms + parent
        fine[1 + atoms : 1 + atoms + bins.bins, 0] = 0.0
        fine[rows, 1 + step - bins.first[parent]] = shares
        return coarse, fine

    def decode(self, tokens: IntArray, uniforms: FloatArray) -> Units:
        """As ``Bins.decode``, steps uniform over their allowed part."""
        units = self.bins.decode(tokens, uniforms)
        inside = np.flatnonzero(self.bins.is_step(tokens))
        number = units.number.copy()
        number[inside] = self._draw(self.bins.step(tokens[inside]), uniforms[inside])
        return Units(number, units.null, units.nan)

    def _draw(self, step: IntArray, uniforms: FloatArray) -> NumberArray:
        low, high = (ends[step] for ends in self.bins.ends)
        below = self._before(low)
        place = below + uniforms * (self._until(high) - below)
        piece = np.clip(np.searchsorted(self._sums, place, side="right") - 1, 0, len(self._low) - 1)
        first, last = np.maximum(self._low[piece], low), np.minimum(self._last[piece], high)
        drawn = self._low[piece] + (place - self._sums[piece]).astype(low.dtype)
        drawn = np.clip(drawn, first, np.maximum(first, last))
        return unsqueeze(drawn, self.bins.atoms) if self.bins.integer else self.bins.free(drawn)

    @cached_property
    def shares(self) -> FloatArray:
        """(s,) the share of each step that is allowed."""
        if not self.bins.steps:
            return np.zeros(0)
        low, high = self.bins.ends
        size = high.astype(np.float64) - low.astype(np.float64) + self._unit
        return np.asarray((self._until(high) - self._before(low)) / np.maximum(size, np.finfo(np.float64).tiny))

    @property
    def _unit(self) -> float:
        """How much one value counts for beyond the distance of the ends."""
        return 1.0 if self.bins.integer else 0.0

    @cached_property
    def _ends(self) -> tuple[NumberArray, NumberArray]:
        """The intervals in the coordinates of steps; a single float is as long as the gap to the next one."""
        if not self.bins.bins:
            return self.bins.edges, self.bins.edges
        # what lies beyond the steps would only cost digits
        low, high = (np.clip(x, *self.bins.edges[[0, -1]]) for x in (self.intervals.low, self.intervals.high))
        outside = (self.intervals.high < self.bins.edges[0]) | (self.intervals.low > self.bins.edges[-1])
        low, high = low[~outside], high[~outside]
        if self.bins.integer:
            low, high = squeeze_up(low, self.bins.atoms), squeeze_down(high, self.bins.atoms)
        else:
            high = np.where(low == high, np.nextafter(high, high.dtype.type(np.inf)), high)
        some = low <= high
        return low[some], high[some]

    @property
    def _low(self) -> NumberArray:
        return self._ends[0]

    @property
    def _high(self) -> NumberArray:
        return self._ends[1]

    @cached_property
    def _last(self) -> NumberArray:
        """(m,) the last value of each interval."""
        lengthened = np.isin(self._low, self.intervals.low[self.intervals.low == self.intervals.high])
        return np.where(lengthened & (not self.bins.integer), self._low, self._high)

    @cached_property
    def _sums(self) -> FloatArray:
        """(m + 1,) how much of the allowed lies before each interval."""
        sizes = self._high.astype(np.float64) - self._low.astype(np.float64) + self._unit
        return np.concatenate([[0.0], np.cumsum(sizes)])

    def _before(self, x: NumberArray) -> FloatArray:
        """(n,) how much of the allowed lies below x."""
        if not len(self._low):
            return np.zeros(len(x))
        piece = np.searchsorted(self._low, x, side="right") - 1
        inside = x.astype(np.float64) - self._low[np.maximum(piece, 0)].astype(np.float64)
        sizes = np.diff(self._sums)[np.maximum(piece, 0)]
        return np.where(piece < 0, 0.0, self._sums[np.maximum(piece, 0)] + np.minimum(inside, sizes))

    def _until(self, x: NumberArray) -> FloatArray:
        """(n,) how much of the allowed lies at or below x."""
        return self._before(x + 1) if self.bins.integer else self._before(x)


def intervals(wish: Wish, grid: Grid) -> Intervals:
    """The units a wish allows; ValueError where it names what has no place on the axis."""
    lows, highs = ([(grid.place(b.value), b.closed) for b in bounds] for bounds in (wish.lower, wish.upper))
    least, most = allowed_range(grid)
    low = max([least, *(_at_or_after(place, closed, grid) for place, closed in lows)])
    high = min([most, *(_at_or_before(place, closed, grid) for place, closed in highs)])
    pairs = [(low, high)] if wish.values else []
    if wish.values and wish.among is not None:
        points = [grid.place(value) for value in wish.among]
        ends = [(_at_or_after(p, True, grid), _at_or_before(p, True, grid)) for p in points]
        pairs = [(a, b) for a, b in ends if low <= a and b <= high]
    for value in wish.without:
        hole = grid.place(value)
        before, after = _at_or_before(hole, False, grid), _at_or_after(hole, False, grid)
        pairs = [piece for a, b in pairs for piece in ((a, min(b, before)), (max(a, after), b))]
    return Intervals.of(pairs, grid.dtype)


def _at_or_after(place: Fraction | float, closed: bool, grid: Grid) -> int | float:
    """The first unit at (where ``closed``) or after a place."""
    if isinstance(place, Fraction):
        return ceil(place) if closed else floor(place) + 1
    return place if closed else float(np.nextafter(grid.dtype.type(place), grid.dtype.type(np.inf)))


def _at_or_before(place: Fraction | float, closed: bool, grid: Grid) -> int | float:
    """The last unit at (where ``closed``) or before a place."""
    if isinstance(place, Fraction):
        return floor(place) if closed else ceil(place) - 1
    return place if closed else float(np.nextafter(grid.dtype.type(place), grid.dtype.type(-np.inf)))
