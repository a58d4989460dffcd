"""Categories: those the user wrote down are counted, others are named where enough rows share them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae import tables
from synthvae.codecs.arrow import as_type
from synthvae.privacy.private_table import Coding, PrivateTable
from synthvae.schema.columns import Boolean, Categorical, Column, Text
from synthvae.surrogate.allotment import Allotment
from synthvae.surrogate.domains import Array, Domain, settled
from synthvae.surrogate.presence import PresenceDomain

NOTHING = 3.0  # standard deviations of noise below which a count of null is taken for none
LOOKS = 1.0
MOST_OTHER = 0.5  # share of rows without a named level from which a column is no category
TEXT_LENGTHS = (4, 24)  # of the filler for text, whose own lengths are not looked at


class LevelsDomain(Domain):
    """Null, the levels, and last whatever else there may be, which is never drawn."""

    ordered = False

    def __init__(self, column: Column, levels: pa.Array, counts: Array) -> None:
        self._column, self.levels, self.counts = column, levels, counts

    @classmethod
    def learn(cls, column: Column, private: PrivateTable, rows: float, allotment: Allotment) -> Domain:
        """Count, and where no levels are stated find, the levels of a column of a table of about ``rows`` rows."""
        stated = _stated(column)
        if stated is None:
            return cls._found(column, private, rows, allotment)
        spend = allotment.column(f"counts of {column.name!r}", LOOKS)
        coding = Coding(len(stated) + 2, cls(column, stated, np.zeros(0)).leaves)
        counts = private.histogram(coding, spend)
        nullable = column.nullable and (not len(stated) or bool(counts[0] > NOTHING * spend.sigma))
        counts[-1] = counts[-1] if column.open_share is not None else 0.0
        column = dataclasses.replace(column, nullable=nullable)
        return cls(column, stated, settled(counts, rows, 0.0, nullable))

    @classmethod
    def _found(cls, column: Column, private: PrivateTable, rows: float, allotment: Allotment) -> Domain:
        spend = allotment.column(f"levels of {column.name!r}, and their counts", LOOKS, allotment.delta)
        found, counts = private.levels(column.name, spend)
        by_level = dict(zip(found, counts.tolist(), strict=True))
        null = by_level.pop(None)
        null = null if null > NOTHING * spend.sigma else 0.0
        levels = private.in_order(column.name, list(by_level))
        other = rows - null - sum(by_level.values())
        other = other if other > NOTHING * spend.sigma * (len(levels) + 2) ** 0.5 else 0.0
        if not levels or other > MOST_OTHER * rows:
            return _unnamed(column, null, rows)
        assert isinstance(column, Categorical)
        share = round(other / rows, 4) if other else None
        column = dataclasses.replace(column, levels=tuple(levels), nullable=bool(null), open_share=share)
        counts = np.array([null, *(by_level[level] for level in levels), other])
        return cls(column, _array(column), settled(counts, rows, 0.0, column.nullable))

    @property
    def column(self) -> Column:
        return self._column

    def leaves(self, rows: pa.Table) -> Array:
        values = tables.plain(rows[self._column.name])
        values = values.cast(self.levels.type) if pt.is_null(values.type) else values
        places = pc.fill_null(pc.index_in(values, self.levels), len(self.levels)).combine_chunks().to_numpy()
        return np.where(np.asarray(values.is_null().to_numpy()), 0, places.astype(np.int64) + 1)

    def values(self, leaves: Array, rng: np.random.Generator) -> pa.Array:
        if not len(self.levels):
            return pa.nulls(len(leaves), tables.arrow_type(self._column.arrow))
        null = (leaves == 0) | (leaves > len(self.levels))
        return as_type(self.levels.take(pa.array(np.where(null, 0, leaves - 1), mask=null)), self._column.arrow)


def _unnamed(column: Column, null: float, rows: float) -> Domain:
    """A column whose levels nobody may name: text, or where it holds numbers, nothing."""
    facts: dict[str, Any] = {
        "name": column.name,
        "arrow": column.arrow,
        "pandas": column.pandas,
        "nullable": bool(null),
    }
    inside = tables.plain(pa.chunked_array([], tables.arrow_type(column.arrow))).type
    if tables.is_text(inside):
        text = Text(**facts, min_length=TEXT_LENGTHS[0], max_length=TEXT_LENGTHS[1])
        return PresenceDomain(text, settled(np.array([null, rows - null]), rows, 0.0, text.nullable))
    empty = Categorical(**facts | {"nullable": True})
    return LevelsDomain(empty, _array(empty), np.array([rows, 0.0]))


def _stated(column: Column) -> pa.Array | None:
    """The levels that are known beforehand."""
    if isinstance(column, Boolean):
        return pa.array([False, True])
    assert isinstance(column, Categorical)
    known = bool(column.levels) or pt.is_null(tables.arrow_type(column.arrow))
    return _array(column) if known else None


def _array(column: Categorical) -> pa.Array:
    inside = tables.plain(pa.chunked_array([], tables.arrow_type(column.arrow))).type
    return pa.array(list(column.levels), inside)
