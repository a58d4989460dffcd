"""Numbers: atoms for what is frequent, quantile bins for the rest, exact on the column's grid."""

from __future__ import annotations

import pyarrow as pa

from synthvae.codecs.arrow import value_type
from synthvae.codecs.grid import DecimalGrid, FloatGrid, Grid, RoundedGrid, WholeGrid, WrittenGrid, bound_in_units
from synthvae.codecs.gridded import GriddedCodec
from synthvae.schema.columns import Column, Numeric
from synthvae.schema.written import meaning


class NumericCodec(GriddedCodec):
    """Numbers <-> one block, or a coarse and a fine one.

    Draws lie inside the schema's bounds (truncated, never clipped) and on its grid of ``decimals``.
    """

    @classmethod
    def grid(cls, column: Column) -> Grid:
        assert isinstance(column, Numeric)
        if column.format is not None:
            return _written(column)
        type_ = value_type(column.arrow)
        if pa.types.is_floating(type_) and column.decimals is None:
            return FloatGrid(type_, _finite(column.lower), _finite(column.upper))
        if pa.types.is_floating(type_):
            return RoundedGrid(type_, *_bounds(column, column.decimals or 0), column.decimals or 0)
        if pa.types.is_decimal(type_):
            decimals = type_.scale if column.decimals is None else min(column.decimals, type_.scale)
            return DecimalGrid(type_, *_bounds(column, decimals), decimals)
        decimals = min(column.decimals or 0, 0)  # whole numbers and durations
        return WholeGrid(type_, *_bounds(column, decimals), 10**-decimals)


def _written(column: Numeric) -> Grid:
    inner = NumericCodec.grid(meaning(column))
    return WrittenGrid(inner.type, inner.lower, inner.upper, column, inner)


def _bounds(column: Numeric, decimals: int) -> tuple[int | None, int | None]:
    return bound_in_units(column.lower, decimals, up=True), bound_in_units(column.upper, decimals, up=False)


def _finite(bound: int | float | None) -> float | None:
    return None if bound is None or bound in (float("inf"), float("-inf")) else float(bound)
