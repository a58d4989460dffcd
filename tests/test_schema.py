"""A schema holds together, reads back as it was written, and judges tables: all problems at once."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.errors import OutputError, SchemaError
from synthvae.schema import KINDS, Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Schema, Text
from synthvae.schema.instants import STEP, nanoseconds, to_iso
from synthvae.tables import Container, read

AGE = Numeric(name="age", arrow="int64", pandas="int64", lower=0, upper=120, decimals=0)
SIZE = Categorical(name="size", arrow="string", pandas="str", levels=("S", "M", "L"), ordered=True, nullable=True)
SEEN = Datetime(
    name="seen", arrow="date32[day]", lower="2020-01-01", upper="2026-12-31", resolution="D", open_share=0.0
)
KEY = Identifier(name="key", arrow="string", template="C-{digits:5}")
NOTE = Text(name="note", arrow="string", nullable=True, max_length=80)
VIP = Boolean(name="vip", arrow="bool")
SCHEMA = Schema((AGE, SIZE, SEEN, KEY, NOTE, VIP), group="key", container=Container("pandas"))

TABLE = pa.table(
    {
        "age": [30, 40],
        "size": ["S", None],
        "seen": pa.array([18262, 18263], pa.int32()).cast(pa.date32()),
        "key": ["C-00001", "C-00002"],
        "note": ["hello", None],
        "vip": [True, False],
    }
)


def problems_of(table: object, *columns: Column) -> tuple[str, ...]:
    with pytest.raises(SchemaError) as caught:
        Schema(columns or SCHEMA.columns).check(table)
    return caught.value.problems


# --- a schema as a thing --------------------------------------------------------------------------------------------


def test_columns_by_name_and_in_order() -> None:
    assert SCHEMA["age"] is AGE
    assert SCHEMA.names == ("age", "size", "seen", "key", "note", "vip")
    assert list(SCHEMA) == list(SCHEMA.columns)
    assert len(SCHEMA) == 6
    assert "age" in SCHEMA
    assert "income" not in SCHEMA
    with pytest.raises(SchemaError, match="'income'"):
        SCHEMA["income"]


def test_editing_gives_a_new_schema() -> None:
    edited = SCHEMA.with_column("age", upper=99)
    assert edited["age"] == Numeric(name="age", arrow="int64", pandas="int64", lower=0, upper=99, decimals=0)
    assert SCHEMA["age"] is AGE
    levels = Categorical(name="age", arrow="int64", levels=(30, 40))
    assert SCHEMA.replace(levels)["age"] is levels
    assert SCHEMA.replace(levels).names == SCHEMA.names
    with pytest.raises(SchemaError, match="uper"):
        SCHEMA.with_column("age", uper=99)
    with pytest.raises(SchemaError, match="above"):
        SCHEMA.with_column("age", upper=-1)


def test_the_container_follows_the_columns() -> None:
    assert SCHEMA.container == Container("pandas", {"age": "int64", "size": "str"})
    moved = SCHEMA.carried_by(Container("pandas", {"age": "Int64"}))
    assert moved["age"].pandas == "Int64"
    assert moved.container.pandas_dtypes == {"age": "Int64", "size": "str"}


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (Numeric(name="a", arrow="int64", lower=2, upper=1), "'lower' 2 is above 'upper' 1"),
        (Numeric(name="a", arrow="double", lower=float("-inf")), "must be finite"),
        (Numeric(name="a", arrow="string"), "numeric column cannot be of Arrow type string"),
        (Numeric(name="a", arrow="int65"), "supported Arrow type"),
        (Numeric(name="a", arrow="int64", open_share=1.5), "from 0 to 1"),
        (Numeric(name="a", arrow="int64", lower="0"), "'lower' must be a whole number or a number or null"),  # type: ignore[arg-type]
        (Categorical(name="a", arrow="string", levels=("x", "y", "x")), "level 'x' appears more than once"),
        (Categorical(name="a", arrow="string", levels=("x", 1)), "all text or all numbers"),
        (Categorical(name="a", arrow="int8", levels=(1, 300)), "not all of type int8"),
        (Categorical(name="a", arrow="string"), "must be 'nullable'"),
        (Datetime(name="a", arrow="timestamp[us]", lower="yesterday"), "ISO 8601"),
        (Datetime(name="a", arrow="timestamp[us]", lower="2026-01-02", upper="2026-01-01T23:59"), "after"),
        (Datetime(name="a", arrow="timestamp[us]", resolution="week"), "'resolution' must be one of"),
        (Identifier(name="a", arrow="string", template="C-{digit:3}"), "template"),
        (Identifier(name="a", arrow="string", template="C-{"), "template"),
        (Text(name="a", arrow="string", min_length=5, max_length=4), "min_length"),
        (Boolean(name="a", arrow="int8"), "boolean column cannot be"),
    ],
)
def test_a_column_that_contradicts_itself(column: Column, problem: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema((column,))
    assert problem in "\n".join(caught.value.problems)


def test_all_contradictions_are_said_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        Schema((AGE, AGE, Numeric(name="a", arrow="int64", lower=2, upper=1)), group="who", min_count=0)
    assert len(caught.value.problems) == 4
    with pytest.raises(SchemaError, match="at least one column"):
        Schema(())


def test_a_schema_prints_as_an_aligned_table() -> None:
    text = repr(SCHEMA)
    lines = text.splitlines()
    assert lines[0] == "Schema: 6 columns, min_count=5, group='key'"
    place = lines[1].index("kind")
    assert [line[place:].split()[0] for line in lines[2:]] == [column.kind for column in SCHEMA]
    assert "3 levels, ordered: S, M, L" in text
    hostile = Schema((Numeric(name="a\n\tb", arrow="int64"), Numeric(name="x" * 500, arrow="int64")))
    assert len(repr(hostile).splitlines()) == 4
    assert max(map(len, repr(hostile).splitlines())) < 200


# --- files ----------------------------------------------------------------------------------------------------------

EVERY_KIND = [
    *SCHEMA.columns,
    Numeric(name="exact", arrow="int64", lower=-(2**63), upper=2**63 - 1),
    Numeric(name="float", arrow="double", lower=0.1, upper=1e300, open_share=0.25, decimals=None),
    Numeric(name="money", arrow="decimal128(9, 2)", decimals=2, pandas="object"),
    Numeric(name="written", arrow="string", format="{:,.2f}", marker="?"),
    Personal(name="mail", arrow="string", category="email", locale="de_DE", unique=True),
    Datetime(name="text", arrow="string", format="%d.%m.%Y"),
    Identifier(name="again", arrow="int64", template="{number:9}{check:luhn}", repeats=0.25),
    Categorical(name="never", arrow="null", nullable=True),
    Categorical(name="codes", arrow="dictionary<values=int64, indices=int8, ordered=1>", levels=(3, 1), ordered=True),
    Categorical(name="ü \n\"'{}", arrow="large_string", levels=("", " ", "\u2028", "null")),
    Datetime(
        name="zoned", arrow="timestamp[ns, tz=Europe/Paris]", lower="2020-01-01T00:00:00Z", time_zone="Europe/Paris"
    ),
]


@pytest.mark.parametrize("column", EVERY_KIND, ids=lambda column: column.name)
def test_a_column_reads_back_as_it_was_written(column: Column) -> None:
    schema = Schema((column,), min_count=7, container=Container("polars"))
    assert Schema.from_json(schema.to_json()) == schema


def test_every_kind_is_written_and_read() -> None:
    assert {type(column) for column in EVERY_KIND} == set(KINDS.values())


def test_a_file_holds_what_differs_from_the_defaults(tmp_path: Path) -> None:
    SCHEMA.save(tmp_path / "schema.json")
    assert Schema.load(tmp_path / "schema.json") == SCHEMA
    assert [file.name for file in tmp_path.iterdir()] == ["schema.json"]
    found = json.loads((tmp_path / "schema.json").read_text())
    assert list(found) == ["format", "version", "min_count", "group", "container", "columns"]
    assert found["columns"][5] == {"name": "vip", "kind": "boolean", "arrow": "bool"}


def test_what_a_hand_may_write() -> None:
    text = '{"format": "synthvae-schema", "version": 1, "columns": [{"kind": "numeric", "name": "a", "arrow": "double", "open_share": 0}]}'  # noqa: E501
    schema = Schema.from_json(text)
    assert schema == Schema((Numeric(name="a", arrow="double", open_share=0.0),))


def test_files_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        SCHEMA.save(tmp_path / "no" / "schema.json")
    with pytest.raises(SchemaError, match=r"no\.json"):
        Schema.load(tmp_path / "no.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SchemaError):
        Schema.load(tmp_path / "bytes.json")


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"format": "other"}, ["'format' must be 'synthvae-schema', received 'other'"]),
        ({"version": 3}, ["'version' is 3, newer than 2; update synthvae to read it"]),
        ({"version": True}, ["'version' must be a whole number up to 2, received True"]),
        ({"columns": {}}, ["'columns' must be a list"]),
        ({"columns": []}, ["at least one column"]),
        ({"colums": []}, ["unknown key 'colums'"]),
        ({"container": "excel"}, ["'container' must be one of pandas, arrow, polars, path"]),
        ({"min_count": "5"}, ["'min_count' must be a whole number"]),
        ({"group": 7}, ["'group' must name a column, received 7"]),
        ({"columns": [7, {"name": "a"}]}, ["column 0: expected a JSON object", "column 'a': 'kind' must be one of"]),
        (
            {"columns": [{"name": "a", "kind": "numeric", "arrow": 64, "levels": [1], "nullable": 1}]},
            [
                "unknown key 'levels'",
                "'arrow' must be text, received 64",
                "'nullable' must be true or false, received 1",
            ],
        ),
        (
            {"columns": [{"kind": "categorical", "levels": ["x", None]}]},
            ["column 0: 'name' is missing", "'arrow' is missing", "'levels' must be a list of text or"],
        ),
        (
            {
                "columns": [
                    {"name": "a", "kind": "numeric", "arrow": "int64", "lower": 2, "upper": 1},
                    {"name": "b", "kind": "guess", "arrow": "int64"},
                    {"name": "c", "kind": "categorical", "arrow": "string", "levels": ["x", "x"]},
                ]
            },
            ["'lower' 2 is above", "'kind' must be one of numeric,", "level 'x' appears more than once"],
        ),
    ],
)
def test_a_broken_file_is_one_error(change: dict[str, Any], problems: list[str]) -> None:
    found = json.loads(SCHEMA.to_json()) | {"group": None} | change
    with pytest.raises(SchemaError) as caught:
        Schema.from_json(json.dumps(found))
    assert len(caught.value.problems) == len(problems)
    for said, expected in zip(sorted(caught.value.problems), sorted(problems), strict=True):
        assert any(expected in problem for problem in caught.value.problems), said


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"format": NaN}', "null"])
def test_text_that_is_no_schema(text: str) -> None:
    with pytest.raises(SchemaError):
        Schema.from_json(text)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(list(KINDS)),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "kind", "arrow", "levels"]), inner)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["columns", "min_count", "group", "container", "version"]),
)
def test_no_file_breaks_the_reader(value: object, key: str) -> None:
    found = json.loads(SCHEMA.to_json()) | {key: value}
    with suppress(SchemaError):
        Schema.from_json(json.dumps(found))


# --- tables under a schema ------------------------------------------------------------------------------------------


def test_a_lawful_table_comes_back_in_the_order_of_the_schema() -> None:
    assert SCHEMA.check(TABLE.select(TABLE.column_names[::-1])).equals(TABLE)
    assert SCHEMA.check(TABLE).schema == SCHEMA.arrow_schema


INT = Numeric(name="a", arrow="int64", nullable=True)
FLOAT = Numeric(name="a", arrow="double", nullable=True)
MONEY = Numeric(name="a", arrow="decimal128(5, 2)")
LEVEL = Categorical(name="a", arrow="dictionary<values=string, indices=int8, ordered=0>", levels=("x", "y"))
WORD = Categorical(name="a", arrow="string", levels=("x", "y"), nullable=True)
DATE = Datetime(name="a", arrow="date32[day]")
MOMENT = Datetime(name="a", arrow="timestamp[us]")
PARIS = Datetime(name="a", arrow="timestamp[us, tz=Europe/Paris]", time_zone="Europe/Paris")
DAYS = pa.array([86_400_000, 0], pa.date64())


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (INT, pa.array([1, 2], pa.int8()), pa.array([1, 2])),
        (INT, pa.array([1.0, None]), pa.array([1, None])),
        (INT, pa.array([1.0, float("nan")]), pa.array([1, None])),
        (INT, pa.nulls(2), pa.array([None, None], pa.int64())),
        (FLOAT, pa.array([1, None]), pa.array([1.0, None])),
        (FLOAT, pa.array([0.5, 1.0], pa.float32()), pa.array([0.5, 1.0])),
        (Numeric(name="a", arrow="float"), pa.array([0.1, 1.0]), pa.array([0.1, 1.0], pa.float32())),
        (Numeric(name="a", arrow="halffloat"), pa.array([0.5, 1.0]), pa.array(np.array([0.5, 1.0], np.float16))),
        (MONEY, pa.array([1, 2]), pa.array([1, 2]).cast(pa.decimal128(38, 2)).cast(pa.decimal128(5, 2))),
        (WORD, pa.array(["x", None], pa.large_string()), pa.array(["x", None])),
        (WORD, pa.array(["x", "y"], pa.string_view()), pa.array(["x", "y"])),
        (WORD, pa.array(["y", "x"]).dictionary_encode(), pa.array(["y", "x"])),
        (DATE, DAYS, DAYS.cast(pa.date32())),
        (DATE, DAYS.cast(pa.timestamp("ms")), DAYS.cast(pa.date32())),
        (MOMENT, DAYS.cast(pa.date32()), DAYS.cast(pa.timestamp("us"))),
        (PARIS, pa.array([1, 2], pa.timestamp("ns", "UTC")).cast(pa.timestamp("ns", "UTC")), None),
    ],
)
def test_harmless_differences_are_smoothed_over(column: Column, values: pa.Array, expected: pa.Array | None) -> None:
    if expected is None:
        values, expected = (
            values.cast(pa.timestamp("ms", "UTC"), safe=False),
            pa.array([0, 0], pa.timestamp("us", "Europe/Paris")),
        )
    made = Schema((column,)).check(pa.table({"a": values}))["a"]
    assert str(made.type) == column.arrow
    assert made.combine_chunks().equals(expected)


def test_categories_get_the_levels_of_the_schema() -> None:
    for values in (pa.array(["y", "y"]), pa.array(["y", "y"]).dictionary_encode()):
        made = Schema((LEVEL,)).check(pa.table({"a": values}))["a"].chunk(0)
        assert made.dictionary.to_pylist() == ["x", "y"]
        assert made.indices.to_pylist() == [1, 1]


def test_open_categories_may_outgrow_their_codes() -> None:
    many = [f"v{i}" for i in range(300)]
    made = Schema((LEVEL,)).with_column("a", open_share=0.1).check(pa.table({"a": many}))["a"]
    assert made.to_pylist() == many


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (INT, pa.array([1.5, 2])),
        (INT, pa.array(["1", "2"])),
        (INT, pa.array([True, False])),
        (Numeric(name="a", arrow="int8"), pa.array([1, 300])),
        (FLOAT, pa.array([2**53 + 1, 1])),
        (MONEY, pa.array([1.234, 1000000.0])),
        (WORD, pa.array([1, 2])),
        (LEVEL, pa.array([1, 2])),
        (DATE, pa.array([1, 2], pa.timestamp("us"))),
        (DATE, pa.array(["2026-01-01", "2026-01-02"])),
        (MOMENT, pa.array([1, 2], pa.timestamp("us", "UTC"))),
        (PARIS, pa.array([1, 2], pa.timestamp("us"))),
        (VIP, pa.array([0, 1])),
    ],
)
def test_a_wrong_type_is_named(column: Column, values: pa.Array) -> None:
    (problem,) = problems_of(pa.table({column.name: values}), column)
    assert f"column {column.name!r} is of type {values.type}, expected {column.arrow}" in problem


def test_every_problem_of_a_table_is_said_at_once() -> None:
    table = pa.table(
        {
            "age": [30, 121, -1, 200, None],
            "size": ["S", "XL", "XL", None, "M"],
            "key": pa.array([1, 2, 3, 4, 5]),
            "note": ["a"] * 5,
            "vip": [True, None, None, True, True],
            "extra": [1] * 5,
        }
    )
    assert sorted(problems_of(table)) == [
        "column 'age' is above 120 (2 rows, first at row 1)",
        "column 'age' is below 0 (1 rows, first at row 2)",
        "column 'age' must not be null (1 rows, first at row 4)",
        "column 'extra' is not in the schema",
        "column 'key' is of type int64, expected string",
        "column 'seen' is missing",
        "column 'size' holds 1 unknown levels (2 rows, first at row 1); known are 3",
        "column 'vip' must not be null (2 rows, first at row 1)",
    ]


def test_unknown_levels_are_shown_only_where_many_hold_them() -> None:
    table = pa.table({"a": ["x"] + ["secret"] * 4 + ["often"] * 5})
    (problem,) = problems_of(table, WORD)
    assert problem == "column 'a' holds 2 unknown levels: 'often' (9 rows, first at row 1); known are 2"


def test_open_columns_may_hold_anything_of_their_type() -> None:
    table = pa.table({"age": [-5, 500], "size": ["XL", None]})
    Schema((AGE, SIZE)).with_column("age", open_share=0.0).with_column("size", open_share=0.1).check(table)


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        (Numeric(name="a", arrow="int64", lower=0.5, upper=2**62 + 1), [1, 2**62 + 1], [0, 2**62 + 2]),
        (Numeric(name="a", arrow="int8", lower=-1000, upper=1000), [-128, 127], []),
        (Numeric(name="a", arrow="double", lower=0.1, upper=0.3), [0.1, 0.3], [0.09, 0.1 + 0.2]),
        (Datetime(name="a", arrow="date32[day]", lower="1970-01-02", upper="1970-01-03"), [1, 2], [0, 3]),
        (
            Datetime(name="a", arrow="timestamp[s]", lower="1970-01-01T00:00:00.5", upper="1970-01-01T00:00:02"),
            [1, 2],
            [0, 3],
        ),
        (Datetime(name="a", arrow="timestamp[s]", lower="1970-01-01T02:00:01+02:00"), [1], [0]),
    ],
)
def test_bounds_are_met_exactly(column: Column, good: list[Any], bad: list[Any]) -> None:
    type_ = Schema((column,)).arrow_schema.field("a").type
    store = pa.int32() if pa.types.is_date32(type_) else pa.int64() if pa.types.is_temporal(type_) else type_
    Schema((column,)).check(pa.table({"a": pa.array(good, store).cast(type_)}))
    for value in bad:
        assert len(problems_of(pa.table({"a": pa.array([value], store).cast(type_)}), column)) == 1


def test_single_precision_is_compared_as_single_precision() -> None:
    values = pa.table({"a": pa.array([0.1, 0.3], pa.float32())})
    Schema((Numeric(name="a", arrow="float", lower=0.1, upper=0.3),)).check(values)


def test_restore_gives_the_table_that_was_read() -> None:
    frame = pd.DataFrame(
        {"a": pd.Categorical(["y", "x"], ["z", "y", "x"], ordered=True), "n": pd.array([1, None], "Int8")}
    )
    arrow, container = read(frame)
    columns = (
        Categorical(name="a", arrow=str(arrow["a"].type), levels=("z", "y", "x"), ordered=True),
        Numeric(name="n", arrow="int8", nullable=True),
    )
    schema = Schema(columns).carried_by(container)
    plain = pa.table({"a": ["y", "x"], "n": [1, None]})
    pd.testing.assert_frame_equal(schema.restore(plain), frame)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(schema.restore(plain.slice(0, 0)), frame.iloc[:0])  # type: ignore[arg-type]
    assert isinstance(schema.carried_by(Container("polars")).restore(plain), pl.DataFrame)


# --- instants -------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(list(STEP)), st.integers(-(10**5), 10**5), st.booleans())
def test_an_instant_is_the_inverse_of_its_text(resolution: str, count: int, zoned: bool) -> None:
    assert nanoseconds(to_iso(count, resolution, zoned)) == count * STEP[resolution]


def test_instants_one_can_check_by_eye() -> None:
    assert to_iso(1, "D", False) == "1970-01-02"
    assert to_iso(90, "min", True) == "1970-01-01T01:30Z"
    assert nanoseconds("1970-01-01T01:00+01:00") == 0
    assert nanoseconds("9999-12-31") > 2**63
    for text in ("", "1970", "yesterday", "1970-13-01", "1970-01-01T25"):
        with pytest.raises(ValueError, match=r"ISO 8601|out of|parsing"):
            nanoseconds(text)
