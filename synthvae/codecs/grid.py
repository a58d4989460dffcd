"""A column's values as numbers on its grid: int64 wherever the values lie on one, floats only where they do not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, isfinite, log10
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs import exact
from synthvae.codecs.arrow import as_array, null_mask
from synthvae.codecs.base import BoolArray
from synthvae.schema.columns import Datetime, Numeric
from synthvae.schema.instants import STEP, unit
from synthvae.schema.written import meant, written
from synthvae.tables import forgiving, plain

NumberArray = np.ndarray[Any, np.dtype[Any]]

INT64_LIMIT = 2**63 - 1
# Floats on a grid stay this far from the end of int64, so that no rounding leaves it.
FLOAT_LIMIT = 2**62


@dataclass(frozen=True, eq=False)
class Units:
    """Values on a grid. number: (n,) int64 or float, 0 where there is none; null, nan: (n,) why there is none."""

    number: NumberArray
    null: BoolArray
    nan: BoolArray

    @classmethod
    def of(cls, number: NumberArray, null: BoolArray | None = None) -> Self:
        """Units (n,) of which none is NaN, and none null where no mask (n,) says which."""
        none = np.zeros(len(number), bool)
        return cls(number, none if null is None else null, none)


@dataclass(frozen=True)
class Grid(ABC):
    """The points a column's values may take. lower, upper: the schema's bounds in units, None where it has none."""

    type: pa.DataType
    lower: int | float | None
    upper: int | float | None

    @property
    @abstractmethod
    def axis(self) -> tuple[str, object]:
        """What a unit is: two columns whose axes are equal can hold the same value."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The numpy type of a unit."""

    @property
    @abstractmethod
    def limits(self) -> tuple[int | float, int | float]:
        """The smallest and the largest unit the Arrow type can hold."""

    @abstractmethod
    def units(self, values: pa.ChunkedArray) -> Units:
        """Values (n,) -> units."""

    @abstractmethod
    def values(self, units: Units) -> pa.Array:
        """Units -> values (n,) of the Arrow type."""

    @abstractmethod
    def place(self, value: Any) -> Fraction | float:
        """Where a value that a user wrote lies on the axis, perhaps between two units; ValueError where nowhere."""


@dataclass(frozen=True)
class WholeGrid(Grid):
    """Integers, moments and durations: every ``per``-th number of what Arrow stores; others are floored."""

    per: int
    tokens: str = ""  # what its tokens stand for where that is not the unit

    @property
    def axis(self) -> tuple[str, object]:
        if pa.types.is_integer(self.type):
            return "number", -round(log10(self.per))
        return str(self.type), (self.per, self.tokens)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    @property
    def limits(self) -> tuple[int, int]:
        low, high = _integer_range(self.type)
        return -(-low // self.per), high // self.per

    def units(self, values: pa.ChunkedArray) -> Units:
        array = as_array(values)
        if not pa.types.is_integer(self.type):
            array = array.view(pa.int32() if self.type.bit_width == 32 else pa.int64())
        number = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        return Units.of(number if self.per == 1 else number // self.per, null_mask(array))

    def values(self, units: Units) -> pa.Array:
        array = pa.array(units.number * self.per, mask=units.null)
        if pa.types.is_integer(self.type):
            return array.cast(self.type)
        return (array.cast(pa.int32()) if self.type.bit_width == 32 else array).view(self.type)

    def place(self, value: Any) -> Fraction:
        if pa.types.is_integer(self.type):
            return exact.number(value) / self.per
        read = exact.span if pa.types.is_duration(self.type) else exact.moment
        return Fraction(read(value), STEP[unit(self.type)] * self.per)


@dataclass(frozen=True)
class DecimalGrid(Grid):
    """Arrow decimals, through their 128-bit integers."""

    decimals: int

    @property
    def axis(self) -> tuple[str, object]:
        return "number", self.decimals

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    @property
    def limits(self) -> tuple[int, int]:
        largest = Fraction(10**self.type.precision - 1, 1) * Fraction(10) ** (self.decimals - self.type.scale)
        limit = min(INT64_LIMIT, floor(largest))
        return -limit, limit

    def units(self, values: pa.ChunkedArray) -> Units:
        # all the room there is: 9.99 may become 10
        wide = values.cast(pa.decimal128(38, self.type.scale))
        if self.decimals < self.type.scale:
            wide = forgiving(wide, lambda part: pc.round(part, ndigits=self.decimals, round_mode="half_to_even"))
        wide = as_array(wide).cast(pa.decimal128(38, self.decimals), safe=False)
        null = null_mask(wide)
        words = np.frombuffer(wide.buffers()[1], np.int64)[2 * wide.offset : 2 * (wide.offset + len(wide))]
        low, high = words[0::2], words[1::2]
        number = np.where(high == low >> 63, low, np.where(high < 0, -INT64_LIMIT, INT64_LIMIT))
        return Units.of(np.where(null, 0, number), null)

    def values(self, units: Units) -> pa.Array:
        words = np.stack([units.number, units.number >> 63], axis=1)
        valid = pa.array(~units.null).buffers()[1]
        wide = pa.Array.from_buffers(
            pa.decimal128(38, self.decimals), len(words), [valid, pa.py_buffer(np.ascontiguousarray(words))]
        )
        return wide.cast(self.type)

    def place(self, value: Any) -> Fraction:
        return exact.number(value) * Fraction(10) ** self.decimals


@dataclass(frozen=True)
class RoundedGrid(Grid):
    """Floats written with a fixed number of decimals: 0.1 comes back as the double that is written 0.1."""

    decimals: int

    @property
    def axis(self) -> tuple[str, object]:
        return "number", self.decimals

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    @property
    def limits(self) -> tuple[int, int]:
        largest = min(FLOAT_LIMIT, floor(Fraction(_float_max(self.type)) * Fraction(10) ** self.decimals))
        return -largest, largest

    def units(self, values: pa.ChunkedArray) -> Units:
        number, null, nan = _floats(values, np.dtype(np.float64))
        with np.errstate(over="ignore"):  # the clip below brings it back
            number = number * 10.0**self.decimals if self.decimals >= 0 else number / 10.0**-self.decimals
        return Units(np.rint(np.clip(number, *self.limits)).astype(np.int64), null, nan)

    def values(self, units: Units) -> pa.Array:
        number = units.number.astype(np.float64)
        # Dividing by a power of ten is correctly rounded; multiplying by its inverse is not.
        number = number / 10.0**self.decimals if self.decimals >= 0 else number * 10.0**-self.decimals
        return _float_array(number, units, self.type)

    def place(self, value: Any) -> Fraction:
        return exact.number(value) * Fraction(10) ** self.decimals


@dataclass(frozen=True)
class FloatGrid(Grid):
    """Floats without a grid, in their own precision."""

    @property
    def axis(self) -> tuple[str, object]:
        return "float", str(self.type)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.type.to_pandas_dtype())
        return dtype

    @property
    def limits(self) -> tuple[float, float]:
        largest = _float_max(self.type)
        return -largest, largest

    def units(self, values: pa.ChunkedArray) -> Units:
        return Units(*_floats(values, self.dtype))

    def values(self, units: Units) -> pa.Array:
        return _float_array(units.number, units, self.type)

    def place(self, value: Any) -> float:
        return float(self.dtype.type(float(exact.number(value))))


@dataclass(frozen=True)
class WrittenGrid(Grid):
    """Numbers or moments as text. inner: the grid of what the text means; a ``marker`` of the column is its NaN."""

    column: Numeric | Datetime
    inner: Grid

    @property
    def axis(self) -> tuple[str, object]:
        return self.inner.axis

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.inner.dtype

    @property
    def limits(self) -> tuple[int | float, int | float]:
        return self.inner.limits

    def units(self, values: pa.ChunkedArray) -> Units:
        found = self.inner.units(meant(plain(values), self.column))
        if self.column.marker is None:
            return found
        marked = pc.fill_null(pc.equal(as_array(values), self.column.marker), False)
        nan = np.asarray(marked.to_numpy(zero_copy_only=False))
        return Units(found.number, found.null & ~nan, nan)

    def values(self, units: Units) -> pa.Array:
        unknown = Units.of(units.number, units.null | units.nan)
        texts = written(self.inner.values(unknown), self.column)
        if units.nan.any():
            marker = pa.scalar(self.column.marker, texts.type)
            texts = pc.if_else(pa.array(units.nan), marker, texts)
        return texts

    def place(self, value: Any) -> Fraction | float:
        if isinstance(value, str):  # perhaps as the column writes it
            read = self.inner.units(meant(pa.chunked_array([pa.array([value])]), self.column))
            if not (read.null | read.nan).any():
                number = read.number[0]
                return Fraction(int(number)) if self.dtype.kind == "i" else float(number)
        return self.inner.place(value)


def bound_in_units(bound: int | float | None, decimals: int, up: bool) -> int | None:
    """A schema bound as the first unit at or above it (``up``) or the last one at or below it; None where open."""
    if bound is None or not isfinite(bound):
        return None
    scaled = Fraction(repr(bound)) * Fraction(10) ** decimals
    return ceil(scaled) if up else floor(scaled)


def _integer_range(type_: pa.DataType) -> tuple[int, int]:
    if pa.types.is_time(type_):
        return 0, STEP["D"] // STEP[type_.unit] - 1
    if pa.types.is_unsigned_integer(type_):
        return 0, min(2**type_.bit_width - 1, INT64_LIMIT)
    return -(2 ** (type_.bit_width - 1)) + 1, 2 ** (type_.bit_width - 1) - 1


def _float_max(type_: pa.DataType) -> float:
    return float(np.finfo(type_.to_pandas_dtype()).max)


def _floats(values: pa.ChunkedArray, dtype: np.dtype[Any]) -> tuple[NumberArray, BoolArray, BoolArray]:
    array = as_array(values)
    number, null = array.to_numpy(zero_copy_only=False).astype(dtype), null_mask(array)
    missing = np.isnan(number)
    # Adding 0 turns -0.0 into 0.0, so that they are one value.
    return np.where(missing, dtype.type(0), number) + dtype.type(0), null, missing & ~null


def _float_array(number: NumberArray, units: Units, type_: pa.DataType) -> pa.Array:
    number = np.where(units.nan, np.nan, number).astype(type_.to_pandas_dtype())
    return pa.array(number, type=type_, mask=units.null, from_pandas=False)
