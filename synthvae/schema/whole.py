"""The schema of a table larger than memory: guessed from a sample, true of the whole; and the whole held to it.

What a sample cannot know is asked of every row: whether a column has nulls, and whether a rule between columns holds.
Values that the sample does not have, rare levels and extremes, are beyond what the schema names: every column is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from synthvae.errors import SchemaError
from synthvae.schema.check import UNLAWFUL, examined, typed
from synthvae.schema.coherent import one
from synthvae.schema.columns import Categorical, Column, Datetime, Numeric
from synthvae.schema.constraints import Constraint, FunctionalDependency
from synthvae.schema.obeyed import broken
from synthvae.schema.schema import Schema
from synthvae.tables import LargeTable, Scan, plain
from synthvae.tables.problem import Problem, Problems


def of_whole(sampled: Schema, table: LargeTable, scanned: Scan) -> Schema:
    """The schema that was inferred from the sample, without what some row of the table belies."""
    columns = tuple(_open(column, scanned.nulls[column.name]) for column in sampled.columns)
    known = {column.name: column for column in columns}
    rules = (*sampled.constraints, *sampled.proposals)
    false = [rule for rule in rules if any(one(rule, known))]  # it may not suit a column that has nulls after all
    asked = [rule for rule in rules if rule not in false]
    false += _belied(asked, table, known) if asked else []
    kept = [tuple(rule for rule in some if rule not in false) for some in (sampled.constraints, sampled.proposals)]
    schema = replace(sampled, columns=columns, constraints=kept[0], proposals=kept[1])
    return schema.carried_by(scanned.container)


def lawful_batches(schema: Schema, table: LargeTable) -> Iterator[pa.Table]:
    """The table batch by batch, in the schema's order and types.

    SchemaError lists everything unlawful in all of it, once it is read to the end; from the first unlawful batch on
    none is given. Dependencies between columns are held to across batches, uniqueness within a batch alone.
    """
    found, across = Problems(), _Across(schema.constraints)
    for first, batch in table.batches():
        made, problems = examined(batch, schema.columns, schema.min_count, schema.constraints)
        found.add(problems, first)
        if not found:
            across.add(made)
            yield made
    if not found:
        false = across.broken({column.name: column for column in schema.columns})
        found.add(Problem(f"constraint '{rule.says}' is broken by rows of different parts") for rule in false)
    if found:
        raise SchemaError(UNLAWFUL, found.said)


class _Across:
    """The distinct values of the columns that depend on one another, of all batches."""

    def __init__(self, rules: Sequence[Constraint]) -> None:
        self.rules = [rule for rule in rules if isinstance(rule, FunctionalDependency)]
        self._names = [list(dict.fromkeys(rule.names)) for rule in self.rules]
        self._seen: list[list[pa.Table]] = [[] for _ in self.rules]

    def add(self, batch: pa.Table) -> None:
        for names, seen in zip(self._names, self._seen, strict=True):
            seen[:] = [_distinct(pa.concat_tables([*seen, _bare(batch.select(names))]))]

    def broken(self, columns: Mapping[str, Column]) -> list[Constraint]:
        """The rules that some two rows break."""
        pairs = zip(self.rules, self._seen, strict=True)
        return [rule for rule, seen in pairs if seen and broken(rule, seen[0], columns).any()]


def _belied(rules: Sequence[Constraint], table: LargeTable, columns: Mapping[str, Column]) -> list[Constraint]:
    """The rules that some row, or two, of the table break."""
    names = list(dict.fromkeys(name for rule in rules for name in rule.names))
    false: list[Constraint] = []
    across = _Across(rules)
    for _, batch in table.batches(names):
        rows = typed(batch, [columns[name] for name in names])
        false += [rule for rule in rules if rule not in false and broken(rule, rows, columns).any()]
        across.add(rows)
    return false + across.broken(columns)


def _open(column: Column, nulls: int) -> Column:
    """The column with nulls where the whole has some, and room for values that the sample has not."""
    closed = column.open_share is None and isinstance(column, Numeric | Categorical | Datetime)
    open_share = 0.0 if closed else column.open_share
    return replace(column, nullable=column.nullable or nulls > 0, open_share=open_share)


def _bare(table: pa.Table) -> pa.Table:
    return pa.table({name: plain(table[name]) for name in table.column_names})


def _distinct(table: pa.Table) -> pa.Table:
    return table.group_by(table.column_names).aggregate([])
