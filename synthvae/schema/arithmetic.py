"""Columns computed from others: a sum solved for one of its columns, a derived column from its formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.schema.columns import Column
from synthvae.schema.constraints import Derived, Sum
from synthvae.schema.formulas import FORMULAS
from synthvae.schema.measure import Measure, is_number, plain_type
from synthvae.tables import plain

Array = np.ndarray[Any, Any]
Columns = Mapping[str, Column]

# How far a computed float may be from the one in the table: what a few additions in its own width may cost.
SLACK = {16: 2e-3, 32: 1e-5, 64: 1e-9}
# A value rounded to its decimals may be off by half a step, and a hair where binary digits end.
HALF = 0.5 + 1e-6


def computed(rule: Sum | Derived, target: str, table: pa.Table, columns: Columns) -> tuple[pa.Array, Array]:
    """The values of ``target`` (n,) that follow from the rule, and where (n,) they do."""
    if isinstance(rule, Derived):
        return _derived(rule, table, columns)
    measure = measure_of(rule, columns)
    number, known = _solved(rule, target, table, measure)
    return measure.write(number, known, columns[target]), known


def broken_sums(rule: Sum, table: pa.Table, columns: Columns) -> Array:
    """(n,) rows whose parts are known and do not add up."""
    measure = measure_of(rule, columns, exact=True)
    read = {name: measure.read(table[name]) for name in rule.names}
    known = np.all([here for _, here in read.values()], axis=0)
    parts = [read[name][0] for name in rule.parts]
    total = _constant(rule, measure) if rule.total is None else read[rule.total][0]
    off = np.abs(np.sum(parts, axis=0) - total)
    if measure.whole:
        return np.asarray(known & (off > 0))
    size = np.sum([np.abs(number) for number, _ in read.values()], axis=0)
    return np.asarray(known & (off > max(_slack(columns[name]) for name in rule.names) * size))


def broken_formula(rule: Derived, table: pa.Table, columns: Columns) -> Array:
    """(n,) rows whose derived value is not what its formula says."""
    target = columns[rule.column]
    made = _formula(rule, table, columns)
    measure = Measure.of([target])
    number, known = Measure().read(table[rule.column])
    known &= ~np.isnan(made)
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.abs(number - np.where(known, made, 0.0))
    slack = _slack(target) * np.maximum(np.abs(number), 1e-300)
    if measure.decimals is not None:
        slack = slack + HALF * 10.0**-measure.decimals
    return np.asarray(known & (off > slack))


def measure_of(rule: Sum, columns: Columns, exact: bool = False) -> Measure:
    """The unit in which a sum is added up; ValueError where a column is no number."""
    involved = [columns[name] for name in rule.names]
    if not all(is_number(column) for column in involved):
        raise ValueError("expected numbers only")
    found = Measure.of(involved, exact)
    if rule.constant is None or not found.whole:
        return found
    finest = max(found.decimals or 0, _places(rule.constant))
    return Measure(decimals=finest) if finest > (found.decimals or 0) else found


def _solved(rule: Sum, target: str, table: pa.Table, measure: Measure) -> tuple[Array, Array]:
    read = {name: measure.read(table[name]) for name in rule.names if name != target}
    known = np.all([here for _, here in read.values()], axis=0) if read else np.ones(table.num_rows, bool)
    others = sum((read[name][0] for name in rule.parts if name != target), np.zeros(1, np.int64))
    if target == rule.total:
        return np.broadcast_to(others, known.shape), known
    total = _constant(rule, measure) if rule.total is None else read[rule.total][0]
    return np.broadcast_to(total - others, known.shape), known


def _constant(rule: Sum, measure: Measure) -> int | float:
    assert rule.constant is not None
    return measure.count(rule.constant)


def _places(value: int | float) -> int:
    """Decimals a constant is written with, nine at most."""
    text = repr(float(value)).rstrip("0")
    return min(len(text.split(".")[1]), 9) if "." in text and "e" not in text else 0


def _formula(rule: Derived, table: pa.Table, columns: Columns) -> Array:
    made = FORMULAS[rule.formula].compute([table[name] for name in rule.of], [columns[name] for name in rule.of])
    return np.where(np.isfinite(made), made, np.nan)


def _derived(rule: Derived, table: pa.Table, columns: Columns) -> tuple[pa.Array, Array]:
    made = _formula(rule, table, columns)
    known, target = ~np.isnan(made), columns[rule.column]
    measure = Measure.of([target])
    if measure.decimals is None:
        return measure.write(np.where(known, made, 0.0), known, target), known
    return measure.write(_counted(np.where(known, made, 0.0), measure.decimals), known, target), known


def _counted(number: Array, decimals: int) -> Array:
    values = plain(pa.chunked_array([pa.array(number, pa.float64())]))
    return Measure(decimals=decimals).read(values)[0]


def _slack(column: Column) -> float:
    type_ = plain_type(column)
    return SLACK[type_.bit_width] if pa.types.is_floating(type_) and type_.bit_width in SLACK else SLACK[64]
