"""One step of a rewriting: columns exchanged for others from which a rule between them follows by itself.

Abstract or final. To add a step: an act in ``schema.solving``, the step that carries it out, and its line in
``constraints.STEPS``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.arrow import as_array
from synthvae.codecs.base import BoolArray, FitReport, IntArray
from synthvae.schema.columns import Column
from synthvae.schema.solving import Act
from synthvae.schema.support import Support

Columns = dict[str, Column]


class Step(ABC):
    """A table there and back; rows keep their places."""

    @classmethod
    @abstractmethod
    def fit(cls, act: Act, columns: Columns, table: pa.Table, support: Support) -> Self:
        """Learn from a table of these columns what cannot be read off the rule."""

    @property
    @abstractmethod
    def inner(self) -> Columns:
        """The columns after ``forward``, in order."""

    @property
    @abstractmethod
    def rewritten(self) -> frozenset[str]:
        """The columns whose values are not learned as they are."""

    @property
    @abstractmethod
    def sources(self) -> Mapping[str, frozenset[str]]:
        """The columns before ``forward`` that each new or changed column is made of."""

    @property
    def owners(self) -> Mapping[str, str]:
        """The column before ``forward`` that each new column is about."""
        return {}

    @property
    def reports(self) -> Mapping[str, FitReport]:
        """What was folded at fit, by column."""
        return {}

    @abstractmethod
    def forward(self, table: pa.Table) -> pa.Table:
        """A table (n rows) as the next step, or the columns' codecs, see it."""

    @abstractmethod
    def backward(self, table: pa.Table, rows: IntArray, key: int) -> pa.Table:
        """The inverse of ``forward`` for row numbers ``rows`` (n,); ``key`` seeds what has to be drawn."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""

    @classmethod
    @abstractmethod
    def from_state(cls, act: Act, columns: Columns, state: Mapping[str, Any]) -> Self:
        """The inverse of ``state``."""


def exchanged(table: pa.Table, old: str, new: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """The table with a column exchanged for others (or none), which take its place; new ones of known names replace."""
    made: dict[str, Any] = {}
    for name in table.column_names:
        made |= dict(new) if name == old else {}
        if name != old and name not in new:
            made[name] = table[name]
    return pa.table(made) if made else table.select([])


def replaced(columns: Columns, old: str, *new: Column) -> Columns:
    """The columns with one exchanged for others (or none), which take its place."""
    made: Columns = {}
    for name, column in columns.items():
        made |= {c.name: c for c in new} if name == old else {name: column}
    return made


def valid(values: pa.ChunkedArray) -> BoolArray:
    """(n,) where there is a value."""
    return np.asarray(values.is_valid().to_numpy(), bool)


def dump(values: pa.Array) -> list[Any]:
    """Values of any column as JSON: moments as counts, decimals as text, NaN as "nan"."""
    type_ = values.type
    if pa.types.is_temporal(type_):
        values = values.view(pa.int32() if type_.bit_width == 32 else pa.int64())
    elif pa.types.is_decimal(type_):
        values = values.cast(pa.string())
    return ["nan" if value != value else value for value in values.to_pylist()]


def load(values: list[Any], type_: pa.DataType) -> pa.Array:
    """The inverse of ``dump``."""
    if pa.types.is_temporal(type_):
        return pa.array(values, pa.int32() if type_.bit_width == 32 else pa.int64()).view(type_)
    if pa.types.is_decimal(type_):
        return pa.array(values, pa.string()).cast(type_)
    if pa.types.is_floating(type_):
        return pa.array([float(value) for value in values], pa.float64()).cast(type_)
    return pa.array(values, type_)


def plain_array(table: pa.Table, name: str) -> pa.Array:
    """A column as one array in the layout every kernel knows."""
    return as_array(table[name])
