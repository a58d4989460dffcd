"""SDV's metadata, as its documents describe version V1, and a schema: there and, as far as it goes, back.

Metadata name what a column means but neither its levels nor its type, so a schema of it needs the table, too, unless
every column is of a kind that can do without. What the metadata leave open is inferred.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synthvae.errors import SchemaError
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Text

PERSONAL = {
    "name": "name", "first_name": "first_name", "last_name": "last_name", "email": "email", "user_name": "username",
    "phone_number": "phone", "address": "address", "street_address": "street", "city": "city", "company": "company",
    "iban": "iban", "credit_card_number": "credit_card", "ssn": "ssn", "ipv4_address": "ip", "url": "url",
}  # fmt: skip
_SDTYPES = {category: sdtype for sdtype, category in PERSONAL.items()}
# What a column of each sdtype is meant as; others are left to inference.
KINDS = {"numerical": "numeric", "categorical": "categorical", "boolean": "boolean", "datetime": "datetime",
         "id": "identifier"}  # fmt: skip
_CLASSES = {"0-9": "digits", "A-Z": "upper", "a-z": "lower", "0-9a-f": "hex", "a-f0-9": "hex", "0-9A-F": "HEX",
            "A-F0-9": "HEX", "A-Za-z0-9": "alnum", "a-zA-Z0-9": "alnum", "0-9A-Za-z": "alnum"}  # fmt: skip
_PLACEHOLDERS = {"digits": "[0-9]", "number": "[0-9]", "upper": "[A-Z]", "lower": "[a-z]", "hex": "[0-9a-f]",
                 "HEX": "[0-9A-F]", "alnum": "[A-Za-z0-9]"}  # fmt: skip


def read(source: str | Path | Mapping[str, Any], table: str | None) -> dict[str, Any]:
    """One table's metadata, from a file or what it holds; SchemaError says which tables there are."""
    found = _loaded(source)
    if "tables" in found:
        tables = found["tables"]
        if not isinstance(tables, dict) or not tables:
            raise SchemaError("Expected the metadata to have tables. Received: none.")
        name = table if table is not None or len(tables) > 1 else next(iter(tables))
        if name not in tables:
            raise SchemaError(f"Expected name to be a table of the metadata ({', '.join(tables)}). Received: {name!r}")
        found = tables[name]
    problems = list(_problems(found))
    if problems:
        raise SchemaError("This is no metadata of SDV, version V1:", problems)
    return dict(found)


def _loaded(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    try:
        found = json.loads(Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SchemaError(f"Could not read SDV metadata from {source}: {error}") from None
    if not isinstance(found, dict):
        raise SchemaError(f"Expected SDV metadata to be a JSON object. Received: a {type(found).__name__}")
    return found


def _problems(found: Any) -> Iterator[str]:
    if not isinstance(found, Mapping) or not isinstance(found.get("columns"), Mapping) or not found["columns"]:
        yield "'columns' must be an object that names at least one column"
        return
    for name, told in found["columns"].items():
        if not isinstance(told, Mapping) or not isinstance(told.get("sdtype"), str):
            yield f"column {name!r}: 'sdtype' is missing"
    key = found.get("primary_key")
    if key is not None and key not in found["columns"]:
        yield f"'primary_key' must name a column, received {key!r}"


def alone(metadata: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns without a table; SchemaError lists those that cannot do without."""
    made = {name: _alone(name, told) for name, told in metadata["columns"].items()}
    needy = [f"column {name!r}: {metadata['columns'][name]['sdtype']}" for name, column in made.items() if not column]
    if needy:
        raise SchemaError("SDV's metadata hold no levels and no types: pass table=, too. It is needed for:", needy)
    return tuple(column for column in made.values() if column)


def _alone(name: str, told: Mapping[str, Any]) -> Column | None:
    sdtype = told["sdtype"]
    if sdtype == "boolean":
        return Boolean(name=name, arrow="bool", nullable=True)
    if sdtype == "numerical":
        whole = str(told.get("computer_representation", "Float")).lower().startswith(("int", "uint"))
        return Numeric(name=name, arrow="int64" if whole else "double", nullable=True, decimals=0 if whole else None)
    if sdtype == "datetime" and told.get("datetime_format"):
        return Datetime(name=name, arrow="string", nullable=True, format=told["datetime_format"], resolution="us")
    if sdtype == "id":
        template = template_of(str(told.get("regex_format", ""))) or "{uuid}"
        return Identifier(name=name, arrow="string", template=template)
    if sdtype in PERSONAL:
        return Personal(name=name, arrow="string", nullable=True, category=PERSONAL[sdtype])
    return None


def template_of(regex: str) -> str | None:
    """A template for a regular expression of literals and classes with fixed counts; None for any other."""
    made, end = "", 0
    for found in re.finditer(r"(\[[^\]]+\]|\\d|\\.|[^\\\[\]{}()|*+?.^$])(?:\{(\d+)\})?", regex):
        if found.start() != end:
            return None
        end, count = found.end(), int(found[2] or 1)
        inner = "0-9" if found[1] == r"\d" else found[1][1:-1] if found[1].startswith("[") else None
        if inner is None:
            letter = found[1].removeprefix("\\")
            made += (letter * 2 if letter in "{}" else letter) * count
        elif inner in _CLASSES and count:
            made += f"{{{_CLASSES[inner]}:{count}}}"
        else:
            return None
    return made if regex and end == len(regex) else None


# --- back -------------------------------------------------------------------------------------------------------------


def metadata_of(columns: tuple[Column, ...]) -> dict[str, Any]:
    """SDV's metadata of one table: sdtypes, formats, the first key as primary key; no bounds and no levels."""
    keys = [c.name for c in columns if isinstance(c, Identifier) and not c.repeats and not c.nullable]
    head: dict[str, Any] = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"} | ({"primary_key": keys[0]} if keys else {})
    return head | {"columns": {column.name: _told(column) for column in columns}}


def _told(column: Column) -> dict[str, Any]:
    if isinstance(column, Numeric):
        whole = column.arrow in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
        width = {"computer_representation": column.arrow.replace("int", "Int").replace("u", "U")}
        return {"sdtype": "numerical"} | (width if whole else {})
    if isinstance(column, Datetime):
        return {"sdtype": "datetime"} | ({"datetime_format": column.format} if column.format else {})
    if isinstance(column, Identifier):
        regex = _regex(column.template)
        return {"sdtype": "id"} | ({"regex_format": regex} if regex else {})
    if isinstance(column, Personal):
        return {"sdtype": _SDTYPES[column.category], "pii": True}
    if isinstance(column, Text):
        return {"sdtype": "unknown", "pii": True}
    return {"sdtype": "categorical" if isinstance(column, Categorical) else "boolean"}


def _regex(template: str) -> str | None:
    """A template as a regular expression; None where SDV's generator has no words for it."""
    made = ""
    for found in re.finditer(r"\{\{|\}\}|\{(\w+)(?::(\w+))?\}|[^{}]", template):
        if found[1] is None:
            made += re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", found[0][0])
        elif found[1] in _PLACEHOLDERS:
            made += f"{_PLACEHOLDERS[found[1]]}{{{found[2]}}}"
        else:
            return None
    return made
