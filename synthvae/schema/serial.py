"""A schema as JSON a person can read and edit, and everything that can be wrong with one."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synthvae.errors import SchemaError
from synthvae.schema.columns import KINDS, Boolean, Categorical, Column, Datetime, Identifier, Numeric, Text
from synthvae.schema.instants import STEP, nanoseconds
from synthvae.tables import Kind, arrow_type

FORMAT = "synthvae-schema"
VERSION = 1
Parts = tuple[tuple[Column, ...], str | None, int, Kind]

_SIMPLE = r"sequence:\d+|(?:digits|number|upper|lower|hex|HEX|alnum):[1-9]\d*|uuid"
_TEMPLATE = re.compile(rf"(?:[^{{}}]|\{{\{{|\}}\}}|\{{(?:{_SIMPLE})\}})*")


def to_dict(columns: Sequence[Column], group: str | None, min_count: int, kind: str) -> dict[str, Any]:
    """The schema as a JSON object; fields at their default are left out."""
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "min_count": min_count}
    return (
        head | ({"group": group} if group else {}) | {"container": kind, "columns": [_column_dict(c) for c in columns]}
    )


def _column_dict(column: Column) -> dict[str, Any]:
    told = {f.name: getattr(column, f.name) for f in dataclasses.fields(column)}
    kept = {
        f.name
        for f in dataclasses.fields(column)
        if told[f.name] != f.default or type(told[f.name]) is not type(f.default)
    }
    return {"name": column.name, "kind": column.kind} | {
        key: told[key] for key in told if key in kept and key != "name"
    }


def from_text(text: str) -> Parts:
    """Columns, group, min_count and container kind of a JSON text; one SchemaError lists all that is wrong with it."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise SchemaError(f"The schema is not valid JSON: {error}") from None
    problems = list(_head_problems(found))
    if problems:
        raise SchemaError("This is not a schema this version can read:", problems)
    problems = [*_body_problems(found)]
    columns = []
    for place, item in enumerate(found["columns"]):
        wrong = list(_item_problems(place, item))
        problems += wrong
        if not wrong:
            columns.append(_column(item))
    # the other columns are judged too, so that one reading tells all; a broken one may be the group
    group, min_count = found.get("group"), found.get("min_count", 5)
    usable = isinstance(group, str) and any(column.name == group for column in columns)
    problems += (
        schema_problems(columns, group if usable or len(columns) == len(found["columns"]) else None, min_count)
        if columns
        else []
    )
    if problems:
        raise SchemaError("The schema is not well formed:", list(dict.fromkeys(problems)))
    return tuple(columns), group, min_count, found.get("container", "pandas")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number a schema can hold")


def _head_problems(found: object) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"expected a JSON object, received a {type(found).__name__}"
        return
    if found.get("format") != FORMAT:
        yield f"'format' must be {FORMAT!r}, received {found.get('format')!r}"
    version = found.get("version")
    if type(version) is not int or version < 1:
        yield f"'version' must be {VERSION}, received {version!r}"
    elif version > VERSION:
        yield f"'version' is {version}, newer than {VERSION}; update synthvae to read it"
    if not isinstance(found.get("columns"), list):
        yield "'columns' must be a list"


def _body_problems(found: Mapping[str, Any]) -> Iterator[str]:
    known = ("format", "version", "min_count", "group", "container", "columns")
    yield from (f"unknown key {key!r}; expected one of {', '.join(known)}" for key in found if key not in known)
    if found.get("container", "pandas") not in typing.get_args(Kind):
        yield f"'container' must be one of {', '.join(typing.get_args(Kind))}, received {found['container']!r}"


def _item_problems(place: int, item: object) -> Iterator[str]:
    """What is wrong with one column's JSON before it can be a dataclass."""
    if not isinstance(item, dict):
        yield f"column {place}: expected a JSON object, received a {type(item).__name__}"
        return
    name = repr(item["name"]) if isinstance(item.get("name"), str) else str(place)
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        yield f"column {name}: 'kind' must be one of {', '.join(KINDS)}, received {kind!r}"
        return
    fields = {f.name: f for f in dataclasses.fields(KINDS[kind])}
    unknown = [key for key in item if key != "kind" and key not in fields]
    yield from (f"column {name}: unknown key {key!r}; a {kind} column has {', '.join(fields)}" for key in unknown)
    hints = typing.get_type_hints(KINDS[kind])
    for key, about in fields.items():
        if key not in item and about.default is dataclasses.MISSING:
            yield f"column {name}: {key!r} is missing"
        elif key in item and not _fits(item[key], hints[key]):
            yield f"column {name}: {key!r} must be {_said(hints[key])}, received {item[key]!r}"


def _fits(value: object, hint: Any) -> bool:
    """Whether a JSON value is of the annotated type; true and false are no numbers, lists are tuples."""
    if typing.get_origin(hint) is tuple:
        return isinstance(value, list | tuple) and all(_fits(part, typing.get_args(hint)[0]) for part in value)
    choices = typing.get_args(hint) or (hint,)
    return type(value) in choices or (value is None and type(None) in choices)


def _said(hint: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
    if typing.get_origin(hint) is tuple:
        return f"a list of {_said(typing.get_args(hint)[0])}"
    return " or ".join(names.get(choice, str(choice)) for choice in typing.get_args(hint) or (hint,))


def _column(item: Mapping[str, Any]) -> Column:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in item.items() if key != "kind"}
    return KINDS[item["kind"]](**values)


# --- what contradicts itself ----------------------------------------------------------------------------------------


def schema_problems(columns: Sequence[Column], group: str | None, min_count: object) -> list[str]:
    """Everything that is wrong with a schema made of these columns."""
    problems = [] if columns else ["a schema needs at least one column"]
    names = [column.name for column in columns]
    problems += [f"column {name!r} appears more than once" for name in dict.fromkeys(names) if names.count(name) > 1]
    if type(min_count) is not int or min_count < 1:
        problems.append(f"'min_count' must be a whole number of at least 1, received {min_count!r}")
    if group is not None and group not in names:
        problems.append(f"'group' must name a column, received {group!r}")
    return problems + [f"column {column.name!r}: {text}" for column in columns for text in column_problems(column)]


def column_problems(column: Column) -> Iterator[str]:
    """Everything that is wrong with one column."""
    hints = typing.get_type_hints(type(column))
    wrong = [f.name for f in dataclasses.fields(column) if not _fits(getattr(column, f.name), hints[f.name])]
    if wrong:
        yield from (f"{key!r} must be {_said(hints[key])}, received {getattr(column, key)!r}" for key in wrong)
        return
    try:
        arrow_type(column.arrow)
    except ValueError as error:
        yield f"'arrow': {error}"
    if column.open_share is not None and not 0 <= column.open_share <= 1:
        yield f"'open_share' must be from 0 to 1, received {column.open_share}"
    yield from _PROBLEMS[type(column)](column)


def _numeric(column: Numeric) -> Iterator[str]:
    if column.lower is not None and column.upper is not None and column.lower > column.upper:
        yield f"'lower' {column.lower} is above 'upper' {column.upper}"


def _categorical(column: Categorical) -> Iterator[str]:
    twice = [level for place, level in enumerate(column.levels) if level in column.levels[:place]]
    yield from (f"level {level!r} appears more than once" for level in dict.fromkeys(twice))
    if len({isinstance(level, str) for level in column.levels}) > 1:
        yield "'levels' must be all text or all numbers"
    if not column.levels and not column.nullable:
        yield "a column without 'levels' is always null, so it must be 'nullable'"


def _datetime(column: Datetime) -> Iterator[str]:
    if column.resolution not in STEP:
        yield f"'resolution' must be one of {', '.join(STEP)}, received {column.resolution!r}"
    bounds: dict[str, int] = {}
    for key, text in (("lower", column.lower), ("upper", column.upper)):
        try:
            bounds |= {} if text is None else {key: nanoseconds(text)}
        except ValueError as error:
            yield f"{key!r}: {error}"
    if len(bounds) == 2 and bounds["lower"] > bounds["upper"]:
        yield f"'lower' {column.lower} is after 'upper' {column.upper}"


def _identifier(column: Identifier) -> Iterator[str]:
    if not _TEMPLATE.fullmatch(column.template):
        yield "'template' has a brace that opens no known placeholder; write {{ and }} for braces"


def _text(column: Text) -> Iterator[str]:
    if not 0 <= column.min_length <= column.max_length:
        yield f"lengths must be 0 <= 'min_length' <= 'max_length', received {column.min_length} and {column.max_length}"


def _boolean(column: Boolean) -> Iterator[str]:
    yield from ()


_PROBLEMS: dict[type[Column], typing.Callable[[Any], Iterator[str]]] = {
    Numeric: _numeric, Categorical: _categorical, Boolean: _boolean, Datetime: _datetime, Identifier: _identifier, Text: _text,
}  # fmt: skip
