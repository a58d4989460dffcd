"""What the search for rules looks at: some rows of a table as arrays, and what it finds there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.schema.columns import Boolean, Categorical, Column, Identifier
from synthvae.schema.constraints import Constraint
from synthvae.schema.measure import Measure, has_zone, is_moment, is_number
from synthvae.tables import plain

Array = np.ndarray[Any, Any]

MOST_LEVELS = 5_000  # of a column whose values are compared one by one


@dataclass(frozen=True)
class Candidate:
    """A rule that the rows looked at keep.

    nats: minus the log of the chance that they would if columns had nothing to do with one another, as far as the
    search can tell; sure: whether the rule may be taken for granted once all rows are known to keep it.
    """

    rule: Constraint
    nats: float
    sure: bool


@dataclass(frozen=True, eq=False)
class Look:
    """Rows of a table (n) of these columns; ``min_count`` as in the schema."""

    table: pa.Table
    columns: tuple[Column, ...]
    min_count: int

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """Columns of numbers that vary, (n,) float64 each, NaN where there is none."""
        found = {c.name: _floats(self.table[c.name]) for c in self.columns if is_number(c)}
        return {name: values for name, values in found.items() if _varies(values)}

    @cached_property
    def moments(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Columns of dates and instants that vary, (n,) float64 nanoseconds each: without a time zone, and with one."""
        parts: tuple[dict[str, Array], dict[str, Array]] = ({}, {})
        for column in self.columns:
            if is_moment(column):
                measure = Measure.of([column])
                counts, known = measure.read(self.table[column.name])
                values = np.where(known, counts.astype(np.float64) * float(measure.tick or 1), np.nan)
                parts[has_zone(column)].update({column.name: values} if _varies(values) else {})
        return parts

    @cached_property
    def null(self) -> dict[str, Array]:
        """Columns with nulls, (n,) where they are; identifiers apart."""
        named = [c.name for c in self.columns if not isinstance(c, Identifier) and self.table[c.name].null_count]
        return {name: np.asarray(pc.is_null(self.table[name]).to_numpy()) for name in named}

    @cached_property
    def levels(self) -> dict[str, tuple[Array, pa.Array]]:
        """Columns of levels, and whole numbers that repeat: (n,) the place of each value, -1 for null; the values."""
        found = {}
        for column in self.columns:
            values = plain(self.table[column.name])
            few = isinstance(column, Categorical | Boolean)
            if few or (is_number(column) and pa.types.is_integer(values.type)):
                coded = values.combine_chunks().dictionary_encode()
                if 2 <= len(coded.dictionary) <= min(MOST_LEVELS, max(self.rows // 10, 2)):
                    found[column.name] = (coded.indices.fill_null(-1).to_numpy().astype(np.int64), coded.dictionary)
        return found


def agreement(hits: Array) -> float:
    """Of chance: the share of rows (n,) that agree, counted once too often so that it is never 0."""
    return (float(np.count_nonzero(hits)) + 1.0) / (len(hits) + 1.0)


def _floats(values: pa.ChunkedArray) -> Array:
    return np.asarray(plain(values).cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _varies(values: Array) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool((known != known[0]).any())
