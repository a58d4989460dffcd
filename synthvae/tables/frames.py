"""pandas <-> Arrow: every dtype there and back, ints never by way of floats."""

from __future__ import annotations

import importlib
import re
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.tables.checks import UNREADABLE, check_names, raise_all
from synthvae.tables.types import INT64_MAX, arrow_type, is_text, levels, plain


def from_pandas(frame: pd.DataFrame) -> pa.Table:
    """Columns as Arrow; TableError lists those that cannot be. NaN is null in numpy floats only."""
    check_names(list(frame.columns))
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {}
    problems: list[str] = []
    for name in frame.columns:
        try:
            arrays[name] = array_of(frame[name])
        except UNREADABLE as error:
            problems.append(f"column {name!r} (dtype {frame[name].dtype}): {_column_problem(frame[name], error)}")
    raise_all(problems)
    return pa.table(arrays)


def array_of(series: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    """A column as Arrow; one of UNREADABLE where it cannot be."""
    # pyarrow would make dates of datetimes and numbers of booleans where they are mixed
    if series.dtype == object and _python_types(series):
        raise TypeError("mixed types")
    return pa.array(series, from_pandas=True)


_ONE_TYPE = ("string", "integer", "floating", "mixed-integer-float", "boolean", "datetime", "decimal", "empty", "bytes",
             "datetime64", "timedelta", "time")  # fmt: skip


def _python_types(series: pd.Series[Any]) -> dict[str, int]:
    """The Python types in an object column and the first row of each, or nothing where there is only one."""
    if pd.api.types.infer_dtype(series, skipna=True) in _ONE_TYPE:
        return {}
    names = series.reset_index(drop=True).dropna().map(lambda value: type(value).__name__)
    first = names.drop_duplicates()
    types = {str(name): int(cast(int, row)) for row, name in first.items()}
    return types if len(types) > 1 else {}


def _column_problem(series: pd.Series[Any], error: BaseException) -> str:
    types = _python_types(series) if series.dtype == object else {}
    if types:
        (base, _), (_, row) = list(types.items())[:2]
        said = f"values of mixed types ({', '.join(types)}), first other than {base} at row {row}"
        return f"{said}; convert it to one type"
    if isinstance(error, UnicodeError):
        return "text that is not valid UTF-8; clean it with .str.encode('utf-8', 'replace').str.decode('utf-8')"
    if isinstance(error, OverflowError):
        return f"integers beyond {INT64_MAX}; store them as text"
    return "its type is not supported; convert it to numbers, text, booleans or dates"


def dtype_text(dtype: Any) -> str:
    """A pandas dtype as text that ``series_of`` reads back without loss."""
    if isinstance(dtype, pd.CategoricalDtype):
        return f"category[{dtype_text(dtype.categories.dtype)}]"
    if isinstance(dtype, pd.ArrowDtype):
        return f"ArrowDtype({dtype.pyarrow_dtype})"
    if isinstance(dtype, pd.StringDtype):
        missing = "string" if dtype.na_value is pd.NA else "str"
        return f"{missing}[{'python' if dtype.storage == 'python' else 'pyarrow'}]"
    return str(dtype)


def default_dtype(values: pa.ChunkedArray) -> str:
    """The pandas dtype of a column that never was in pandas: nothing lost, nulls included."""
    type_ = values.type
    if pt.is_dictionary(type_):
        return f"category[{default_dtype(pa.chunked_array([], type_.value_type))}]"
    if is_text(type_):
        return dtype_text(pd.Series(["text"]).dtype)
    if pt.is_integer(type_) and values.null_count:
        return str(type_).replace("int", "Int").replace("uI", "UI")
    if pt.is_boolean(type_):
        return "boolean" if values.null_count else "bool"
    if pt.is_integer(type_) or pt.is_floating(type_):
        return str(np.dtype(type_.to_pandas_dtype()))
    if pt.is_timestamp(type_) or pt.is_duration(type_):
        return str(pa.chunked_array([], type_).to_pandas().dtype)
    return "object"


_STRING_DTYPE = re.compile(r"(str|string)(?:\[(python|pyarrow)\])?")
_NULLABLE = re.compile(r"U?Int\d+|Float\d+|boolean")


def series_of(values: pa.ChunkedArray, text: str) -> pd.Series[Any]:
    """An Arrow column (n,) as the pandas dtype of ``dtype_text``."""
    if match := re.fullmatch(r"category\[(.+)\]", text):
        return pd.Series(_categorical(values, match[1]))
    values = _flat(values)
    if match := re.fullmatch(r"ArrowDtype\((.+)\)", text):
        return pd.Series(pd.arrays.ArrowExtensionArray(values.cast(arrow_type(match[1]))))
    if match := _STRING_DTYPE.fullmatch(text):
        return _extension(values.cast(pa.large_string()), _string_dtype(match[1], match[2] or "pyarrow"))
    if _NULLABLE.fullmatch(text):
        return _extension(values, pd.api.types.pandas_dtype(text))
    if text == "object":
        return _objects(values)
    return _numpy(values, text)


def _flat(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return plain(values) if pt.is_dictionary(values.type) else values


def _string_dtype(name: str, storage: str) -> Any:
    return pd.StringDtype(storage) if name == "string" else pd.StringDtype(storage, na_value=np.nan)


def _extension(values: pa.ChunkedArray, dtype: Any) -> pd.Series[Any]:
    return cast("pd.Series[Any]", values.to_pandas(types_mapper=lambda _: dtype))


def _objects(values: pa.ChunkedArray) -> pd.Series[Any]:
    if is_text(values.type) or pt.is_null(values.type):
        return pd.Series(values.cast(pa.large_string()).to_numpy(zero_copy_only=False), dtype=object)
    made = values.to_pandas(integer_object_nulls=True, date_as_object=True, timestamp_as_object=True)
    return cast("pd.Series[Any]", made.astype(object))


def _numpy(values: pa.ChunkedArray, text: str) -> pd.Series[Any]:
    if values.null_count and (pt.is_integer(values.type) or pt.is_boolean(values.type)):
        return _extension(values, pd.api.types.pandas_dtype(default_dtype(values)))
    made = cast("pd.Series[Any]", values.to_pandas())
    return made if text.startswith("datetime64") else made.astype(text)  # type: ignore[call-overload]


def _categorical(values: pa.ChunkedArray, text: str) -> pd.Categorical:
    if not pt.is_dictionary(values.type):
        values = values.dictionary_encode()
    one = values.unify_dictionaries()
    codes = [pc.fill_null(chunk.indices.cast(pa.int64()), -1).to_numpy() for chunk in one.chunks]
    categories = pd.Index(series_of(pa.chunked_array([levels(one)]), text))
    together = np.concatenate([np.empty(0, np.int64), *codes])
    return pd.Categorical.from_codes(together, categories, ordered=values.type.ordered)


def to_polars(table: pa.Table) -> object:
    """A polars frame; ordered dictionaries are its Enum, the others its Categorical."""
    polars: Any = importlib.import_module("polars")
    ordered = [f.name for f in table.schema if pt.is_dictionary(f.type) and f.type.ordered]
    enums = {name: polars.Enum(levels(table[name]).to_pylist()) for name in ordered}
    frame = polars.from_arrow(table)
    return frame.with_columns(**{name: polars.col(name).cast(polars.String).cast(enums[name]) for name in ordered})
