"""Numbers and moments written as text: read by their format, and written again exactly as they came.

A column of kind numeric or datetime whose Arrow type is text has a ``format``. Here are the two directions between its
text and what the text means; ``marker`` and whatever cannot be read mean null. ``formats.py`` guesses formats.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.schema.columns import Column, Datetime, Numeric
from synthvae.tables import plain

_NUMBER = re.compile(
    r"(?P<before>(?:[^{}]|\{\{|\}\})*)\{(?::(?P<group>,)?(?:(?P<whole>d)|\.(?P<places>\d)f|(?P<short>g)))?\}"
    r"(?P<after>(?:[^{}]|\{\{|\}\})*)"
)
# What a format of moments is made of: text, and these.
_FIELD = re.compile(r"%(?:[YmdHMSyjbBIpf%]|-[mdHI]|[36]f)")
# Marks, while text is made, a number whose leading zero is to go.
_MARK = "\x01"


@dataclass(frozen=True)
class NumberFormat:
    """A parsed format: literal text before and after the number, thousands apart or not, its decimals."""

    text: str
    before: str
    after: str
    group: bool
    whole: bool
    places: int | None
    short: bool


@lru_cache(maxsize=256)
def number_format(text: str) -> NumberFormat:
    """ValueError where ``text`` is no format of a number."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"Expected a format such as '{{:d}}', '{{:.2f}}' or '${{:,.2f}}'. Received: {text!r}")
    before, after = (found[part].replace("{{", "{").replace("}}", "}") for part in ("before", "after"))
    places = None if found["places"] is None else int(found["places"])
    return NumberFormat(text, before, after, bool(found["group"]), bool(found["whole"]), places, bool(found["short"]))


def check_moment_format(text: str) -> None:
    """ValueError where ``text`` is no format of a moment."""
    strange = re.findall(r"%.?.?", _FIELD.sub("", text))
    fields = {field[-1] for field in _FIELD.findall(text)}
    if strange or not fields - {"%"}:
        what = f"Received: {text!r}" + (f", in which {strange[0]!r} is unknown" if strange else "")
        raise ValueError(f"Expected a format such as '%Y-%m-%d' or '%d/%m/%Y %H:%M'. {what}")


def meant_type(column: Column) -> pa.DataType | None:
    """The Arrow type of what the column's text means; None where the column is not written as text."""
    if isinstance(column, Numeric) and column.format is not None:
        return pa.int64() if number_format(column.format).whole else pa.float64()
    if isinstance(column, Datetime) and column.format is not None:
        return moment_type(column.format)
    return None


def moment_type(text: str) -> pa.DataType:
    """Dates where a format has no time of day, else instants in its unit."""
    if not re.search(r"%-?[HIMSf36]", text):
        return pa.date32()
    if re.search(r"%6?f", text):
        return pa.timestamp("us")
    return pa.timestamp("ms" if "%3f" in text else "s")


def meant(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Text (n,) as the numbers or moments it means; other columns as they are."""
    type_ = meant_type(column)
    if type_ is None:
        return values
    coded = plain(values).combine_chunks().dictionary_encode()
    read = _read(coded.dictionary, column)
    return pa.chunked_array([read.take(coded.indices)], type_)


def written(values: pa.Array, column: Numeric | Datetime) -> pa.Array:
    """The inverse: numbers or moments (n,) as large_string."""
    assert column.format is not None
    return (write_numbers if isinstance(column, Numeric) else write_moments)(values, column.format)


def meaning(column: Column) -> Column:
    """The column as if it held what its text means."""
    type_ = meant_type(column)
    if type_ is None:
        return column
    assert isinstance(column, Numeric | Datetime)
    # the marker is null, as is whatever cannot be read
    nullable = column.nullable or column.marker is not None or bool(column.open_share)
    return dataclasses.replace(column, arrow=str(type_), pandas=None, format=None, marker=None, nullable=nullable)


def pattern(column: Numeric | Datetime) -> str:
    """A regular expression, in the words Python and RE2 share, for everything the column's text may be."""
    assert column.format is not None
    made = _number_pattern(column.format) if isinstance(column, Numeric) else _moment_pattern(column.format)
    return f"^{made}$" if column.marker is None else f"^({made}|{escaped(column.marker)})$"


def _number_pattern(text: str) -> str:
    form = number_format(text)
    digits = r"[0-9]{1,3}(,[0-9]{3})*" if form.group else "[0-9]+"
    places = "" if form.whole else f"[.][0-9]{{{form.places}}}" if form.places else r"([.][0-9]+)?(e[+-]?[0-9]+)?"
    return f"{escaped(form.before)}-?{digits}{places}{escaped(form.after)}"


def _moment_pattern(text: str) -> str:
    widths = {"Y": "{4}", "j": "{3}", "f": "{6}"}
    made, end = "", 0
    for field in _FIELD.finditer(text):
        last, sign = field[0][-1], field[0][1]
        one = "[A-Za-z]+" if last in "bBp" else "[0-9]{3}" if sign == "3" else f"[0-9]{widths.get(last, '{2}')}"
        one = "%" if last == "%" else "[0-9]{1,2}" if sign == "-" else one
        made, end = f"{made}{escaped(text[end : field.start()])}{one}", field.end()
    return made + escaped(text[end:])


def escaped(text: str) -> str:
    """Literal text of a regular expression."""
    return re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", text)


def _read(texts: pa.Array, column: Column) -> pa.Array:
    assert isinstance(column, Numeric | Datetime)
    assert column.format is not None
    if column.marker is not None:
        texts = pc.if_else(pc.equal(texts, column.marker), pa.scalar(None, texts.type), texts)
    read = read_numbers if isinstance(column, Numeric) else read_moments
    return read(texts, column.format)


def read_numbers(texts: pa.Array, text: str) -> pa.Array:
    """Text (n,) -> int64 or double, null where it is no number of the format."""
    form = number_format(text)
    rest = _stripped(texts, form)
    if form.group:
        rest = pc.replace_substring(rest, ",", "")
    pattern = r"^-?\d{1,18}$" if form.whole else r"^-?\d{1,17}(\.\d{1,15})?(e[+-]?\d{1,3})?$"
    rest = pc.if_else(pc.match_substring_regex(rest, pattern), rest, pa.scalar(None, rest.type))
    return rest.cast(pa.int64() if form.whole else pa.float64())


def _stripped(texts: pa.Array, form: NumberFormat) -> pa.Array:
    """The number alone; the sign may stand before the text before it."""
    before, after = re.escape(form.before), re.escape(form.after)
    fits = pc.match_substring_regex(texts, f"^{before}.*{after}$")
    rest = pc.utf8_slice_codeunits(texts, len(form.before))
    # utf8_slice_codeunits cuts from the end by negative stops
    rest = pc.utf8_slice_codeunits(rest, 0, -len(form.after)) if form.after else rest
    return pc.if_else(fits, rest, pa.scalar(None, rest.type))


def write_numbers(numbers: pa.Array, text: str) -> pa.Array:
    """Numbers (n,) -> large_string, each different one formatted once."""
    number_format(text)
    coded = numbers.dictionary_encode()
    spelled = text.replace("{:g}", "{:.15g}")
    written = pa.array([None if n is None else spelled.format(n) for n in coded.dictionary.to_pylist()],
                       pa.large_string())  # fmt: skip
    return written.take(coded.indices)


def read_moments(texts: pa.Array, text: str) -> pa.Array:
    """Text (n,) -> date32 or timestamp, null where it is no moment of the format."""
    type_ = moment_type(text)
    if "f" not in text:
        plain_text = re.sub(r"%-", "%", text)
        return pc.strptime(texts, plain_text, "s", error_is_null=True).cast(type_, safe=False)
    parsed = re.sub(r"%[36]f", "%f", re.sub(r"%-", "%", text))
    moments = pd.to_datetime(pd.Series(texts.to_pandas(), dtype=object), format=parsed, errors="coerce", exact=True)
    return pa.array(moments.to_numpy().astype("datetime64[us]")).cast(type_, safe=False)


def write_moments(moments: pa.Array, text: str) -> pa.Array:
    """Dates or instants (n,) -> large_string."""
    spelled = re.sub(r"%-", f"{_MARK}%", text)
    # Arrow writes the fraction of a second with its unit, after a point
    spelled = re.sub(r"\.%[36]?f", "", spelled)
    coded = moments.dictionary_encode()
    written = pc.strftime(coded.dictionary, spelled, locale="C")
    if _MARK in spelled:
        written = pc.replace_substring_regex(written, f"{_MARK}0?", "")
    return written.cast(pa.large_string()).take(coded.indices)
