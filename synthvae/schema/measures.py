"""Bounds and grids of a column's numbers, each with enough rows behind it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from synthvae.schema import instants
from synthvae.schema.support import Array, Support, outward, shortest

MAX_DECIMALS = 9
NOISE = 2  # floats between a result of arithmetic and the number it stands for


def is_counter(values: Array) -> bool:
    """Whether distinct whole numbers (n,) are dense and either in order or counted from 0 or 1."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 2 * values.size:
        return False
    steps = np.diff(values)
    return low in (0, 1) or bool(np.all(steps > 0) or np.all(steps < 0))


def bounds_of(support: Support, values: Array, decimals: int | None, exact: bool) -> tuple[Decimal, Decimal] | None:
    """The supported extremes, rounded outward unless ``exact``; None where too few rows have a value."""
    if support.count(np.ones(values.size, bool)) < max(support.min_count, 1):
        return None
    ends = support.extremes(values)
    # where values are few, the fifth from below may lie above the fifth from above
    low, high = sorted(map(shortest, ends))
    return (low, high) if exact else outward(low, high, decimals)


def within_type(bounds: tuple[Decimal, Decimal], type_: pa.DataType) -> tuple[int | float, int | float]:
    """Bounds as Python numbers: whole ones exactly, and never beyond what the type can hold."""
    if pt.is_integer(type_):
        info = np.iinfo(type_.to_pandas_dtype())
        return max(int(bounds[0]), int(info.min)), min(int(bounds[1]), int(info.max))
    return float(bounds[0]), float(bounds[1])


def decimals_of(support: Support, values: Array) -> int | None:
    """The coarsest decimal grid all values (n,) lie on but fewer than min_count of them; None where there is none."""
    if values.dtype.kind == "i":
        return -_trailing_zeros(support, values)
    if support.count(np.ones(values.size, bool)) < support.min_count:
        return None
    for decimals in range(MAX_DECIMALS + 1):
        if support.mostly(_on_grid(values, decimals)):
            return decimals or -_trailing_zeros(support, values)
    return None


def _on_grid(values: Array, decimals: int) -> Array:
    """Which floats (n,) are those nearest to a number of so many decimals, but for the noise of a sum or product."""
    # a float stands for one such number only while its binary digits suffice to tell it from the next
    told = np.abs(values) < 2.0 ** (np.finfo(values.dtype).nmant + 1) / 10**decimals
    rounded = np.round(np.where(told, values, 0).astype(np.float64), decimals)
    return np.asarray(told & (np.abs(rounded.astype(values.dtype) - values) <= NOISE * np.spacing(np.abs(values))))


def _trailing_zeros(support: Support, values: Array) -> int:
    """The zeros at the end of every whole number (n,) but a few, with enough numbers other than 0 behind them."""
    zeros = 0
    while zeros < 18:
        multiple = values % 10 ** (zeros + 1) == 0
        if not support.mostly(multiple) or support.count(multiple & (values != 0)) < support.min_count:
            return zeros
        zeros += 1
    return zeros


def resolution_of(support: Support, counts: Array, unit: str) -> str:
    """The coarsest resolution all instants (n,) but a few are multiples of."""
    coarser = [name for name, step in instants.STEP.items() if step >= instants.STEP[unit]]
    return next(name for name in coarser if support.mostly(counts % (instants.STEP[name] // instants.STEP[unit]) == 0))
