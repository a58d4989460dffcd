"""What a column is taken for before anything is paid: its name and physical type decide, or a schema the user wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from synthvae import tables
from synthvae.errors import ParameterError, SchemaError
from synthvae.privacy.budget import Budget
from synthvae.schema import instants
from synthvae.schema.check import castable, forgiven
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric
from synthvae.schema.schema import Schema

# Names of columns that name somebody; what is not sure to is learned, and named only where many share it.
_KEY = re.compile(r"(?i:(^|[_ .-])(id|uuid|guid)s?$)|[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID)s?$")


def check(names: list[str], schema: Schema | None, budget: Budget) -> None:
    """SchemaError or ParameterError where the columns of a table, a schema and a budget do not fit together."""
    if budget.unit is not None and budget.unit not in names:
        raise ParameterError(f"unit must name a column ({', '.join(names)}); got {budget.unit!r}.")
    if schema is None:
        return
    wrong = [f"column {name!r} is missing" for name in schema.names if name not in names]
    wrong += [f"column {name!r} is not in the schema" for name in names if name not in schema]
    if wrong:
        raise SchemaError("The table does not have the columns of the schema:", wrong)
    if schema.constraints:
        raise ParameterError(
            "Rules between columns cannot be kept under a budget: what they need to know of the rows is not paid for. "
            "Use schema.without_constraints(), or no constraints in the file of the schema."
        )
    if schema.group is not None and schema.group != budget.unit:
        raise ParameterError(
            f"The schema says that rows belong to a {schema.group!r}, which is then who is to be protected. Got "
            f"{budget!r}; use Budget(..., unit={schema.group!r}, rows_per_unit=...), or a schema without a group."
        )


def types(declared: pa.Schema, schema: Schema | None, untyped: Sequence[str]) -> pa.Schema:
    """The type of each column: declared by the table, else by the schema."""
    if schema is None:
        return declared
    said = {c.name: tables.arrow_type(c.arrow) if c.name in untyped else declared.field(c.name).type for c in schema}
    return pa.schema(list(said.items()))


def columns_of(types: pa.Schema, schema: Schema | None, unit: str | None) -> list[Column]:
    """What is public of each column; SchemaError where the types of table and schema have nothing in common, or levels
    are to be found out among values of another type."""
    if schema is None:
        return [neutral(field.name, field.type, unit) for field in types]
    wrong = [
        f"column {c.name!r} is of type {t}, expected {c.arrow}" for c, t in _both(schema, types) if not castable(t, c)
    ]
    wrong += [
        f"column {c.name!r} has no levels and is of type {t}; to find them out it must be {c.arrow}"
        for c, t in _both(schema, types)
        if unlisted(c) and not _alike(tables.arrow_type(c.arrow), t)
    ]
    if wrong:
        raise SchemaError("The types of the table are not those of the schema:", wrong)
    return list(schema.columns)


def _both(schema: Schema, types: pa.Schema) -> list[tuple[Column, pa.DataType]]:
    return [(column, types.field(column.name).type) for column in schema]


def unlisted(column: Column) -> bool:
    """Whether the levels of a column are to be found out."""
    return isinstance(column, Categorical) and not column.levels and column.arrow != "null"


def brought(rows: pa.Table, columns: Sequence[Column], untyped: Sequence[str]) -> pa.Table:
    """The rows in the types of columns, row by row: what a type cannot hold is null."""
    return pa.table({column.name: _brought(rows[column.name], column, column.name in untyped) for column in columns})


def _brought(values: pa.ChunkedArray, column: Column, untyped: bool) -> pa.ChunkedArray:
    if untyped:
        values = tables.meant_as(values, tables.arrow_type(column.arrow))
    # a cast would put the levels of an ordered category in the order of the rows
    return values if unlisted(column) else forgiven(values, column)


def _alike(one: pa.DataType, other: pa.DataType) -> bool:
    """But for how wide the codes of a dictionary are, which follows from how many levels there are."""
    if pt.is_dictionary(one) and pt.is_dictionary(other):
        return bool(one.value_type == other.value_type and one.ordered == other.ordered)
    return bool(one == other)


def told(schema: Schema) -> str:
    """Which columns of a schema say more than a name and a type."""
    bounded = [c.name for c in schema if isinstance(c, Numeric | Datetime) and (c.lower, c.upper) != (None, None)]
    listed = [c.name for c in schema if isinstance(c, Categorical) and c.levels]
    parts = [
        f"{what} of {', '.join(map(repr, names))}" for what, names in (("bounds", bounded), ("levels", listed)) if names
    ]
    return f"Taken from the schema as public, at no cost: {'; '.join(['names and kinds of columns', *parts])}."


def neutral(name: str, type_: pa.DataType, unit: str | None) -> Column:
    """A column of which nothing but name and type is known; levels and bounds are empty until they are paid for."""
    facts: dict[str, Any] = {"name": name, "arrow": str(type_), "nullable": True}
    inside = type_.value_type if pt.is_dictionary(type_) else type_
    key = name == unit or _KEY.search(name) is not None
    if pt.is_boolean(inside):
        return Boolean(**facts)
    if key and (tables.is_text(inside) or pt.is_integer(inside)) and not pt.is_dictionary(type_):
        return Identifier(**facts)
    if pt.is_dictionary(type_):
        return Categorical(**facts, ordered=bool(type_.ordered))
    if tables.is_text(inside) or pt.is_null(inside):
        return Categorical(**facts)
    if pt.is_temporal(inside) and not pt.is_duration(inside):
        zone = inside.tz if pt.is_timestamp(inside) else None
        return Datetime(**facts, resolution=instants.unit(inside), time_zone=zone)
    return Numeric(**facts, decimals=_decimals(inside))


def _decimals(type_: pa.DataType) -> int | None:
    """The grid that a type has by itself."""
    if pt.is_decimal(type_):
        return int(type_.scale)
    return None if pt.is_floating(type_) else 0
