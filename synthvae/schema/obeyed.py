"""Which rows of a table break a rule between columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae import tables
from synthvae.errors import SchemaError
from synthvae.schema import instants
from synthvae.schema.arithmetic import broken_formula, broken_sums
from synthvae.schema.columns import Column
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
    Value,
)
from synthvae.schema.measure import Measure
from synthvae.tables import plain
from synthvae.tables.problem import Problem

Array = np.ndarray[Any, Any]
Columns = Mapping[str, Column]


def broken(rule: Constraint, table: pa.Table, columns: Columns) -> Array:
    """(n,) rows that break the rule; the table holds its columns in the schema's types."""
    if not table.num_rows:
        return np.zeros(0, bool)
    return BREAKS[type(rule)](rule, table, columns)


def problems(rules: Sequence[Constraint], table: pa.Table, columns: Columns) -> Iterator[Problem]:
    """Every rule that some rows break: how many, and the first."""
    for rule in rules:
        rows = broken(rule, table, columns)
        if rows.any():
            yield Problem(f"constraint '{rule.says}' is broken", int(rows.sum()), int(rows.argmax()))


def holds(values: pa.ChunkedArray, column: Column, wanted: Sequence[Value]) -> Array:
    """(n,) cells that hold one of the wanted values, as JSON writes them; ArrowException where none is of the type."""
    bare = plain(values)
    array = bare.chunk(0) if bare.num_chunks == 1 else bare.combine_chunks()
    found = pc.is_in(array, value_set=typed_values(array.type, wanted), skip_nulls=True)
    return np.asarray(found.to_numpy(zero_copy_only=False))


def typed_values(type_: pa.DataType, wanted: Sequence[Value]) -> pa.Array:
    """Values as JSON writes them, as an Arrow array; ArrowException or ValueError where the type cannot hold them."""
    if pt.is_temporal(type_):
        step = instants.STEP[instants.unit(type_)]
        counts = pa.array([instants.nanoseconds(str(value)) // step for value in wanted], pa.int64())
        return (counts.cast(pa.int32()) if type_.bit_width == 32 else counts).view(type_)
    if pt.is_boolean(type_) != all(isinstance(value, bool) for value in wanted):
        raise pa.ArrowInvalid("expected true or false for a boolean column and for no other")
    return pa.array(list(wanted)).cast(type_)


def codes(table: pa.Table, names: Sequence[str]) -> tuple[Array, Array]:
    """One number (n,) per combination of the columns' values, null being a value, and whether none is null (n,)."""
    together, known = np.zeros(table.num_rows, np.int64), np.ones(table.num_rows, bool)
    for name in names:
        bare = plain(table[name])
        array = bare.chunk(0) if bare.num_chunks == 1 else bare.combine_chunks()
        found = array.dictionary_encode(null_encoding="encode")
        known &= np.asarray(array.is_valid().to_numpy(zero_copy_only=False))
        pair = together * max(len(found.dictionary), 1) + found.indices.to_numpy().astype(np.int64)
        together = np.unique(pair, return_inverse=True)[1].astype(np.int64)
    return together, known


# --- one function per kind --------------------------------------------------------------------------------------------


def _inequality(rule: Inequality, table: pa.Table, columns: Columns) -> Array:
    measure = Measure.of([columns[name] for name in rule.columns], exact=True)
    found = np.zeros(table.num_rows, bool)
    before, seen = np.zeros(1), np.zeros(table.num_rows, bool)
    for name in rule.columns:
        number, known = measure.read(table[name])
        known &= ~exempt(rule, table[name], columns[name])
        found |= known & seen & ((number <= before) if rule.strict else (number < before))
        before = np.where(known, number, before)
        seen |= known
    return found


def exempt(rule: Inequality, values: pa.ChunkedArray, column: Column) -> Array:
    """(n,) cells that an inequality does not bind."""
    return holds(values, column, rule.exempt) if rule.exempt else np.zeros(len(values), bool)


def _dependency(rule: FunctionalDependency, table: pa.Table, columns: Columns) -> Array:
    keys, keyed = codes(table, rule.determinant)
    found = np.zeros(table.num_rows, bool)
    for name in rule.dependent:
        values, known = codes(table, [name])
        bound = np.flatnonzero(keyed & known)
        if len(bound):
            _, first, back = np.unique(keys[bound], return_index=True, return_inverse=True)
            found[bound] |= values[bound] != values[bound][first][back]
    return found


def _one_hot(rule: OneHot, table: pa.Table, columns: Columns) -> Array:
    total, known = np.zeros(table.num_rows, np.int64), np.ones(table.num_rows, bool)
    for name in rule.columns:
        number, here = Measure(decimals=0).read(plain(table[name]).cast(pa.float64(), safe=False))
        known &= here
        total += np.where((number == 0) | (number == 1), number, 2)
    return known & (total != 1)


def _unique(rule: Unique, table: pa.Table, columns: Columns) -> Array:
    keys, known = codes(table, rule.columns)
    again = pd.Series(keys).duplicated(keep="first").to_numpy()
    return np.asarray(known & again)


def decided(rule: NullWhen, table: pa.Table, columns: Columns) -> tuple[Array, Array]:
    """Where (n,) ``column`` must be null by the rule, and where (n,) the rule says nothing."""
    when = table[rule.when]
    null = np.asarray(pc.is_null(when).to_numpy(zero_copy_only=False))
    found = holds(when, columns[rule.when], rule.values) if rule.values else np.zeros(len(null), bool)
    found = found | null if rule.null else found
    silent = np.zeros(len(null), bool) if rule.null else null
    return (~found if rule.unless else found) & ~silent, silent


def _null_when(rule: NullWhen, table: pa.Table, columns: Columns) -> Array:
    must, silent = decided(rule, table, columns)
    null = np.asarray(pc.is_null(table[rule.column]).to_numpy(zero_copy_only=False))
    return (must & ~null) | ((~must & ~silent & null) if rule.exactly else False)


def _predicate(rule: Predicate, table: pa.Table, columns: Columns) -> Array:
    """What the user's function does not call lawful; an unknown answer is lawful."""
    if rule.function is None:
        return np.zeros(table.num_rows, bool)
    dtypes = {name: column.pandas for name, column in columns.items() if column.pandas}
    frame = tables.restore(table, tables.Container("pandas", dtypes or None), None)
    try:
        answer = rule.function(frame)
        mask = np.asarray(pd.array(answer, dtype="boolean").fillna(True), bool)
    except Exception as error:
        # the error's own text may quote a value
        raise SchemaError(
            f"The predicate {rule.name!r} failed with a {type(error).__name__}; expected a function of a DataFrame "
            "that returns True or False for each of its rows."
        ) from error
    if mask.shape != (table.num_rows,):
        raise SchemaError(
            f"Expected the predicate {rule.name!r} to return one True or False for each of {table.num_rows} rows. "
            f"Received: an answer of shape {mask.shape}"
        )
    return ~mask


BREAKS: dict[type[Constraint], Callable[[Any, pa.Table, Columns], Array]] = {
    Inequality: _inequality,
    Sum: broken_sums,
    # which combinations are known is learned at fit, see ``codecs.combined``
    FixedCombinations: lambda rule, table, columns: np.zeros(table.num_rows, bool),
    FunctionalDependency: _dependency,
    Derived: broken_formula,
    OneHot: _one_hot,
    Unique: _unique,
    NullWhen: _null_when,
    Predicate: _predicate,
}
