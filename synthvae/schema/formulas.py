"""The formulas of derived columns: a small closed set, so that a schema holds names and never code.

To add one: a function of the columns' values, and its line in ``FORMULAS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.schema.columns import Column
from synthvae.schema.instants import STEP
from synthvae.schema.measure import Measure, is_moment, is_number
from synthvae.tables import plain

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Formula:
    """How a column follows from others.

    made_of: what its columns must be; least, most: how many. compute: their values (n,) each -> (n,) float64, NaN where
    it is not defined. total: whether it is defined wherever the values are known.
    """

    compute: Callable[[Sequence[pa.ChunkedArray], Sequence[Column]], Array]
    made_of: Callable[[Column], bool]
    least: int = 1
    most: int = 1
    total: bool = True


def floats(values: pa.ChunkedArray) -> Array:
    """Numbers (n,) as float64, NaN where there is none."""
    return np.asarray(plain(values).cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _product(values: Sequence[pa.ChunkedArray], columns: Sequence[Column]) -> Array:
    with np.errstate(over="ignore"):
        made = floats(values[0])
        for more in values[1:]:
            made = made * floats(more)
    return made


def _difference(values: Sequence[pa.ChunkedArray], columns: Sequence[Column]) -> Array:
    measure = Measure.of(columns, exact=True)
    (a, known), (b, also) = (measure.read(value) for value in values)
    return np.where(known & also, measure.plain(a - b), np.nan)


def _ratio(values: Sequence[pa.ChunkedArray], columns: Sequence[Column]) -> Array:
    above, below = floats(values[0]), floats(values[1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(below == 0, np.nan, above / below)


def _between(step: int) -> Callable[[Sequence[pa.ChunkedArray], Sequence[Column]], Array]:
    """Whole steps of ``step`` nanoseconds from the second moment to the first."""

    def compute(values: Sequence[pa.ChunkedArray], columns: Sequence[Column]) -> Array:
        measure = Measure.of(columns, exact=True)
        (a, known), (b, also) = (measure.read(value) for value in values)
        assert measure.tick is not None
        steps = (a - b) // (step // measure.tick) if step >= measure.tick else (a - b) * (measure.tick // step)
        return np.where(known & also, steps.astype(np.float64), np.nan)

    return compute


def _part(kernel: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Callable[..., Array]:
    """A part of a date, in its own time zone."""

    def compute(values: Sequence[pa.ChunkedArray], columns: Sequence[Column]) -> Array:
        return floats(kernel(plain(values[0])))

    return compute


def _hour(values: pa.ChunkedArray) -> pa.ChunkedArray:
    dated = pa.types.is_date(values.type)
    return pc.hour(values.cast(pa.timestamp("ms")) if dated else values)


FORMULAS: dict[str, Formula] = {
    "product": Formula(_product, is_number, 2, 8),
    "difference": Formula(_difference, is_number, 2, 2),
    "ratio": Formula(_ratio, is_number, 2, 2, total=False),
    "days_between": Formula(_between(STEP["D"]), is_moment, 2, 2),
    "seconds_between": Formula(_between(STEP["s"]), is_moment, 2, 2),
    "year": Formula(_part(pc.year), is_moment),
    "month": Formula(_part(pc.month), is_moment),
    "day": Formula(_part(pc.day), is_moment),
    "weekday": Formula(_part(pc.day_of_week), is_moment),  # Monday is 0
    "hour": Formula(_part(_hour), is_moment),
}
