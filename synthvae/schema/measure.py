"""Columns in one common unit, so that they can be compared, added and written back exactly.

Whole numbers, decimals and floats that lie on a decimal grid become int64 counts of 10^-decimals; dates and instants
become int64 counts of a tick; floats without a grid stay floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from synthvae.errors import SchemaError
from synthvae.schema import instants
from synthvae.schema.columns import Categorical, Column, Datetime, Numeric
from synthvae.tables import arrow_type, plain

Array = np.ndarray[Any, Any]

LIMIT = 2**61  # counts stay this far from the end of int64, so that two of them can be added


@dataclass(frozen=True)
class Measure:
    """A unit: 10^-decimals of a number, or ``tick`` nanoseconds of a moment; neither: floats as they are."""

    decimals: int | None = None
    tick: int | None = None

    @classmethod
    def of(cls, columns: Sequence[Column], exact: bool = False) -> Measure:
        """The finest unit of the columns; ``exact`` also tells values apart that lie off a column's own grid.

        ValueError where numbers meet moments, or moments with a time zone those without.
        """
        if all(is_moment(column) for column in columns):
            if len({has_zone(column) for column in columns}) > 1:
                raise ValueError("moments with a time zone cannot be compared with those without")
            return cls(tick=min(_stored(column) if exact else _tick(column) for column in columns))
        if not all(is_number(column) for column in columns):
            raise ValueError("expected numbers only, or dates only, and none of them written as text")
        grids = [decimals_of(column) for column in columns]
        known = [grid for grid in grids if grid is not None]
        if len(known) < len(grids):
            return cls()
        return cls(decimals=max(0, *known) if exact else max(known))

    @property
    def whole(self) -> bool:
        """Whether values are counted in int64."""
        return self.decimals is not None or self.tick is not None

    def read(self, values: pa.ChunkedArray) -> tuple[Array, Array]:
        """Values (n,) -> numbers (n,) int64 or float64, 0 where there is none, and whether there is one (n,).

        SchemaError where whole numbers are too large to be added.
        """
        bare = plain(values)
        array = bare.chunk(0) if bare.num_chunks == 1 else bare.combine_chunks()
        known = np.asarray(array.is_valid().to_numpy(zero_copy_only=False))
        if self.tick is not None:
            return self._moments(array), known
        if pt.is_decimal(array.type) and self.decimals is not None:
            return np.where(known, _counts(array, self.decimals), 0), known
        if pt.is_integer(array.type) and self.decimals is not None:
            counts = array.cast(pa.int64()).fill_null(0).to_numpy()
            if len(counts) and max(int(counts.max()), -int(counts.min())) > LIMIT // 10 ** max(self.decimals, 0):
                raise SchemaError(
                    "Expected whole numbers below 2^61 (in the unit of the finest column) where a constraint compares "
                    "or adds columns. Received: larger ones; drop the constraint."
                )
            return _scaled(counts, self.decimals), known
        number = np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
        known &= ~np.isnan(number)
        number = np.where(known, number, 0.0)
        return (number, known) if self.decimals is None else (_rounded(number, self.decimals), known)

    def write(self, number: Array, known: Array, column: Column, up: bool | None = None) -> pa.Array:
        """Numbers (n,) as values of the column, null where not ``known`` (n,).

        Numbers are brought to the column's own grid: to the next above (``up``), below (``up=False``), or the nearest.
        Beyond what the Arrow type holds they stop at its end. Dictionaries come back as their plain values.
        """
        type_ = plain_type(column)
        number = np.where(known, number, np.zeros(1, number.dtype))
        number = _on_grid(number, self._grain(column), up) if self.whole else number
        if self.tick is not None:
            return self._as_moments(number, known, type_)
        if pt.is_decimal(type_):
            return _decimals(number, known, type_, self.decimals)
        if pt.is_integer(type_):
            counts = number if self.decimals is None else _scaled(number, -self.decimals)
            info = np.iinfo(type_.to_pandas_dtype())
            whole = np.clip(np.rint(counts), max(info.min, -LIMIT), min(int(info.max), LIMIT)).astype(np.int64)
            return pa.array(whole, mask=~known).cast(type_)
        return pa.array(self.plain(number), mask=~known, from_pandas=False).cast(type_, safe=False)

    def plain(self, number: Array) -> Array:
        """Numbers (n,) of this unit as float64."""
        number = number.astype(np.float64)
        if self.decimals is None:
            return number
        # dividing by a power of ten is correctly rounded, multiplying by its inverse is not
        return number / 10.0**self.decimals if self.decimals >= 0 else number * 10.0**-self.decimals

    def count(self, value: object) -> int | float:
        """One value, as JSON holds it, in this unit; ValueError where it is of another kind."""
        if self.tick is not None:
            if not isinstance(value, str):
                raise ValueError(f"expected ISO 8601 text, received {value!r}")
            return instants.nanoseconds(value) // self.tick
        if isinstance(value, str | bool) or not isinstance(value, int | float):
            raise ValueError(f"expected a number, received {value!r}")
        if self.decimals is None:
            return float(value)
        return int((Decimal(repr(value)).scaleb(self.decimals)).to_integral_value())

    def bounds(self, column: Column) -> tuple[int | float | None, int | float | None]:
        """The column's bounds in this unit."""
        if not isinstance(column, Numeric | Datetime):
            return None, None
        lower, upper = (None if bound is None else self.count(bound) for bound in (column.lower, column.upper))
        return lower, upper

    def _grain(self, column: Column) -> int:
        """The column's own grid in this unit."""
        if self.tick is not None:
            return max(_tick(column) // self.tick, 1) if isinstance(column, Datetime) else 1
        own = decimals_of(column)
        return 1 if own is None or self.decimals is None else int(10 ** max(self.decimals - own, 0))

    def _moments(self, array: pa.Array) -> Array:
        assert self.tick is not None
        stored = instants.STEP[instants.unit(array.type)]
        counts = instants.counts(pa.chunked_array([array])).combine_chunks().fill_null(0).to_numpy()
        if stored < self.tick:
            return np.asarray(counts // (self.tick // stored))
        factor = stored // self.tick
        return np.asarray(np.clip(counts, -LIMIT // factor, LIMIT // factor) * factor)

    def _as_moments(self, number: Array, known: Array, type_: pa.DataType) -> pa.Array:
        assert self.tick is not None
        stored = instants.STEP[instants.unit(type_)]
        if stored < self.tick:
            factor = self.tick // stored
            counts = np.clip(number, -LIMIT // factor, LIMIT // factor) * factor
        else:
            counts = number // (stored // self.tick)
        width = np.iinfo(np.int32 if type_.bit_width == 32 else np.int64)
        array = pa.array(np.clip(counts, width.min + 1, width.max), mask=~known)
        return (array.cast(pa.int32()) if type_.bit_width == 32 else array).view(type_)


def is_number(column: Column) -> bool:
    """Whether a column holds numbers: a quantity, or a category whose levels are numbers; not as text, no durations."""
    if isinstance(column, Categorical):
        return bool(column.levels) and not any(isinstance(level, str) for level in column.levels)
    return isinstance(column, Numeric) and column.format is None and not pt.is_duration(plain_type(column))


def is_moment(column: Column) -> bool:
    """Whether a column holds dates or instants; not as text, no times of day."""
    return isinstance(column, Datetime) and column.format is None and not pt.is_time(plain_type(column))


def decimals_of(column: Column) -> int | None:
    """The decimal grid of a column of numbers; None where it has none."""
    type_ = plain_type(column)
    own = column.decimals if isinstance(column, Numeric) else None
    if pt.is_decimal(type_):
        return type_.scale if own is None else min(own, type_.scale)
    if pt.is_integer(type_):
        return min(own or 0, 0)
    if isinstance(column, Categorical):
        return max((-int(Decimal(repr(level)).normalize().as_tuple().exponent) for level in column.levels), default=0)
    return own


def plain_type(column: Column) -> pa.DataType:
    """The Arrow type of the column's values in the layout every kernel knows."""
    return plain(pa.chunked_array([], arrow_type(column.arrow))).type


def has_zone(column: Column) -> bool:
    """Whether a column of moments carries a time zone."""
    type_ = plain_type(column)
    return bool(pt.is_timestamp(type_) and type_.tz)


def _stored(column: Column) -> int:
    return instants.STEP[instants.unit(plain_type(column))]


def _tick(column: Column) -> int:
    assert isinstance(column, Datetime)
    return max(instants.STEP[column.resolution], _stored(column))


def _counts(array: pa.Array, decimals: int) -> Array:
    """Arrow decimals as int64 counts, through their 128-bit integers."""
    wide = array.cast(pa.decimal128(38, decimals), safe=False)
    words = np.frombuffer(wide.buffers()[1], np.int64)[2 * wide.offset : 2 * (wide.offset + len(wide))]
    return np.clip(words[0::2], -LIMIT, LIMIT)


def _decimals(number: Array, known: Array, type_: pa.DataType, decimals: int | None) -> pa.Array:
    if decimals is None:
        decimals, number = type_.scale, _rounded(number, type_.scale)
    words = np.ascontiguousarray(np.stack([number, number >> 63], axis=1))
    valid = pa.array(known).buffers()[1]
    wide = pa.Array.from_buffers(pa.decimal128(38, decimals), len(words), [valid, pa.py_buffer(words)])
    most = 10 ** min(type_.precision - type_.scale + decimals, 18) - 1
    if len(number) and np.abs(number).max() > most:
        return _decimals(np.clip(number, -most, most), known, type_, decimals)
    return wide.cast(type_, safe=False)


def _scaled(number: Array, decimals: int) -> Array:
    """Whole numbers times 10^decimals: floored where that cuts digits off, held within LIMIT."""
    if decimals >= 0:
        factor = 10 ** min(decimals, 18)
        return np.asarray(np.clip(number, -LIMIT // factor, LIMIT // factor) * factor)
    return np.asarray(number // 10 ** min(-decimals, 18))


def _rounded(number: Array, decimals: int) -> Array:
    with np.errstate(over="ignore"):  # the clip brings it back
        number = number * 10.0**decimals if decimals >= 0 else number / 10.0**-decimals
    return np.rint(np.clip(number, -float(LIMIT), float(LIMIT))).astype(np.int64)


def _on_grid(number: Array, grain: int, up: bool | None) -> Array:
    if grain == 1:
        return number
    if up is None:
        return np.asarray((number + grain // 2) // grain * grain)
    return np.asarray(-(-number // grain) * grain if up else number // grain * grain)
