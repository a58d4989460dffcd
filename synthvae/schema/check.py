"""Whether a table obeys a schema: everything unlawful in it at once, harmless differences of type smoothed over."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.errors import SchemaError
from synthvae.schema import instants, obeyed
from synthvae.schema.columns import Categorical, Column, Datetime, Numeric
from synthvae.schema.constraints import Constraint
from synthvae.schema.written import meaning, meant
from synthvae.tables import arrow_type, forgiving, is_text, plain
from synthvae.tables.problem import Problem

UNLAWFUL = "The table does not obey the schema:"


def lawful(table: pa.Table, columns: Sequence[Column], min_count: int, rules: Sequence[Constraint] = ()) -> pa.Table:
    """The columns (n rows) in the schema's order and types; SchemaError lists everything unlawful."""
    made, problems = examined(table, columns, min_count, rules)
    if problems:
        raise SchemaError(UNLAWFUL, [str(each) for each in problems])
    return made


def examined(
    table: pa.Table, columns: Sequence[Column], min_count: int, rules: Sequence[Constraint] = ()
) -> tuple[pa.Table, list[Problem]]:
    """The columns (n rows) in the schema's order and types as far as they can be, and everything unlawful in them."""
    problems = [Problem(text) for text in _name_problems(table.column_names, [column.name for column in columns])]
    made = {}
    for column in columns:
        if table.column_names.count(column.name) == 1:
            try:
                made[column.name] = values = _cast(table[column.name], column)
            except pa.ArrowException:
                problems.append(Problem(_wrong_type(column, table[column.name])))
            else:
                problems += [each.of(column.name) for each in _value_problems(values, column, min_count)]
    # a predicate is a rule about the whole row
    askable = [rule for rule in rules if set(rule.names) <= set(made) and (rule.names or not problems)]
    problems += obeyed.problems(askable, pa.table(made), {column.name: column for column in columns})
    return pa.table(made), problems


def typed(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The table with every column of the schema in its Arrow type, categories with all their levels; no check."""
    known = {column.name: column for column in columns}
    names = table.column_names
    return pa.table({name: _cast(table[name], known[name]) if name in known else table[name] for name in names})


def castable(found: pa.DataType, column: Column) -> bool:
    """Whether values of a type can be those of a column, for all one knows without them."""
    bare = plain(pa.chunked_array([], found)).type
    instant = is_text(bare) and pt.is_timestamp(arrow_type(column.arrow))
    return bool(instant or pt.is_null(bare) or _family(bare) == _family(_bare(column)))


def forgiven(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """The values (n,) of a castable type in that of the column; those that it cannot hold are null."""
    if pt.is_dictionary(arrow_type(column.arrow)):
        return _cast(forgiving(plain(values), lambda part: part.cast(_bare(column))), column)
    return forgiving(plain(values), lambda part: _cast(pa.chunked_array([part]), column).combine_chunks())


def _name_problems(found: list[str], wanted: list[str]) -> Iterator[str]:
    yield from (f"column {name!r} is missing" for name in wanted if name not in found)
    yield from (f"column {name!r} is not in the schema" for name in dict.fromkeys(found) if name not in wanted)
    yield from (f"column {name!r} appears more than once" for name in dict.fromkeys(found) if found.count(name) > 1)


# --- types ----------------------------------------------------------------------------------------------------------


def _cast(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """The values in the column's type; ArrowException where that would change one of them."""
    wanted = arrow_type(column.arrow)
    if pt.is_dictionary(wanted):
        return _as_dictionary(values, wanted, column.levels if isinstance(column, Categorical) else ())
    if values.type == wanted:
        return values
    bare = plain(values)
    if values.null_count == len(values):
        return pa.chunked_array([pa.nulls(len(values), wanted)])
    if is_text(bare.type) and pt.is_timestamp(wanted):
        return bare.cast(wanted)  # ISO 8601 is the instant, as files of text hold it
    if _family(bare.type) != _family(wanted):
        raise pa.ArrowInvalid("another family of types")
    if pt.is_temporal(bare.type) and not pt.is_temporal(wanted):
        raise pa.ArrowInvalid("another family of types")
    if pt.is_floating(bare.type) and not pt.is_floating(wanted):
        bare = _nan_is_null(bare)
    if pt.is_float16(wanted):
        return bare.cast(pa.float32(), safe=False).cast(wanted)
    if pt.is_decimal(wanted):
        # all the room there is, then no more than wanted: whole numbers need not fit beforehand
        return bare.cast(pa.decimal128(38, wanted.scale)).cast(wanted)
    made = bare.cast(wanted, safe=not _narrows(bare.type, wanted))
    if pt.is_date(wanted) and not made.cast(bare.type).equals(bare):
        raise pa.ArrowInvalid("a time of day would be lost")
    return made


def _narrows(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Floats may lose digits to a narrower float: that is what the column held."""
    return bool(pt.is_floating(found) and pt.is_floating(wanted))


def _family(type_: pa.DataType) -> str:
    """Types between which a value keeps its meaning."""
    if is_text(type_):
        return "text"
    if pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_):
        return "number"
    if pt.is_timestamp(type_) and type_.tz:
        return "instant"
    if pt.is_time(type_) or pt.is_duration(type_):
        return str(type_).split("[")[0].rstrip("0123456789")
    return "date" if pt.is_temporal(type_) else str(type_)


def _nan_is_null(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _as_dictionary(values: pa.ChunkedArray, wanted: pa.DataType, levels: Sequence[Any]) -> pa.ChunkedArray:
    """Codes into the schema's levels in their order; values beyond them are appended."""
    inner = plain(pa.chunked_array([], wanted.value_type)).type
    bare = plain(values)
    if bare.null_count == len(bare):
        bare = pa.chunked_array([pa.nulls(len(bare), inner)])
    if _family(bare.type) != _family(inner):
        raise pa.ArrowInvalid("another family of types")
    bare = bare.cast(inner)
    stated = pa.array(levels, inner)
    beyond = pc.unique(bare.filter(pc.invert(pc.is_in(bare, stated))).drop_null())
    dictionary = pa.concat_arrays([stated, beyond])
    # levels beyond the schema's may need wider codes
    index = wanted.index_type if len(dictionary) <= np.iinfo(wanted.index_type.to_pandas_dtype()).max else pa.int32()
    # one chunk, so that the levels are there even where no row is
    codes = pc.index_in(bare.combine_chunks(), dictionary, skip_nulls=True).cast(index)
    made = pa.DictionaryArray.from_arrays(codes, dictionary.cast(wanted.value_type), ordered=wanted.ordered)
    return pa.chunked_array([made])


def _wrong_type(column: Column, values: pa.ChunkedArray) -> str:
    said = f"column {column.name!r} is of type {values.type}, expected {column.arrow}"
    return (
        said if _family(plain(values).type) != _family(_bare(column)) else f"{said}, which cannot hold all its values"
    )


def _bare(column: Column) -> pa.DataType:
    return plain(pa.chunked_array([], arrow_type(column.arrow))).type


# --- values ---------------------------------------------------------------------------------------------------------


def _value_problems(values: pa.ChunkedArray, column: Column, min_count: int) -> Iterator[Problem]:
    if not column.nullable and values.null_count:
        yield from _found(pc.is_null(values), "must not be null")
    if column.open_share is not None:
        return
    if isinstance(column, Numeric | Datetime) and column.format is not None:
        yield from _written(values, column, min_count)
    elif isinstance(column, Numeric):
        yield from _bounds(comparable(plain(values)), column)
    elif isinstance(column, Datetime):
        yield from _instants(values, column)
    elif isinstance(column, Categorical):
        yield from _levels(plain(values), column, min_count)


def _written(values: pa.ChunkedArray, column: Numeric | Datetime, min_count: int) -> Iterator[Problem]:
    """Text by what it means; what cannot be read is only counted."""
    found, known = meant(values, column), pc.is_valid(values)
    marked = pc.equal(plain(values), column.marker) if column.marker is not None else pc.invert(known)
    strange = pc.and_(pc.and_(known, pc.is_null(found)), pc.fill_null(pc.invert(marked), True))
    yield from _found(strange, f"is not written like {column.format}")
    yield from _value_problems(found, replace(meaning(column), nullable=True), min_count)


def _bounds(numbers: pa.ChunkedArray, column: Numeric) -> Iterator[Problem]:
    half = column.arrow == "halffloat"
    if column.lower is not None:
        lower = _lower(float(np.float16(column.lower)) if half else column.lower, numbers.type)
        yield from _found(pc.less(numbers, lower), f"is below {column.lower}")
    if column.upper is not None:
        upper = _upper(float(np.float16(column.upper)) if half else column.upper, numbers.type)
        yield from _found(pc.greater(numbers, upper), f"is above {column.upper}")


def comparable(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as int64, or as floats of their own width so that a bound is rounded just as the values were."""
    if pt.is_integer(values.type) or pt.is_duration(values.type):
        return values.cast(pa.int64())
    return values.cast(pa.float64()) if pt.is_decimal(values.type) else values


def _lower(bound: int | float, type_: pa.DataType) -> pa.Scalar:
    return _scalar(math.ceil(bound) if pt.is_int64(type_) else bound, type_)


def _upper(bound: int | float, type_: pa.DataType) -> pa.Scalar:
    return _scalar(math.floor(bound) if pt.is_int64(type_) else bound, type_)


def _scalar(bound: int | float, type_: pa.DataType) -> pa.Scalar:
    if pt.is_int64(type_):
        return pa.scalar(min(max(int(bound), -(2**63)), 2**63 - 1), type_)
    return pa.scalar(np.dtype(type_.to_pandas_dtype()).type(bound), type_)


def _found(mask: pa.ChunkedArray, what: str) -> Iterator[Problem]:
    flat = np.asarray(pc.fill_null(mask, False))
    if flat.any():
        yield Problem(what, int(flat.sum()), int(flat.argmax()))


def _levels(values: pa.ChunkedArray, column: Categorical, min_count: int) -> Iterator[Problem]:
    """Unknown levels; those of fewer than ``min_count`` rows may be somebody's and are only counted."""
    unknown = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, pa.array(column.levels, values.type))))
    for found in _found(unknown, "holds"):
        counted = pc.value_counts(values.filter(unknown))
        levels = Counter(dict(zip(*(counted.field(f).to_pylist() for f in ("values", "counts")), strict=True)))
        yield replace(found, then=f"; known are {len(column.levels)}", levels=levels, shown=min_count)


def _instants(values: pa.ChunkedArray, column: Datetime) -> Iterator[Problem]:
    numbers, step = instants.counts(values), instants.STEP[instants.unit(values.type)]
    if column.lower is not None:
        first = -(-instants.nanoseconds(column.lower) // step)
        yield from _found(pc.less(numbers, _scalar(first, numbers.type)), f"is before {column.lower}")
    if column.upper is not None:
        last = instants.nanoseconds(column.upper) // step
        yield from _found(pc.greater(numbers, _scalar(last, numbers.type)), f"is after {column.upper}")
