"""One column on every side, as the arrays that counting needs: codes and cuts are those of the real side for all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.evaluation.sides import Sides
from synthvae.schema.columns import Column, Scale
from synthvae.schema.instants import counts

Array = np.ndarray[Any, Any]

REAL = "real"
WIDTHS = 10  # equal widths, as in SDMetrics, so that figures can be set beside published ones
RANKS = 10  # bins of equal rank where association is measured: skewed columns fill them all
HIGHEST = 960  # power of two that no number exceeds here: sums of any table's rows, and ranges, stay below 2^1024
NAMED = 15  # levels that stay apart there; the others are one


@dataclass(frozen=True, eq=False)
class Cells:
    """A column of the schema on all sides, n rows each."""

    column: Column
    parts: Mapping[str, pa.ChunkedArray]

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def continuous(self) -> bool:
        return self.column.scale is Scale.CONTINUOUS

    @cached_property
    def missing(self) -> Mapping[str, Array]:
        """Per side (n,) where a value is null."""
        return {side: np.asarray(pc.is_null(values).to_numpy()) for side, values in self.parts.items()}

    @cached_property
    def unit(self) -> float:
        """What the numbers are counted in: 1, or a power of two where they come near the largest there are."""
        if not self.continuous or not pt.is_floating(self.parts[REAL].type):
            return 1.0
        ends = [end.as_py() for values in self.parts.values() for end in pc.min_max(values).values()]
        furthest = max((abs(end) for end in ends if end is not None and math.isfinite(end)), default=0.0)
        return 2.0 ** max(math.frexp(furthest)[1] - HIGHEST, 0)

    def numbers(self, side: str) -> Array:
        """(n,) values of a continuous column in its ``unit``, instants as whole numbers of theirs; missing is 0."""
        values = self.parts[side]
        if pt.is_temporal(values.type):
            values = counts(values)
        elif pt.is_decimal(values.type) or pt.is_null(values.type):
            values = values.cast(pa.float64())
        numbers = np.asarray(pc.fill_null(values, pa.scalar(0, values.type)).to_numpy())
        return numbers if self.unit == 1 else np.asarray(numbers / self.unit)

    def known(self, side: str) -> Array:
        """The values of a continuous column that are not null."""
        numbers, missing = self.numbers(side), self.missing[side]
        return numbers[~missing] if missing.any() else numbers

    @cached_property
    def ordered(self) -> Array:
        """The real values of a continuous column that are not null, ascending."""
        return np.sort(self.known(REAL))

    @cached_property
    def scaled(self) -> Mapping[str, Array]:
        """Per side (n,) float64 numbers of mean 0 and standard deviation 1; missing ones are 0, as is a constant."""
        made = {}
        for side, missing in self.missing.items():
            made[side] = np.zeros(len(missing))
            made[side][~missing] = standard(self.known(side).astype(np.float64))
        return made

    @cached_property
    def codes(self) -> Mapping[str, Array]:
        """Per side (n,) small integers: one per distinct value, or per bin of a number that any count asks for."""
        return self._binned if self.continuous else self._levels[0]

    @cached_property
    def size(self) -> int:
        """Codes there can be."""
        return len(self._edges[0]) + 2 if self.continuous else max(len(self._levels[1]), 1)

    @property
    def levels(self) -> pa.Array:
        """The value behind each code of a column that is not continuous; null may be one."""
        return self._levels[1]

    @cached_property
    def trend_of(self) -> Array:
        """(size,) the cell of each code in a pair's table: a level, or a tenth of the real range; null has its own."""
        return self._bins_in(0, WIDTHS) if self.continuous else np.arange(self.size)

    @property
    def trend_size(self) -> int:
        """Cells there can be in ``trend_of``."""
        return WIDTHS + 1 if self.continuous else self.size

    @cached_property
    def group_of(self) -> Array:
        """(size,) the group of each code for association: a rank bin or one of the commonest levels; null last."""
        return self._bins_in(1, RANKS) if self.continuous else self._ranking

    @property
    def group_size(self) -> int:
        """Codes there can be in ``groups``."""
        return RANKS + 1 if self.continuous else NAMED + 2

    @property
    def groups(self) -> Mapping[str, Array]:
        """Per side (n,) the group of each row."""
        return {side: self.group_of[codes] for side, codes in self.codes.items()}

    @cached_property
    def _edges(self) -> tuple[Array, Array, Array]:
        """All inner edges of a number, ascending; those of equal widths; those of equal ranks."""
        real = self.ordered.astype(np.float64)
        widths, ranks = width_edges(real), rank_edges(real, RANKS)
        return np.union1d(widths, ranks), widths, ranks

    @cached_property
    def _binned(self) -> Mapping[str, Array]:
        edges, made = self._edges[0], {}
        for side in self.parts:
            bins = np.searchsorted(edges, self.numbers(side).astype(np.float64), side="right").astype(np.int8)
            bins[self.missing[side]] = len(edges) + 1
            made[side] = bins
        return made

    def _bins_in(self, which: int, null: int) -> Array:
        """(size,) of every bin the wider one it lies in."""
        edges = self._edges
        begins = np.concatenate([[-np.inf], edges[0]])
        return np.append(np.searchsorted(edges[1 + which], begins, side="right"), null)

    @cached_property
    def _levels(self) -> tuple[Mapping[str, Array], pa.Array]:
        together = pa.chunked_array([chunk for part in self.parts.values() for chunk in part.chunks], self._type)
        encoded = together.combine_chunks().dictionary_encode(null_encoding="encode")
        ends = np.cumsum([len(part) for part in self.parts.values()])[:-1]
        indices = np.asarray(encoded.indices).astype(np.int32)
        return dict(zip(self.parts, np.split(indices, ends), strict=True)), encoded.dictionary

    @property
    def _type(self) -> pa.DataType:
        return self.parts[REAL].type

    @cached_property
    def _ranking(self) -> Array:
        """(size,) place among the real levels by rows, commonest first; ``NAMED`` for the rest, null behind."""
        counts = np.bincount(self.codes[REAL], minlength=self.size)
        null = np.asarray(pc.is_null(self.levels)) if len(self.levels) else np.ones(1, bool)
        counts[null] = 0
        table = np.full(self.size, NAMED)
        commonest = np.argsort(-counts, kind="stable")[:NAMED]
        table[commonest] = np.arange(len(commonest))
        table[counts == 0] = NAMED
        table[null] = NAMED + 1
        return table


def cells_of(sides: Sides) -> list[Cells]:
    """Every column of the schema, prepared once for all metrics."""
    tables = sides.tables
    made = [Cells(column, {side: table[column.name] for side, table in tables.items()}) for column in sides.schema]
    return sides.once("cells", lambda: made)


def comparable(sides: Sides) -> list[Cells]:
    """The columns whose values mean something: all but minted ones."""
    return [cells for cells in cells_of(sides) if cells.column.scale is not Scale.OPAQUE]


def standard(values: Array) -> Array:
    """The values (n,) less their mean, over their standard deviation; 0 where all are one."""
    if not len(values) or (low := values.min()) == (high := values.max()):
        return np.zeros(len(values))
    middle = low / 2 + high / 2
    values = (values - middle) / max(high - middle, middle - low)  # no square overflows or vanishes
    values -= values.mean()
    return np.asarray(values / np.sqrt(values @ values / len(values)))


def width_edges(real: Array) -> Array:
    """The inner edges that cut the range of the real values (n,), ascending, in ``WIDTHS`` equal widths."""
    if not real.size:
        return np.zeros(0)
    low, high = real[0], real[-1]
    margin = 0.5 if low == high else 0.0  # a constant sits in the middle, so that values on either side are told apart
    return np.asarray(np.linspace(low - margin, high + margin, WIDTHS + 1)[1:-1])


def rank_edges(real: Array, bins: int) -> Array:
    """At most ``bins`` - 1 different inner edges that cut real values (n,), ascending, in parts of about equal size.

    Cuts that fall together on a value many rows have are spent on the other values.
    """
    if not real.size:
        return np.zeros(0)
    edges = np.unique(real[len(real) * np.arange(1, bins) // bins])
    edges = edges[edges > real[0]]
    spare = bins - 1 - len(edges)
    if spare:
        ends = np.append(np.flatnonzero(np.diff(real)) + 1, len(real))
        counts = np.diff(ends, prepend=0)
        rest = np.repeat(real[ends - 1], np.where(counts * bins >= len(real), 0, counts))
        if rest.size:
            edges = np.union1d(edges, rest[len(rest) * np.arange(spare) // spare])
    return edges[edges > real[0]]
