"""Which rows break a rule, for the rules that allow no exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.evaluation.expectations import between, layout
from synthvae.evaluation.expectations.outcome import Outcome, Verdict
from synthvae.evaluation.expectations.rule import Rule
from synthvae.schema.check import typed
from synthvae.schema.schema import Schema

Array = np.ndarray[Any, Any]


def lawful(table: pa.Table, schema: Schema, outcomes: Sequence[Outcome]) -> Array:
    """(n,) rows in which no cell breaks a rule that allows no exception; ``outcomes`` are those of the table."""
    kept = np.ones(table.num_rows, bool)
    for outcome in outcomes:
        rule = outcome.rule
        if outcome.verdict is Verdict.BROKEN and not rule.allowed and rule.name != "columns":
            kept &= ~_breaking(rule, schema, table)
    return kept


def _breaking(rule: Rule, schema: Schema, table: pa.Table) -> Array:
    """(n,) rows that break the rule; all where the column is of another type."""
    if rule.between is not None:
        return between.breaking(rule, schema, table)
    if rule.name == "type":
        return np.ones(table.num_rows, bool)
    column = schema[rule.column]
    values = typed(table.select([rule.column]), [column])[rule.column]
    null = np.asarray(pc.is_null(values))
    if rule.name == "nulls":
        return ~null if rule.expectation.endswith("_to_be_null") else null
    found = np.zeros(table.num_rows, bool)
    found[~null] = np.asarray(BREAKS[rule.name](layout.present(values, column)[layout.NAME], rule.arguments), bool)
    return found


def _outside(values: Any, arguments: Any) -> Array:
    low, high = arguments.get("min_value"), arguments.get("max_value")
    below = np.zeros(len(values), bool) if low is None else np.asarray(values < low)
    return below if high is None else below | np.asarray(values > high)


def _unknown(values: pd.Series[Any], arguments: Any) -> Array:
    return np.asarray(~values.isin(arguments["value_set"]))


def _unlike(values: pd.Series[Any], arguments: Any) -> Array:
    matched = pc.match_substring_regex(pa.array(values, pa.large_string()), arguments["regex"])
    return ~np.asarray(matched)


BREAKS: dict[str, Callable[[pd.Series[Any], Any], Array]] = {
    "range": _outside,
    "levels": _unknown,
    "length": lambda values, arguments: _outside(values.str.len(), arguments),
    "pattern": _unlike,
    "unique": lambda values, arguments: np.asarray(values.duplicated(keep=False)),
}
