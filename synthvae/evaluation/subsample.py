"""Subsamples for what is too slow on all rows: a row is chosen by its content, so the order of rows never matters.

Each row gets a key, hashed from its cells, the seed and which of several equal rows it is; the rows of smallest key are
the sample, and the first m of them a sample of m. Equal rows of two tables have equal keys and fall in the same fold,
so that no fold is tested on the copies of its training rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae.evaluation.encoding import features, is_level, numbers
from synthvae.evaluation.sides import Array, Sides
from synthvae.schema.columns import Column
from synthvae.schema.schema import Schema

ROWS = 20_000  # of each table: two samples of this size tell AUCs .01 apart
CELLS = 600_000  # wider tables than ROWS bears give fewer rows, so that the time stays what it is
NULL = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Sampled rows of one table in the order of their keys (m,); owner (m,): a hash of whose row it is."""

    table: pa.Table
    key: Array
    owner: Array

    def first(self, rows: int) -> Drawn:
        """A sample of at most so many of these rows."""
        return Drawn(self.table.slice(0, rows), self.key[:rows], self.owner[:rows])

    def where(self, keep: Array) -> Drawn:
        """The rows with ``keep`` (m,)."""
        return Drawn(self.table.filter(pa.array(keep)), self.key[keep], self.owner[keep])


def row_limit(schema: Schema) -> int:
    """How many rows of each table are looked at."""
    return min(ROWS, CELLS // max(len(features(schema)), 1) + 1)


def drawn(sides: Sides, side: str) -> Drawn:
    """The subsample of a side; every metric gets the same one."""
    made: Drawn = sides.once(f"subsample of {side}", lambda: _draw(sides.tables[side], sides.schema, sides.seed))
    return made


def fold_of(key: Array, folds: int, salt: int) -> Array:
    """(n,) the fold, from 0, each key falls in; equal keys fall together."""
    return (_mixed(key + np.full(1, salt, np.uint64) * NULL) % np.uint64(folds)).astype(np.int64)


def _draw(table: pa.Table, schema: Schema, seed: int) -> Drawn:
    key, owner = _keys(table, schema, seed)
    rows = row_limit(schema)
    chosen = np.argpartition(key, rows)[:rows] if rows < len(key) else np.arange(len(key))
    chosen = chosen[np.argsort(key[chosen], kind="stable")]
    return Drawn(table.take(pa.array(chosen)), key[chosen], owner[chosen])


def _keys(table: pa.Table, schema: Schema, seed: int) -> tuple[Array, Array]:
    content = np.zeros(table.num_rows, np.uint64)
    for column in features(schema):
        content = _mixed(content * np.uint64(31) + _hashed(column, table[column.name]))
    names = np.zeros(table.num_rows, np.uint64)
    if schema.group is not None:
        names = _of_levels(table[schema.group])
        content = _mixed(content * np.uint64(31) + names)
    salt = _mixed(np.full(1, seed, np.uint64))
    key = _mixed(content + _mixed(_occurrence(content) ^ salt))
    nobody = names == NULL if schema.group is not None else np.ones(len(key), bool)
    return key, np.where(nobody, key, _mixed(names ^ salt))


def _occurrence(content: Array) -> Array:
    """(n,) uint64 how many equal rows come before; equal rows are alike, so it does not matter which is which."""
    order = np.argsort(content, kind="stable")
    ordered = content[order]
    place = np.arange(len(content))
    starts = np.maximum.accumulate(np.where(np.r_[True, ordered[1:] != ordered[:-1]][: len(place)], place, 0))
    found = np.empty(len(content), np.uint64)
    found[order] = (place - starts).astype(np.uint64)
    return found


def _hashed(column: Column, values: pa.ChunkedArray) -> Array:
    if is_level(column):
        return _of_levels(values)
    known = numbers(column, values)
    return np.where(np.isnan(known), NULL, _mixed((known + 0.0).view(np.uint64)))  # + 0.0: minus zero is zero


def _of_levels(values: pa.ChunkedArray) -> Array:
    """(n,) a hash of each value's text, ``NULL`` for null; only distinct values are hashed."""
    encoded = values.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.cast(pa.large_string()).to_numpy(zero_copy_only=False)
    hashes = np.r_[pd.util.hash_array(texts.astype(object), categorize=False), NULL].astype(np.uint64)
    return np.asarray(hashes[np.asarray(encoded.indices.fill_null(len(texts)))])


def _mixed(bits: Array) -> Array:
    """Every bit of (n,) uint64 spread over all bits. SplitMix64: Steele, Lea and Flood, OOPSLA 2014."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
