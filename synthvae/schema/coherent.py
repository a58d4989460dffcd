"""Everything that can be wrong with the rules between a schema's columns."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from synthvae.schema.arithmetic import measure_of
from synthvae.schema.columns import Boolean, Categorical, Column, Identifier, Numeric, Text
from synthvae.schema.constraints import (
    Constraint,
    Derived,
    FixedCombinations,
    FunctionalDependency,
    Inequality,
    NullWhen,
    OneHot,
    Predicate,
    Sum,
    Unique,
)
from synthvae.schema.formulas import FORMULAS
from synthvae.schema.measure import Measure, is_number, plain_type
from synthvae.schema.obeyed import typed_values
from synthvae.schema.solving import NotCombinableError, acts
from synthvae.schema.wellformed import fits, said

Columns = Mapping[str, Column]


def constraint_problems(rules: object, columns: Sequence[Column], what: str = "constraint") -> list[str]:
    """Everything that is wrong with the rules of a schema of these (well-formed) columns."""
    if not isinstance(rules, tuple | list) or not all(isinstance(rule, Constraint) for rule in rules):
        return [f"'{what}s' must be a list of constraints"]
    known = {column.name: column for column in columns}
    found = [f"{what} {place} ({rule.kind}): {text}" for place, rule in enumerate(rules) for text in one(rule, known)]
    twice = [rule for place, rule in enumerate(rules) if rule in rules[:place]]
    found += [f"{what} '{rule.says}' is there twice" for rule in twice]
    names = [rule.name for rule in rules if isinstance(rule, Predicate)]
    found += [f"more than one predicate is called {name!r}" for name in dict.fromkeys(names) if names.count(name) > 1]
    if not found and what == "constraint":
        try:
            acts(rules, known)
        except NotCombinableError as error:
            found.append(f"{error}: each would have to decide a column that the other decides or needs; drop one")
    return found


def one(rule: Constraint, columns: Columns) -> Iterator[str]:
    """Everything that is wrong with one rule."""
    wrong = list(_field_problems(rule))
    wrong = wrong or [f"{name!r} is not a column" for name in dict.fromkeys(rule.names) if name not in columns]
    repeated = [name for name in dict.fromkeys(rule.names) if rule.names.count(name) > 1]
    wrong = wrong or [f"column {name!r} is named more than once" for name in repeated]
    yield from wrong or RULES[type(rule)](rule, columns)


def _field_problems(rule: Constraint) -> Iterator[str]:
    if isinstance(rule, Predicate):
        if not isinstance(rule.name, str) or not rule.name:
            yield f"'name' must be text, received {rule.name!r}"
        if rule.function is not None and not callable(rule.function):
            yield f"'function' must be callable, received a {type(rule.function).__name__}"
        return
    hints = typing.get_type_hints(type(rule))
    for about in dataclasses.fields(rule):
        value, hint = getattr(rule, about.name), hints[about.name]
        if not fits(value, hint):
            yield f"{about.name!r} must be {said(hint)}, received {value!r}"


def _inequality(rule: Inequality, columns: Columns) -> Iterator[str]:
    if len(rule.columns) < 2:
        yield "'columns' must name at least two columns"
        return
    try:
        measure = Measure.of([columns[name] for name in rule.columns])
        for value in rule.exempt:
            measure.count(value)
            for name in rule.columns:
                typed_values(plain_type(columns[name]), [value])
    except (ValueError, pa.ArrowException) as error:
        yield str(error) if isinstance(error, ValueError) else "'exempt' does not suit the columns' type"


def _sum(rule: Sum, columns: Columns) -> Iterator[str]:
    if (rule.total is None) == (rule.constant is None):
        yield "exactly one of 'total' and 'constant' must be given"
    elif not rule.parts or (rule.total is None and len(rule.parts) < 2):
        yield "'parts' must name at least one column, two where they add up to a constant"
    else:
        try:
            measure_of(rule, columns)
        except ValueError as error:
            yield str(error)


def _learned(names: Sequence[str], columns: Columns) -> Iterator[str]:
    for name in names:
        if isinstance(columns[name], Identifier | Text):
            yield f"column {name!r} is {columns[name].kind}, whose values are not learned"


def _combinations(rule: FixedCombinations, columns: Columns) -> Iterator[str]:
    if len(rule.columns) < 2:
        yield "'columns' must name at least two columns"
    yield from _learned(rule.columns, columns)


def _dependency(rule: FunctionalDependency, columns: Columns) -> Iterator[str]:
    if not rule.determinant or not rule.dependent:
        yield "'determinant' and 'dependent' must each name at least one column"
    yield from _learned(rule.names, columns)


def _derived(rule: Derived, columns: Columns) -> Iterator[str]:
    formula = FORMULAS.get(rule.formula)
    if formula is None:
        yield f"'formula' must be one of {', '.join(FORMULAS)}, received {rule.formula!r}"
        return
    if not formula.least <= len(rule.of) <= formula.most:
        wanted = str(formula.least) if formula.least == formula.most else f"{formula.least} to {formula.most}"
        yield f"a {rule.formula} is made of {wanted} columns, received {len(rule.of)}"
    yield from (f"column {n!r} does not suit a {rule.formula}" for n in rule.of if not formula.made_of(columns[n]))
    if not is_number(columns[rule.column]):
        yield f"column {rule.column!r} must hold numbers"


def _one_hot(rule: OneHot, columns: Columns) -> Iterator[str]:
    if len(rule.columns) < 2:
        yield "'columns' must name at least two columns"
    for name in rule.columns:
        column = columns[name]
        levels = isinstance(column, Categorical) and set(column.levels) <= {0, 1}
        if not (isinstance(column, Boolean | Numeric) or levels):
            yield f"column {name!r} must hold 0 and 1, or true and false"


def _unique(rule: Unique, columns: Columns) -> Iterator[str]:
    if not rule.columns:
        yield "'columns' must name at least one column"


def _null_when(rule: NullWhen, columns: Columns) -> Iterator[str]:
    if not rule.values and not rule.null:
        yield "'values' must hold at least one value, or 'null' must be true"
    if not columns[rule.column].nullable:
        yield f"column {rule.column!r} must be 'nullable'"
    if rule.values:
        try:
            typed_values(plain_type(columns[rule.when]), rule.values)
        except (ValueError, pa.ArrowException):
            yield f"'values' do not suit column {rule.when!r} of type {columns[rule.when].arrow}"


def _nothing(rule: Predicate, columns: Columns) -> Iterator[str]:
    yield from ()


RULES: dict[type[Constraint], Callable[[Any, Columns], Iterator[str]]] = {
    Inequality: _inequality,
    Sum: _sum,
    FixedCombinations: _combinations,
    FunctionalDependency: _dependency,
    Derived: _derived,
    OneHot: _one_hot,
    Unique: _unique,
    NullWhen: _null_when,
    Predicate: _nothing,
}
