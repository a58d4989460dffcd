"""How fine the values of a column are: whole numbers, cents; days, seconds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from synthvae import tables
from synthvae.privacy.ledger import Spend
from synthvae.privacy.private_table import Coding, PrivateTable
from synthvae.schema import instants
from synthvae.schema.columns import Column, Datetime, Numeric
from synthvae.surrogate.domains import Array

DECIMALS = (0, 1, 2, 3, 4)
COARSER = 0.01  # share of rows that may be finer than the grid they are put on
NOISE = 4.0  # standard deviations that may look like finer rows


def finer(column: Column) -> bool:
    """Whether the grid of a column is to be found out: of floats and of moments, unless the user wrote it."""
    type_ = tables.arrow_type(column.arrow)
    if column.open_share is not None or tables.is_text(type_) or pt.is_dictionary(type_):
        return False
    if isinstance(column, Datetime):
        return column.lower is None and instants.unit(type_) != "D"
    unsettled = isinstance(column, Numeric) and column.lower is None and column.decimals is None
    return unsettled and pt.is_floating(type_)


def grained(column: Column, private: PrivateTable, spend: Spend) -> Column:
    """The column on the coarsest grid that nearly all values lie on."""
    grains = _grains(column)
    counts = private.histogram(Coding(len(grains) + 1, lambda rows: _needed(rows[column.name], column)), spend)
    beyond = counts.sum() - np.cumsum(counts)  # rows that need a finer grid
    fine_enough = beyond[:-1] <= COARSER * max(counts.sum(), 1.0) + NOISE * spend.sigma
    place = int(np.argmax(fine_enough)) if fine_enough.any() else len(grains)
    if isinstance(column, Datetime):
        return dataclasses.replace(column, resolution=grains[min(place, len(grains) - 1)])
    assert isinstance(column, Numeric)
    return dataclasses.replace(column, decimals=DECIMALS[place] if place < len(DECIMALS) else None)


def _grains(column: Column) -> tuple[str, ...]:
    """From coarse to fine; what lies on none of them comes after."""
    if isinstance(column, Numeric):
        return tuple(map(str, DECIMALS))
    own = instants.unit(tables.arrow_type(column.arrow))
    names = tuple(instants.STEP)
    return names[: names.index(own) + 1]


def _needed(values: pa.ChunkedArray, column: Column) -> Array:
    """The coarsest grain of each row (n,); null needs none."""
    bare = tables.plain(values)
    if isinstance(column, Datetime):
        own = instants.STEP[instants.unit(bare.type)]
        number = instants.counts(bare).combine_chunks().fill_null(0).to_numpy()
        lies = [number % (instants.STEP[grain] // own) == 0 for grain in _grains(column)]
    else:
        number = bare.cast(pa.float64()).combine_chunks().fill_null(0.0).to_numpy()
        number = np.where(np.isfinite(number), number, 0.0).astype(bare.type.to_pandas_dtype())
        lies = [np.round(number, decimals) == number for decimals in DECIMALS]
    found = np.argmax(np.stack([*lies, np.ones(len(number), bool)]), axis=0)
    return np.asarray(found)
