"""A schema out of SDV's metadata and, where there is one, the table they belong to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthvae import tables
from synthvae.errors import SchemaError
from synthvae.schema import sdv
from synthvae.schema.columns import Column, Datetime, Identifier, Personal, Text
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema
from synthvae.schema.written import check_moment_format

_FORMER = ("name", "arrow", "pandas", "nullable")


def adopted(source: str | Path | Mapping[str, Any], table: object, name: str | None, min_count: int) -> Schema:
    """The schema that the metadata describe; SchemaError lists what is missing or contradicts the table."""
    metadata = sdv.read(source, name)
    if table is None:
        return Schema(sdv.alone(metadata), min_count=min_count)
    arrow, container = tables.read(table)
    told = metadata["columns"]
    problems = [f"column {n!r} is not in the table" for n in told if n not in arrow.column_names]
    problems += [f"column {n!r} is not in the metadata" for n in arrow.column_names if n not in told]
    if problems:
        raise SchemaError("The metadata and the table do not agree:", problems)
    schema = infer_schema(arrow, min_count=min_count, kinds=_kinds(told, arrow))
    columns = tuple(_adopted(column, told[column.name]) for column in schema)
    return Schema(columns, min_count=min_count).carried_by(container)


def _kinds(told: Mapping[str, Any], table: pa.Table) -> dict[str, str]:
    """The kind of each column whose sdtype says one; texts of people that have no category are texts."""
    kinds = {}
    for name, facts in told.items():
        type_, sdtype = table.schema.field(name).type, facts["sdtype"]
        text = tables.is_text(tables.plain(pa.chunked_array([], type_)).type)
        if sdtype in sdv.KINDS:
            # true and false may be called categorical
            kinds[name] = "boolean" if pa.types.is_boolean(type_) else sdv.KINDS[sdtype]
        elif text and (sdtype in sdv.PERSONAL or facts.get("pii")):
            kinds[name] = "text"
    return kinds


def _adopted(column: Column, told: Mapping[str, Any]) -> Column:
    """The column with what the metadata know better."""
    former = {field: getattr(column, field) for field in _FORMER}
    if isinstance(column, Text) and told["sdtype"] in sdv.PERSONAL:
        return Personal(**former, category=sdv.PERSONAL[told["sdtype"]])
    if isinstance(column, Identifier) and told.get("regex_format"):
        template = sdv.template_of(told["regex_format"])
        return dataclasses.replace(column, template=template) if template else column
    if isinstance(column, Datetime) and column.format is not None and told.get("datetime_format"):
        check_moment_format(told["datetime_format"])
        return dataclasses.replace(column, format=told["datetime_format"])
    return column
