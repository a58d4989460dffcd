"""Dates, instants and times of day: whole ticks of the column's resolution, then what numbers are, under a calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.arrow import as_type, value_type
from synthvae.codecs.base import Block, BoolArray, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.bins import Bins
from synthvae.codecs.calendar import Calendar, Days
from synthvae.codecs.clock import Clock
from synthvae.codecs.echoes import Axis
from synthvae.codecs.grid import Grid, Units, WholeGrid, WrittenGrid
from synthvae.codecs.gridded import AxisCodec, met, part_of, possible
from synthvae.codecs.line import Line
from synthvae.codecs.noise import halves
from synthvae.codecs.within import Intervals, Part
from synthvae.errors import ConditionError, SchemaError
from synthvae.schema.columns import Column, Datetime
from synthvae.schema.conditions import Wish
from synthvae.schema.instants import STEP, nanoseconds, unit
from synthvae.schema.written import meaning

MIN_DAYS = 7  # on which rows lie: fewer are one stretch of time, not a calendar


@dataclass(frozen=True, eq=False)
class Learned:
    """line: the days, or the ticks where there is no calendar; clock: the time of day, where there is one."""

    line: Line
    calendar: Calendar | None = None
    clock: Clock | None = None


class DatetimeCodec(AxisCodec):
    """Moments <-> the day (a block, or a coarse and a fine one) and the time of day (one block).

    Dates have no time of day; times of day, and instants so dense that steps of them are narrower than an hour, are
    ticks without a calendar: day and hour in one token are learned together sooner. An aware column is counted in UTC.
    """

    def __init__(self, column: Column, learned: Learned, report: FitReport) -> None:
        assert isinstance(column, Datetime)
        self.column = column
        self._learned = learned
        self._report = report
        self._grid = grid_of(column)
        self._axis = _told(self._grid, "days") if learned.clock else self._grid
        calendar = learned.calendar
        self._days = None if calendar is None else Days(learned.line.bins, calendar)
        own = learned.line.blocks(column.nullable)
        own = own if self._days is None else self._days.blocks(own)
        clock_gaps = column.nullable or column.marker is not None
        self._blocks = own if learned.clock is None else (*own, learned.clock.block(clock_gaps))

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        assert isinstance(column, Datetime)
        grid, per_day = grid_of(column), _ticks_per_day(column)
        units = grid.units(values)
        days = None if per_day is None else replace(units, number=units.number // per_day)
        line, report = Line.learn(units, grid, min_count)
        if days is None or per_day is None or len(np.unique(days.number[~(days.null | days.nan)])) < MIN_DAYS:
            return cls(column, Learned(line), report)
        if per_day > 1 and not _blurs_hours(line.bins, per_day):
            return cls(column, Learned(line), report)
        line, report = Line.learn(days, _day_grid(grid, per_day), min_count)
        known = ~(days.null | days.nan)
        calendar = Calendar.of(days.number[known], line.bins, min_count) if Calendar.spans(line.bins) else None
        clock = Clock.learn(units, per_day, min_count) if per_day > 1 else None
        return cls(column, Learned(line, calendar, clock), report)

    @classmethod
    def grid(cls, column: Column) -> Grid:
        """The axis the column's values lie on: its ticks."""
        assert isinstance(column, Datetime)
        return grid_of(column)

    @property
    def bins(self) -> Bins:
        return self._learned.line.bins

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self._blocks

    @property
    def report(self) -> FitReport:
        return self._report

    def encode(self, values: pa.ChunkedArray) -> IntArray:
        units = self._grid.units(values)
        tokens, clock = self._first_tokens(units), self._learned.clock
        return tokens if clock is None else np.concatenate([tokens, clock.encode(units)], axis=1)

    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        return self.values(self._drawn(tokens, draw))

    def in_bins(self, values: pa.ChunkedArray) -> Units:
        return self._in_bins(self._grid.units(values))

    def axis(self, values: pa.ChunkedArray) -> Axis:
        units = self._grid.units(values)
        return Axis(self._axis, self.bins, units, self._first_tokens(units))

    def drawn(self, tokens: IntArray, draw: Draw) -> Axis:
        within = self._part(draw.wish).intervals if draw.wish is not None and self.exact else None
        return Axis(
            self._axis, self.bins, self._drawn(tokens, draw), tokens[:, : 2 if self.bins.refined else 1], within
        )

    @property
    def exact(self) -> bool:
        return self._days is None and self._learned.clock is None

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        coarse, fine = self._part(wish).weights(wish.null)
        if not self.exact:  # which day or time outside a step is drawn and checked, so a step may be as a whole
            coarse, fine = np.ceil(coarse), np.ceil(fine)
        coarse = np.where(self._blocks[0].sampleable, coarse, 0.0)
        if not coarse.any():
            raise ConditionError(f"Column {self.column.name!r} {possible(self, self._grid, wish)}.")
        own = (coarse, fine) if self.bins.refined else (coarse,)
        return own if self._learned.clock is None else (*own, np.ones(self._blocks[-1].size))

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        return met(wish, cls.grid(column), values, column)

    @property
    def listed(self) -> pa.Array | None:
        return None

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        tokens, clock = self.encode(values), self._learned.clock
        outside = -self.beyond(values)
        if clock is None:
            return outside + self.bins.log_density(tokens)
        return outside + self.bins.log_density(tokens[:, :-1]) + clock.line.bins.log_density(tokens[:, -1:])

    def _part(self, wish: Wish) -> Part:
        """What a wish allows of the days, or of the ticks where there is no time of day."""
        part, clock = part_of(wish, self.bins, self._grid, self.column), self._learned.clock
        if clock is None:
            return part
        ends = zip(part.intervals.low // clock.per_day, part.intervals.high // clock.per_day, strict=True)
        return Part(self.bins, Intervals.of(list(ends), part.intervals.low.dtype), wish.any_value)

    def values(self, units: Units) -> pa.Array:
        return as_type(self._grid.values(units), self.column.arrow)

    def state(self) -> State:
        facts, arrays = self._learned.line.state()
        facts |= {"folded_rows": self._report.folded_rows, "notes": list(self._report.notes)}
        if self._learned.calendar is not None:
            facts |= {"calendar": True}
            arrays |= self._learned.calendar.arrays()
        if self._learned.clock is not None:
            facts["clock"], times = self._learned.clock.state()
            arrays |= times
        return facts, arrays

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        facts, arrays = state
        kept = [arrays[name] for name in ("weekdays", "monthdays", "months")] if facts.get("calendar") else []
        clock = Clock.from_state(facts["clock"], arrays) if "clock" in facts else None
        learned = Learned(Line.from_state(facts, arrays), Calendar(*kept) if kept else None, clock)
        return cls(column, learned, FitReport(facts["folded_rows"], tuple(facts["notes"])))

    def _first_tokens(self, units: Units) -> IntArray:
        return self.bins.encode(self._in_bins(units))

    def _in_bins(self, units: Units) -> Units:
        clock = self._learned.clock
        return units if clock is None else replace(units, number=units.number // clock.per_day)

    def _drawn(self, tokens: IntArray, draw: Draw) -> Units:
        clock = self._learned.clock
        if draw.wish is not None and self.exact:
            return self._part(draw.wish).decode(tokens, draw.uniforms)
        if clock is None:
            return self._day(tokens, draw.uniforms)
        one, other = halves(draw.uniforms)
        days = self._day(tokens[:, :-1], one)
        lower, upper = _bounds(self._grid)
        return replace(days, number=clock.at(days.number, tokens[:, -1:], other, lower, upper))

    def _day(self, tokens: IntArray, uniforms: Any) -> Units:
        return self.bins.decode(tokens, uniforms) if self._days is None else self._days.decode(tokens, uniforms)


def _blurs_hours(bins: Bins, per_day: int) -> bool:
    """Whether most steps of the ticks are wider than an hour, so that a draw outside them forgets the time of day."""
    return bins.steps > 0 and float(np.median(np.diff(bins.edges))) > per_day / 24


def grid_of(column: Datetime) -> Grid:
    """The column's ticks."""
    if column.format is not None:
        meant = meaning(column)
        assert isinstance(meant, Datetime)
        inner = grid_of(meant)
        return WrittenGrid(inner.type, inner.lower, inner.upper, column, inner)
    if column.resolution not in STEP:
        raise SchemaError(
            f"Column {column.name!r}: expected a resolution out of {', '.join(STEP)}. Got {column.resolution!r}."
        )
    type_ = value_type(column.arrow)
    stored = STEP[unit(type_)]
    tick = max(STEP[column.resolution], stored)
    lower = None if column.lower is None else -(-nanoseconds(column.lower) // tick)
    upper = None if column.upper is None else nanoseconds(column.upper) // tick
    return WholeGrid(type_, lower, upper, tick // stored)


def _ticks_per_day(column: Datetime) -> int | None:
    """None for times of day, which have no days."""
    type_ = value_type(str(meaning(column).arrow))
    return None if pa.types.is_time(type_) else STEP["D"] // max(STEP[column.resolution], STEP[unit(type_)])


def _day_grid(grid: Grid, per_day: int) -> Grid:
    lower, upper = (None if end is None else int(end) // per_day for end in (grid.lower, grid.upper))
    low, high = (int(end) // per_day for end in grid.limits)
    return WholeGrid(pa.int64(), low if lower is None else lower, high if upper is None else upper, 1)


def _told(grid: Grid, tokens: str) -> Grid:
    """The grid, told apart from those whose tokens stand for something else."""
    if isinstance(grid, WrittenGrid):
        return replace(grid, inner=_told(grid.inner, tokens))
    assert isinstance(grid, WholeGrid)
    return replace(grid, tokens=tokens)


def _bounds(grid: Grid) -> tuple[int, int]:
    low, high = grid.limits
    return int(low if grid.lower is None else grid.lower), int(high if grid.upper is None else grid.upper)
