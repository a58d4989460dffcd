"""The promise behind every number a schema writes down: enough rows (or groups of rows) stand behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.tables import plain

Array = np.ndarray[Any, Any]

# Bounds are rounded to a hundredth of the range's leading power of ten: two to three significant digits.
ROUNDING_DIGITS = 2
# Enough digits to write any float64 down to any power of ten.
_EXACT = Context(prec=800)


@dataclass(frozen=True, eq=False)
class Support:
    """Counts in the units that are protected. ``owners`` (n,) numbers the group of each row; None: each row its own."""

    min_count: int
    owners: Array | None = None

    @classmethod
    def of(cls, table: pa.Table, group: str | None, min_count: int) -> Support:
        """The support of a table's rows; null is one more group."""
        if group is None:
            return cls(min_count)
        codes = plain(table[group]).combine_chunks().dictionary_encode(null_encoding="encode").indices
        return cls(min_count, codes.to_numpy(zero_copy_only=False).astype(np.int64))

    def where(self, mask: Array) -> Support:
        """The support of some of the rows."""
        return self if self.owners is None else Support(self.min_count, self.owners[mask])

    def count(self, mask: Array) -> int:
        """How many units have at least one row in ``mask`` (n,)."""
        if self.owners is None:
            return int(np.count_nonzero(mask))
        return int(np.unique(self.owners[mask]).size)

    def mostly(self, mask: Array) -> bool:
        """Whether too few units to be written down are outside ``mask`` (n,)."""
        return self.count(~mask) < self.min_count

    def counts(self, codes: Array, size: int) -> Array:
        """(size,) units of each code in 0..size-1; ``codes`` (n,)."""
        if self.owners is not None:
            pairs = np.unique(np.stack([codes, self.owners], axis=1), axis=0)
            codes = pairs[:, 0]
        return np.bincount(codes, minlength=size)

    def extremes(self, values: Array) -> tuple[Any, Any]:
        """The min_count-th smallest and largest of ``values`` (n,), each owner counted once at either end."""
        low = values if self.owners is None else _per_owner(values, self.owners, largest=False)
        high = values if self.owners is None else _per_owner(values, self.owners, largest=True)
        place = min(self.min_count, low.size) - 1
        return np.partition(low, place)[place], np.partition(high, high.size - 1 - place)[high.size - 1 - place]


def _per_owner(values: Array, owners: Array, largest: bool) -> Array:
    """The smallest or largest value of each owner."""
    order = np.lexsort((values, owners))
    starts = np.flatnonzero(np.r_[True, np.diff(owners[order]) != 0])
    ends = np.r_[starts[1:], order.size] - 1
    return values[order][ends if largest else starts]


def outward(low: Decimal, high: Decimal, decimals: int | None) -> tuple[Decimal, Decimal]:
    """Bounds rounded away from each other: to the grid, and to two or three significant digits of their distance."""
    span = high - low
    places = [] if decimals is None else [-decimals]
    if span:
        places.append(span.adjusted() - ROUNDING_DIGITS)
    if not places:
        return low, high
    step = Decimal((0, (1,), max(places)))
    return _round(low, step, ROUND_FLOOR), _round(high, step, ROUND_CEILING)


def _round(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return value.quantize(step, rounding=rounding, context=_EXACT)


def shortest(value: Any) -> Decimal:
    """A number as the shortest decimal text that stands for it in its own width."""
    if isinstance(value, np.floating):
        return Decimal(np.format_float_positional(value, unique=True, trim="-"))
    return Decimal(int(value))


def share(part: int, whole: int) -> float:
    """A share to four digits."""
    return 0.0 if not whole else math.ceil(part / whole * 10_000) / 10_000


def null_mask(values: pa.ChunkedArray) -> Array:
    """(n,) where values are null."""
    return np.asarray(pc.is_null(values).to_numpy(zero_copy_only=False))
