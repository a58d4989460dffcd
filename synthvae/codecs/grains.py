"""Round numbers: inside a step a price is more likely 450,000 than 449,987, and how much more is learned.

People round, each to a grain of their choice. A value x of a step is drawn with probability

    p(x | step) = sum_k w_k [u_k divides x] / sum_k w_k C_k,

C_k the number of multiples of grain u_k in the step: a mixture of uniform draws, one per grain. The weights w are those
of the largest likelihood, found by minorisation-maximisation (Hunter, Lange 2004); neighbouring bins with too few rows
share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import FloatArray, IntArray
from synthvae.codecs.bins import Bins, squeeze_down, squeeze_up, unsqueeze
from synthvae.codecs.grid import Units

CANDIDATES = tuple(sorted({m * 10**k for m in (1, 2, 5, 25) for k in range(12)} | {60, 300, 900, 1800, 3600}))
LARGEST = 2**52  # of the numbers: beyond it products of grains and floats are not exact
GAIN = 0.02  # nats per row beyond the Bayesian information criterion; a column that gains less from grains has none
SHARE = 0.003  # of the rows, and ``min_count`` of them, must come from a grain, else it is none
GROUPS, ROWS_IN_GROUP = 8, 400  # bins share weights in at most so many groups of at least so many rows
ROUNDS = 100
PLACES = 2.0**20  # the part of a uniform behind so many equal parts chooses the grain, the whole of it the place


@dataclass(frozen=True, eq=False)
class Grains:
    """units: (g,) increasing, the first is 1. weights: (c, g) of each bin, every row summing to 1."""

    units: IntArray
    weights: FloatArray

    @classmethod
    def learn(cls, bins: Bins, number: IntArray, min_count: int) -> Self | None:
        """From the numbers (n,) of a column; None where they are no rounder than chance makes them."""
        if not bins.integer or not bins.steps or max(map(abs, bins.edges[[0, -1]].tolist())) > LARGEST:
            return None
        tokens = bins.encode(Units.of(number))
        steps = bins.is_step(tokens)
        steps &= (number >= bins.edges[0]) & (number <= bins.edges[-1])
        number, step = number[steps], bins.step(tokens[steps])
        width = int(bins.edges[-1] - bins.edges[0])
        often = [u for u in CANDIDATES if 1 < u <= width and (number % u == 0).sum() >= min_count]
        units = np.array([1, *often])
        seen = _Seen.of(units, bins, number, step)
        kept = _worthy(seen, len(number), min_count)
        if kept is None:
            return None
        seen = seen.only(kept)
        owners = _groups(np.bincount(bins.step_bins[step], minlength=bins.bins))
        weights = np.stack([seen.within(owners[bins.step_bins] == g).weights() for g in range(owners[-1] + 1)])
        return cls(units[kept], weights[owners])

    def redrawn(self, units: Units, tokens: IntArray, bins: Bins, uniforms: FloatArray, spans: Any = None) -> Units:
        """Units (n,) drawn from steps, drawn again by grain; spans: (low, high) (n,) what they may be, None: the
        step."""
        rows = np.flatnonzero(bins.is_step(tokens))
        if not len(rows):
            return units
        low, high = bins.span(tokens[rows])
        if spans is not None:
            low, high = np.maximum(low, spans[0][rows]), np.minimum(high, spans[1][rows])
        number = units.number.copy()
        weights = self.weights[bins.step_bins[bins.step(tokens[rows])]]
        number[rows] = self._draw((low, high), weights, bins.atoms, uniforms[rows], number[rows])
        return Units(number, units.null, units.nan)

    def log_gain(self, number: IntArray, tokens: IntArray, bins: Bins) -> FloatArray:
        """log p(x | step) beyond that of a uniform draw: (n,), 0 off the steps."""
        found = np.zeros(len(number))
        rows = np.flatnonzero(bins.is_step(tokens))
        weights = self.weights[bins.step_bins[bins.step(tokens[rows])]]
        counts = np.stack([c for _, c in self._multiples(bins.span(tokens[rows]), bins.atoms)])  # (g, m)
        own = (weights.T * (number[rows] % self.units[:, None] == 0)).sum(axis=0)
        found[rows] = np.log(own) - np.log((weights.T * counts).sum(axis=0)) + np.log(counts[0])
        return found

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """What is to be saved."""
        return {"grain_units": self.units, "grain_weights": self.weights}

    def _draw(
        self,
        span: tuple[IntArray, IntArray],
        weights: FloatArray,
        atoms: IntArray,
        uniforms: FloatArray,
        otherwise: IntArray,
    ) -> IntArray:
        """One of the numbers low .. high (m,) that are no atoms; ``otherwise`` (m,) where there is none."""
        places = list(self._multiples(span, atoms))
        mass = np.stack([count for _, count in places]) * weights.T  # (g, m)
        ends = np.cumsum(mass[::-1], axis=0)  # the roundest first
        chosen = (ends <= (uniforms * PLACES % 1.0) * ends[-1]).sum(axis=0)
        number = otherwise.copy()
        for k, (first, count) in enumerate(places):
            rows = np.flatnonzero((chosen == len(places) - 1 - k) & (count > 0))
            place = first[rows] + np.minimum(uniforms[rows] * count[rows], count[rows] - 1).astype(np.int64)
            number[rows] = unsqueeze(place, _multiples_of(self.units[k], atoms)) * self.units[k]
        return number

    def _multiples(self, span: tuple[IntArray, IntArray], atoms: IntArray) -> list[tuple[IntArray, FloatArray]]:
        """For each grain the first of its multiples in low .. high (m,), numbered without atoms, and how many."""
        return [_multiples(int(unit), span, atoms) for unit in self.units]


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the likelihood needs. divides: (p, g) patterns of divisibility; counts: (p, s) rows of each in each step;
    room: (g, s) multiples of each grain in each step.
    """

    divides: FloatArray
    counts: FloatArray
    room: FloatArray

    @classmethod
    def of(cls, units: IntArray, bins: Bins, number: IntArray, step: IntArray) -> Self:
        low, high = (unsqueeze(ends, bins.atoms) for ends in bins.ends)
        room = np.stack([_multiples(int(u), (low, high), bins.atoms)[1] for u in units])
        marks = np.zeros(len(number), np.int64)
        for k, unit in enumerate(units.tolist()):
            marks |= (number % unit == 0).astype(np.int64) << k
        patterns, place = np.unique(marks, return_inverse=True)
        counts = np.zeros((len(patterns), bins.steps))
        np.add.at(counts, (place, step), 1.0)
        return cls((patterns[:, None] >> np.arange(len(units)) & 1).astype(np.float64), counts, room)

    def only(self, kept: IntArray) -> _Seen:
        """With some of the grains."""
        return _Seen(self.divides[:, kept], self.counts, self.room[kept])

    def within(self, steps: np.ndarray[Any, np.dtype[np.bool_]]) -> _Seen:
        """With some of the steps."""
        return _Seen(self.divides, self.counts[:, steps], self.room[:, steps])

    def weights(self) -> FloatArray:
        """(g,) of the largest likelihood, summing to 1, had one row more come from grain 1: no number is impossible."""
        w, one = np.full(len(self.room), 1.0 / len(self.room)), np.eye(1, len(self.room))[0]
        patterns, steps = self.counts.sum(axis=1), self.counts.sum(axis=0)
        for _ in range(ROUNDS):
            expected = self.room @ (steps / (w @ self.room))
            w = (self._from_grains(w, patterns) + one) / np.maximum(expected, np.finfo(np.float64).tiny)
            w /= w.sum()
        return w

    def log_likelihood(self, w: FloatArray) -> float:
        patterns, steps = self.counts.sum(axis=1), self.counts.sum(axis=0)
        return float(patterns @ np.log(self.divides @ w) - steps @ np.log(w @ self.room))

    def shares(self, w: FloatArray) -> FloatArray:
        """(g,) the rows that come from each grain."""
        return self._from_grains(w, self.counts.sum(axis=1))

    def _from_grains(self, w: FloatArray, patterns: FloatArray) -> FloatArray:
        return np.asarray(w * (self.divides.T @ (patterns / (self.divides @ w))))


def _worthy(seen: _Seen, rows: int, min_count: int) -> IntArray | None:
    """The grains that enough rows come from, 1 always among them; None where they gain too little."""
    if len(seen.room) == 1 or not rows:
        return None
    w = seen.weights()
    kept = np.flatnonzero((seen.shares(w) >= max(SHARE * rows, min_count)) | (np.arange(len(w)) == 0))
    plain = np.eye(1, len(kept))[0]
    few = seen.only(kept)
    gain = few.log_likelihood(few.weights()) - few.log_likelihood(plain)
    return kept if gain > GAIN * rows + 0.5 * (len(kept) - 1) * np.log(rows) else None


def _groups(rows: IntArray) -> IntArray:
    """(c,) the group of each bin, bins in order; rows: (c,) in each."""
    least = max(ROWS_IN_GROUP, rows.sum() / GROUPS)
    return np.minimum(((np.cumsum(rows) - rows / 2) / least).astype(np.int64), max(int(rows.sum() // least) - 1, 0))


def _multiples_of(unit: int, atoms: IntArray) -> IntArray:
    return atoms[atoms % unit == 0] // unit


def _multiples(unit: int, span: tuple[IntArray, IntArray], atoms: IntArray) -> tuple[IntArray, FloatArray]:
    among = _multiples_of(unit, atoms)
    first, last = squeeze_up(-(-span[0] // unit), among), squeeze_down(span[1] // unit, among)
    return first, np.maximum(last - first + 1, 0).astype(np.float64)
