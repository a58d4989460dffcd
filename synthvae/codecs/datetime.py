"""Dates and instants: whole ticks of the column's resolution, then exactly what numbers are."""

from __future__ import annotations

from synthvae.codecs.arrow import value_type
from synthvae.codecs.grid import Grid, WholeGrid, WrittenGrid
from synthvae.codecs.gridded import GriddedCodec
from synthvae.errors import SchemaError
from synthvae.schema.columns import Column, Datetime
from synthvae.schema.instants import STEP, nanoseconds, unit
from synthvae.schema.written import meaning


class DatetimeCodec(GriddedCodec):
    """Dates and instants <-> one block, or a coarse and a fine one; an aware column is counted in UTC."""

    @classmethod
    def grid(cls, column: Column) -> Grid:
        assert isinstance(column, Datetime)
        if column.resolution not in STEP:
            raise SchemaError(
                f"Column {column.name!r}: expected a resolution out of {', '.join(STEP)}. Got {column.resolution!r}."
            )
        if column.format is not None:
            inner = cls.grid(meaning(column))
            return WrittenGrid(inner.type, inner.lower, inner.upper, column, inner)
        type_ = value_type(column.arrow)
        stored = STEP[unit(type_)]
        tick = max(STEP[column.resolution], stored)
        lower = None if column.lower is None else -(-nanoseconds(column.lower) // tick)
        upper = None if column.upper is None else nanoseconds(column.upper) // tick
        return WholeGrid(type_, lower, upper, tick // stored)
