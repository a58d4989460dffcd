"""Rules between columns: as promises of the whole table, as Great Expectations where it has words for them, and judged.

They are judged by the schema's own arithmetic, row by row, which is exact in every type and knows every kind of rule.
A suite holds the nearest Great Expectations has: it cannot speak of sums of other columns, of dependencies or formulas.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.evaluation.expectations.rule import Rule
from synthvae.schema import obeyed
from synthvae.schema.check import typed
from synthvae.schema.columns import Datetime
from synthvae.schema.constraints import (
    Constraint,
    FixedCombinations,
    Inequality,
    NullWhen,
    OneHot,
    Predicate,
    Sum,
    Unique,
)
from synthvae.schema.schema import Schema
from synthvae.tables import plain

NAME = "constraint"
KNOWN = "known"  # the argument of a rule that holds the combinations of the real table
Array = np.ndarray[Any, Any]
Asked = tuple[str, dict[str, Any]]


def rules(schema: Schema, real: pa.Table | None = None) -> Iterator[Rule]:
    """One rule for each constraint that can be asked; which combinations are known only a real table can tell."""
    for constraint in schema.constraints:
        if isinstance(constraint, Predicate) and constraint.function is None:
            continue
        if isinstance(constraint, FixedCombinations):
            if real is not None:
                seen = {KNOWN: _combinations(real, constraint)}
                yield Rule("", NAME, constraint.says, arguments=seen, between=constraint)
            continue
        asked = EXPECTATIONS.get(type(constraint), _none)(constraint, schema)
        yield Rule("", NAME, constraint.says, between=constraint, asked=tuple(asked))


def breaking(rule: Rule, schema: Schema, table: pa.Table) -> Array:
    """(n,) rows that break a rule between columns; ArrowException where a column is of another type."""
    constraint = rule.between
    assert constraint is not None
    names = list(constraint.names or schema.names)
    table = typed(table.select(names), [schema[name] for name in names])
    if isinstance(constraint, FixedCombinations):
        return _strange(table, rule.arguments[KNOWN], names)
    return obeyed.broken(constraint, table, {name: schema[name] for name in names})


def _combinations(table: pa.Table, constraint: FixedCombinations) -> pa.Table:
    names = list(constraint.columns)
    return _bare(table, names).group_by(names).aggregate([])


def _strange(table: pa.Table, known: pa.Table, names: list[str]) -> Array:
    """(n,) rows whose combination is not known; null is a value."""
    own = _bare(table, names)
    fields = pa.unify_schemas([own.schema, known.schema], promote_options="permissive")
    together = pa.concat_tables([known.select(names).cast(fields), own.cast(fields)])
    codes, _ = obeyed.codes(together, names)
    return ~np.isin(codes[known.num_rows :], codes[: known.num_rows])


def _bare(table: pa.Table, names: list[str]) -> pa.Table:
    return pa.table({name: plain(table[name]) for name in names})


# --- in the words of Great Expectations -------------------------------------------------------------------------------


def _inequality(rule: Inequality, schema: Schema) -> Iterator[Asked]:
    for below, above in pairwise(rule.columns) if not rule.exempt else ():
        arguments = {"column_A": above, "column_B": below, "or_equal": not rule.strict}
        yield (
            "expect_column_pair_values_a_to_be_greater_than_b",
            arguments | {"ignore_row_if": "either_value_is_missing"},
        )


def _sum(rule: Sum, schema: Schema) -> Iterator[Asked]:
    whole = all(getattr(schema[name], "decimals", 0) == 0 for name in rule.parts)
    if rule.constant is not None and whole:  # floats that add up are a hair off
        yield _adds_up(rule.parts, rule.constant)


def _one_hot(rule: OneHot, schema: Schema) -> Iterator[Asked]:
    yield _adds_up(rule.columns, 1)


def _adds_up(columns: tuple[str, ...], total: int | float) -> Asked:
    arguments = {"column_list": [*columns], "sum_total": total, "ignore_row_if": "any_value_is_missing"}
    return "expect_multicolumn_sum_to_equal", arguments


def _unique(rule: Unique, schema: Schema) -> Iterator[Asked]:
    if len(rule.columns) == 1:
        yield "expect_column_values_to_be_unique", {"column": rule.columns[0]}
    else:
        arguments = {"column_list": [*rule.columns], "ignore_row_if": "any_value_is_missing"}
        yield "expect_compound_columns_to_be_unique", arguments


def _null_when(rule: NullWhen, schema: Schema) -> Iterator[Asked]:
    """One value of a column that pandas can ask for by name."""
    if len(rule.values) != 1 or rule.null or isinstance(schema[rule.when], Datetime) or not rule.when.isidentifier():
        return
    value = repr(rule.values[0]) if isinstance(rule.values[0], bool) else json.dumps(rule.values[0])
    same, other = (f"{rule.when} == {value}", f"{rule.when} != {value} and {rule.when}.notnull()")
    null, full = (other, same) if rule.unless else (same, other)
    pandas = {"condition_parser": "pandas"}
    yield "expect_column_values_to_be_null", {"column": rule.column, "row_condition": null} | pandas
    if rule.exactly:
        yield "expect_column_values_to_not_be_null", {"column": rule.column, "row_condition": full} | pandas


def _none(rule: Constraint, schema: Schema) -> Iterator[Asked]:
    yield from ()


EXPECTATIONS: dict[type[Constraint], Callable[[Any, Schema], Iterator[Asked]]] = {
    Inequality: _inequality,
    Sum: _sum,
    OneHot: _one_hot,
    Unique: _unique,
    NullWhen: _null_when,
}
