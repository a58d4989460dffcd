"""Rules between columns kept by rewriting: the model learns a table in which they cannot be broken.

A difference stands for the later of two ordered columns, one category for columns that come in known combinations,
nothing at all for a total; nulls that follow from a rule are filled. ``forward`` makes that inner table, ``backward``
computes the user's columns from it, exactly. What cannot be rewritten, predicates and uniqueness, is told by ``broken``
and ``unique``: such rows are to be drawn again. So are those that break an order whose distances are
far harder to learn than the columns themselves (a grade from 0 to 3 below a sum of many).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import BoolArray, FitReport, IntArray
from synthvae.codecs.chained import ChainedStep
from synthvae.codecs.combined import CombinedStep
from synthvae.codecs.computed import ComputedStep
from synthvae.codecs.noise import key_of
from synthvae.codecs.nulled import NulledStep
from synthvae.codecs.steps import Step
from synthvae.schema.check import typed
from synthvae.schema.columns import Categorical, Column
from synthvae.schema.constraints import Unique
from synthvae.schema.measure import Measure
from synthvae.schema.obeyed import broken, holds
from synthvae.schema.schema import Schema
from synthvae.schema.solving import TOGETHER, Act, Chain, Computed, Nulled, Together, acts
from synthvae.schema.support import Support

STEPS: dict[type[Act], type[Step]] = {
    Chain: ChainedStep,
    Computed: ComputedStep,
    Together: CombinedStep,
    Nulled: NulledStep,
}


class Rewriting:
    """A schema's tables <-> the tables that are learned.

    found: a step for each act of the schema in the order of ``forward``, None for one that is left to drawing again.
    """

    def __init__(self, schema: Schema, found: Sequence[Step | None] = ()) -> None:
        self.schema = schema
        self._found = tuple(found)
        self.steps = tuple(step for step in found if step is not None)
        columns = self.steps[-1].inner if self.steps else {column.name: column for column in schema.columns}
        self.inner = Schema(tuple(columns.values()), min_count=schema.min_count) if self.steps else schema

    @classmethod
    def fit(cls, schema: Schema, table: pa.Table) -> Self:
        """Learn how to rewrite tables of a schema from one that obeys it."""
        columns: dict[str, Column] = {column.name: column for column in schema.columns}
        support = Support.of(table, schema.group, schema.min_count)
        found: list[Step | None] = []
        for act in reversed(acts(schema.constraints, columns)):
            step = STEPS[type(act)].fit(act, columns, table, support)
            inner = step.forward(table)
            if isinstance(step, ChainedStep) and step.blurs(table, inner):
                found.append(None)
                continue
            found.append(step)
            table, columns = inner, step.inner
        return cls(schema, found)

    @property
    def rewritten(self) -> frozenset[str]:
        """The user's columns whose values are computed rather than learned as they are."""
        return frozenset(name for step in self.steps for name in step.rewritten if name in self.schema)

    @property
    def owners(self) -> dict[str, str]:
        """The user's column that each learned column is about."""
        found = {name: name for name in self.inner.names}
        for step in reversed(self.steps):
            found = {name: step.owners.get(owner, owner) for name, owner in found.items()}
        return found

    @property
    def sources(self) -> dict[str, frozenset[str]]:
        """The user's columns that each learned column is made of: it is known where all of them are."""
        found = {name: frozenset({name}) for name in self.schema.names}
        for step in self.steps:
            changed = {n: frozenset().union(*(found[s] for s in made)) for n, made in step.sources.items()}
            found = {name: changed.get(name, found.get(name, frozenset())) for name in step.inner}
        return found

    @property
    def reports(self) -> Mapping[str, FitReport]:
        """What was folded by rewriting, by column."""
        return {name: report for step in self.steps for name, report in step.reports.items()}

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """The tuples of columns that no two rows of one call may share."""
        return tuple(rule.columns for rule in self.schema.constraints if isinstance(rule, Unique))

    def forward(self, table: pa.Table) -> pa.Table:
        """A table of the schema (n rows) -> what the columns' codecs see."""
        for step in self.steps:
            table = step.forward(table)
        return table.select(list(self.inner.names)) if self.steps else table

    def backward(self, table: pa.Table, rows: IntArray, seed: int) -> pa.Table:
        """The inverse, for row numbers ``rows`` (n,); what has to be drawn depends on the seed and the row alone."""
        if not self.steps:
            return table
        for place, step in reversed(list(enumerate(self.steps))):
            table = step.backward(table, rows, key_of(seed, "rule", place))
        return typed(table.select(list(self.schema.names)), self.schema.columns)

    def broken(self, table: pa.Table) -> BoolArray:
        """(n,) rows of a table of the schema that are to be drawn again.

        Those that break a rule, predicates above all, or in which a computed value is none that its column may have.
        """
        columns = {column.name: column for column in self.schema.columns}
        found = np.zeros(table.num_rows, bool)
        for rule in self.schema.constraints:
            if not isinstance(rule, (Unique, *TOGETHER)):
                found |= broken(rule, table, columns)
        for name in self.rewritten:
            found |= _unlawful(table[name], columns[name])
        return found

    @property
    def together(self) -> dict[str, CombinedStep]:
        """The combinations that are learned as they are, by the learned category whose levels they are."""
        steps = {step.act.columns[0]: step for step in self.steps if isinstance(step, CombinedStep)}
        return {first: s for first, s in steps.items() if first in self.inner and self.inner[first] == s.inner[first]}

    def spelled(self, name: str) -> tuple[str, pa.Array] | None:
        """The learned category whose levels each say one value of a user's column, and these values (k,)."""
        for first, step in self.together.items():
            if name in step.act.columns:
                return first, step.values_of(name)
        return None

    def state(self) -> list[dict[str, Any] | None]:
        """What was learned, as JSON, act by act."""
        return [None if step is None else step.state() for step in self._found]

    @classmethod
    def from_state(cls, schema: Schema, state: Sequence[Mapping[str, Any] | None]) -> Self:
        """The inverse of ``state``."""
        columns: dict[str, Column] = {column.name: column for column in schema.columns}
        found: list[Step | None] = []
        for act, facts in zip(reversed(acts(schema.constraints, columns)), state, strict=True):
            step = None if facts is None else STEPS[type(act)].from_state(act, columns, facts)
            columns = columns if step is None else step.inner
            found.append(step)
        return cls(schema, found)


def _unlawful(values: pa.ChunkedArray, column: Column) -> BoolArray:
    """(n,) null where there must be none, beyond the bounds, or no level."""
    null = np.asarray(pc.is_null(values).to_numpy(zero_copy_only=False))
    found = null if not column.nullable else np.zeros(len(null), bool)
    if isinstance(column, Categorical):
        return found | ~(null | holds(values, column, column.levels)) if column.levels else found
    try:
        measure = Measure.of([column])
    except ValueError:
        return found
    number, known = measure.read(values)
    lower, upper = measure.bounds(column)
    found = found if lower is None else found | (known & (number < lower))
    return found if upper is None else found | (known & (number > upper))
