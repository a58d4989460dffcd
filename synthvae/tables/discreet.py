"""Tables read without a word about their rows: whatever no table may hold, or does not fit, becomes null.

Neither an error, nor a type, nor which rows there are follows from a single value: each row (of a CSV file: each
record, as its quotes say) becomes what it becomes by itself. Values without a declared type, in CSV files and columns
of Python objects, stay text; what they are written as is a question that can be asked row by row (``spellings``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.types as pt

from synthvae.errors import TableError
from synthvae.tables.checks import UNREADABLE, check_names, raise_all, type_problem
from synthvae.tables.files import empty_text_is_null, one_block
from synthvae.tables.frames import array_of
from synthvae.tables.types import INT64_MAX, is_supported, is_text, movable, plain

# How text may be written, each with the type of what it then says; later ones come first where several fit.
SPELLINGS: dict[str, tuple[str, pa.DataType]] = {
    "number": (r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", pa.float64()),
    "whole number": (r"^-?(0|[1-9]\d{0,17})$", pa.int64()),
    "truth": (r"^(?i:true|false)$", pa.bool_()),
    "instant": (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", pa.timestamp("s")),
    "date": (r"^\d{4}-\d\d-\d\d$", pa.date32()),
}
TEXT, NULL = len(SPELLINGS), len(SPELLINGS) + 1  # cells of ``spellings`` beside one for each of SPELLINGS
_PADDED = r"^-?0\d"  # a number that would be written otherwise
_NULLS = sorted({*pcsv.ConvertOptions().null_values} - {""})


def tamed(table: pa.Table) -> pa.Table:
    """``checked`` without a word about values: those that no table may hold are null, and no rows are no problem."""
    check_names(table.column_names)
    raise_all([type_problem(field) for field in table.schema if not is_supported(field.type)])
    return pa.Table.from_arrays([_tamed(table[name]) for name in table.column_names], names=table.column_names)


def _tamed(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pt.is_dictionary(values.type):
        return _recoded(values)
    if pt.is_floating(values.type):
        wide = values.cast(pa.float32()) if pt.is_float16(values.type) else values
        return pc.if_else(pc.is_inf(wide), pa.scalar(None, values.type), values)
    if pt.is_uint64(values.type):
        large = pc.greater(values, pa.scalar(INT64_MAX, pa.uint64()))
        return pc.if_else(large, pa.scalar(None, values.type), values)
    return _read_as_text(values) if is_text(values.type) else values


def _read_as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Null where text is not UTF-8, which Arrow looks at only when asked."""
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        wide = values.cast(pa.large_string()).cast(pa.large_binary())
        return forgiving(wide, lambda part: part.cast(pa.large_string())).cast(values.type)
    return values


def _recoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A dictionary without nulls or what is no number; how wide codes are must not tell how many levels there are."""
    type_, bare = values.type, _tamed(plain(values)).combine_chunks()
    if pt.is_floating(bare.type):
        bare = pc.if_else(pc.is_nan(bare), pa.scalar(None, bare.type), bare)
    dictionary = pc.unique(bare.drop_null())
    if type_.ordered:  # the order of its levels is part of the type
        stated = [chunk.dictionary.cast(bare.type).drop_null() for chunk in values.chunks]
        dictionary = pc.unique(pa.concat_arrays([*stated, dictionary]))
    codes = pc.index_in(bare, dictionary, skip_nulls=True).cast(pa.int32())
    made = pa.DictionaryArray.from_arrays(codes, dictionary.cast(type_.value_type), ordered=type_.ordered)
    return pa.chunked_array([made])


def frame_as_text(frame: pd.DataFrame) -> tuple[pa.Table, tuple[str, ...]]:
    """A frame as Arrow, columns of Python objects as text, and which those are."""
    check_names(list(frame.columns))
    untyped = tuple(name for name in frame.columns if frame[name].dtype == object)
    raise_all([f"column {name!r} has a dtype that is not supported" for name in frame.columns if not _can(frame[name])])
    arrays = {name: _texts(frame[name]) if name in untyped else _typed(frame[name]) for name in frame.columns}
    return pa.table(arrays), untyped


def _can(series: pd.Series[Any]) -> bool:
    levels = _levels(series)
    try:
        array_of(series.iloc[:0] if levels is None else pd.Series([], dtype=levels.dtype))
    except (pa.ArrowException, TypeError, ValueError):
        return False
    return True


def _levels(series: pd.Series[Any]) -> pd.Index | None:
    return series.dtype.categories if isinstance(series.dtype, pd.CategoricalDtype) else None


def _typed(series: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    levels = _levels(series)
    if levels is not None and (levels.dtype == object or isinstance(levels.dtype, pd.StringDtype)):
        codes = pa.array(series.cat.codes.to_numpy("int32"), mask=series.isna().to_numpy())
        return pa.DictionaryArray.from_arrays(codes, _texts(levels), ordered=series.cat.ordered)
    try:
        return array_of(series)
    except UnicodeError:
        return _texts(series).cast(array_of(series.iloc[:0]).type)


def _texts(values: Iterable[Any]) -> pa.Array:
    return pa.array([_text(value) for value in values], pa.large_string())


def _text(value: object) -> str | None:
    """A Python object as text; what cannot be written down is null."""
    try:
        if not isinstance(value, (str, bytes)) and pd.isna(value) is True:  # type: ignore[call-overload]
            return None
        said = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        return said.encode("utf-8", "replace").decode("utf-8")
    except Exception:
        return None


def csv_as_text(paths: Sequence[Path]) -> pa.Table:
    """The rows of CSV files as text; rows with more or fewer cells than names are left out."""
    others = [str(path) for path in paths if path.suffix.lower() != ".csv"]
    if others:
        raise TableError(f"Expected CSV files only, beside a CSV file. Received: {', '.join(others)}.")
    return wordless(lambda: pa.concat_tables([_csv_as_text(path) for path in paths]), "the CSV file")


def wordless(read: Callable[[], pa.Table], what: str) -> pa.Table:
    """What a reader returns; of its failure nothing is said, for the reason may lie in one row and quote it."""
    try:
        return read()
    except TableError:
        raise
    except UNREADABLE:
        pass
    raise TableError(
        f"Could not read {what} as a table; under a budget nothing more is told. Read it without one to find out why."
    )


def _csv_as_text(path: Path) -> pa.Table:
    # a row with too many cells must be text before the handler hears of it
    text = pa.py_buffer(path.read_bytes().decode("utf-8", "replace").encode())
    block, whole = one_block(text), pcsv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip")
    with pcsv.open_csv(pa.BufferReader(text), block, whole) as reader:
        names = reader.schema.names
    check_names(names)
    as_text = pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string()))
    return empty_text_is_null(pcsv.read_csv(pa.BufferReader(text), block, whole, as_text))


def forgiving(values: pa.ChunkedArray, cast: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    """``cast`` of values (n,), null where it fails with ArrowInvalid. cast: distinct values -> as many."""
    coded = values.combine_chunks().dictionary_encode()
    wanted = cast(coded.dictionary.slice(0, 0)).type
    made = _parts(coded.dictionary, cast, wanted)
    return pa.chunked_array([made.cast(movable(wanted)).take(coded.indices).cast(wanted)])


def _parts(values: pa.Array, cast: Callable[[pa.Array], pa.Array], wanted: pa.DataType) -> pa.Array:
    """Halves of halves, until those that fail are alone."""
    try:
        return cast(values)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.nulls(1, wanted)
    middle = len(values) // 2
    return pa.concat_arrays([_parts(part, cast, wanted) for part in (values[:middle], values[middle:])])


def spellings(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """How each text (n,) is written: the place of a spelling, TEXT, or NULL, int64 (n,)."""
    made = pa.scalar(TEXT, pa.int64())
    for place, (pattern, _) in enumerate(SPELLINGS.values()):
        fits = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
        made = pc.if_else(fits, pa.scalar(place, pa.int64()), made)
    made = pc.if_else(pc.fill_null(pc.match_substring_regex(texts, _PADDED), False), pa.scalar(TEXT, pa.int64()), made)
    none = pc.or_kleene(pc.is_null(texts), pc.is_in(texts, pa.array(_NULLS, texts.type)))
    return pc.if_else(none, pa.scalar(NULL, pa.int64()), made)


def meant_as(texts: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Text (n,) as values of a type; what is not written like one is null."""
    if is_text(type_):
        return texts.cast(type_)
    return _tamed(forgiving(texts, lambda part: part.cast(type_)))
