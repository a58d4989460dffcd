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
from synthvae.schema.columns import Boolean, Categorical, Column
from synthvae.surrogate.allotment import Allotment
from synthvae.surrogate.domains import Array, Domain, settled

NOTHING = 3.0  # standard deviations of noise below which a count of null is taken for none
LOOKS = 1.0


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
        counts[-1] = counts[-1] if _open(column) else 0.0
        return cls(column, stated, settled(counts, rows, 0.0, column.nullable))

    @classmethod
    def _found(cls, column: Column, private: PrivateTable, rows: float, allotment: Allotment) -> Domain:
        spend = allotment.column(f"levels of {column.name!r}, and their counts", LOOKS, allotment.delta)
        found, counts = private.levels(column.name, spend)
        by_level = dict(zip(found, counts.tolist(), strict=True))
        null = by_level.pop(None)
        levels = private.in_order(column.name, list(by_level))
        null = null if null > NOTHING * spend.sigma or not levels else 0.0
        other = rows - null - sum(by_level.values())
        other = other if other > NOTHING * spend.sigma * (len(levels) + 2) ** 0.5 else 0.0
        counts = np.array([null, *(by_level[level] for level in levels), other])
        assert isinstance(column, Categorical)
        share = round(float(other / max(rows, 1.0)), 4) if other else None
        column = dataclasses.replace(column, levels=tuple(levels), nullable=bool(null), open_share=share)
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


def _open(column: Column) -> Any:
    return isinstance(column, Categorical) and column.open_share is not None
