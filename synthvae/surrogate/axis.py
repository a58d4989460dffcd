"""Numbers and moments: where their mass lies, found by noisy counts over a grid that does not depend on the data.

The first look has a cell for each power of two on either side of zero (or for equal parts of bounds that the user
wrote). Each later look cuts cells that hold many rows into sixteen, down to single values: so quantiles, bounds and
frequent values come out of a few histograms. The number of looks is fixed beforehand.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from synthvae import tables
from synthvae.codecs import CODECS
from synthvae.codecs.arrow import as_type
from synthvae.codecs.binning import allowed_range
from synthvae.codecs.grid import Grid, Units
from synthvae.codecs.gridded import AxisCodec
from synthvae.privacy.ledger import Spend
from synthvae.privacy.private_table import Coding, PrivateTable
from synthvae.schema import instants
from synthvae.schema.columns import Column, Datetime, Numeric
from synthvae.surrogate.allotment import Allotment
from synthvae.surrogate.denoise import parts
from synthvae.surrogate.domains import Array, Domain, settled
from synthvae.surrogate.grain import finer, grained

REFINEMENTS = 3  # looks after the first: enough for single days within centuries, single units within thousands
PARTS = 16  # into which a cell is cut
LOOKS = 2.0  # of the budget of one column of levels
MOST_SHARE = 1 / 48  # of the rows that a cell may hold uncut
SURE = 4.5  # standard deviations of noise above which a cell is there at all, and half a row since counts are rounded
WHOLE_POWERS, FLOAT_POWERS = range(63), range(-40, 100)
STATED_PARTS = 32  # equal parts of bounds that the user wrote


class AxisDomain(Domain):
    """Null, then the ranges between ``edges`` (l,): [edge, next edge)."""

    ordered = True

    def __init__(self, column: Column, edges: Array, counts: Array) -> None:
        self._column, self.edges, self.counts = column, edges, counts
        self.grid = _grid(column)

    @classmethod
    def learn(cls, column: Column, private: PrivateTable, rows: float, allotment: Allotment) -> Domain:
        """Find where a column of a table of about ``rows`` rows has its mass."""
        looks = LOOKS
        if finer(column):
            spend = allotment.column(f"how fine the values of {column.name!r} are", LOOKS / 10)
            column, looks = grained(column, private, spend), LOOKS * 0.9
        edges = _first(_grid(column))
        counts = np.zeros(0)
        for look in range(REFINEMENTS + 1):
            what = f"where the values of {column.name!r} lie, look {look + 1} of {REFINEMENTS + 1}"
            spend = allotment.column(what, looks / (REFINEMENTS + 1))
            coding = Coding(len(edges), cls(column, edges, counts).leaves)
            if not look:
                counts = settled(private.histogram(coding, spend), rows, _floor(spend), column.nullable)
                kin = np.arange(len(edges))
            else:
                counts = _agreeing(private.histogram(coding, spend), counts, kin, spend.sigma)
            if look < REFINEMENTS:
                least = 0.0 if not look else rows * MOST_SHARE
                edges, kin = _cut(edges, counts > max(least, _floor(spend)))
        return cls._within(column, edges, counts)

    @classmethod
    def _within(cls, column: Column, edges: Array, counts: Array) -> Domain:
        """Without the empty cells at either end; the rest says the bounds where the user did not."""
        held = np.flatnonzero(counts[1:]) + 1
        nullable = bool(counts[0])
        if not len(held):
            return cls(dataclasses.replace(column, nullable=True), edges[:2], np.array([counts[0], 0.0]))
        first, last = int(held[0]), int(held[-1])
        edges = edges[first - 1 : last + 1]
        counts = np.append(counts[:1], counts[first : last + 1])
        return cls(_bounded(dataclasses.replace(column, nullable=nullable), edges), edges, counts)

    @property
    def column(self) -> Column:
        return self._column

    def leaves(self, rows: pa.Table) -> Array:
        units = self.grid.units(rows[self._column.name])
        found = np.searchsorted(self.edges[1:-1], units.number, side="right") + 1
        return np.where(units.null | units.nan, 0, found)

    def values(self, leaves: Array, rng: np.random.Generator) -> pa.Array:
        null = leaves == 0
        leaf = np.where(null, 1, leaves)
        low, high, u = self.edges[leaf - 1], self.edges[leaf], rng.random(len(leaves))
        if self.edges.dtype.kind == "i":
            width = high - low
            number = low + np.minimum((u * width).astype(np.int64), width - 1)
        else:
            number = np.where(low == 0, 0.0, low + u * (high - low)).astype(self.grid.dtype)
        number = np.clip(number, *allowed_range(self.grid))
        return as_type(self.grid.values(Units.of(number, null)), self._column.arrow)


def _floor(spend: Spend) -> float:
    """What noise alone may make a count."""
    return SURE * spend.sigma + 0.5


def _grid(column: Column) -> Grid:
    codec = CODECS[column.kind]
    assert issubclass(codec, AxisCodec)
    return codec.grid(column)


def _first(grid: Grid) -> Array:
    """(l,) edges that do not depend on any row."""
    whole = grid.dtype.kind == "i"
    if grid.lower is not None and grid.upper is not None:
        low, high = grid.lower, grid.upper
        if whole:
            parts = min(STATED_PARTS, int(high) - int(low) + 1)
            return np.array([int(low) + (int(high) + 1 - int(low)) * i // parts for i in range(parts + 1)], np.int64)
        return np.unique(np.append(np.linspace(low, high, STATED_PARTS), np.nextafter(high, np.inf)))
    if whole:
        powers = [2**e for e in WHOLE_POWERS]
        return np.array([*(1 - power for power in reversed(powers[1:])), 0, *powers], np.int64)
    powers = [2.0**e for e in FLOAT_POWERS]
    return np.array([*(-power for power in reversed(powers)), 0.0, *powers])


def _cut(edges: Array, heavy: Array) -> tuple[Array, Array]:
    """Edges with the heavy cells (l,), null aside, cut; and the old leaf of each new leaf."""
    new, kin = [], [0]
    for leaf in range(1, len(edges)):
        low, high = edges[leaf - 1], edges[leaf]
        starts = _starts(low, high) if heavy[leaf] else [low]
        new += starts
        kin += [leaf] * len(starts)
    return np.array([*new, edges[-1]], edges.dtype), np.array(kin)


def _starts(low: Any, high: Any) -> list[Any]:
    """Where the parts of a cell begin; the cell of zero among floats stays whole."""
    if isinstance(low, np.integer):
        width, parts = int(high) - int(low), min(PARTS, int(high) - int(low))
        return [int(low) + width * i // parts for i in range(parts)]
    if low == 0 or not np.isfinite(high - low):
        return [low]
    return np.unique(np.linspace(low, high, PARTS, endpoint=False)).tolist()


def _agreeing(counts: Array, before: Array, kin: Array, sigma: float) -> Array:
    """Noisy counts (l,) of finer cells, made to add up to what the cells they were cut from hold."""
    found = before[kin]
    for whole in np.flatnonzero(np.bincount(kin) > 1):
        mine = kin == whole
        found[mine] = parts(counts[mine], float(before[whole]), sigma)
    return found


def _bounded(column: Column, edges: Array) -> Column:
    """The column with bounds where the user wrote none; they are those of cells, so they are open."""
    grid = _grid(column)
    if column.open_share is not None or grid.lower is not None or grid.upper is not None:
        return column
    low, high = np.clip([edges[0], edges[-1] - (edges.dtype.kind == "i")], *grid.limits)
    if isinstance(column, Datetime):
        text = [_moment(int(end), column) for end in (low, high)]
        return dataclasses.replace(column, lower=text[0], upper=text[1], open_share=0.0)
    assert isinstance(column, Numeric)
    return dataclasses.replace(column, lower=_number(low, column), upper=_number(high, column), open_share=0.0)


def _number(unit: Any, column: Numeric) -> int | float:
    if unit.dtype.kind == "f":
        return float(unit)
    if not column.decimals:
        return int(unit)
    return float(unit) / 10.0**column.decimals


def _moment(count: int, column: Datetime) -> str:
    type_ = tables.arrow_type(column.arrow)
    if pt.is_time(type_):
        return instants.to_clock(count, column.resolution)
    return instants.to_iso(count, column.resolution, pt.is_timestamp(type_) and bool(type_.tz))
