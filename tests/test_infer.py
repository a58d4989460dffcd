"""What is guessed from values, and that nothing of one person gets into the guess."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.errors import ParameterError, SchemaError
from synthvae.schema import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Schema, Text, infer_schema
from synthvae.schema.support import Support, outward
from synthvae.schema.templates import text_template

RNG = np.random.default_rng(7)
MONDAY = dt.datetime(2026, 1, 5)


def guess(values: Any, name: str = "a", **how: Any) -> Column:
    """The guess about one column, of a table that has nothing else."""
    return infer_schema(
        pd.DataFrame({name: values}) if isinstance(values, (list, pd.Series)) else pa.table({name: values}), **how
    )[name]


def facts(column: Column, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(column, name) for name in names)


# --- kinds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.nulls(50), Categorical),
        (pa.nulls(50, pa.float64()), Categorical),
        (pa.array([True, None] * 25), Boolean),
        (pa.array(["x", "y"] * 25), Categorical),
        (pa.array(["x"] * 50), Categorical),
        (pa.array([f"said {i} {'so ' * (i % 7)}" for i in range(50)]), Text),
        (pa.array([f"C-{i:04d}" for i in range(50)]), Identifier),
        (pa.array([1, 2] * 25), Categorical),
        (pa.array([1, 2, 3, 5, 9] * 4), Numeric),
        (pa.array([7] * 50), Categorical),
        (pa.array(RNG.integers(0, 100, 50)), Numeric),
        (pa.array(range(50)), Identifier),
        (pa.array([0.5] * 50), Numeric),
        (pa.array([float("nan")] * 50), Numeric),
        (pa.array([Decimal("1.20")] * 50), Numeric),
        (pa.array([MONDAY] * 50), Datetime),
        (pa.array([MONDAY.date()] * 50), Datetime),
        (pa.array(["x", "y"] * 25).dictionary_encode(), Categorical),
        (pa.array([3, 4] * 25).dictionary_encode(), Categorical),
    ],
)
def test_the_kind_of_a_column(values: pa.Array, kind: type[Column]) -> None:
    column = guess(values)
    assert type(column) is kind
    assert column.arrow == str(values.type)
    assert column.nullable == bool(values.null_count)


def test_a_schema_remembers_the_table_it_was_read_from() -> None:
    frame = pd.DataFrame({"b": pd.array([1, None] * 10, "Int8"), "a": ["x", "y"] * 10})
    schema = infer_schema(frame, min_count=3)
    assert schema.names == ("b", "a")
    assert schema.min_count == 3
    assert schema["b"].pandas == "Int8"
    assert schema.container.kind == "pandas"
    pd.testing.assert_frame_equal(schema.restore(schema.check(frame)), frame)  # type: ignore[arg-type]


# --- levels ---------------------------------------------------------------------------------------------------------


def test_levels_are_sorted_and_rare_ones_are_only_counted() -> None:
    column = guess(["b"] * 50 + ["a"] * 45 + ["secret"] * 4 + [None])
    assert facts(column, "levels", "ordered", "open_share", "nullable") == (("a", "b"), False, 0.0405, True)
    assert facts(guess(["b"] * 50 + ["a"] * 5), "levels", "open_share") == (("a", "b"), 0.0)


def test_too_many_rare_levels_make_text() -> None:
    def mixed(rare: int) -> Column:
        return guess(["common"] * (100 - rare) + [f"person {i} {'x' * i}" for i in range(rare)])

    assert isinstance(mixed(20), Categorical)
    assert isinstance(mixed(21), Text)


def test_a_category_keeps_its_order_and_its_unused_levels() -> None:
    stated = pd.Categorical(["b"] * 50 + ["a"] * 50 + ["secret"] * 2, ["z", "b", "secret", "a"], ordered=True)
    column = guess(pd.Series(stated))
    assert facts(column, "levels", "ordered", "open_share") == (("z", "b", "a"), True, 0.0197)
    numbers = guess(pd.Series(pd.Categorical([3, 1] * 50, [3, 2, 1])))
    assert facts(numbers, "levels", "ordered") == ((3, 2, 1), False)
    rare = guess(pd.Series(pd.Categorical([f"person {i} {'x' * i}" for i in range(50)])))
    assert isinstance(rare, Text)


def test_whole_numbers_become_levels_where_they_are_few() -> None:
    column = guess([3] * 100 + [1] * 95 + [999] * 5 + [None], name="n")
    assert isinstance(column, Numeric)  # floats, in numpy
    column = guess(pa.array([3] * 100 + [1] * 95 + [999] * 4 + [None]))
    assert facts(column, "levels", "open_share") == ((1, 3), 0.0202)
    assert isinstance(guess(pa.array(list(range(20)) * 10)), Categorical)
    assert isinstance(guess(pa.array(list(range(20)) * 9)), Numeric)
    assert isinstance(guess(pa.array(list(range(21)) * 100)), Numeric)


# --- numbers --------------------------------------------------------------------------------------------------------


def test_bounds_are_the_fifth_from_either_end_rounded_outward() -> None:
    column = guess(pa.array([*range(1000, 10_000), 10**9, -(10**9)]))
    # the fifth from either end are 1003 and 9996, so only the two planted ones are outside: 2 of 9002, rounded up
    assert facts(column, "lower", "upper", "decimals", "open_share") == (1000, 10_000, 0, 0.0003)
    assert facts(guess(pa.array(np.arange(123, 877) / 8)), "lower", "upper") == (15.8, 109.0)


def test_exact_bounds_are_the_true_ones() -> None:
    column = guess(pa.array([*range(1000, 2000), 10**9]), exact=True)
    assert facts(column, "lower", "upper", "open_share") == (1000, 10**9, None)
    column = guess(["b"] * 50 + ["a"], exact=True)
    assert facts(column, "levels", "open_share") == (("a", "b"), None)
    schema = infer_schema(pa.table({"n": [1.25, 2.5], "t": [MONDAY, MONDAY + dt.timedelta(hours=1)]}), exact=True)
    assert schema.min_count == 1
    assert facts(schema["n"], "lower", "upper", "decimals") == (1.25, 2.5, 2)
    assert facts(schema["t"], "lower", "upper", "resolution") == ("2026-01-05T00", "2026-01-05T01", "h")


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        (pa.array(np.arange(40) * 1000), -3),
        (pa.array(np.arange(40) * 1000.0), -3),
        (pa.array(np.arange(40) * 7), 0),
        (pa.array(np.zeros(40)), 0),
        (pa.array(np.arange(40) / 4), 2),
        (pa.array(np.round(RNG.random(500) * 100, 2)), 2),
        (pa.array(np.round(RNG.random(500) * 1e6, 2)), 2),
        (pa.array(np.round(RNG.random(500), 9)), 9),
        (pa.array(RNG.random(500)), None),
        (pa.array(RNG.random(500) * 1e300), None),
        (pa.array([*np.arange(496) * 3.0, *[1e300] * 4]), 0),
        (pa.array(RNG.random(500).astype(np.float32)), None),
        (pa.array(np.round(RNG.random(500), 3).astype(np.float32)), 3),
        (pa.array(np.round(RNG.random(500), 1).astype(np.float16)), 1),
        (pa.array([Decimal("1.20")] * 40, pa.decimal128(9, 4)), 4),
        (pa.array([1.0, None] * 20), 0),
        (pa.array([float("nan")] * 36 + [1.5] * 4), None),
        (pa.array([1.5] * 36 + [1.234567] * 4), 1),
        (pa.array([1.5] * 35 + [1.234567] * 5), 6),
    ],
)
def test_the_decimals_of_numbers(values: pa.Array, decimals: int | None) -> None:
    column = guess(values)
    assert isinstance(column, Numeric)
    assert column.decimals == decimals


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), st.lists(st.integers(-(10**8), 10**8), min_size=30, max_size=60, unique=True))
def test_values_lie_on_their_grid_and_mostly_in_their_bounds(decimals: int, units: list[int]) -> None:
    column = guess(pa.array([unit / 10**decimals for unit in units]), min_count=2)
    assert isinstance(column, Numeric)
    assert column.decimals is not None
    assert column.decimals <= decimals
    assert column.lower is not None
    assert column.upper is not None
    outside = [unit for unit in units if not column.lower <= unit / 10**decimals <= column.upper]
    assert len(outside) <= 2
    assert column.open_share == pytest.approx(len(outside) / len(units), abs=1e-4)


def test_large_integers_are_exact() -> None:
    top = 2**63 - 1
    column = guess(pa.array([top - 7 * i for i in range(50)] * 5))
    assert facts(column, "upper", "decimals") == (top, 0)
    assert facts(column, "lower") == ((top - 7 * 49) // 1,)
    low = guess(pa.array([-(2**63) + 7 * i for i in range(50)] * 5))
    assert facts(low, "lower") == (-(2**63),)
    assert facts(guess(pa.array(list(range(-128, 128)) * 5, pa.int8())), "lower", "upper") == (-128, 127)


def test_decimals_have_bounds_too() -> None:
    column = guess(pa.array([Decimal(i) / 100 for i in range(1234, 9876)]))
    assert facts(column, "lower", "upper", "decimals") == (12.3, 98.8, 2)


def test_too_few_values_have_no_bounds() -> None:
    column = guess(pa.array([1.5, 2.5, 3.5] + [None] * 50))
    assert facts(column, "lower", "upper", "open_share", "nullable") == (None, None, 1.0, True)
    column = guess(pa.array([MONDAY] * 3 + [None] * 50))
    assert facts(column, "lower", "upper", "open_share") == (None, None, 1.0)
    text = guess(pa.array(["secret", "x", "y"] + [None] * 50))
    assert facts(text, "min_length", "max_length") == (0, 0)


# --- dates and instants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "resolution"),
    [
        (dt.timedelta(days=1), "D"),
        (dt.timedelta(hours=1), "h"),
        (dt.timedelta(minutes=5), "min"),
        (dt.timedelta(seconds=1), "s"),
        (dt.timedelta(milliseconds=10), "ms"),
        (dt.timedelta(microseconds=1), "us"),
    ],
)
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
def test_the_resolution_of_instants(step: dt.timedelta, resolution: str, zone: str | None) -> None:
    values = pa.array([MONDAY + i * step for i in range(40)], pa.timestamp("us", zone))
    column = guess(values)
    assert facts(column, "resolution", "time_zone") == (resolution, zone)


def test_the_bounds_of_dates() -> None:
    days = pa.array([MONDAY.date() + dt.timedelta(days=i) for i in range(80)] + [dt.date(1900, 1, 1)])
    column = guess(days)
    # the fifth from either end: 1900 and three January days are before the one, four days in March after the other
    bounds = ("2026-01-08", "2026-03-21", "D", 0.0988)
    assert facts(column, "lower", "upper", "resolution", "open_share") == bounds
    assert column.arrow == "date32[day]"
    assert "1900" not in Schema((column,)).to_json()
    before = guess(pa.array([dt.datetime(1960, 1, 1, 5) + dt.timedelta(hours=i) for i in range(50)]))
    assert facts(before, "lower", "upper") == ("1960-01-01T09", "1960-01-03T02")


# --- identifiers ----------------------------------------------------------------------------------------------------


def texts(template: str, n: int = 50) -> list[str]:
    return [template.format(i=i, u=uuid.UUID(int=int(RNG.integers(1 << 62)) << 60, version=4)) for i in range(n)]


HEX = [f"{i * 2654435761 % 2**32:08x}" for i in range(1, 200)]


@pytest.mark.parametrize(
    ("values", "template"),
    [
        (texts("{u}"), "{uuid}"),
        (texts("C-{i:05d}"), "C-{digits:5}"),
        (texts("C-{i}"), "C-{sequence:0}"),
        ([f"C-{i}" for i in range(1, 200)], "C-{sequence:1}"),
        ([f"C-{7 * i}" for i in range(1, 200)], "C-{number:5}"),
        ([f"2026{i:02d}" for i in range(50)], "{digits:6}"),
        (texts("a{{b}}{i:02d}/x"), "a{{b}}{digits:2}/x"),
        (HEX, "{hex:8}"),
        ([text.upper() for text in HEX], "{HEX:8}"),
        ([chr(65 + i % 26) + chr(65 + i // 26) + f"{i:03d}" for i in range(100)], "{upper:2}{digits:3}"),
        ([chr(97 + i % 26) + "q" + chr(97 + i // 26) for i in range(100)], "{lower:1}q{lower:1}"),
        (["é" + str(i) for i in range(50)], None),
        (["word " * (i + 1) for i in range(50)], None),
        (["{}{}".format("ab c"[i % 4], f"{i:03d}") for i in range(50)], None),
        (["x" * 70 + f"{i:02d}" for i in range(50)], None),
        ([f"C-{i}" for i in range(49)] + ["secret"], None),
    ],
)
def test_the_template_of_keys(values: list[str], template: str | None) -> None:
    found = text_template(pa.chunked_array([pa.array(values, pa.large_string())]))
    assert found == template
    column = guess(values)
    assert isinstance(column, Identifier) == (found is not None)
    Schema((column,))


def test_keys_are_distinct_complete_and_many() -> None:
    keys = texts("C-{i:05d}")
    assert isinstance(guess(keys), Identifier)
    assert isinstance(guess([*keys, keys[0]]), Text)
    assert isinstance(guess([*keys, None]), Text)
    assert isinstance(guess(keys[:19]), Text)


@pytest.mark.parametrize(
    ("name", "values", "template"),
    [
        ("n", range(50), "{sequence:0}"),
        ("n", range(1, 51), "{sequence:1}"),
        ("n", RNG.permutation(50), "{sequence:0}"),
        ("n", range(100, 150), "{number:4}"),
        ("n", range(150, 100, -1), "{number:4}"),
        ("n", RNG.permutation(50) + 100, None),
        ("n", np.arange(50) * 7919, None),
        ("id", np.arange(50) * 7919, "{number:6}"),
        ("user_id", np.arange(50) * 7919, "{number:6}"),
        ("userId", np.arange(50) * 7919, "{number:6}"),
        ("Order No", np.arange(50) * 7919, "{number:6}"),
        ("paid", np.arange(50) * 7919, None),
        ("id", np.arange(50) * -7919, None),
        ("id", np.arange(50, dtype="int16") * 601, "{sequence:0}"),  # 99999 is no int16
        ("id", np.arange(1000, 9000, 3), "{number:5}"),  # so dense that minted ones would be keys of the table
        ("id", [*range(49), 0], "{sequence:0}"),  # a key that comes back
        ("n", [*range(49), 0], None),
    ],
)
def test_whole_numbers_that_are_keys(name: str, values: Any, template: str | None) -> None:
    column = guess(pa.array(np.array(values)), name=name)
    assert (column.template if isinstance(column, Identifier) else None) == template


def test_the_group_is_a_key_and_support_is_counted_in_groups() -> None:
    table = pa.table(
        {
            "who": [i // 10 for i in range(200)],
            "shop": [f"u{i // 10}" if i % 10 else "all" for i in range(200)],
            "spent": [i // 10 * 1000 + 7 for i in range(200)],
            "level": ["mine" if i < 10 else "ours" for i in range(200)],
        }
    )
    alone, grouped = infer_schema(table), infer_schema(table, group="who")
    assert isinstance(alone["who"], Categorical)
    assert facts(grouped["who"], "kind", "template") == ("identifier", "{sequence:0}")
    assert facts(alone["level"], "levels") == (("mine", "ours"),)
    assert facts(grouped["level"], "levels", "open_share") == (("ours",), 0.05)
    assert isinstance(alone["shop"], Categorical)
    assert isinstance(grouped["shop"], Text)
    assert facts(grouped["spent"], "lower", "upper") == (4000, 15100)
    assert grouped.group == "who"
    with pytest.raises(SchemaError, match=r"at least 10 groups\. Received: 9"):
        infer_schema(table.slice(0, 90), group="who")


# --- the promise ----------------------------------------------------------------------------------------------------


def test_one_person_is_nowhere_in_the_schema() -> None:
    n = 400
    frame = pd.DataFrame(
        {
            "money": np.round(RNG.lognormal(8, 1, n), 2),
            "count": RNG.integers(0, 500, n),
            "few": RNG.integers(0, 3, n),
            "level": RNG.choice(["a", "b"], n),
            "note": [f"{'word ' * (i % 9)}{i}" for i in range(n)],
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(RNG.integers(0, 300, n), "D"),
            "amount": pd.array(RNG.integers(0, 500, n), "Int64"),
        }
    )
    planted = [
        987654321.123456,
        987654321,
        987654321,
        "SECRET",
        "SECRET" * 100,
        pd.Timestamp("1823-04-05 06:07:08"),
        987654321,
    ]
    for place, value in enumerate(planted):
        frame.iloc[17, place] = value
    text = infer_schema(frame).to_json() + repr(infer_schema(frame))
    for trace in ("98765", "SECRET", "1823", "600", "06:07", "123456"):
        assert trace not in text
    clean = infer_schema(frame.drop(index=17))
    for dirty, column in zip(infer_schema(frame), clean, strict=True):
        assert getattr(dirty, "decimals", 0) == getattr(column, "decimals", 0)
        assert getattr(dirty, "resolution", "") == getattr(column, "resolution", "")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=10, max_size=80), st.integers(1, 5))
def test_enough_rows_stand_behind_every_bound(values: list[int], min_count: int) -> None:
    column = guess(pa.array(values).cast(pa.float64()), min_count=min_count)
    assert isinstance(column, Numeric)
    assert column.lower is not None
    assert column.upper is not None
    assert column.lower <= sorted(values)[min_count - 1]
    assert column.upper >= sorted(values)[-min_count]


def test_support_counts_rows_or_owners() -> None:
    values = np.array([1, 2, 3, 4, 5, 6])
    assert Support(2).extremes(values) == (2, 5)
    owners = np.array([0, 0, 0, 1, 1, 2])
    grouped = Support(2, owners)
    assert grouped.extremes(values) == (4, 5)
    assert grouped.count(values > 0) == 3
    assert grouped.counts(np.array([0, 0, 1, 1, 1, 1]), 3).tolist() == [1, 3, 0]
    assert Support(2).counts(np.array([0, 0, 1, 1, 1, 1]), 3).tolist() == [2, 4, 0]


@pytest.mark.parametrize(
    ("low", "high", "decimals", "expected"),
    [
        ("17", "90", 0, ("17", "90")),
        ("1234", "98765", 0, ("1200", "98800")),
        ("-0.1234", "0.9876", None, ("-0.13", "0.99")),
        ("-0.1234", "5.9876", 1, ("-0.2", "6.0")),
        ("5", "5", None, ("5", "5")),
        ("15", "15", -1, ("10", "20")),
    ],
)
def test_rounding_goes_outward(low: str, high: str, decimals: int | None, expected: tuple[str, str]) -> None:
    assert outward(Decimal(low), Decimal(high), decimals) == tuple(map(Decimal, expected))


# --- awkward tables -------------------------------------------------------------------------------------------------


def test_tables_too_small_to_learn_from() -> None:
    with pytest.raises(SchemaError, match=r"at least 10 rows\. Received: 9"):
        guess(["a"] * 9)
    assert guess(["a"] * 10)
    assert guess(["a"] * 2, exact=True)
    with pytest.raises(SchemaError, match="at least 2 rows"):
        guess(["a"], exact=True)
    with pytest.raises(ParameterError, match="min_count"):
        guess(["a"] * 10, min_count=0)
    with pytest.raises(ParameterError, match="'who'"):
        guess(["a"] * 10, group="who")


def test_wide_and_hostile_tables() -> None:
    wide = pa.table({f"c{i}": RNG.integers(0, 1000, 50) for i in range(300)})
    schema = infer_schema(wide)
    assert len(schema) == 300
    assert Schema.from_json(schema.to_json()) == schema
    hostile = ["", " ", "a\nb", "ü", "__class__", "x" * 300, "{}", "\\", '"']
    assert infer_schema(pa.table({name: RNG.random(50) for name in hostile})).names == tuple(hostile)


def test_every_source_gives_the_same_guess(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": RNG.integers(0, 1000, 50), "x": np.round(RNG.random(50), 2), "c": ["u", "v"] * 25})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    by_hand = [facts(column, "kind", "nullable", "open_share") for column in infer_schema(frame)]
    for table in (pl.from_pandas(frame), tmp_path / "t.csv", tmp_path / "t.parquet", pa.Table.from_pandas(frame)):
        schema = infer_schema(table)
        assert [facts(column, "kind", "nullable", "open_share") for column in schema] == by_hand
        schema.check(table)
        schema.check(frame)


def test_a_million_texts_take_seconds_not_minutes() -> None:
    words = pa.array([f"w{i % 300_000}" for i in range(300_000)])
    began = time.perf_counter()
    guess(words)
    guess(pa.array(RNG.random(1_000_000)))
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("exact", [True, False])
def test_what_was_inferred_is_obeyed(exact: bool) -> None:
    n = 60
    table = pa.table(
        {
            "key": texts("K{i:04d}", n),
            "float32": RNG.random(n).astype(np.float32),
            "half": np.round(RNG.random(n), 1).astype(np.float16),
            "tenths": np.round(RNG.random(n), 1).astype(np.float32),
            "decimal": pa.array([Decimal(int(i)) / 8 for i in RNG.integers(0, 99, n)], pa.decimal128(9, 3)),
            "zoned": pa.array(
                [MONDAY + dt.timedelta(seconds=i * i) for i in range(n)], pa.timestamp("ns", "Asia/Tokyo")
            ),
            "day": pa.array([MONDAY + dt.timedelta(days=i % 7) for i in range(n)], pa.date64()),
            "word": pa.array(["x", "y", None] * 20, pa.string_view()),
            "level": pa.array(["x", "y", None] * 20).dictionary_encode(),
            "nan": [float("nan"), None, 0.5] * 20,
            "nothing": pa.nulls(n),
            "large": [2**63 - 1 - i * 3 for i in range(n)],
        }
    )
    schema = infer_schema(table, exact=exact)
    made = schema.check(table)
    for name in table.column_names:
        assert str(made[name].combine_chunks()) == str(table[name].combine_chunks())
    assert Schema.from_json(schema.to_json()) == schema
