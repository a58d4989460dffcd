"""A table judged by a schema: names and types in Arrow, everything else by Great Expectations, column by column.

One column at a time, because Great Expectations copies the whole frame for every rule; in layouts of our own, because
it compares only some of pandas' dtypes without a loop over rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from synthvae import tables
from synthvae.evaluation.expectations import between, layout
from synthvae.evaluation.expectations.chance import Sizes, lenient
from synthvae.evaluation.expectations.outcome import Check, Outcome, Verdict
from synthvae.evaluation.expectations.rule import Rule
from synthvae.evaluation.expectations.rules import rules
from synthvae.evaluation.expectations.suite import Engine
from synthvae.schema.check import typed
from synthvae.schema.columns import Column
from synthvae.schema.schema import Schema

ABSENT = "the column is missing"
WRONG = "the column is of another type"
ERROR = "Great Expectations failed to ask it"


def check(table: object, schema: Schema, *, real: object | None = None) -> Check:
    """Ask a table whether it keeps every promise of a schema.

    ``real``: a table whose null rates are to be kept to, as in ``expectation_suite``. What an open column or a null
    rate allows grows by what chance does in a table of this size. TableError where the table cannot be read. Values are
    never part of what comes back.
    """
    arrow = tables.read(table)[0]
    found = rules(schema, None if real is None else tables.read(real)[0])
    return check_arrow(arrow, schema, lenient(found, schema, Sizes.of(arrow, schema)))


def check_arrow(table: pa.Table, schema: Schema, found: Sequence[Rule]) -> Check:
    """The same for a table that has been read, and rules that have been made."""
    engine = Engine()
    outcomes = [_columns(engine, table, found[0])]
    for column in schema:
        own = [rule for rule in found if not rule.whole_table and rule.column == column.name]
        outcomes += _column(engine, table, column, own)
    outcomes += [_between(table, schema, rule) for rule in found if rule.between is not None]
    return Check(tuple(outcomes), table.num_rows)


def _columns(engine: Engine, table: pa.Table, rule: Rule) -> Outcome:
    wanted, there = set(rule.arguments["column_set"]), set(table.column_names)
    told = {"missing": sorted(wanted - there), "not in the schema": sorted(there - wanted)}
    note = "; ".join(f"{what}: {', '.join(map(repr, names))}" for what, names in told.items() if names)
    return _outcome(rule, engine.judge(pd.DataFrame(columns=table.column_names), [rule])[0], note)


def _between(table: pa.Table, schema: Schema, rule: Rule) -> Outcome:
    """A rule between columns, judged row by row."""
    assert rule.between is not None
    if not set(rule.between.names or schema.names) <= set(table.column_names):
        return Outcome(rule, Verdict.UNDECIDED, note="one of its columns is missing")
    try:
        broken = int(between.breaking(rule, schema, table).sum())
    except pa.ArrowException:  # its own text may quote a value
        return Outcome(rule, Verdict.UNDECIDED, note="one of its columns is of another type")
    return Outcome(rule, Verdict.BROKEN if broken else Verdict.MET, table.num_rows, broken)


def _column(engine: Engine, table: pa.Table, column: Column, found: Sequence[Rule]) -> Iterator[Outcome]:
    """The outcomes of one column's rules; its type comes first."""
    if column.name not in table.column_names:
        yield from (Outcome(rule, Verdict.UNDECIDED, note=ABSENT) for rule in found)
        return
    values = table[column.name]
    try:
        values = typed(pa.table({column.name: values}), [column])[column.name]
    except pa.ArrowException:  # its own text may quote a value
        yield Outcome(found[0], Verdict.BROKEN, note=f"it is of type {_short(values.type)}")
        yield from (Outcome(rule, Verdict.UNDECIDED, note=WRONG) for rule in found[1:])
        return
    yield Outcome(found[0], Verdict.MET)
    if layout.alike(values):
        yield from _judged(engine, layout.present(values, column), found[1:])
        return
    yield from _judged(engine, layout.nulls(values), [rule for rule in found[1:] if rule.name == "nulls"])
    yield from _judged(engine, layout.present(values, column), [rule for rule in found[1:] if rule.name != "nulls"])


def _short(type_: pa.DataType) -> str:
    return str(type_).split("<")[0]


def _judged(engine: Engine, frame: pd.DataFrame, found: Sequence[Rule]) -> Iterator[Outcome]:
    if found:
        results = engine.judge(frame, found, layout.NAME)
        yield from (_outcome(rule, result) for rule, result in zip(found, results, strict=True))


def _outcome(rule: Rule, result: Any, note: str = "") -> Outcome:
    """An expectation that raised says success=False, too: its exception tells the two apart."""
    if _raised(result.exception_info):
        return Outcome(rule, Verdict.UNDECIDED, note=ERROR)
    counts = result.result or {}
    verdict = Verdict.MET if result.success else Verdict.BROKEN
    return Outcome(rule, verdict, counts.get("element_count"), counts.get("unexpected_count"), note)


def _raised(info: Any) -> bool:
    """Whether anything went wrong; the facts are given once, or once per metric."""
    if not isinstance(info, dict):
        return False
    nested = [part for part in info.values() if isinstance(part, dict)]
    return bool(info.get("raised_exception")) or any(part.get("raised_exception") for part in nested)
