"""The type names by which Great Expectations knows the dtypes a column may have in pandas.

It compares a dtype with those that numpy or the pandas namespace make of a name, and the Python types in an object
column. So it has no name for pandas' own ``str``, for categories, for zoned times and for Arrow dtypes: columns of
these have no type expectation in a suite (what their values must be gives another type away). ``check`` judges types
itself, in Arrow, where every type has a name.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

from synthvae.schema.columns import Column
from synthvae.tables import arrow_type, is_text
from synthvae.tables.frames import default_dtype

_BITS = (8, 16, 32, 64)
_WHOLE = ["int", *(f"{sign}int{bits}" for sign in ("", "u") for bits in _BITS),
          *(f"{sign}nt{bits}Dtype" for sign in ("I", "UI") for bits in _BITS)]  # fmt: skip
_FLOATS = ["float", "float16", "float32", "float64", "Float32Dtype", "Float64Dtype"]
_TIMES = ["datetime64[s]", "datetime64[ms]", "datetime64[us]", "datetime64[ns]"]


def names(column: Column) -> list[str]:
    """The names of all dtypes between which the column's values keep their meaning; none where a name is missing."""
    type_ = arrow_type(column.arrow)
    dtype = column.pandas or default_dtype(pa.chunked_array([], type_))
    if dtype.startswith(("category", "ArrowDtype")) or pt.is_dictionary(type_):
        return []
    if pt.is_boolean(type_):
        return ["bool", "BooleanDtype"]
    if pt.is_integer(type_):
        # whole numbers with gaps are floats to whoever reads them without nullable dtypes
        return [*_WHOLE, *_FLOATS] if column.nullable else _WHOLE
    if pt.is_floating(type_):
        return [*_FLOATS, *_WHOLE]
    return _named_by_dtype(type_, dtype)


def _named_by_dtype(type_: pa.DataType, dtype: str) -> list[str]:
    if is_text(type_):
        return {"object": ["str"], "string": ["StringDtype"]}.get(dtype.split("[")[0], [])
    if pt.is_timestamp(type_) and dtype.startswith("datetime64") and not type_.tz:
        return _TIMES
    if dtype != "object":
        return []
    if pt.is_date(type_):
        return ["date"]
    return ["Decimal"] if pt.is_decimal(type_) else []
