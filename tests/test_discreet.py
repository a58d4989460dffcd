"""Tables under a budget are read so that no type, error, warning or dtype follows from a single row."""

from __future__ import annotations

import datetime
import decimal
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.codecs.table import TableCodec
from synthvae.errors import SchemaError, SynthvaeWarning, TableError
from synthvae.private_fitting import bought
from synthvae.schema.check import forgiven
from synthvae.schema.columns import Categorical, Datetime, Numeric
from synthvae.surrogate.spelling import _most

LOOSE = sv.Budget(epsilon=200.0, delta=1e-3, testing=True)
HEAD = "whole,number,day,moment,word,truth,code\n"
ROWS = "".join(
    f"{i % 90},{i % 7}.5,2020-01-{1 + i % 28:02d},2020-01-01 10:{i % 60:02d}:00,{'ab'[i % 2]},true,0{i % 9}7\n"
    for i in range(500)
)
TYPES = {
    "whole": pa.int64(),
    "number": pa.float64(),
    "day": pa.date32(),
    "moment": pa.timestamp("s"),
    "word": pa.string(),
    "truth": pa.bool_(),
    "code": pa.string(),
}
STRANGE = {
    "a fraction": b"33.5,1.5,2020-01-01,2020-01-01 10:00:00,a,true,007\n",
    "words": b"many,few,some day,once,b,perhaps,x\n",
    "too large": b"99999999999999999999,1e999,9999-99-99,2020-99-99 10:00:00,a,true,007\n",
    "too few cells": b"1,2\n",
    "too many cells": b"1,1.5,2020-01-01,2020-01-01 10:00:00,a,true,007,secret\n",
    "not UTF-8": b"1,1.5,2020-01-01,2020-01-01 10:00:00,\xff\xfe,true,007\n",
    "neither UTF-8 nor as wide": b"1,1.5,2020-01-01,2020-01-01 10:00:00,\xff\xfe,true,007,secret\n",
    "empty": b",,,,,,\n",
}


def types_of(table: Any) -> tuple[dict[str, str], pa.Table]:
    """What a fit under a budget takes the columns of a table for, and rows it makes of them."""
    rows, _, untyped = tables.read_discreetly(table)
    made = bought(rows, None, LOOSE, 0, untyped).made
    return {column.name: column.arrow for column in made.columns}, made.table


@pytest.mark.parametrize("name", STRANGE)
def test_one_strange_row_of_a_csv_file_changes_no_type_and_raises_nothing(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD.encode() + ROWS.encode() + STRANGE[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, made = types_of(path)
    assert found == {column: str(type_) for column, type_ in TYPES.items()}
    assert made.schema.types == list(TYPES.values())
    assert set(made["whole"].to_pylist()) <= {None, *range(-20, 120)}
    assert "secret" not in capfd.readouterr().err


def test_what_columns_of_a_csv_file_are_is_paid_for(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + ROWS)
    model = sv.Synthesizer(budget=LOOSE, epochs=1, random_state=0).fit(path)
    first = model.card_["privacy"]["payments"][0]
    assert first["what"] == "how 7 columns without a type are written"
    assert first["sensitivity"] == pytest.approx(7**0.5)
    fake = model.sample(30, random_state=0)
    assert fake["whole"].dtype.kind == "i" or str(fake["whole"].dtype) == "Int64"
    assert fake["code"].dropna().str.fullmatch(r"0\d7").all()


def test_a_schema_says_what_columns_of_a_csv_file_are_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("age,sex\n" + "33,F\n40,M\nsecret,F\n" * 100)
    columns = (Numeric(name="age", arrow="int64", nullable=True, lower=18, upper=90, decimals=0),
               Categorical(name="sex", arrow="string", levels=("F", "M")))  # fmt: skip
    rows, _, untyped = tables.read_discreetly(path)
    counted = bought(rows, sv.Schema(columns), LOOSE, 0, untyped)
    made, asked = counted.made, counted.asked
    assert made.table.schema.types == [pa.int64(), pa.string()]
    assert made.table["age"].null_count == pytest.approx(400 / 3, abs=20)
    assert not [spend for spend in asked.ledger if "written" in spend.what]
    said = asked.ledger.facts()["assumptions"][0]
    assert said.startswith("Taken from the schema as public")
    assert "bounds of 'age'; levels of 'sex'" in said


@pytest.mark.parametrize(
    ("sigma", "counts", "expected"),
    [
        (1.0, [10, 9000, 0, 0, 0, 3, 50], pa.float64()),
        (1.0, [0, 9000, 0, 0, 0, 3, 50], pa.int64()),
        (30.0, [90, 9000, 0, 0, 0, -40, 50], pa.int64()),  # within the noise
        (1.0, [0, 9000, 0, 0, 0, 900, 0], pa.string()),  # a tenth is text
        (1.0, [0, 0, 0, 0, 0, 900, 0], pa.string()),
        (1.0, [0, 0, 0, 2, 900, 0, 0], pa.date32()),
        (1.0, [0, 0, 0, 500, 400, 0, 0], pa.timestamp("s")),
        (1.0, [0, 0, 700, 0, 0, 0, 0], pa.bool_()),
        (1.0, [0, 0, 0, 0, 0, 0, 800], pa.string()),
    ],
)
def test_most_rows_decide(sigma: float, counts: list[int], expected: pa.DataType) -> None:
    assert _most(np.array(counts, float), sigma) == expected


def test_spellings() -> None:
    texts = pa.chunked_array([["1", "-0.5", "1e6", "True", "2020-01-31", "2020-01-31 10:00:00", "07", "x", "NA", None]])
    names = [*tables.SPELLINGS, "text", "null"]
    found = [names[place] for place in tables.spellings(texts).to_pylist()]
    assert found == ["whole number", "number", "number", "truth", "date", "instant", "text", "text", "null", "null"]


MOMENT, CODED = datetime.datetime(2020, 1, 1), "dictionary<values=int32, indices=int8, ordered=0>"
OBJECTS: dict[str, tuple[list[Any], str]] = {
    "whole": ([1, 2, 3] * 100 + ["secret"], "int64"),
    "decimal": ([decimal.Decimal("1.25"), decimal.Decimal("2.5")] * 150 + [decimal.Decimal("1e-30")], "double"),
    "day": ([datetime.date(2020, 1, 5), datetime.date(2021, 1, 5)] * 150 + [MOMENT], "date32[day]"),
    "word": (["a", "b"] * 150 + [b"\xff"], "string"),
    "nested": ([True, False] * 150 + [{"who": "secret"}], "bool"),
    "surrogate": (["a", "b"] * 150 + ["\ud800"], "string"),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
def test_one_strange_object_changes_no_type_and_raises_nothing(name: str) -> None:
    values, expected = OBJECTS[name]
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    assert types_of(frame)[0] == types_of(frame.iloc[:-1])[0] == {"x": expected}


BLANK = "1,,3\n,x,\n"


def test_blank_cells_are_null(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + BLANK)
    rows, _, _ = tables.read_discreetly(path)
    assert rows.to_pylist() == [{"a": "1", "b": None, "c": "3"}, {"a": None, "b": "x", "c": None}]


def test_rows_of_nobody_in_a_csv_file_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who,x\n" + "".join(f"{i},1\n" for i in range(300)) + ",2\n" * 300)
    rows, _, untyped = tables.read_discreetly(path)
    budget = sv.Budget(200.0, 1e-3, unit="who", testing=True)
    assert bought(rows, None, budget, 0, untyped).made.rows == pytest.approx(300, abs=5)


def test_a_long_cell_is_only_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3," + "x" * 3_000_000 + "\n")
    assert tables.read_discreetly(path)[0].num_rows == 2


def test_dictionaries_become_alike_whatever_their_chunks_hold() -> None:
    def chunk(levels: list[str | None]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(levels), ordered=True)

    made = tables.read_discreetly(pa.table({"x": pa.chunked_array([chunk(["b", "a"]), chunk(["c", None])])}))[0]["x"]
    assert made.to_pylist() == ["b", "a", "c", None]
    assert made.type == pa.dictionary(pa.int32(), pa.string(), ordered=True)
    assert made.chunk(0).dictionary.to_pylist() == ["b", "a", "c"]
    wild = pa.array([2.0, float("nan"), 1.0, float("inf")]).dictionary_encode()
    assert tables.read_discreetly(pa.table({"x": wild}))[0]["x"].to_pylist() == [2.0, None, 1.0, None]


@pytest.mark.parametrize("dtype", ["string[python]", "string[pyarrow]", "str", "category"])
def test_text_that_is_none_changes_no_type(dtype: str) -> None:
    clean = pd.Series(["a", "b"] * 9, dtype=object)
    try:
        strange = pd.concat([clean, pd.Series(["\udcff", 5] if dtype == "category" else ["\udcff"])]).astype(dtype)
    except UnicodeError:
        pytest.skip("no such text in this dtype")
    types = [tables.read_discreetly(pd.DataFrame({"x": x}))[0].schema for x in (clean.astype(dtype), strange)]
    assert types[0] == types[1]


def test_how_many_levels_a_category_has_changes_no_type() -> None:
    def fields(levels: int) -> list[Any]:
        words = [f"level {i}" for i in range(levels)]
        return [tables.read_discreetly(pd.DataFrame({"x": pd.Categorical(words, categories)}))[0].schema
                for categories in (words, pd.Index(words, dtype=object))]  # fmt: skip

    assert fields(127) == fields(129)


def test_a_column_that_no_table_may_hold_is_named_without_its_values() -> None:
    frame = pd.DataFrame({"x": pd.Series([1 + 2j, 3 + 4j])})
    with pytest.raises(TableError, match="column 'x' has a dtype that is not supported"):
        tables.read_discreetly(frame)


@pytest.mark.parametrize(
    ("values", "column", "expected"),
    [
        (pa.array([1.0, 7.5, 3.0, 7.5]), Numeric(name="x", arrow="int64"), [1, None, 3, None]),
        (pa.array([1, 300, 3]), Numeric(name="x", arrow="int8"), [1, None, 3]),
        (pa.array(["2020-01-01", "Zenda"]), Datetime(name="x", arrow="timestamp[s]"), [MOMENT, None]),
        (pa.array([5, 2**40]), Categorical(name="x", arrow=CODED, levels=(5,)), [5, None]),
        (pa.array([None, None]), Numeric(name="x", arrow="int64"), [None, None]),
    ],
    ids=["fraction", "narrow", "text", "level", "null"],
)  # fmt: skip
def test_what_a_type_cannot_hold_becomes_null(values: pa.Array, column: Any, expected: list[Any]) -> None:
    assert forgiven(pa.chunked_array([values]), column).to_pylist() == expected


LARGEST = 2**53 + 1  # the first integer that is no float
EXTREMES: dict[str, tuple[pa.DataType, list[Any], Any, Any]] = {
    "large integer": (pa.int64(), [1, 2], LARGEST, Numeric(name="x", arrow="int64")),
    "unsigned": (pa.uint64(), [1, 2], LARGEST, Numeric(name="x", arrow="uint64")),
    "duration": (pa.duration("us"), [1, 2], LARGEST, Numeric(name="x", arrow="duration[us]")),
    "decimal": (pa.decimal128(3, 2), [decimal.Decimal("1.5")] * 2, decimal.Decimal("9.99"),
                Numeric(name="x", arrow="decimal128(3, 2)", decimals=0, lower=0, upper=9)),
    "long decimal": (pa.decimal128(38, 2), [decimal.Decimal("1.5")] * 2, decimal.Decimal("9" * 36 + ".99"),
                     Numeric(name="x", arrow="decimal128(38, 2)", decimals=0, lower=0, upper=9)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_one_extreme_value_ends_no_fit(name: str) -> None:
    type_, values, extreme, column = EXTREMES[name]
    for rows in (values * 200, [*values * 200, extreme]):
        asked = pa.table({"x": pa.array(rows, type_)})
        made = bought(tables.read_discreetly(asked)[0], sv.Schema((column,)), LOOSE, 0).made
        TableCodec.fit(sv.Schema(made.columns), made.table).encode(forgiven_table(asked, column))


@pytest.mark.parametrize("rows", [[], [decimal.Decimal("1.5")] * 3, [None] * 400])
def test_noise_alone_stays_within_what_a_decimal_can_hold(rows: list[Any]) -> None:
    for seed in range(3):
        made = bought(pa.table({"x": pa.array(rows, pa.decimal128(18, 4))}), None, LOOSE, seed).made
        made.table.validate(full=True)


def forgiven_table(table: pa.Table, column: Any) -> pa.Table:
    return pa.table({"x": forgiven(tables.read_discreetly(table)[0]["x"], column)})


@pytest.mark.parametrize("form", ["{:g}", "%Y-%m-%d", "%H:%M:%S.%f"])
def test_text_of_arrow_that_is_not_utf8_is_null(form: str) -> None:
    bad = pa.array([b"1"] * 300 + [b"\xff\xfe"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(bad), bad.buffers())
    table = tables.read_discreetly(pa.table({"x": text, "y": text.dictionary_encode()}))[0]
    assert table["x"].null_count == table["y"].null_count == 1
    kind = Numeric if form == "{:g}" else Datetime
    bought(table.select(["x"]), sv.Schema((kind(name="x", arrow="string", format=form),)), LOOSE, 0)


def test_a_file_that_cannot_be_read_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"Zenda")
    with pytest.raises(TableError) as caught:
        sv.Synthesizer(budget=LOOSE).fit(path)
    assert caught.value.__context__ is None


def test_types_that_arrow_guessed_from_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + ROWS)
    guessed = pds.dataset(path, format="csv")
    for table in (guessed, pds.dataset([guessed, guessed]), pcsv.open_csv(path)):
        with pytest.raises(TableError, match="under a budget, the path of a CSV file"):
            sv.Synthesizer(budget=LOOSE).fit(table)
    pq.write_table(pcsv.read_csv(path), tmp_path / "t.parquet")
    assert tables.read_discreetly(pds.dataset(tmp_path / "t.parquet"))[0].num_rows == 500


def test_polars_text_has_owners_too() -> None:
    people = pl.DataFrame({"who": [f"w{i}" for i in range(300)], "x": ["a", "b"] * 150})
    budget = sv.Budget(200.0, 1e-3, unit="who", testing=True)
    assert bought(tables.read_discreetly(people)[0], None, budget, 0).made.rows == pytest.approx(300, abs=5)


def test_types_that_have_nothing_in_common_are_told_by_name() -> None:
    people = pd.DataFrame({"age": ["Zenda"] * 60})
    with pytest.raises(SchemaError, match="column 'age' is of type large_string, expected int64"):
        sv.Synthesizer(sv.Schema((Numeric(name="age", arrow="int64"),)), budget=LOOSE).fit(people)


def test_notes_in_an_arrow_table_stay_behind(tmp_path: Path) -> None:
    noted = pa.table({"x": pa.array([1, 2] * 200)}).replace_schema_metadata({"who": "Zenda"})
    noted = noted.cast(pa.schema([pa.field("x", pa.int64(), metadata={"first": "Zenda"})], {"who": "Zenda"}))
    model = sv.Synthesizer(budget=LOOSE, epochs=1, random_state=0).fit(noted)
    path = tmp_path / "m.synthvae"
    model.save(path)
    assert b"Zenda" not in path.read_bytes()
    assert "Zenda" not in model.schema_.to_json()
    assert model.sample(3).schema.metadata is None
    model.write(tmp_path / "t.parquet", 3)
    assert pq.read_metadata(tmp_path / "t.parquet").metadata[b"budget"].endswith(b"FOR TESTING, protects nobody")


def test_doubts_about_a_budget_are_said() -> None:
    people = pd.DataFrame({"x": [1, 2] * 200})
    with pytest.warns(SynthvaeWarning, match="above 1 / number of rows"):
        sv.Synthesizer(budget=sv.Budget(50.0, 0.09, testing=True), epochs=1, random_state=0).fit(people)
    schema = sv.Schema((Numeric(name="x", arrow="int64", lower=0, upper=5, decimals=0, open_share=0.01),))
    with pytest.warns(SynthvaeWarning, match="looks inferred from rows"):
        sv.Synthesizer(schema, budget=LOOSE, epochs=1, random_state=0).fit(people)
