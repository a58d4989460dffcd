"""A column's values in the pandas layout in which they are compared exactly and without a loop over rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.schema.columns import Categorical, Column
from synthvae.tables import is_text, plain

NAME = "value"  # of the one column, so that no name of the table can confuse anybody


def nulls(values: pa.ChunkedArray) -> pd.DataFrame:
    """(n, 1) null exactly where the Arrow column is; a NaN that is a value there is none."""
    marks = np.zeros(len(values), np.float16)
    marks[np.asarray(pc.is_null(values))] = np.nan
    return pd.DataFrame({NAME: marks})


def alike(values: pa.ChunkedArray) -> bool:
    """Whether both layouts hold every row and nothing in them looks null: then one does for all rules."""
    return not values.null_count and not pt.is_floating(plain(values).type)


def present(values: pa.ChunkedArray, column: Column) -> pd.DataFrame:
    """(n, 1) the values that are not null."""
    bare = plain(values)
    return pd.DataFrame({NAME: _series(bare.drop_null() if bare.null_count else bare, column)})


def _series(bare: pa.ChunkedArray, column: Column) -> pd.Series[Any]:
    type_ = bare.type
    if pt.is_null(type_):
        return pd.Series(np.zeros(0))
    if is_text(type_):
        return _text(bare, column)
    if pt.is_integer(type_) or pt.is_boolean(type_):
        return pd.Series(bare.to_numpy() if pt.is_boolean(type_) else bare.cast(pa.int64()).to_numpy())
    if pt.is_floating(type_) or pt.is_decimal(type_):
        return pd.Series(bare.cast(pa.float64()).to_numpy())
    return _moments(bare)


def _text(bare: pa.ChunkedArray, column: Column) -> pd.Series[Any]:
    """Few levels are looked up once each."""
    if not isinstance(column, Categorical):
        return pd.Series(bare.to_pandas())
    codes = bare.combine_chunks().dictionary_encode()
    return pd.Series(pd.Categorical.from_codes(codes.indices.to_numpy(), pd.Index(codes.dictionary.to_pandas())))


def _moments(bare: pa.ChunkedArray) -> pd.Series[Any]:
    """Dates as dates; instants in nanoseconds, which alone are compared at once, unless they are out of their range."""
    if pt.is_time(bare.type) or pt.is_duration(bare.type):
        return pd.Series(bare.to_pandas())
    if pt.is_date(bare.type):
        return pd.Series(bare.to_pandas(date_as_object=True))
    try:
        bare = bare.cast(pa.timestamp("ns", bare.type.tz))
    except pa.ArrowInvalid:
        return pd.Series(bare.to_pandas())
    return pd.Series(bare.to_pandas())
