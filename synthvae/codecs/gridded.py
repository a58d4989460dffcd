"""The codec of every column whose values lie on an axis, and what lets such columns repeat one another."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.arrow import as_type
from synthvae.codecs.base import Block, BoolArray, Codec, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.bins import Bins
from synthvae.codecs.echoes import Axis
from synthvae.codecs.grid import Grid, Units
from synthvae.codecs.line import Line
from synthvae.codecs.step_law import StepLaw
from synthvae.codecs.within import Part, intervals
from synthvae.errors import ConditionError
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish


class AxisCodec(Codec):
    """Abstract: a codec whose column may repeat another one on the same axis, or be repeated."""

    column: Column

    @property
    @abstractmethod
    def bins(self) -> Bins:
        """The tokens of its first block, or its first two."""

    @classmethod
    @abstractmethod
    def grid(cls, column: Column) -> Grid:
        """The axis the column's values lie on."""

    @abstractmethod
    def in_bins(self, values: pa.ChunkedArray) -> Units:
        """Values (n,) in the unit of ``bins``."""

    def beyond(self, values: pa.ChunkedArray) -> FloatArray:
        return self.bins.beyond(self.in_bins(values))

    @abstractmethod
    def axis(self, values: pa.ChunkedArray) -> Axis:
        """The column with some of its values, as what may repeat another column or be repeated."""

    @abstractmethod
    def drawn(self, tokens: IntArray, draw: Draw) -> Axis:
        """The same with values drawn from tokens."""

    @abstractmethod
    def values(self, units: Units) -> pa.Array:
        """Units (n,) as values of the column's Arrow type."""


class GriddedCodec(AxisCodec):
    """Abstract: a column kind fills in its ``grid``."""

    def __init__(self, column: Column, line: Line, law: StepLaw, report: FitReport) -> None:
        self.column = column
        self._line = line
        self._law = law
        self._axis = self.grid(column)
        self._report = report
        self._blocks = line.blocks(column.nullable)

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        grid = cls.grid(column)
        units = grid.units(values)
        line, report = Line.learn(units, grid, min_count)
        return cls(column, line, StepLaw.learn(line.bins, units, min_count), report)

    @property
    def bins(self) -> Bins:
        return self._line.bins

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self._blocks

    @property
    def report(self) -> FitReport:
        return self._report

    def encode(self, values: pa.ChunkedArray) -> IntArray:
        return self.bins.encode(self._axis.units(values))

    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        return self.values(self._units(tokens, draw))

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        part = self._part(wish)
        coarse, fine = part.weights(wish.null, self._law.shares(part))
        coarse = np.where(self.blocks[0].sampleable, coarse, 0.0)
        if not coarse.any():
            raise ConditionError(f"Column {self.column.name!r} {possible(self, self._axis, wish)}.")
        return (coarse, fine) if self.bins.refined else (coarse,)

    def in_bins(self, values: pa.ChunkedArray) -> Units:
        return self._axis.units(values)

    def axis(self, values: pa.ChunkedArray) -> Axis:
        units = self._axis.units(values)
        return Axis(self._axis, self.bins, units, self.bins.encode(units))

    def drawn(self, tokens: IntArray, draw: Draw) -> Axis:
        within = None if draw.wish is None else self._part(draw.wish).intervals
        return Axis(self._axis, self.bins, self._units(tokens, draw), tokens, within)

    def _units(self, tokens: IntArray, draw: Draw) -> Units:
        return self._law.draw(tokens, draw.uniforms, None if draw.wish is None else self._part(draw.wish))

    def _part(self, wish: Wish) -> Part:
        return part_of(wish, self.bins, self._axis, self.column)

    def values(self, units: Units) -> pa.Array:
        return as_type(self._axis.values(units), self.column.arrow)

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        return met(wish, cls.grid(column), values, column)

    @property
    def listed(self) -> pa.Array | None:
        if self.bins.bins or self.bins.nan or not len(self.bins.atoms):
            return None
        return self._axis.values(Units.of(self.bins.atoms))

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        units = self._axis.units(values)
        tokens = self.bins.encode(units)
        return self._law.log_density(units, tokens) - self.bins.beyond(units)

    def state(self) -> State:
        facts, arrays = self._line.state()
        report = {"folded_rows": self._report.folded_rows, "notes": list(self._report.notes)}
        return facts | report, arrays | self._law.state()

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        facts, arrays = state
        report = FitReport(facts["folded_rows"], tuple(facts["notes"]))
        line = Line.from_state(facts, arrays)
        return cls(column, line, StepLaw.from_state(line.bins, arrays), report)


def part_of(wish: Wish, bins: Bins, grid: Grid, column: Column) -> Part:
    """The part of an axis that a wish allows; ConditionError where it names what is not on it."""
    try:
        return Part(bins, intervals(wish, grid), wish.any_value)
    except (ValueError, OverflowError) as error:
        raise ConditionError(f"Column {column.name!r} holds {column.arrow}: {error}.") from error


def met(wish: Wish, grid: Grid, values: pa.ChunkedArray, column: Column) -> BoolArray:
    """(n,) which values of a column on an axis are as wished."""
    units = grid.units(values)
    try:
        inside = intervals(wish, grid).contains(units.number)
    except (ValueError, OverflowError) as error:
        raise ConditionError(f"Column {column.name!r} holds {column.arrow}: {error}.") from error
    return np.where(units.null, wish.null, np.where(units.nan, wish.any_value, inside))


def possible(codec: AxisCodec, grid: Grid, wish: Wish) -> str:
    """What a wish that leaves nothing might have asked for; grid: of the codec's bins."""
    if wish.null and not wish.values:
        return "has no nulls, so it cannot be null"
    known = codec.bins.representatives
    if not len(known):
        return "is always null, so it cannot have a value"
    wished = [float(grid.place(value)) for value in wish.stated] or [0.0]
    near = known[np.argmin(np.abs(known.astype(np.float64) - wished[0]))]
    first, last, nearest = codec.values(Units.of(np.array([known[0], known[-1], near], grid.dtype))).to_pylist()
    return f"cannot be as wished: the model knows values from {first} to {last}; nearest to what was asked: {nearest}"
