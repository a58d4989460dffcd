"""What a column is taken for before anything is paid: its name and physical type decide, or a schema the user wrote."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from synthvae import tables
from synthvae.schema import instants
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric

# Names of columns that name somebody; what is not sure to is learned, and named only where many share it.
_KEY = re.compile(r"(?i:(^|[_ .-])(id|uuid|guid)s?$)|[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID)s?$")


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
