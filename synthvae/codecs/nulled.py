"""Nulls that follow from a rule are not learned: decoding makes them, and the model sees a typical value instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import BoolArray, IntArray
from synthvae.codecs.steps import Columns, Step, dump, exchanged, load, plain_array, replaced, valid
from synthvae.schema.columns import Identifier, Text
from synthvae.schema.measure import Measure, is_moment, is_number, plain_type
from synthvae.schema.obeyed import decided
from synthvae.schema.solving import Act, Nulled
from synthvae.schema.support import Support


class NulledStep(Step):
    """A column that another one makes null.

    typical: (1,) the value that stands in for the nulls, with ``min_count`` rows behind it, or (0,) where nothing has
    so many. always: whether the column has a value wherever the rule does not make it null.
    """

    def __init__(self, act: Nulled, columns: Columns, typical: pa.Array, always: bool) -> None:
        self.act, self.columns, self.typical, self.always = act, columns, typical, always

    @classmethod
    def fit(cls, act: Act, columns: Columns, table: pa.Table, support: Support) -> Self:
        assert isinstance(act, Nulled)
        name = act.rule.column
        there = valid(table[name])
        must, _ = decided(act.rule, table, columns)
        typical = pa.array([], plain_type(columns[name]))
        if support.count(there) >= support.min_count and not isinstance(columns[name], Identifier):
            typical = _typical(columns, name, plain_array(table, name).drop_null(), support.where(there))
        return cls(act, columns, typical, bool(len(typical) and (there | must).all()))

    @property
    def inner(self) -> Columns:
        name = self.act.rule.column
        return replaced(self.columns, name, replace(self.columns[name], nullable=not self.always))

    @property
    def rewritten(self) -> frozenset[str]:
        return frozenset({self.act.rule.column})

    @property
    def sources(self) -> Mapping[str, frozenset[str]]:
        return {self.act.rule.column: frozenset(self.act.rule.names)}

    def forward(self, table: pa.Table) -> pa.Table:
        name = self.act.rule.column
        if not len(self.typical):
            return table
        filled = pc.if_else(self._must(table) & ~valid(table[name]), self.typical[0], plain_array(table, name))
        return exchanged(table, name, {name: filled})

    def backward(self, table: pa.Table, rows: IntArray, key: int) -> pa.Table:
        name = self.act.rule.column
        values = plain_array(table, name)
        return exchanged(
            table, name, {name: pc.if_else(pa.array(self._must(table)), pa.scalar(None, values.type), values)}
        )

    def state(self) -> dict[str, Any]:
        return {"typical": dump(self.typical), "always": self.always}

    @classmethod
    def from_state(cls, act: Act, columns: Columns, state: Mapping[str, Any]) -> Self:
        assert isinstance(act, Nulled)
        type_ = plain_type(columns[act.rule.column])
        return cls(act, columns, load(state["typical"], type_), bool(state["always"]))

    def _must(self, table: pa.Table) -> BoolArray:
        return np.asarray(decided(self.act.rule, table, self.columns)[0])


def _typical(columns: Columns, name: str, values: pa.Array, support: Support) -> pa.Array:
    """(1,) the mean of the middle ``min_count`` numbers, the commonest level, or text of the commonest length."""
    column, least = columns[name], support.min_count
    if (is_number(column) and not pa.types.is_dictionary(values.type)) or is_moment(column):
        measure = Measure.of([column])
        number, known = measure.read(pa.chunked_array([values]))
        ordered = np.sort(number[known])
        if len(ordered) >= least and type(column).kind != "categorical":
            middle = ordered[(len(ordered) - least) // 2 :][:least]
            mean = middle[0] + np.rint((middle - middle[0]).mean()) if measure.whole else middle.mean()
            return measure.write(np.array([mean], ordered.dtype), np.ones(1, bool), column)
    if isinstance(column, Text):
        lengths = pc.utf8_length(values)
        return pa.array(["x" * int(pc.mode(lengths)[0]["mode"].as_py())], values.type)
    coded = values.dictionary_encode()
    counts = support.counts(coded.indices.to_numpy().astype(np.int64), len(coded.dictionary))
    if counts.max() < least:
        return pa.array([], values.type)
    return coded.dictionary.slice(int(counts.argmax()), 1)
