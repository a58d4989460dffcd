"""Days as people live them: weekdays, days of the month and months have frequencies of their own.

What the network sees of a token of days is where in the week, the month and the year they lie; what is drawn inside a
step of several days follows how often each weekday, day of the month and month occurs in the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import Block, FloatArray, IntArray
from synthvae.codecs.bins import Bins
from synthvae.codecs.grid import Units

PERIODS = (7.0, 365.2425 / 12, 365.2425)  # days in a week, a month, a year
LONGEST = 2_000_000  # days: a range beyond it is no calendar
SHRINK = 20.0  # rows of the average that are added to each frequency: what few rows say is taken with caution
FEATURES = 2 * len(PERIODS)


@dataclass(frozen=True, eq=False)
class Calendar:
    """How much more often than others rows fall on weekdays (7,) from Monday, days of the month (31,), months (12,)."""

    weekdays: FloatArray
    monthdays: FloatArray
    months: FloatArray

    @classmethod
    def of(cls, days: IntArray, bins: Bins, min_count: int) -> Self:
        """The frequencies of days (n,) that lie in steps of ``bins``; days are counted from 1970-01-01."""
        first, last = _ends(bins)
        inside = days[(days >= first) & (days <= last) & ~np.isin(days, bins.atoms)]
        every = _parts(np.setdiff1d(np.arange(first, last + 1), bins.atoms))
        seen = _parts(inside)
        return cls(*(_weights(a, b, size, min_count) for a, b, size in zip(seen, every, (7, 31, 12), strict=True)))

    @staticmethod
    def spans(bins: Bins) -> bool:
        """Whether the days between the outermost tokens can be counted one by one, and there are any."""
        first, last = _ends(bins)
        return 0 <= last - first <= LONGEST

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What is to be saved."""
        return {"weekdays": self.weekdays, "monthdays": self.monthdays, "months": self.months}


@dataclass(frozen=True, eq=False)
class Days:
    """Bins of days under a calendar."""

    bins: Bins
    calendar: Calendar

    def decode(self, tokens: IntArray, uniforms: FloatArray) -> Units:
        """As ``Bins.decode``, but a day of a step is as likely as the calendar says."""
        units = self.bins.decode(tokens, uniforms)
        rows = np.flatnonzero(self.bins.is_step(tokens))
        if not len(rows) or not self.bins.steps:
            return units
        low, high = self.bins.span(tokens[rows])
        below, above = self._sums[low - self._first], self._sums[high + 1 - self._first]
        target = below + uniforms[rows] * (above - below)
        found = self._first + np.searchsorted(self._sums, target, side="right") - 1
        number = units.number.copy()
        number[rows] = np.where(above > below, np.clip(found, low, high), number[rows])
        return replace(units, number=number)

    def blocks(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        """The blocks of the bins with what they tell of the calendar behind their features."""
        bins = self.bins
        table = np.zeros((bins.size, FEATURES), np.float32)
        table[1 : 1 + len(bins.atoms)] = self._circles(bins.atoms, bins.atoms)
        starts = bins.edges[bins.first[:-1]] if bins.bins else bins.atoms[:0]
        table[1 + len(bins.atoms) : 1 + len(bins.atoms) + bins.bins] = self._circles(
            starts, self._lasts(bins.first[1:])
        )
        made = [_beside(blocks[0], table)]
        if len(blocks) > 1:
            fine = np.zeros((bins.size, bins.fine_size, FEATURES), np.float32)
            fine[:, 0] = table
            step = np.arange(bins.steps)
            parent = np.searchsorted(bins.first[:-1], step, side="right") - 1
            own = self._circles(bins.edges[:-1], self._lasts(step + 1))
            fine[1 + len(bins.atoms) + parent, 1 + step - bins.first[parent]] = own
            made.append(_beside(blocks[1], fine))
        return tuple(made)

    @property
    def _first(self) -> int:
        return _ends(self.bins)[0]

    @cached_property
    def _sums(self) -> FloatArray:
        """(d + 1,) the weights of all days before each, from the first of the bins on; atoms have none."""
        first, last = _ends(self.bins)
        days = np.arange(first, last + 1)
        week, month, year = _parts(days)
        weight = self.calendar.weekdays[week] * self.calendar.monthdays[month] * self.calendar.months[year]
        weight[np.isin(days, self.bins.atoms)] = 0.0
        return np.concatenate([[0.0], np.cumsum(weight)])

    def _lasts(self, step: IntArray) -> IntArray:
        """The last day before each step (k,); the very last edge is included."""
        ends = self.bins.edges[step]
        return np.where(step == self.bins.steps, ends, ends - 1)

    def _circles(self, low: IntArray, high: IntArray) -> FloatArray:
        """(k, f) the mean of cos and sin over the days low..high, for each period: 0 where they go all around."""
        parts = []
        for period in PERIODS:
            turn = np.pi / period
            count = (high - low + 1).astype(np.float64)
            # the mean of exp(2 i turn d) over a run of days
            size = np.sin(count * turn) / (count * np.sin(turn))
            middle = (low + high).astype(np.float64) * turn
            parts += [size * np.cos(middle), size * np.sin(middle)]
        return np.stack(parts, axis=-1).astype(np.float32) if len(low) else np.zeros((0, FEATURES), np.float32)


def _beside(block: Block, table: FloatArray) -> Block:
    return replace(block, features=np.concatenate([block.features, table], axis=-1))


def _ends(bins: Bins) -> tuple[int, int]:
    """The first and the last day that has a token; (0, -1) where there is none."""
    ends = np.concatenate([bins.atoms, bins.edges])
    return (int(ends.min()), int(ends.max())) if len(ends) else (0, -1)


def _parts(days: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Weekday from Monday, day of the month from 0, month from 0 of days (n,) since 1970-01-01, a Thursday."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return (days + 3) % 7, (dates - months).astype(np.int64), months.astype(np.int64) % 12


def _weights(seen: IntArray, every: IntArray, size: int, min_count: int) -> FloatArray:
    """(size,) rows per day of each class beside the average; classes of too few rows count as empty."""
    counts, exposure = np.bincount(seen, minlength=size), np.bincount(every, minlength=size)
    counts = np.where(counts < min_count, 0, counts)
    expected = exposure / max(exposure.sum(), 1) * counts.sum()
    return np.round((counts + SHRINK / size) / (expected + SHRINK / size), 4)
