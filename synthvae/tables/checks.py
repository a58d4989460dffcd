"""What no table may hold, all of it said at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.errors import TableError
from synthvae.tables.problem import Problem
from synthvae.tables.types import INT64_MAX, is_supported

T = TypeVar("T")
UNREADABLE = (pa.ArrowException, OSError, UnicodeError, OverflowError, TypeError, ValueError)
_DAMAGE = r"Parquet magic bytes|footer|Empty CSV|Permission denied|Is a directory|snappy|truncated"


def guarded(call: Callable[[], T], what: str) -> T:
    """Run a reader; its own message may quote a row, so only the kind of failure is passed on."""
    try:
        return call()
    except TableError:
        raise
    except UNREADABLE as error:
        raise TableError(f"Could not read {what} as a table: {_safe_reason(error)}.") from None


def _safe_reason(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, UnicodeError) or "utf" in text.lower():
        return "its text is not UTF-8; save it again as UTF-8"
    ragged = re.search(r"(Row #\d+: )?Expected \d+ columns, got \d+", text)
    if ragged:
        return ragged.group(0)
    damage = re.search(_DAMAGE, text)
    return f"{type(error).__name__}, {damage.group(0) if damage else 'its content is damaged or not of this format'}"


def raise_all(problems: Sequence[str]) -> None:
    """One TableError for all problems, if there are any."""
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise TableError(f"The table cannot be used as it is:{lines}")


def check_names(names: Sequence[object]) -> None:
    """TableError unless names are text and each appears once."""
    strange = [name for name in names if not isinstance(name, str)]
    problems = [f"column name {name!r} is a {type(name).__name__}, not text" for name in strange]
    if strange:
        problems.append("rename them with table.columns = table.columns.map(str)")
    twice = [name for name, times in Counter(names).items() if times > 1]
    raise_all([*problems, *(f"column name {name!r} appears more than once; rename the columns" for name in twice)])


def checked(table: pa.Table) -> pa.Table:
    """The same columns without metadata and with one dictionary each, once nothing forbidden is in them."""
    check_names(table.column_names)
    if not table.num_rows or not table.num_columns:
        size = f"{table.num_rows} rows, {table.num_columns} columns"
        raise TableError(f"Expected at least one row and one column. Received: {size}.")
    raise_all([str(each) for each in problems(table)])
    return pa.Table.from_arrays(table.columns, names=table.column_names).unify_dictionaries()


def problems(table: pa.Table) -> Iterator[Problem]:
    """Whatever is in a table (n rows) that no table may hold."""
    for field in table.schema:
        yield from _problems(field.name, table[field.name])


def type_problem(field: pa.Field) -> str:
    """What to do about a column of a type that no table may have."""
    # the fields of a struct made from Python objects are data, not schema
    said = str(field.type).split("<")[0] if pt.is_nested(field.type) else field.type
    return f"column {field.name!r} is of type {said}; {_advice(field.type)}"


def _problems(name: str, values: pa.ChunkedArray) -> Iterator[Problem]:
    if not is_supported(values.type):
        yield Problem(type_problem(pa.field(name, values.type)))
    elif pt.is_floating(values.type):
        wide = values.cast(pa.float32()) if pt.is_float16(values.type) else values
        yield from _finding(name, pc.is_inf(wide), "infinite values", "replace them by nulls or large numbers")
    elif pt.is_uint64(values.type):
        large = pc.greater(values, pa.scalar(INT64_MAX, pa.uint64()))
        yield from _finding(name, large, f"values beyond {INT64_MAX}", "store them as text")


def _finding(name: str, mask: pa.ChunkedArray, what: str, advice: str) -> Iterator[Problem]:
    count = pc.sum(mask).as_py()
    if count:
        first = pc.index(mask, True).as_py()
        yield Problem(f"column {name!r} holds {what}", count, first, f"; {advice}", unit="")


def _advice(type_: pa.DataType) -> str:
    if pt.is_nested(type_):
        return "flatten it into one column per value"
    if pt.is_dictionary(type_):
        return "decode it to its values"
    if pt.is_binary(type_) or pt.is_large_binary(type_) or pt.is_fixed_size_binary(type_):
        return "decode it to text or drop it"
    return "convert it to numbers, text, booleans or dates"
