"""The codec of every column whose values lie on an axis, and what lets such columns repeat one another."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import pyarrow as pa

from synthvae.codecs.arrow import as_type
from synthvae.codecs.base import Block, Codec, Draw, FitReport, IntArray, State
from synthvae.codecs.bins import Bins
from synthvae.codecs.echoes import Axis
from synthvae.codecs.grid import Grid, Units
from synthvae.codecs.line import Line
from synthvae.schema.columns import Column


class AxisCodec(Codec):
    """Abstract: a codec whose column may repeat another one on the same axis, or be repeated."""

    @property
    @abstractmethod
    def bins(self) -> Bins:
        """The tokens of its first block, or its first two."""

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

    def __init__(self, column: Column, line: Line, report: FitReport) -> None:
        self.column = column
        self._line = line
        self._axis = self.grid(column)
        self._report = report
        self._blocks = line.blocks(column.nullable)

    @classmethod
    @abstractmethod
    def grid(cls, column: Column) -> Grid:
        """The axis the column's values lie on."""

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        grid = cls.grid(column)
        return cls(column, *Line.learn(grid.units(values), grid, min_count))

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
        return self.values(self.bins.decode(tokens, draw.uniforms))

    def axis(self, values: pa.ChunkedArray) -> Axis:
        units = self._axis.units(values)
        return Axis(self._axis, self.bins, units, self.bins.encode(units))

    def drawn(self, tokens: IntArray, draw: Draw) -> Axis:
        return Axis(self._axis, self.bins, self.bins.decode(tokens, draw.uniforms), tokens)

    def values(self, units: Units) -> pa.Array:
        return as_type(self._axis.values(units), self.column.arrow)

    def state(self) -> State:
        facts, arrays = self._line.state()
        return facts | {"folded_rows": self._report.folded_rows, "notes": list(self._report.notes)}, arrays

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        facts, arrays = state
        return cls(column, Line.from_state(facts, arrays), FitReport(facts["folded_rows"], tuple(facts["notes"])))
