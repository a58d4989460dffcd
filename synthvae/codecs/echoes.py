"""Columns that repeat one another: a date that equals an earlier one, a payment that equals the bill.

A column *echoes* an earlier one on the same axis where far more rows than chance hold the same value in both. The
networks are told which token the earlier value would be (a copy mechanism: Gu et al. 2016, See et al. 2017), and
decoding gives back exact equality: cells whose tokens agree repeat the earlier value as often as they did in training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.binning import allowed_range
from synthvae.codecs.bins import Bins
from synthvae.codecs.grid import Grid, Units
from synthvae.codecs.within import Intervals

SHARE = 0.01  # of the rows must agree beyond chance: less is no fact of the table
MOST_SOURCES = 3  # per column, the strongest first
MOST_LOOKUPS = 5e8  # rows are thinned out so that a table of many columns stays cheap to search
LEAST_ROWS, MOST_ROWS = 2_000, 20_000


@dataclass(frozen=True, eq=False)
class Axis:
    """A column that may echo or be echoed, with some rows of it: units (n,) and tokens (n, 2).

    within: the units it may have, where it was drawn under a wish.
    """

    grid: Grid
    bins: Bins
    units: Units
    tokens: IntArray
    within: Intervals | None = None

    @property
    def present(self) -> BoolArray:
        """(n,) whether there is a number."""
        return ~(self.units.null | self.units.nan)


@dataclass(frozen=True, eq=False)
class Echo:
    """Column ``target`` repeats column ``source`` (column numbers, source first).

    rate: the share of equal values among rows whose tokens agree off the atoms. tokens: (v_source, v_source_fine, 2)
    the target's coarse and fine token for the middle of each source token, -1 where there is none.
    """

    source: int
    target: int
    rate: float
    tokens: IntArray = field(repr=False)

    @classmethod
    def between(cls, numbers: tuple[int, int], bins: tuple[Bins, Bins], rate: float = 0.0) -> Self:
        """The echo of two columns, source first, by their numbers and bins."""
        return cls(*numbers, rate, _token_map(*bins))

    def heard(self, source: IntArray) -> IntArray:
        """Source tokens (n, 2) -> the target's tokens for that value (n, 2), -1 where there are none."""
        flat = self.tokens.reshape(-1, 2)
        return np.take(flat, source[:, 0] * self.tokens.shape[1] + source[:, 1], axis=0)

    def facts(self) -> dict[str, Any]:
        """What is to be saved; the rest follows from the bins."""
        return {"source": self.source, "target": self.target, "rate": self.rate}


def find_echoes(axes: Mapping[int, Axis], min_count: int) -> list[Echo]:
    """Every echo among columns, given by number, all of the same rows."""
    found = []
    for target, axis in axes.items():
        earlier = [s for s in axes if s < target and axes[s].grid.axis == axis.grid.axis]
        echoes = [Echo.between((s, target), (axes[s].bins, axis.bins)) for s in earlier]
        scored = sorted(((_excess(e, axes[e.source], axis), e.source, e) for e in echoes), reverse=True)
        kept = [e for excess, _, e in scored[:MOST_SOURCES] if excess >= SHARE]
        found += [Echo(e.source, target, _rate(e, axes[e.source], axis, min_count), e.tokens) for e in kept]
    return found


def rows_to_search(rows: int, columns: int) -> IntArray:
    """Row numbers, evenly spread, of the rows that ``find_echoes`` looks at."""
    wanted = int(np.clip(MOST_LOOKUPS / max(columns * columns, 1), LEAST_ROWS, MOST_ROWS))
    return np.unique(np.linspace(0, max(rows - 1, 0), min(rows, wanted)).astype(np.int64))


def relabel(echoes: Sequence[Echo], axes: Mapping[int, Axis]) -> None:
    """Give equal values agreeing tokens, in place: a step of one column may cut through a step of the other."""
    for target, group in by_target(echoes):
        for e in reversed(group):  # the strongest has the last word
            same = _same(e, axes[e.source], axes[target])
            axes[target].tokens[same] = e.heard(axes[e.source].tokens)[same]


def repeat(echoes: Sequence[Echo], axes: Mapping[int, Axis], uniforms: FloatArray) -> Units:
    """The drawn units (n,) of the target of ``echoes``, some of them replaced by the source's; uniforms (n,)."""
    target = axes[echoes[0].target]
    number, free = target.units.number.copy(), target.bins.is_step(target.tokens)
    low, high = allowed_range(target.grid)
    for e in echoes:
        source = axes[e.source]
        lawful = source.present & (source.units.number >= low) & (source.units.number <= high)
        if target.within is not None:
            lawful &= target.within.contains(source.units.number)
        now = free & lawful & (e.heard(source.tokens) == target.tokens).all(axis=1) & (uniforms < e.rate)
        number[now] = source.units.number[now]
        free &= ~now
    return Units(number, target.units.null, target.units.nan)


def by_target(echoes: Sequence[Echo]) -> Iterator[tuple[int, list[Echo]]]:
    """The echoes of each target column."""
    for target in sorted({e.target for e in echoes}):
        yield target, [e for e in echoes if e.target == target]


def _token_map(source: Bins, target: Bins) -> IntArray:
    tokens = np.indices((source.size, source.fine_size)).reshape(2, -1).T
    units = source.decode(tokens, np.full(len(tokens), 0.5))
    mapped = target.encode(units)
    ends = np.concatenate([target.atoms, target.edges])
    none = units.null | units.nan | (units.number < ends.min()) | (units.number > ends.max())
    none |= ~source.compatible.reshape(-1)
    return np.where(none[:, None], -1, mapped).reshape(source.size, source.fine_size, 2).astype(np.int32)


def _same(e: Echo, source: Axis, target: Axis) -> BoolArray:
    """(n,) where both hold the same value and a step of the target can stand for it."""
    steps = target.bins.is_step(target.tokens) & target.bins.is_step(e.heard(source.tokens))
    return np.asarray(steps & source.present & (source.units.number == target.units.number))


def _excess(e: Echo, source: Axis, target: Axis) -> float:
    """By how much the share of rows that agree, or are equal, off the atoms exceeds chance."""
    heard, own = e.heard(source.tokens), target.tokens
    step = target.bins.is_step(own)
    agree = (step & (heard == own).all(axis=1)) | _same(e, source, target)
    chance = _counts(own[step], target.bins) @ _counts(heard[heard[:, 0] >= 0], target.bins)
    return float(agree.mean() - chance / len(own) ** 2)


def _rate(e: Echo, source: Axis, target: Axis, min_count: int) -> float:
    """The share of equal values where tokens agree once equal values agree; 0 where too few rows say so."""
    same = _same(e, source, target)
    agree = (target.bins.is_step(target.tokens) & (e.heard(source.tokens) == target.tokens).all(axis=1)) | same
    return float(same.sum() / agree.sum()) if same.sum() >= min_count else 0.0


def _counts(tokens: IntArray, bins: Bins) -> FloatArray:
    """Counts of each pair of coarse and fine token."""
    slots = bins.size * bins.fine_size
    return np.bincount(tokens[:, 0] * bins.fine_size + tokens[:, 1], minlength=slots).astype(np.float64)
