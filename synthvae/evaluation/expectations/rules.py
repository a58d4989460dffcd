"""A schema as rules: what each column promises, in words, and as the Great Expectations that ask for it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from synthvae.evaluation.expectations import between, patterns, types
from synthvae.evaluation.expectations.rule import Rule
from synthvae.schema import instants, written
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Text
from synthvae.schema.schema import Schema
from synthvae.tables import arrow_type

# What a template is called that was not read off the values; a real table need not look like it.
FALLBACKS = ("{uuid}", "{sequence:1}")
SURE = 3.0  # standard deviations: a null rate above so many is no longer the real one's
DIGITS = 4  # of a share that is written down


def rules(schema: Schema, real: pa.Table | None = None) -> list[Rule]:
    """Every promise of a schema. ``real``: a table whose null rates are to be kept to, where columns may be null."""
    names = sorted(schema.names)
    says = f"has the {len(names)} columns of the schema and no other"
    found = [Rule("", "columns", says, "expect_table_columns_to_match_set", {"column_set": names, "exact_match": True})]
    for column in schema:
        found += [_type(column), *_nulls(column, real, schema.min_count)]
        if column.name == schema.group:
            found += _group(column)
        else:
            found += RULES[type(column)](column, schema.min_count)
    return found + list(between.rules(schema, real))


def _type(column: Column) -> Rule:
    says = f"is of type {column.arrow if len(column.arrow) < 40 else column.arrow.split('<')[0]}"
    named = types.names(column)
    if not named or _always_null(column):
        return Rule(column.name, "type", says)
    return Rule(column.name, "type", says, "expect_column_values_to_be_in_type_list", {"type_list": named})


def _always_null(column: Column) -> bool:
    return isinstance(column, Categorical) and not column.levels


def _nulls(column: Column, real: pa.Table | None, min_count: int) -> Iterator[Rule]:
    never = "expect_column_values_to_not_be_null"
    if _always_null(column):
        yield Rule(column.name, "nulls", "is always null", "expect_column_values_to_be_null")
    elif not column.nullable:
        yield Rule(column.name, "nulls", "is never null", never)
    elif real is not None and real.num_rows:
        allowed = _most(real[column.name].null_count, real.num_rows, min_count)
        if allowed < 1:
            yield Rule(column.name, "nulls", f"is null in at most {allowed:.2%} of the rows", never, {}, allowed)


def _most(nulls: int, rows: int, min_count: int) -> float:
    """The largest null rate that is still the real one's: Wilson's upper limit, with ``min_count`` rows behind it."""
    share = min(max(nulls, min_count), rows) / rows
    centre = share + SURE**2 / (2 * rows)
    spread = SURE * math.sqrt(share * (1 - share) / rows + (SURE / (2 * rows)) ** 2)
    return math.ceil(min((centre + spread) / (1 + SURE**2 / rows), 1.0) * 10**DIGITS) / 10**DIGITS


# --- what values may be, by kind --------------------------------------------------------------------------------------


def _value_rule(column: Column, name: str, says: str, expectation: str, arguments: Mapping[str, Any]) -> Rule:
    allowed = column.open_share or 0.0
    said = f"{says}, {allowed:.2%} of the values excepted" if allowed else says
    return Rule(column.name, name, said, expectation, arguments, allowed)


def _written(column: Numeric | Datetime) -> Rule:
    says, arguments = f"is written like {column.format}", {"regex": written.pattern(column)}
    return _value_rule(column, "pattern", says, "expect_column_values_to_match_regex", arguments)


def _numeric(column: Numeric, min_count: int) -> Iterator[Rule]:
    if column.format is not None:
        yield _written(column)
        return
    if pt.is_duration(arrow_type(column.arrow)):  # no two tools agree on what one is
        return
    bounds = (None if bound is None else _as_stored(bound, column) for bound in (column.lower, column.upper))
    yield from _range(column, column.lower, column.upper, tuple(bounds))


def _as_stored(bound: int | float, column: Numeric) -> int | float:
    """A bound as the column's own width has it, so that a value on it is not beyond it."""
    type_ = arrow_type(column.arrow)
    if pt.is_dictionary(type_) or not (pt.is_floating(type_) or pt.is_decimal(type_)):
        return bound
    if pt.is_floating(type_):
        return float(np.dtype(type_.to_pandas_dtype()).type(bound))
    # a decimal is compared digit by digit with a float that is a hair off
    return float(np.nextafter(bound, -math.inf if bound == column.lower else math.inf))


def _range(column: Column, lower: Any, upper: Any, bounds: tuple[Any, ...]) -> Iterator[Rule]:
    arguments = {key: bound for key, bound in zip(("min_value", "max_value"), bounds, strict=True) if bound is not None}
    if not arguments:
        return
    says = f"is at least {lower}" if upper is None else f"is at most {upper}"
    if lower is not None and upper is not None:
        says = f"lies between {lower} and {upper}"
    yield _value_rule(column, "range", says, "expect_column_values_to_be_between", arguments)


def _datetime(column: Datetime, min_count: int) -> Iterator[Rule]:
    if column.format is not None:
        yield _written(column)
        return
    type_ = arrow_type(column.arrow)
    if pt.is_time(type_):
        return
    bounds = (_moment(column.lower, type_, down=True), _moment(column.upper, type_, down=False))
    yield from _range(column, column.lower, column.upper, bounds)


def _moment(text: str | None, type_: pa.DataType, down: bool) -> dt.date | dt.datetime | None:
    """A bound as Python counts time, rounded outward to its microseconds; None beyond the years that Python knows."""
    if text is None:
        return None
    count = instants.nanoseconds(text)
    micros = count // 1000 if down else -(-count // 1000)
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    except OverflowError:
        return None
    if pt.is_date(type_):
        return moment.date()
    return moment if pt.is_timestamp(type_) and type_.tz else moment.replace(tzinfo=None)


def _categorical(column: Categorical, min_count: int) -> Iterator[Rule]:
    if column.levels:
        says = f"is one of {len(column.levels)} levels"
        yield _value_rule(column, "levels", says, "expect_column_values_to_be_in_set", {"value_set": [*column.levels]})


def _boolean(column: Boolean, min_count: int) -> Iterator[Rule]:
    both = {"value_set": [True, False]}
    yield Rule(column.name, "levels", "is true or false", "expect_column_values_to_be_in_set", both)


def _identifier(column: Identifier, min_count: int) -> Iterator[Rule]:
    if not column.repeats:
        yield Rule(column.name, "unique", "holds no value twice", "expect_column_values_to_be_unique")
        yield from _pattern(column)
    elif column.template not in FALLBACKS:
        yield from _pattern(column)


def _group(column: Column) -> Iterator[Rule]:
    """A group's key comes once per row of the group, and its template may not be its own."""
    if isinstance(column, Identifier) and column.template not in FALLBACKS:
        yield from _pattern(column)


def _pattern(column: Identifier) -> Iterator[Rule]:
    if pt.is_integer(arrow_type(column.arrow)):
        low, high = patterns.whole_range(column.template)
        yield from _range(column, low, high, (low, high))
        return
    arguments, says = {"regex": patterns.regex(column.template)}, f"looks like {column.template}"
    yield _value_rule(column, "pattern", says, "expect_column_values_to_match_regex", arguments)


def _text(column: Text, min_count: int) -> Iterator[Rule]:
    """Lengths; where no share is written down, bounds with ``min_count`` rows behind them may leave most values out."""
    if not column.max_length:
        return
    arguments = {"min_value": column.min_length, "max_value": column.max_length}
    says = f"is {column.min_length} to {column.max_length} characters long"
    expectation = "expect_column_value_lengths_to_be_between"
    if column.open_share is not None:
        yield _value_rule(column, "length", says, expectation, arguments)
        return
    one_in = max(2 * min_count - 1, 1)
    yield Rule(column.name, "length", f"{says} in one value of {one_in}", expectation, arguments, 1 - 1 / one_in)


def _personal(column: Personal, min_count: int) -> Iterator[Rule]:
    if column.unique:
        yield Rule(column.name, "unique", "holds no value twice", "expect_column_values_to_be_unique")


RULES: dict[type[Column], Callable[[Any, int], Iterator[Rule]]] = {
    Numeric: _numeric,
    Categorical: _categorical,
    Boolean: _boolean,
    Datetime: _datetime,
    Identifier: _identifier,
    Text: _text,
    Personal: _personal,
}
