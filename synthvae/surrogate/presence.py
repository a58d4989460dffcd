"""Columns of which only the gaps are learned: keys, personal data, text."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa

from synthvae import tables
from synthvae.codecs.arrow import as_type
from synthvae.privacy.private_table import Coding, PrivateTable
from synthvae.schema.columns import Column, Text
from synthvae.surrogate.allotment import Allotment
from synthvae.surrogate.domains import Array, Domain, settled

NOTHING = 3.0  # standard deviations of noise below which a count of null is taken for none
LOOKS = 0.25  # a share of one number needs little
FILLER = "x"


class PresenceDomain(Domain):
    """Null, or a value; the values of a table do not depend on its rows."""

    ordered = False

    def __init__(self, column: Column, counts: Array) -> None:
        self._column, self.counts = column, counts

    @classmethod
    def learn(cls, column: Column, private: PrivateTable, rows: float, allotment: Allotment) -> Domain:
        if not column.nullable:
            return cls(column, np.array([0.0, rows]))
        spend = allotment.column(f"nulls of {column.name!r}", LOOKS)
        counts = private.histogram(Coding(2, cls(column, np.zeros(2)).leaves), spend)
        nullable = bool(counts[0] > NOTHING * spend.sigma)
        return cls(dataclasses.replace(column, nullable=nullable), settled(counts, rows, 0.0, nullable))

    @property
    def column(self) -> Column:
        return self._column

    def leaves(self, rows: pa.Table) -> Array:
        return np.asarray(tables.plain(rows[self._column.name]).is_valid().to_numpy()).astype(np.int64)

    def values(self, leaves: Array, rng: np.random.Generator) -> pa.Array:
        missing = pa.array(leaves == 0)
        whole = pa.types.is_integer(tables.arrow_type(self._column.arrow))
        made = pa.array(np.arange(len(leaves)) % 100) if whole else pa.array(self._texts(len(leaves), rng))
        return as_type(pa.compute.if_else(missing, None, made), self._column.arrow)

    def _texts(self, n: int, rng: np.random.Generator) -> list[str]:
        """Text of lengths that the schema allows, all alike likely: the rows' own lengths are not looked at."""
        if not isinstance(self._column, Text):
            return [FILLER] * n
        lengths = rng.integers(self._column.min_length, self._column.max_length + 1, n)
        return [FILLER * length for length in lengths.tolist()]
