"""Tables as matrices of floats, the way classifiers read them.

Numbers and instants are numbers with NaN for null, texts are their length, all else is a code per level, 0 for the most
frequent one. Identifiers and the column that names the group are left out: they tell rows apart, not tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.evaluation.sides import Array
from synthvae.schema.columns import Column, Identifier, Personal, Scale, Text
from synthvae.schema.instants import counts
from synthvae.schema.schema import Schema

LEVELS = 254  # codes of one column: what boosted trees can hold; the rarest levels share the last
LARGEST = 1e150  # beyond it squares are infinite
INDICATORS = 600  # columns of a linear design, shared among the columns of the table


def features(schema: Schema) -> tuple[Column, ...]:
    """The columns a classifier may look at."""
    return tuple(c for c in schema.columns if not isinstance(c, Identifier | Personal) and c.name != schema.group)


def is_level(column: Column) -> bool:
    """Whether values are equal or not and nothing else, as far as a classifier is concerned."""
    return column.scale in (Scale.NOMINAL, Scale.ORDINAL)


def numbers(column: Column, values: pa.ChunkedArray) -> Array:
    """(n,) float64 of a column that is not of levels: its value, instants in their unit, texts their length."""
    if isinstance(column, Text):
        values = pc.utf8_length(values.cast(pa.large_string()))
    elif pt.is_temporal(values.type):
        values = counts(values)
    known = values.cast(pa.float64(), safe=False).to_numpy()
    return np.clip(np.where(np.isfinite(known), known, np.nan), -LARGEST, LARGEST)


@dataclass(frozen=True, eq=False)
class Design:
    """A matrix to learn from: x (n, d), of which column d comes from the table's column ``origin[d]``."""

    x: Array
    origin: Array


@dataclass(frozen=True, eq=False)
class Frame:
    """Rows of several tables under each other: values (n, c), NaN where null; coded (c,) whether they are codes."""

    names: tuple[str, ...]
    coded: Array
    values: Array

    @classmethod
    def of(cls, columns: Sequence[Column], tables: Sequence[pa.Table]) -> Frame:
        """The columns of all tables, levels counted over all of them."""
        made = np.full((sum(table.num_rows for table in tables), len(columns)), np.nan)
        for place, column in enumerate(columns):
            values = pa.chunked_array([chunk for table in tables for chunk in table[column.name].chunks],
                                      type=tables[0][column.name].type)  # fmt: skip
            made[:, place] = codes(values) if is_level(column) else numbers(column, values)
        return cls(tuple(c.name for c in columns), np.array([is_level(c) for c in columns], bool), made)

    def without(self, name: str) -> Frame:
        """All columns but one."""
        keep = np.array([other != name for other in self.names], bool)
        return Frame(tuple(n for n in self.names if n != name), self.coded[keep], self.values[:, keep])

    def varying(self) -> Frame:
        """The columns that are not the same in all rows."""
        first = self.values[:1]
        same = (self.values == first) | (np.isnan(self.values) & np.isnan(first))
        keep = ~same.all(axis=0)
        return Frame(tuple(np.array(self.names, object)[keep]), self.coded[keep], self.values[:, keep])

    def design(self) -> Design:
        """The columns as they are."""
        return Design(self.values, np.arange(len(self.names)))

    def linear_design(self) -> Design:
        """Indicators for the most frequent levels and for null, numbers drawn in and scaled."""
        most = int(np.clip(INDICATORS // max(len(self.names), 1), 2, 40))
        blocks = [
            _indicators(x, most) if coded else _scaled(x) for x, coded in zip(self.values.T, self.coded, strict=True)
        ]
        origin = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
        return Design(np.concatenate([np.zeros((len(self.values), 0)), *blocks], axis=1), origin)


def codes(values: pa.ChunkedArray) -> Array:
    """(n,) the level of each value by falling frequency, NaN for null; ties by name, so row order never matters."""
    encoded = values.combine_chunks().dictionary_encode()
    of_level = np.asarray(encoded.indices.fill_null(-1)).astype(np.int64)
    counts = np.bincount(of_level + 1, minlength=len(encoded.dictionary) + 1)[1:]
    listed = pa.table({"count": counts, "text": encoded.dictionary.cast(pa.large_string())})
    order = pc.sort_indices(listed, sort_keys=[("count", "descending"), ("text", "ascending")])
    rank = np.full(len(counts) + 1, np.nan)  # the last stands for null
    rank[np.asarray(order)] = np.minimum(np.arange(len(counts)), LEVELS - 1)
    return np.asarray(rank[of_level])


def _indicators(codes: Array, most: int) -> Array:
    top = codes[~np.isnan(codes)].max(initial=-1)
    asked = np.arange(min(most, int(top) + 1))
    return np.c_[codes[:, None] == asked, np.isnan(codes)[:, None]].astype(np.float64)


def _scaled(x: Array) -> Array:
    """A column and whether it is null; logarithms of the distance from the median, so that no value dwarfs the rest."""
    missing = np.isnan(x)
    if missing.all():
        return missing[:, None].astype(np.float64)
    apart = x - np.median(x[~missing])
    spread = np.abs(apart[~missing]).mean() or 1.0
    drawn_in = np.where(missing, 0.0, np.sign(apart) * np.log1p(np.abs(apart) / spread))
    return np.c_[drawn_in / (drawn_in.std() or 1.0), missing]
