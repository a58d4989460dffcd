"""A table made larger by synthetic rows, and what a classifier gains by them on rows it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.asked import is_listed, values_of
from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError
from synthvae.schema.columns import Column
from synthvae.schema.schema import Schema
from synthvae.tables import plain


@dataclass(frozen=True)
class Lift:
    """What boosted trees gain on the hold-out by the synthetic rows, or why that was not measured.

    value: the quality with them minus the one without, ``low`` and ``high`` its 95 % interval; measure: the quality's
    name (AUC or R2). None where there is no figure; ``note`` says why, or what to make of it.
    """

    value: float | None
    low: float | None
    high: float | None
    measure: str
    note: str


@dataclass(frozen=True, eq=False)
class Augmented:
    """The enlarged table, real rows first, the ``added`` synthetic ones below, and their ``lift``."""

    table: Any
    added: int
    lift: Lift


def missing_shares(
    codec: TableCodec, table: pa.Table, column: Column, rows: int | None
) -> tuple[int, dict[str, dict[Any, float]] | None]:
    """How many rows to add and in which shares of the target's values; no shares where it has no list of values."""
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, (int, np.integer)) or rows < 1):
        raise ParameterError(f"rows must be a whole number of at least 1; got {rows!r}.")
    if not is_listed(codec, column.name):
        return (table.num_rows if rows is None else int(rows)), None
    levels = values_of(codec, column.name)
    counted = pc.value_counts(plain(table[column.name]).drop_null())
    found = {pair["values"]: pair["counts"] for pair in counted.to_pylist()}
    # a value nobody in this table has is not brought in
    counts = np.array([found.get(level, 0) for level in levels])
    short = np.where(counts > 0, counts.max(initial=0) - counts, 0)
    if not short.sum():
        return (table.num_rows if rows is None else int(rows)), None
    shares = {level: float(share) for level, share in zip(levels, short / short.sum(), strict=True) if share}
    return (int(short.sum()) if rows is None else int(rows)), {column.name: shares}


def stacked(real: pa.Table, made: pa.Table) -> pa.Table:
    """One table below the other, levels as plain values."""
    return pa.concat_tables(
        [pa.table({name: plain(part[name]) for name in part.column_names}) for part in (real, made)],
        promote_options="permissive",
    )


def lift(schema: Schema, real: pa.Table, made: pa.Table, holdout: Any, target: str, seed: int) -> Lift:
    """The gain on ``holdout``."""
    if holdout is None:
        return Lift(None, None, None, "", "not measured: there is no hold-out, real rows that the fit did not see")
    from synthvae.evaluation.sides import Sides  # seconds that only a measured gain should cost
    from synthvae.evaluation.utility import scores

    real_too = schema.without_constraints().check(holdout)  # rules that the fit found may be broken elsewhere
    sides = Sides.of(real, made, schema, real_too, (target,), seed)
    score = next(found for found in scores(sides) if found.metric.name == "augmentation")
    if score.value is None or score.reference is None or score.low is None or score.high is None:
        return Lift(None, None, None, "", f"not measured: {score.note}")
    value, low, high = (x - score.reference for x in (score.value, score.low, score.high))
    note = "no gain beyond chance" if low <= 0 else "a gain beyond chance"
    return Lift(value, low, high, score.details["measure"], "a loss" if high < 0 else note)
