"""A column that follows from others is not learned: a total from its parts, an amount from price and pieces.

Where the training table holds all of the others in every row the column is gone, or a mark of whether it is null is
left in its place. Where some are unknown in some rows, the column is learned as it is, since the rule says nothing
there, and overwritten wherever the rule does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import IntArray
from synthvae.codecs.steps import Columns, Step, exchanged, plain_array, replaced, valid
from synthvae.schema.arithmetic import computed, measure_of
from synthvae.schema.columns import Boolean, Numeric
from synthvae.schema.constraints import Derived, Sum
from synthvae.schema.formulas import FORMULAS
from synthvae.schema.measure import LIMIT, decimals_of
from synthvae.schema.solving import Act, Computed
from synthvae.schema.support import Array, Support


class Left(StrEnum):
    """What is left of a computed column in the learned table."""

    NOTHING = "nothing"
    MARK = "mark"  # whether there is a value
    ALL = "all"


class ComputedStep(Step):
    """A sum solved for one column, or a formula."""

    def __init__(self, act: Computed, columns: Columns, left: Left) -> None:
        self.act, self.columns, self.left = act, columns, left

    @classmethod
    def fit(cls, act: Act, columns: Columns, table: pa.Table, support: Support) -> Self:
        assert isinstance(act, Computed)
        _, bound = computed(act.rule, act.target, table, columns)
        there = valid(table[act.target])
        floats = pa.types.is_floating(plain_array(table, act.target).type)
        numbers = not (floats and pc.any(pc.is_nan(plain_array(table, act.target))).as_py())
        if not (bound.all() and numbers and _total(act)):
            return cls(act, columns, Left.ALL)
        return cls(act, columns, Left.NOTHING if there.all() else Left.MARK)

    @property
    def inner(self) -> Columns:
        if self.left is Left.ALL:
            return self.columns
        sources = {name: replace(self.columns[name], nullable=False) for name in self.act.needs}
        mark = (Boolean(name=self.act.target, arrow="bool"),) if self.left is Left.MARK else ()
        return replaced({name: sources.get(name, c) for name, c in self.columns.items()}, self.act.target, *mark)

    @property
    def rewritten(self) -> frozenset[str]:
        return frozenset({self.act.target})

    @property
    def sources(self) -> Mapping[str, frozenset[str]]:
        return {}  # what is left tells of the column itself

    def forward(self, table: pa.Table) -> pa.Table:
        if self.left is Left.ALL:
            return table
        target = self.act.target
        return exchanged(table, target, {target: valid(table[target])} if self.left is Left.MARK else {})

    def backward(self, table: pa.Table, rows: IntArray, key: int) -> pa.Table:
        target = self.act.target
        table = self._given_way(table)
        values, bound = computed(self.act.rule, target, table, self.columns)
        if self.left is Left.NOTHING:
            return table.append_column(target, values)
        if self.left is Left.MARK:
            marked = pc.if_else(table[target].combine_chunks(), values, pa.scalar(None, values.type))
            return exchanged(table, target, {target: marked})
        own = plain_array(table, target)
        ruled = bound & valid(table[target])
        return exchanged(table, target, {target: pc.if_else(pa.array(ruled), values, own.cast(values.type))})

    def state(self) -> dict[str, Any]:
        return {"left": str(self.left)}

    @classmethod
    def from_state(cls, act: Act, columns: Columns, state: Mapping[str, Any]) -> Self:
        assert isinstance(act, Computed)
        return cls(act, columns, Left(state["left"]))

    def _given_way(self, table: pa.Table) -> pa.Table:
        """Where a sum's column would leave its bounds, others give way, each within its own bounds."""
        rule, target = self.act.rule, self.act.target
        if isinstance(rule, Derived) or not self._yielding:
            return table
        measure = measure_of(rule, self.columns)
        lower, upper = measure.bounds(self.columns[target])
        values, bound = computed(rule, target, table, self.columns)
        number, _ = measure.read(pa.chunked_array([values]))
        if self.left is Left.ALL:
            bound &= valid(table[target])
        over = np.where(
            bound, np.maximum(number - _or(upper, LIMIT), 0) - np.maximum(_or(lower, -LIMIT) - number, 0), 0
        )
        for name in self._yielding if over.any() else ():
            own, there = measure.read(table[name])
            ends = (
                _or(end, limit) for end, limit in zip(measure.bounds(self.columns[name]), (-LIMIT, LIMIT), strict=True)
            )
            moved = np.clip(own - _sign(rule, target, name) * over, *_around(own, *ends))
            over = over + _sign(rule, target, name) * (moved - own)
            table = exchanged(table, name, {name: measure.write(moved, there, self.columns[name])})
        return table

    @property
    def _yielding(self) -> list[str]:
        """Quantities that no other rule speaks of and that may take any value on the sum's own grid."""
        rule = self.act.rule
        assert isinstance(rule, Sum)
        measure, free = measure_of(rule, self.columns), []
        for name in rule.names:
            column = self.columns[name]
            if name in self.act.free and isinstance(column, Numeric) and decimals_of(column) == measure.decimals:
                free.append(name)
        return free


def _around(own: Array, low: float, high: float) -> tuple[Array, Array]:
    """Bounds that no value is moved further out of."""
    return np.minimum(own, low).astype(own.dtype), np.maximum(own, high).astype(own.dtype)


def _sign(rule: Sum, target: str, name: str) -> int:
    """Whether the target grows or shrinks with a column."""
    return 1 if target == rule.total or name == rule.total else -1


def _or(bound: int | float | None, limit: int) -> int | float:
    return limit if bound is None else bound


def _total(act: Computed) -> bool:
    """Whether the column follows wherever the others are known."""
    return isinstance(act.rule, Sum) or FORMULAS[act.rule.formula].total
