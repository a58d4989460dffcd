"""What a well-formed schema is, and everything that can be wrong with one."""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from synthvae.schema.columns import (
    CATEGORIES,
    CONTENTS,
    Boolean,
    Categorical,
    Column,
    Datetime,
    Identifier,
    Numeric,
    Personal,
    Text,
)
from synthvae.schema.instants import STEP, nanoseconds
from synthvae.schema.written import check_moment_format, number_format
from synthvae.tables import arrow_type, is_text, plain

_SIMPLE = r"sequence(?::-?\d+)?|(?:digits|number|upper|lower|hex|HEX|alnum):[1-9]\d*|uuid|ulid|check:(?:luhn|ean)"
_TEMPLATE = re.compile(rf"(?:[^{{}}]|\{{\{{|\}}\}}|\{{(?:{_SIMPLE})\}})*")


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
    wrong = [f.name for f in dataclasses.fields(column) if not fits(getattr(column, f.name), hints[f.name])]
    if wrong:
        yield from (f"{key!r} must be {said(hints[key])}, received {getattr(column, key)!r}" for key in wrong)
        return
    if column.open_share is not None and not 0 <= column.open_share <= 1:
        yield f"'open_share' must be from 0 to 1, received {column.open_share}"
    try:
        type_ = plain(pa.chunked_array([], arrow_type(column.arrow))).type
    except ValueError as error:
        yield f"'arrow': {error}"
        return
    holds, rule = _RULES[type(column)]
    if not any(holder(type_) for holder in holds):
        yield f"a {column.kind} column cannot be of Arrow type {column.arrow}"
        return
    yield from rule(column)


def fits(value: object, hint: Any) -> bool:
    """Whether a JSON value is of the annotated type; true and false are no numbers, lists are tuples."""
    if typing.get_origin(hint) is tuple:
        return isinstance(value, list | tuple) and all(fits(part, typing.get_args(hint)[0]) for part in value)
    choices = typing.get_args(hint) or (hint,)
    # a whole number is a float to whoever writes 0 for 0.0
    return type(value) in choices or (type(value) is int and float in choices)


def said(hint: Any) -> str:
    """An annotated type in words."""
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
    if typing.get_origin(hint) is tuple:
        return f"a list of {said(typing.get_args(hint)[0])}"
    return " or ".join(names.get(choice, str(choice)) for choice in typing.get_args(hint) or (hint,))


def _numeric(column: Numeric) -> Iterator[str]:
    yield from _format(column, number_format)
    if not all(math.isfinite(bound) for bound in (column.lower, column.upper) if bound is not None):
        yield "'lower' and 'upper' must be finite"
    elif column.lower is not None and column.upper is not None and column.lower > column.upper:
        yield f"'lower' {column.lower} is above 'upper' {column.upper}"


def _categorical(column: Categorical) -> Iterator[str]:
    twice = [level for level, times in Counter(column.levels).items() if times > 1]
    yield from (f"level {level!r} appears more than once" for level in twice)
    if not all(isinstance(level, str) or math.isfinite(level) for level in column.levels):
        yield "'levels' must be finite"
    if len({isinstance(level, str) for level in column.levels}) > 1:
        yield "'levels' must be all text or all numbers"
    elif not _can_hold(column):
        yield f"'levels' are not all of type {column.arrow}"
    if not column.levels and not column.nullable:
        yield "a column without 'levels' is always null, so it must be 'nullable'"


def _can_hold(column: Categorical) -> bool:
    try:
        pa.array(column.levels, plain(pa.chunked_array([], arrow_type(column.arrow))).type)
    except (pa.ArrowException, OverflowError, TypeError):
        return False
    return True


def _format(column: Numeric | Datetime, read: Callable[[str], object]) -> Iterator[str]:
    """Text needs a format, and nothing else has one."""
    text = is_text(plain(pa.chunked_array([], arrow_type(column.arrow))).type)
    if text and column.format is None:
        yield f"a {column.kind} column cannot be of Arrow type {column.arrow} without a 'format'"
    for key in ("format", "marker"):
        if not text and getattr(column, key) is not None:
            yield f"{key!r} is for text, received {getattr(column, key)!r} and Arrow type {column.arrow}"
    try:
        if column.format is not None:
            read(column.format)
    except ValueError as error:
        yield f"'format': {error}"


def _datetime(column: Datetime) -> Iterator[str]:
    yield from _format(column, check_moment_format)
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
    if not 0 <= column.repeats < 1:
        yield f"'repeats' must be at least 0 and below 1, received {column.repeats}"
    if not _TEMPLATE.fullmatch(column.template):
        yield "'template' has a brace that opens no known placeholder; write {{ and }} for braces"


def _personal(column: Personal) -> Iterator[str]:
    if column.category not in CATEGORIES:
        yield f"'category' must be one of {', '.join(CATEGORIES)}, received {column.category!r}"
    if not re.fullmatch(r"[a-z]{2,3}_[A-Z]{2}", column.locale):
        yield f"'locale' must be a language and a country such as 'en_US', received {column.locale!r}"


def _text(column: Text) -> Iterator[str]:
    if column.content not in CONTENTS:
        yield f"'content' must be one of {', '.join(CONTENTS)}, received {column.content!r}"
    if not 0 <= column.min_length <= column.max_length:
        yield f"lengths must be 0 <= 'min_length' <= 'max_length', received {column.min_length} and {column.max_length}"


def _boolean(column: Boolean) -> Iterator[str]:
    yield from ()


def _is_moment(type_: pa.DataType) -> bool:
    return bool(pt.is_temporal(type_) and not pt.is_duration(type_))


_NUMBERS = (pt.is_integer, pt.is_floating, pt.is_decimal)
# Of each kind, the Arrow types that can carry it and what else may be wrong with it.
_RULES: dict[type[Column], tuple[tuple[Callable[[pa.DataType], bool], ...], Callable[[Any], Iterator[str]]]] = {
    Numeric: ((*_NUMBERS, pt.is_duration, is_text), _numeric),
    Categorical: ((is_text, pt.is_null, pt.is_boolean, pt.is_temporal, *_NUMBERS), _categorical),
    Boolean: ((pt.is_boolean,), _boolean),
    Datetime: ((_is_moment, is_text), _datetime),
    Identifier: ((is_text, pt.is_integer), _identifier),
    Text: ((is_text,), _text),
    Personal: ((is_text,), _personal),
}
