"""The Arrow types a column may have, as text and back, and the one layout every kernel knows."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.types as pt

INT64_MAX = 2**63 - 1
_PLAIN = [pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
          pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.string_view(),
          pa.date32(), pa.date64(), pa.null(),
          pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
          *(made(unit) for made in (pa.timestamp, pa.duration) for unit in ("s", "ms", "us", "ns"))]  # fmt: skip
_BY_TEXT: dict[str, pa.DataType] = {str(type_): type_ for type_ in _PLAIN}


def arrow_type(text: str) -> pa.DataType:
    """The Arrow type whose ``str`` is ``text``; ValueError where there is no such supported type."""
    if text in _BY_TEXT:
        return _BY_TEXT[text]
    if match := re.fullmatch(r"decimal128\((\d+), (-?\d+)\)", text):
        return pa.decimal128(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"timestamp\[(s|ms|us|ns), tz=([^\]]+)\]", text):
        return pa.timestamp(match[1], match[2])
    if match := re.fullmatch(r"dictionary<values=(.+), indices=(u?int\d+), ordered=([01])>", text):
        made = pa.dictionary(arrow_type(match[2]), arrow_type(match[1]), match[3] == "1")
        if is_supported(made):
            return made
    raise ValueError(f"Expected a supported Arrow type such as 'int64' or 'timestamp[us]'. Received: {text!r}")


def is_text(type_: pa.DataType) -> bool:
    """Whether values are strings, in any of Arrow's layouts."""
    return bool(pt.is_string(type_) or pt.is_large_string(type_) or pt.is_string_view(type_))


def movable(type_: pa.DataType) -> pa.DataType:
    """A type that holds the same and that Arrow can take rows from, as it cannot from views."""
    return pa.large_string() if pt.is_string_view(type_) else type_


def is_supported(type_: pa.DataType) -> bool:
    """Whether a column of this type can be read."""
    if pt.is_dictionary(type_):
        inner = type_.value_type
        return bool(is_text(inner) or pt.is_integer(inner) or pt.is_floating(inner) or pt.is_null(inner))
    return bool(str(type_) in _BY_TEXT or pt.is_decimal128(type_) or pt.is_timestamp(type_))


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values in the layout every kernel knows: dictionaries decoded, text as large_string, halves as float."""
    type_ = values.type.value_type if pt.is_dictionary(values.type) else values.type
    if pt.is_dictionary(values.type):
        type_ = movable(type_)
        values = pa.chunked_array([_decoded(chunk, type_) for chunk in values.chunks], type=type_)
    if is_text(type_):
        return values.cast(pa.large_string())
    return values.cast(pa.float32()) if pt.is_float16(type_) else values


def _decoded(values: pa.DictionaryArray, type_: pa.DataType) -> pa.Array:
    return values.dictionary.cast(type_).take(values.indices)


def levels(values: pa.ChunkedArray) -> pa.Array:
    """The one dictionary of a dictionary column, in its order."""
    unified = values.unify_dictionaries()
    return unified.chunk(0).dictionary if unified.num_chunks else pa.array([], values.type.value_type)
