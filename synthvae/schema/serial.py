"""A schema as JSON a person can read and edit."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synthvae.errors import SchemaError
from synthvae.schema.columns import KINDS, Column
from synthvae.schema.constraints import KINDS as RULE_KINDS
from synthvae.schema.constraints import Constraint
from synthvae.schema.wellformed import fits, said, schema_problems
from synthvae.tables import Kind

FORMAT = "synthvae-schema"
VERSION = 2
WITHOUT_RULES = 1  # a schema without rules is written so that older versions read it
RULES = ("constraints", "proposals")
CODE = "function"  # the one field of a rule that no file can hold
Rules = tuple[Constraint, ...]
Parts = tuple[tuple[Column, ...], str | None, int, Kind, Rules, Rules]


def to_dict(
    columns: Sequence[Column], group: str | None, min_count: int, kind: str, rules: Mapping[str, Rules]
) -> dict[str, Any]:
    """The schema as a JSON object; fields at their default are left out. ``rules``: by their key in ``RULES``."""
    version = VERSION if any(rules.values()) else WITHOUT_RULES
    head: dict[str, Any] = {"format": FORMAT, "version": version, "min_count": min_count}
    body = {"container": kind, "columns": [_column_dict(c) for c in columns]}
    told = {key: [_rule_dict(rule) for rule in found] for key, found in rules.items() if found}
    return head | ({"group": group} if group else {}) | body | told


def _column_dict(column: Column) -> dict[str, Any]:
    told = _told(column)
    return {"name": column.name, "kind": column.kind} | {key: told[key] for key in told if key != "name"}


def _rule_dict(rule: Constraint) -> dict[str, Any]:
    return {"kind": rule.kind} | {key: value for key, value in _told(rule).items() if not callable(value)}


def _told(thing: Column | Constraint) -> dict[str, Any]:
    """The fields that are not at their default."""
    told = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
    return {
        f.name: told[f.name]
        for f in dataclasses.fields(thing)
        if told[f.name] != f.default or type(told[f.name]) is not type(f.default)
    }


def from_text(text: str) -> Parts:
    """The parts of a schema's JSON text; one SchemaError lists all that is wrong with it."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise SchemaError(f"The schema is not valid JSON: {error}") from None
    problems = list(_head_problems(found))
    if problems:
        raise SchemaError("This is not a schema this version can read:", problems)
    problems = [*_body_problems(found)]
    columns: list[Column] = _made(found["columns"], "column", KINDS, problems)
    listed = {key: found[key] if isinstance(found.get(key), list) else [] for key in RULES}
    rules: list[list[Constraint]] = [_made(listed[key], key.removesuffix("s"), RULE_KINDS, problems) for key in RULES]
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
    return tuple(columns), group, min_count, found.get("container", "pandas"), tuple(rules[0]), tuple(rules[1])


def _made(items: Sequence[object], what: str, kinds: Mapping[str, type[Any]], problems: list[str]) -> list[Any]:
    """The dataclasses of JSON objects; what is wrong with the others is added to ``problems``."""
    made = []
    for place, item in enumerate(items):
        wrong = list(_item_problems(place, item, what, kinds))
        problems += wrong
        if not wrong:
            made.append(_thing(item, kinds))
    return made


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
        yield f"'version' must be a whole number up to {VERSION}, received {version!r}"
    elif version > VERSION:
        yield f"'version' is {version}, newer than {VERSION}; update synthvae to read it"
    if not isinstance(found.get("columns"), list):
        yield "'columns' must be a list"


def _body_problems(found: Mapping[str, Any]) -> Iterator[str]:
    known = ("format", "version", "min_count", "group", "container", "notes", "columns", *RULES)
    yield from (f"unknown key {key!r}; expected one of {', '.join(known)}" for key in found if key not in known)
    if found.get("notes") is not None and not _are_notes(found["notes"]):
        yield "'notes' must hold text by text, for the table under \"\" and for each column under its name"
    if found.get("container", "pandas") not in typing.get_args(Kind):
        yield f"'container' must be one of {', '.join(typing.get_args(Kind))}, received {found['container']!r}"
    yield from (f"{key!r} must be a list" for key in RULES if not isinstance(found.get(key, []), list))


def _are_notes(found: object) -> bool:
    """Whether this is text by text, for the table and for each field."""
    parts = found.values() if isinstance(found, dict) else [None]
    return all(isinstance(part, dict) and all(isinstance(text, str) for text in part.values()) for part in parts)


def _item_problems(place: int, item: object, what: str, kinds: Mapping[str, type[Any]]) -> Iterator[str]:
    """What is wrong with the JSON of one column or rule before it can be a dataclass."""
    if not isinstance(item, dict):
        yield f"{what} {place}: expected a JSON object, received a {type(item).__name__}"
        return
    name = repr(item["name"]) if isinstance(item.get("name"), str) else str(place)
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        yield f"{what} {name}: 'kind' must be one of {', '.join(kinds)}, received {kind!r}"
        return
    fields = {f.name: f for f in dataclasses.fields(kinds[kind]) if f.name != CODE}
    unknown = [key for key in item if key != "kind" and key not in fields]
    yield from (f"{what} {name}: unknown key {key!r}; a {kind} {what} has {', '.join(fields)}" for key in unknown)
    hints = typing.get_type_hints(kinds[kind])
    for key, about in fields.items():
        if key not in item and about.default is dataclasses.MISSING:
            yield f"{what} {name}: {key!r} is missing"
        elif key in item and not fits(item[key], hints[key]):
            yield f"{what} {name}: {key!r} must be {said(hints[key])}, received {item[key]!r}"


def _thing(item: Any, kinds: Mapping[str, type[Any]]) -> Any:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in item.items() if key != "kind"}
    return kinds[item["kind"]](**values)
