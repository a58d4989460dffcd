"""Numbers and moments written as text: recognised, learned by what they mean, written again as they came."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae import infer_schema
from synthvae.codecs.table import TableCodec
from synthvae.errors import SchemaError
from synthvae.schema import written
from synthvae.schema.columns import Categorical, Column, Datetime, Identifier, Numeric, Text
from synthvae.schema.schema import Schema
from synthvae.tables import read

RNG = np.random.default_rng(3)
MOMENTS = pd.Series(pd.Timestamp("1967-11-05 03:04:05") + pd.to_timedelta(RNG.integers(0, 10**9, 400), "s"))
NUMBERS = np.round(RNG.lognormal(6, 1.5, 400), 2)


def guess(values: Any, name: str = "x") -> Column:
    return infer_schema(pd.DataFrame({name: pd.Series(values)}))[name]


def there_and_back(values: list[str | None]) -> list[str | None]:
    """The values by way of their tokens, with what is drawn inside a token."""
    table, _ = read(pd.DataFrame({"x": values}))
    codec = TableCodec.fit(infer_schema(table), table)
    made: list[str | None] = codec.decode(codec.encode(table), np.arange(len(values)), 1)["x"].to_pylist()
    return made


FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%m/%d/%Y %I:%M %p", "%b %d, %Y",
           "%Y%m%d", "%d-%b-%Y", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M"]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_moments_are_recognised_and_written_as_they_came(form: str) -> None:
    texts = MOMENTS.dt.strftime(form).tolist()
    column = guess(texts)
    assert isinstance(column, Datetime)
    assert column.format == form
    assert column.arrow == "large_string"
    made = there_and_back(texts)
    assert all(dt.datetime.strptime(str(text), form).strftime(form) == text for text in made)
    assert all(re.fullmatch(written.pattern(column), str(text)) for text in [*texts, *made])


def test_fields_without_a_leading_zero() -> None:
    texts = [f"{m.month}/{m.day}/{m.year}" for m in MOMENTS]
    column = guess(texts)
    assert isinstance(column, Datetime)
    assert column.format == "%-m/%-d/%Y"
    assert all(re.fullmatch(r"[1-9]\d?/[1-9]\d?/\d{4}", str(text)) for text in there_and_back(texts))


@pytest.mark.parametrize(
    ("spelled", "form"),
    [
        ([f"{n:.2f}" for n in NUMBERS], "{:.2f}"),
        ([f"${n:,.2f}" for n in NUMBERS], "${:,.2f}"),
        ([f"{n:.1f}%" for n in NUMBERS], "{:.1f}%"),
        ([f"{n:.0f} kg" for n in NUMBERS], "{:d} kg"),
        ([f"{int(n):,}" for n in NUMBERS], "{:,d}"),
        ([str(n) for n in NUMBERS], "{}"),
        ([str(-n) for n in NUMBERS], "{}"),
    ],
)
def test_numbers_are_recognised_and_written_as_they_came(spelled: list[str], form: str) -> None:
    column = guess(spelled * 2)
    assert isinstance(column, Numeric)
    assert column.format == form
    again = pa.array([str(text) for text in there_and_back(spelled * 2)], pa.large_string())
    assert written.write_numbers(written.read_numbers(again, form), form).equals(again)
    assert pc.all(pc.match_substring_regex(again, written.pattern(column))).as_py()


def test_a_marker_for_missing_is_learned_as_one() -> None:
    texts = [f"{n:.1f}" for n in NUMBERS[:300]] + ["?"] * 90 + [None] * 10
    column = guess(texts)
    assert isinstance(column, Numeric)
    assert (column.marker, column.format, column.nullable) == ("?", "{:.1f}", True)
    made = there_and_back(texts)
    assert made[300:] == texts[300:]
    assert "?" not in made[:300]
    days = MOMENTS.dt.strftime("%Y-%m-%d").tolist()[:300] + ["unknown"] * 100
    assert there_and_back(days)[300:] == days[300:]


def test_a_few_slips_do_not_change_what_a_column_is() -> None:
    texts = [*MOMENTS.dt.strftime("%Y-%m-%d").tolist(), "2020-13-45", "soon"]
    column = guess(texts)
    assert isinstance(column, Datetime)
    assert column.marker is None
    assert not {"2020-13-45", "soon"} & set(there_and_back(texts))
    assert isinstance(guess(texts[:-2] + [f"soon {i}" for i in range(9)]), Text)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("zip", [f"{98000 + i % 40}" for i in range(800)], Categorical),
        ("x", [f"{98000 + i % 40}" for i in range(800)], Categorical),  # as many digits in each: codes
        ("zipcode", (98000 + np.arange(800) % 40).tolist(), Categorical),
        ("x", [str(i % 9) for i in range(800)], Categorical),
        ("x", [f"{i:04d}" for i in range(400)], Identifier),
        ("taxi_id", [f"taxi_{i % 40}" for i in range(800)], Categorical),
        ("house_id", [f"H-{i % 700:04d}" for i in range(800)], Identifier),
        ("house_id", [10**9 + 7919 * (i % 700) for i in range(800)], Identifier),
        ("x", [f"{i % 700} rooms {i % 3}" for i in range(800)], Text),
    ],
)
def test_codes_and_keys_are_no_numbers(name: str, values: list[Any], kind: type[Column]) -> None:
    assert isinstance(guess(values, name), kind)


def test_keys_that_repeat_are_minted_as_often() -> None:
    keys = [f"H-{i % 7000:05d}" for i in range(8000)]
    column = guess(keys, "house_id")
    assert isinstance(column, Identifier)
    assert column.repeats == 0.125
    table, _ = read(pd.DataFrame({"house_id": [*keys[:-1], None]}))
    codec = TableCodec.fit(infer_schema(table), table)
    made = codec.decode(codec.encode(table), np.arange(8000), 1)["house_id"]
    assert made.null_count == 1
    assert 1 - len(pc.unique(made)) / 8000 == pytest.approx(0.125, abs=0.02)
    part = codec.decode(codec.encode(table)[50:60], np.arange(50, 60), 1)["house_id"]
    assert part.to_pylist() == made.to_pylist()[50:60]


def test_closed_columns_say_what_is_unlawful() -> None:
    texts = MOMENTS.dt.strftime("%Y-%m-%d").tolist()
    schema = infer_schema(pd.DataFrame({"day": texts}), exact=True)
    assert schema.check(pd.DataFrame({"day": texts})).num_rows == 400
    with pytest.raises(SchemaError, match=r"is not written like %Y-%m-%d \(1 rows, first at row 1\)"):
        schema.check(pd.DataFrame({"day": [texts[0], "01.02.1990"]}))
    with pytest.raises(SchemaError, match="is after"):
        schema.check(pd.DataFrame({"day": [texts[0], "2077-01-01"]}))


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (Numeric(name="a", arrow="string"), "cannot be of Arrow type string without a 'format'"),
        (Numeric(name="a", arrow="string", format="{:x}"), "'{:x}'"),
        (Numeric(name="a", arrow="double", format="{:d}"), "'format' is for text"),
        (Datetime(name="a", arrow="string", format="%Q"), "'%Q'"),
        (Datetime(name="a", arrow="string", format="day"), "'day'"),
        (Datetime(name="a", arrow="date32[day]", marker="?"), "'marker' is for text"),
        (Identifier(name="a", arrow="string", repeats=1.0), "'repeats'"),
    ],
)
def test_a_format_that_cannot_be(column: Column, problem: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema((column,))
    assert problem in "\n".join(caught.value.problems)


@settings(max_examples=60, deadline=None)
@given(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)), st.sampled_from(FORMATS))
def test_every_moment_of_a_format_is_read_and_written(moment: dt.datetime, form: str) -> None:
    text = pa.array([moment.strftime(form).zfill(4) if moment.year > 999 else "2000-01-01", None], pa.large_string())
    read_ = written.read_moments(text, form)
    if read_[0].is_valid:
        assert written.write_moments(read_, form).equals(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 4), st.booleans())
def test_every_number_of_a_format_is_read_and_written(units: int, places: int, grouped: bool) -> None:
    form = f"{{:{',' if grouped else ''}.{places}f}} EUR"
    text = pa.array([form.format(units / 10**places), None], pa.large_string())
    assert written.write_numbers(written.read_numbers(text, form), form).equals(text)
