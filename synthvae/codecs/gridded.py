"""The codec of every column whose values lie on an axis: numbers and, through their ticks, dates."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.arrow import as_type
from synthvae.codecs.base import Block, Codec, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.bin_blocks import Ranks, bin_blocks
from synthvae.codecs.binning import Learned, learn_bins
from synthvae.codecs.bins import Bins
from synthvae.codecs.echoes import Axis
from synthvae.codecs.features import Scaling
from synthvae.codecs.grid import Grid, Units
from synthvae.schema.columns import Column


class GriddedCodec(Codec):
    """Abstract: a column kind fills in its ``grid``."""

    def __init__(self, column: Column, bins: Bins, ranks: Ranks, scaling: Scaling, report: FitReport) -> None:
        self.column = column
        self.bins = bins
        self._axis = self.grid(column)
        self._ranks = ranks
        self._scaling = scaling
        self._report = report
        self._blocks = bin_blocks(bins, ranks, scaling, column.nullable)

    @classmethod
    @abstractmethod
    def grid(cls, column: Column) -> Grid:
        """The axis the column's values lie on."""

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        grid = cls.grid(column)
        learned = learn_bins(grid.units(values), grid, min_count)
        scaling = _scaling(learned, min_count)
        return cls(column, learned.bins, Ranks.of(learned.bins, learned.ordered), scaling, _report(learned))

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
        """The column with some of its values, as what may repeat another column or be repeated."""
        units = self._axis.units(values)
        return Axis(self._axis, self.bins, units, self.bins.encode(units))

    def drawn(self, tokens: IntArray, draw: Draw) -> Axis:
        """The same with values drawn from tokens."""
        return Axis(self._axis, self.bins, self.bins.decode(tokens, draw.uniforms), tokens)

    def values(self, units: Units) -> pa.Array:
        """Units (n,) as values of the column's Arrow type."""
        return as_type(self._axis.values(units), self.column.arrow)

    def state(self) -> State:
        facts = {
            "nan": self.bins.nan,
            "scaling": self._scaling.as_dict(),
            "folded_rows": self._report.folded_rows,
            "notes": list(self._report.notes),
        }
        arrays = {
            "atoms": self.bins.atoms,
            "edges": self.bins.edges,
            "first": self.bins.first,
            "atom_ranks": self._ranks.atoms,
            "edge_ranks": self._ranks.edges,
        }
        return facts, arrays

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        facts, arrays = state
        bins = Bins(arrays["atoms"], arrays["edges"], arrays["first"], bool(facts["nan"]))
        ranks = Ranks(arrays["atom_ranks"], arrays["edge_ranks"])
        report = FitReport(facts["folded_rows"], tuple(facts["notes"]))
        return cls(column, bins, ranks, Scaling(**facts["scaling"]), report)


def _scaling(learned: Learned, min_count: int) -> Scaling:
    """Centre and spread of the values, those beyond the outermost tokens moved to them."""
    ends = np.concatenate([learned.bins.atoms, learned.bins.edges])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return Scaling()
    values = np.clip(learned.ordered, ends.min(), ends.max()).astype(np.float64)
    return Scaling.of(values, np.ones(len(values)), _typical_size(values, min_count))


def _typical_size(values: FloatArray, min_count: int) -> float:
    """The mean of the ``min_count`` middle ones among the sizes of values other than 0; 1 where there are too few."""
    sizes = np.abs(values[values != 0])
    if len(sizes) < min_count:
        return 1.0
    start = (len(sizes) - min_count) // 2
    middle = range(start, start + min_count)
    return float((np.partition(sizes, middle)[start : start + min_count] / min_count).sum())


def _report(learned: Learned) -> FitReport:
    notes = []
    if learned.folded:
        tokens = len(learned.bins.atoms) + learned.bins.bins
        notes.append(
            f"rows with values too rare to be kept: {learned.folded}; they count as "
            + ("the nearest kept value" if tokens else "null")
        )
    if learned.lost_nan:
        notes.append(f"rows with NaN, too few to be kept: {learned.lost_nan}; they count as null")
    return FitReport(learned.folded + learned.lost_nan, tuple(notes))
