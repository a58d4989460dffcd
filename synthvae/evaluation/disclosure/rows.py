"""The tables as plain arrays in an order drawn from the content, so that the order they came in never matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.evaluation.cells import Cells, comparable
from synthvae.evaluation.sides import Array, Sides

NULL = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one table: (n,) of each compared column, the hash of their cells and whose they are.

    columns: float64 numbers with NaN for null, or int32 levels with a level for null. key: equal rows, and only those,
    have equal ones. owner: the same numbers for the same people on all sides.
    """

    columns: Mapping[str, Array]
    key: Array
    owner: Array

    def __len__(self) -> int:
        return len(self.key)

    def at(self, places: Array | slice) -> Rows:
        """Some of the rows: places, a mask or a slice."""
        columns = {name: values[places] for name, values in self.columns.items()}
        return Rows(columns, self.key[places], self.owner[places])

    def first(self, rows: int) -> Rows:
        """The first rows, which are a random sample of all."""
        return self.at(slice(0, rows))

    @cached_property
    def people(self) -> Rows:
        """One row of each owner: independent draws."""
        return self.at(np.sort(np.unique(self.owner, return_index=True)[1]))

    def of(self, owner: Array, wanted: bool = True) -> Rows:
        """The rows of these owners, or of all others."""
        return self.at(np.isin(self.owner, owner, invert=not wanted))


def compared(sides: Sides) -> list[Cells]:
    """The columns in which a row may give somebody away: all but minted ones and the one that says who somebody is."""
    return [cells for cells in comparable(sides) if cells.name != sides.group]


def levelled(sides: Sides) -> frozenset[str]:
    """The compared columns of levels."""
    return frozenset(cells.name for cells in compared(sides) if not cells.continuous)


def rows_of(sides: Sides) -> Mapping[str, Rows]:
    """Each side's rows, in an order of its own that hangs on what is in them and the seed."""
    return sides.once("rows by content", lambda: dict(_made(sides)))


def keys_of(sides: Sides) -> Mapping[str, Array]:
    """Per side (n,) uint64 hash of every row's cells, in the table's order."""
    return sides.once("row keys", lambda: {side: _keys(sides, side) for side in sides.tables})


def owners(sides: Sides) -> Mapping[str, Array]:
    """Per side (n,) whose row it is, the same numbers on all sides; a row of nobody is somebody's of its own."""
    tables = sides.tables
    ends = np.cumsum([table.num_rows for table in tables.values()])
    if sides.group is None:
        codes = np.arange(ends[-1])
    else:
        chunks = [chunk for table in tables.values() for chunk in table[sides.group].chunks]
        together = pa.chunked_array(chunks, sides.real[sides.group].type).combine_chunks().dictionary_encode()
        named = np.asarray(together.indices.fill_null(-1)).astype(np.int64)
        codes = np.where(named < 0, len(together.dictionary) + np.arange(ends[-1]), named)
    return dict(zip(tables, np.split(codes, ends[:-1]), strict=True))


def mixed(bits: Array) -> Array:
    """Every bit of (n,) uint64 spread over all bits. SplitMix64: Steele, Lea and Flood, OOPSLA 2014."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def _made(sides: Sides) -> Iterator[tuple[str, Rows]]:
    whose, keys = owners(sides), keys_of(sides)
    for side in sides.tables:
        columns = {cells.name: _values(cells, side) for cells in compared(sides)}
        # a salt of its own for each side: else equal rows would be sampled together, and copies looked too common
        salt = sides.rng(f"rows of {side}").integers(2**63, dtype=np.uint64)
        order = np.argsort(mixed(mixed(keys[side] + salt) + _occurrence(keys[side])), kind="stable")
        yield side, Rows(columns, keys[side], whose[side]).at(order)


def _values(cells: Cells, side: str) -> Array:
    if not cells.continuous:
        return _levels(cells, side)
    numbers, missing = cells.numbers(side).astype(np.float64), cells.missing[side]
    return np.where(missing, np.nan, numbers) if missing.any() else numbers


def _levels(cells: Cells, side: str) -> Array:
    """(n,) int32 place of each level among all in their order, so that it does not hang on the rows' order."""
    place = np.empty(max(cells.size, 1), np.int32)
    place[np.asarray(pc.array_sort_indices(_sortable(cells.levels)))] = np.arange(len(cells.levels), dtype=np.int32)
    return place[cells.codes[side]]


def _sortable(levels: pa.Array) -> pa.Array:
    simple = pa.types.is_boolean(levels.type) or pa.types.is_null(levels.type)
    return levels.cast(pa.int8()) if simple else levels


def _keys(sides: Sides, side: str) -> Array:
    made = np.zeros(sides.tables[side].num_rows, np.uint64)
    for cells in compared(sides):
        made = mixed(made * np.uint64(31) + _bits(cells, side))
    return made


def _bits(cells: Cells, side: str) -> Array:
    """(n,) uint64, the same for equal cells and only for those."""
    if not cells.continuous:
        return mixed(_levels(cells, side).astype(np.uint64))
    numbers = cells.numbers(side)
    wide = numbers.astype(np.float64) + 0.0 if numbers.dtype.kind == "f" else numbers.astype(np.int64)  # -0.0 is 0.0
    return np.where(cells.missing[side], NULL, mixed(wide.view(np.uint64)))


def _occurrence(keys: Array) -> Array:
    """(n,) uint64 how many equal rows come before; equal rows are alike, so it does not matter which is which."""
    order = np.argsort(keys, kind="stable")
    ordered, place = keys[order], np.arange(len(keys))
    new = np.ones(len(keys), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    found = np.empty(len(keys), np.uint64)
    found[order] = (place - np.maximum.accumulate(np.where(new, place, 0))).astype(np.uint64)
    return found
