"""The codec of every column whose values lie on an axis: numbers and, through their ticks, dates."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.arrow import as_type
from synthvae.codecs.base import Block, BoolArray, Codec, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.bin_blocks import Ranks, bin_blocks
from synthvae.codecs.binning import Learned, learn_bins
from synthvae.codecs.bins import Bins
from synthvae.codecs.echoes import Axis
from synthvae.codecs.features import Scaling
from synthvae.codecs.grid import Grid, Units
from synthvae.codecs.within import Part, intervals
from synthvae.errors import ConditionError
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish


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
        return self.values(self._units(tokens, draw))

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        coarse, fine = self._part(wish).weights(wish.null)
        coarse = np.where(self.blocks[0].sampleable, coarse, 0.0)
        if not coarse.any():
            raise ConditionError(f"Column {self.column.name!r} {self._possible(wish)}.")
        return (coarse, fine) if self.bins.refined else (coarse,)

    def axis(self, values: pa.ChunkedArray) -> Axis:
        """The column with some of its values, as what may repeat another column or be repeated."""
        units = self._axis.units(values)
        return Axis(self._axis, self.bins, units, self.bins.encode(units))

    def drawn(self, tokens: IntArray, draw: Draw) -> Axis:
        """The same with values drawn from tokens."""
        within = None if draw.wish is None else self._part(draw.wish).intervals
        return Axis(self._axis, self.bins, self._units(tokens, draw), tokens, within)

    def _units(self, tokens: IntArray, draw: Draw) -> Units:
        part = self.bins if draw.wish is None else self._part(draw.wish)
        return part.decode(tokens, draw.uniforms)

    def _part(self, wish: Wish) -> Part:
        """The part of the axis that a wish allows; ConditionError where it names what is not on it."""
        try:
            return Part(self.bins, intervals(wish, self._axis), wish.any_value)
        except (ValueError, OverflowError) as error:
            raise ConditionError(f"Column {self.column.name!r} holds {self.column.arrow}: {error}.") from error

    def _possible(self, wish: Wish) -> str:
        """What a wish that leaves nothing might have asked for."""
        if wish.null and not wish.values:
            return "has no nulls, so it cannot be null"
        tokens = self.bins.representatives
        if not len(tokens):
            return "is always null, so it cannot have a value"
        wished = [float(self._axis.place(value)) for value in wish.stated] or [0.0]
        near = tokens[np.argsort(np.abs(tokens.astype(np.float64) - wished[0]), kind="stable")[:2]]
        shown = [self._shown(unit) for unit in (tokens[0], tokens[-1], *np.sort(near))]
        return (
            f"cannot be as wished: the model knows values from {shown[0]} to {shown[1]}; "
            f"nearest to what was asked: {', '.join(dict.fromkeys(shown[2:]))}"
        )

    def _shown(self, unit: Any) -> str:
        no = np.zeros(1, bool)
        return str(self.values(Units(np.array([unit], self._axis.dtype), no, no))[0].as_py())

    def values(self, units: Units) -> pa.Array:
        """Units (n,) as values of the column's Arrow type."""
        return as_type(self._axis.values(units), self.column.arrow)

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        grid = cls.grid(column)
        units = grid.units(values)
        try:
            inside = intervals(wish, grid).contains(units.number)
        except (ValueError, OverflowError) as error:
            raise ConditionError(f"Column {column.name!r} holds {column.arrow}: {error}.") from error
        return np.where(units.null, wish.null, np.where(units.nan, wish.any_value, inside))

    @property
    def listed(self) -> pa.Array | None:
        if self.bins.bins or self.bins.nan or not len(self.bins.atoms):
            return None
        none = np.zeros(len(self.bins.atoms), bool)
        return self._axis.values(Units(self.bins.atoms, none, none))

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        return self.bins.log_density(self.encode(values))

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
