"""Does the synthetic table look like the real one: columns one by one, pairs of columns, null rates.

The definitions are those of SDMetrics' column shapes and column pair trends, with two repairs: the bins of a pair come
from the real side for both tables (else one stray value shifts all edges), and a column that became constant counts as
uncorrelated instead of being skipped. Null is a level of its own wherever a column is not read as a number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.errors import TableError
from synthvae.evaluation.base import Score, mean
from synthvae.schema.columns import Column, Scale
from synthvae.schema.schema import Schema
from synthvae.tables import plain

Array = np.ndarray[Any, Any]

BINS = 10  # of SDMetrics, so that figures can be set beside published ones


def shape(real: pa.Table, synthetic: pa.Table, schema: Schema) -> tuple[Score, ...]:
    """Likeness of each column's distribution: 1 - Kolmogorov-Smirnov (continuous) or 1 - total variation (all else).

    Nulls of a continuous column are left out here (``null_rates`` judges them); elsewhere null is a level. TableError
    where a column is missing or has not the type its kind needs.
    """
    return tuple(_shape(pair) for pair in _pairs(real, synthetic, schema))


def pair_trends(real: pa.Table, synthetic: pa.Table, schema: Schema) -> tuple[Score, ...]:
    """Likeness of each pair's dependence, for all b (b - 1) / 2 pairs of the b comparable columns.

    Two continuous columns: 1 - |r - r'| / 2 of Pearson's correlations over rows where both are known. All other pairs:
    1 - total variation of their contingency tables, continuous columns cut in ten equal widths of the real range, null
    a cell of its own. TableError as in ``shape``.
    """
    comparable = [pair for pair in _pairs(real, synthetic, schema) if pair.column.scale is not Scale.OPAQUE]
    return tuple(_trend(a, b) for a, b in itertools.combinations(comparable, 2))


def null_rates(real: pa.Table, synthetic: pa.Table, schema: Schema) -> tuple[Score, ...]:
    """Likeness of each column's share of nulls: 1 - |difference|. TableError as in ``shape``."""
    return tuple(_null_rate(pair) for pair in _pairs(real, synthetic, schema))


def compare(real: pa.Table, synthetic: pa.Table, schema: Schema) -> tuple[Score, ...]:
    """The table's three figures: mean shape, mean pair trend, mean null rate; 1 is best. TableError as in ``shape``."""
    return (
        mean("column shapes", shape(real, synthetic, schema)),
        mean("pair trends", pair_trends(real, synthetic, schema)),
        mean("null rates", null_rates(real, synthetic, schema)),
    )


# --- one column of both tables --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Pair:
    """A column of both tables in one array of one type: the first ``rows`` values are real, the rest synthetic."""

    column: Column
    values: pa.ChunkedArray
    rows: int

    @property
    def empty(self) -> bool:
        return self.rows in (0, len(self.values))

    @cached_property
    def missing(self) -> Array:
        """(n,) where a value is null, or NaN in a continuous column."""
        nan_is_null = self.column.scale is Scale.CONTINUOUS
        return np.asarray(pc.is_null(self.values, nan_is_null=nan_is_null))

    @cached_property
    def numbers(self) -> Array:
        """(n,) the values of a continuous column, instants as whole numbers of their unit; missing ones are 0."""
        values = self.values
        if pt.is_date32(values.type):
            values = values.cast(pa.int32())
        elif pt.is_temporal(values.type):
            values = values.cast(pa.int64())
        elif pt.is_decimal(values.type) or pt.is_null(values.type):
            values = values.cast(pa.float64())
        return np.where(self.missing, 0, pc.fill_null(values, pa.scalar(0, values.type)).to_numpy())

    @cached_property
    def known(self) -> Array:
        """(n,) float64 numbers of a continuous column with NaN for missing ones."""
        return np.where(self.missing, np.nan, self.numbers.astype(np.float64))

    @cached_property
    def codes(self) -> Array:
        """(n,) int64 level of each row: one per distinct value, or per tenth of the real range; null has its own."""
        if self.column.scale is not Scale.CONTINUOUS:
            encoded = self.values.combine_chunks().dictionary_encode(null_encoding="encode")
            return np.asarray(encoded.indices).astype(np.int64)
        return np.where(self.missing, BINS, np.digitize(self.known, _edges(self.known[: self.rows])))

    def present(self) -> tuple[Array, Array]:
        """The known values of a continuous column, real and synthetic."""
        (real, synthetic), (no_real, no_synthetic) = self.split(self.numbers), self.split(self.missing)
        return real[~no_real], synthetic[~no_synthetic]

    def split(self, values: Array) -> tuple[Array, Array]:
        """Real and synthetic part of values by row."""
        return values[: self.rows], values[self.rows :]


def _pairs(real: pa.Table, synthetic: pa.Table, schema: Schema) -> list[_Pair]:
    """Every column of the schema in both tables; all problems are told at once."""
    pairs, problems = [], list(_absent(real, synthetic, schema))
    for column in schema.columns:
        if column.name in real.column_names and column.name in synthetic.column_names:
            try:
                pairs.append(_joined(column, plain(real[column.name]), plain(synthetic[column.name])))
            except pa.ArrowException:  # its own text may quote a value
                problems.append(_type_problem(column, real[column.name], synthetic[column.name]))
    if problems:
        raise TableError("The two tables cannot be compared:" + "".join(f"\n  - {problem}" for problem in problems))
    return pairs


def _absent(real: pa.Table, synthetic: pa.Table, schema: Schema) -> Iterator[str]:
    for name, table in (("real", real), ("synthetic", synthetic)):
        for column in schema.columns:
            if column.name not in table.column_names:
                yield f"the {name} table has no column {column.name!r}, which the schema has; add it or drop it there"


def _type_problem(column: Column, real: pa.ChunkedArray, synthetic: pa.ChunkedArray) -> str:
    types = f"of type {real.type} in the real table and {synthetic.type} in the synthetic one"
    return f"column {column.name!r} is {types}; for a {column.kind} column they must agree, so convert one of them"


def _joined(column: Column, real: pa.ChunkedArray, synthetic: pa.ChunkedArray) -> _Pair:
    tables = [pa.table({"values": part}) for part in (real, synthetic)]
    values = pa.concat_tables(tables, promote_options="permissive")["values"]
    if column.scale is Scale.CONTINUOUS and not _is_continuous(values.type):
        raise pa.ArrowTypeError(f"{values.type} is no continuous type")
    return _Pair(column, values, len(real))


def _is_continuous(type_: pa.DataType) -> bool:
    numeric = pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_)
    return bool(numeric or pt.is_timestamp(type_) or pt.is_date(type_) or pt.is_null(type_))


# --- the metrics ----------------------------------------------------------------------------------------------------


def _shape(pair: _Pair) -> Score:
    reason = _not_applicable(pair)
    if reason:
        return _score("shape", None, reason, pair)
    if pair.column.scale is not Scale.CONTINUOUS:
        return _score("shape", 1 - _total_variation(pair.codes, pair.rows), "", pair)
    real, synthetic = pair.present()
    if not len(real) or not len(synthetic):
        return _score("shape", None, "in one of the tables all values are null", pair)
    return _score("shape", 1 - _kolmogorov_smirnov(real, synthetic), "", pair)


def _null_rate(pair: _Pair) -> Score:
    if pair.empty:
        return _score("null rate", None, "a table without rows", pair)
    real, synthetic = pair.split(pair.missing)
    return _score("null rate", 1 - abs(float(real.mean() - synthetic.mean())), "", pair)


def _trend(a: _Pair, b: _Pair) -> Score:
    if a.empty:
        return _score("pair trend", None, "a table without rows", a, b)
    if a.column.scale is b.column.scale is Scale.CONTINUOUS:
        return _correlation_likeness(a, b)
    keys = a.codes * (int(b.codes.max()) + 1) + b.codes
    return _score("pair trend", 1 - _total_variation(keys, a.rows), "", a, b)


def _correlation_likeness(a: _Pair, b: _Pair) -> Score:
    (real_a, synthetic_a), (real_b, synthetic_b) = a.split(a.known), b.split(b.known)
    real = _correlation(real_a, real_b)
    if real is None:
        return _score("pair trend", None, "a real column is constant where both are known: no correlation", a, b)
    return _score("pair trend", 1 - abs(real - (_correlation(synthetic_a, synthetic_b) or 0.0)) / 2, "", a, b)


def _score(name: str, value: float | None, note: str, *pairs: _Pair) -> Score:
    return Score(name, tuple(pair.column.name for pair in pairs), value, note)


def _not_applicable(pair: _Pair) -> str:
    if pair.column.scale is Scale.OPAQUE:
        return f"the values of a column of kind {pair.column.kind} are minted, not learned"
    return "a table without rows" if pair.empty else ""


# --- the statistics -------------------------------------------------------------------------------------------------


def _edges(real: Array) -> Array:
    """The nine inner edges that cut the range of the real values (n, NaN where missing) in ten equal widths."""
    if np.isnan(real).all():
        return np.zeros(0)
    low, high = np.nanmin(real), np.nanmax(real)
    margin = 0.5 if low == high else 0.0  # a constant sits in the middle, so that values on either side are told apart
    return np.linspace(low - margin, high + margin, BINS + 1)[1:-1]


def _kolmogorov_smirnov(real: Array, synthetic: Array) -> float:
    """The largest distance of two empirical distribution functions, exactly: sup |F(x) - F'(x)|."""
    real, synthetic = np.sort(real), np.sort(synthetic)
    at = np.concatenate([real, synthetic])
    below_real = np.searchsorted(real, at, side="right") / len(real)
    below_synthetic = np.searchsorted(synthetic, at, side="right") / len(synthetic)
    return float(np.abs(below_real - below_synthetic).max())


def _total_variation(codes: Array, rows: int) -> float:
    """Half the sum of |p - p'| over all levels; ``codes`` (n,) of which the first ``rows`` are real."""
    if codes.max() > 4 * len(codes):  # two long level lists: most cells are empty, so only the met ones are counted
        codes = np.unique(codes, return_inverse=True)[1]
    levels = int(codes.max()) + 1
    real = np.bincount(codes[:rows], minlength=levels) / rows
    synthetic = np.bincount(codes[rows:], minlength=levels) / (len(codes) - rows)
    return min(1.0, float(np.abs(real - synthetic).sum() / 2))  # a long sum may end a rounding error above 1


def _correlation(x: Array, y: Array) -> float | None:
    """Pearson's r over the rows where both are known; None where one is constant there."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if not len(x) or x.min() == x.max() or y.min() == y.max():
        return None
    x, y = x - x.mean(), y - y.mean()
    x, y = x / np.abs(x).max(), y / np.abs(y).max()  # no square overflows or vanishes
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))
