"""A schema that goes on from an earlier one: columns keep their meaning, and learn what a later table adds to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from synthvae import tables
from synthvae.errors import SchemaError
from synthvae.schema.check import lawful
from synthvae.schema.columns import Categorical, Column, Datetime, Numeric
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema


def widened(earlier: Schema, table: pa.Table, container: tables.Container) -> Schema:
    """The schema of ``table``: each column as in ``earlier`` where the table obeys that, once nulls, levels and bounds
    are widened; as it is inferred where it does not, or where it is new.
    """
    group = earlier.group if earlier.group in table.column_names else None
    found = infer_schema(table, min_count=earlier.min_count, group=group).carried_by(container)
    columns = [_column(earlier[c.name], c, table, earlier.min_count) if c.name in earlier else c for c in found]
    return Schema(tuple(columns), group=group, min_count=earlier.min_count).carried_by(container)


def _column(old: Column, new: Column, table: pa.Table, min_count: int) -> Column:
    wide = dataclasses.replace(old, nullable=old.nullable or new.nullable)
    if type(old) is type(new):
        wide = _WIDER[type(old)](wide, new) if type(old) in _WIDER else wide
    try:
        lawful(table.select([old.name]), [wide], min_count)
    except SchemaError:
        return new
    return wide


def _levels(wide: Column, new: Column) -> Column:
    assert isinstance(wide, Categorical)
    assert isinstance(new, Categorical)
    more = tuple(level for level in new.levels if level not in wide.levels)
    if any(isinstance(a, str) != isinstance(b, str) for a in wide.levels[:1] for b in more[:1]):
        return new
    share = new.open_share if wide.open_share is None else wide.open_share
    return dataclasses.replace(wide, levels=wide.levels + more, open_share=share)


def _bounds(wide: Column, new: Column) -> Column:
    """Both ends as far out as either says; a grid that changed makes it another column."""
    assert isinstance(wide, (Numeric, Datetime))
    assert isinstance(new, (Numeric, Datetime))
    if isinstance(wide, Numeric) and isinstance(new, Numeric) and _finer(new.decimals, wide.decimals):
        return new
    ends: dict[str, Any] = {}
    for end, outer in (("lower", min), ("upper", max)):
        own, other = getattr(wide, end), getattr(new, end)
        ends[end] = None if own is None or other is None else outer(own, other)
    share = new.open_share if wide.open_share is None else wide.open_share
    return dataclasses.replace(wide, **ends, open_share=share)


def _finer(decimals: int | None, than: int | None) -> bool:
    return than is not None and (decimals is None or decimals > than)


_WIDER: dict[type[Column], Callable[[Column, Column], Column]] = {
    Categorical: _levels,
    Numeric: _bounds,
    Datetime: _bounds,
}
