"""Tables go in and come back as they were, and what no table may hold is named."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from polars.testing import assert_frame_equal as assert_polars_equal

from synthvae.errors import OutputError, TableError
from synthvae.tables import Container, arrow_type, levels, plain, read, restore, write

DAY = dt.date(2026, 1, 31)
MOMENT = dt.datetime(2026, 1, 31, 12, 30, 15, 123456)
BIG = 2**63 - 1

PANDAS_COLUMNS: dict[str, pd.Series[Any]] = {
    "int64": pd.Series([1, BIG, -(2**63)]),
    "int8": pd.Series([1, 2, -3], dtype="int8"),
    "uint64": pd.Series([1, 2, BIG], dtype="uint64"),
    "Int64": pd.Series([1, None, BIG], dtype="Int64"),
    "UInt8": pd.Series([1, None, 255], dtype="UInt8"),
    "int64[pyarrow]": pd.Series([1, None, BIG], dtype=pd.ArrowDtype(pa.int64())),
    "float16": pd.Series([1.5, np.nan, 3], dtype="float16"),
    "float32": pd.Series([1.5, np.nan, 3], dtype="float32"),
    "float64": pd.Series([0.1, np.nan, -1e300]),
    "Float64": pd.Series([0.1, None, 3], dtype="Float64"),
    "double[pyarrow]": pd.Series([0.1, None, 3], dtype=pd.ArrowDtype(pa.float64())),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "bool[pyarrow]": pd.Series([True, None, False], dtype=pd.ArrowDtype(pa.bool_())),
    "object bool": pd.Series([True, None, False], dtype=object),
    "object text": pd.Series(["a", None, "ü"], dtype=object),
    "object int": pd.Series([1, None, BIG], dtype=object),
    "object date": pd.Series([DAY, None, DAY], dtype=object),
    "object decimal": pd.Series([Decimal("1.20"), None, Decimal("-3.45")], dtype=object),
    "object datetime": pd.Series([MOMENT, None, MOMENT], dtype=object),
    "object null": pd.Series([None, None, None], dtype=object),
    "text": pd.Series(["a", None, "b"]),
    "str": pd.Series(["a", None, "b"], dtype=pd.StringDtype("pyarrow", na_value=np.nan)),
    "string[python]": pd.Series(["a", None, "b"], dtype=pd.StringDtype("python")),
    "string[pyarrow]": pd.Series(["a", None, "b"], dtype=pd.StringDtype("pyarrow")),
    "arrow string": pd.Series(["a", None, "b"], dtype=pd.ArrowDtype(pa.string())),
    "category": pd.Series(pd.Categorical(["b", None, "a"], categories=["z", "b", "a"])),
    "ordered": pd.Series(pd.Categorical(["b", None, "a"], categories=["z", "b", "a"], ordered=True)),
    "object category": pd.Series(pd.Categorical(["b", "a", "a"], categories=pd.Index(["b", "a"], dtype=object))),
    "int category": pd.Series(pd.Categorical([3, 1, None], categories=[3, 2, 1])),
    "ns": pd.Series(pd.to_datetime([MOMENT, None, MOMENT])).astype("datetime64[ns]"),
    "us": pd.Series(pd.to_datetime([MOMENT, None, MOMENT])).astype("datetime64[us]"),
    "utc": pd.Series(pd.to_datetime([MOMENT, None, MOMENT]).tz_localize("UTC")),
    "zone": pd.Series(pd.to_datetime([MOMENT, None, MOMENT]).as_unit("ms").tz_localize("America/New_York")),
    "timestamp[pyarrow]": pd.Series([MOMENT, None, MOMENT], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    "date[pyarrow]": pd.Series([DAY, None, DAY], dtype=pd.ArrowDtype(pa.date32())),
}


@pytest.mark.parametrize("name", PANDAS_COLUMNS)
def test_a_pandas_column_comes_back_as_it_was(name: str) -> None:
    frame = pd.DataFrame({name: PANDAS_COLUMNS[name]})
    back = restore(*read(frame))
    assert isinstance(back, pd.DataFrame)
    assert_frame_equal(back, frame, check_exact=True)
    assert back[name].dtype == frame[name].dtype


@pytest.mark.parametrize("name", PANDAS_COLUMNS)
def test_no_rows_keep_their_dtype(name: str) -> None:
    frame = pd.DataFrame({name: PANDAS_COLUMNS[name]})
    arrow, container = read(frame)
    back = restore(arrow.slice(0, 0), container)
    assert isinstance(back, pd.DataFrame)
    assert back[name].dtype == frame[name].dtype
    assert len(back) == 0


def test_missing_values_in_object_columns_come_in_as_null() -> None:
    frame = pd.DataFrame(
        {name: PANDAS_COLUMNS[f"object {name}"] for name in ("bool", "text", "int", "date", "decimal")}
    )
    arrow, _ = read(frame)
    assert [arrow[name].null_count for name in arrow.column_names] == [1] * 5
    assert [str(field.type) for field in arrow.schema][2:] == ["int64", "date32[day]", "decimal128(3, 2)"]


def test_the_index_is_no_column_and_can_be_given_back() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="who"))
    arrow, container = read(frame)
    assert arrow.column_names == ["a"]
    assert_frame_equal(restore(arrow, container, frame.index), frame)  # type: ignore[arg-type]


def test_nan_is_null_in_numpy_floats_only() -> None:
    values = pa.array([1.0, None, float("nan")])
    assert read(pd.DataFrame({"a": [1.0, None, np.nan]}))[0]["a"].null_count == 2
    kept = pd.DataFrame({"a": pd.arrays.ArrowExtensionArray(pa.chunked_array([values]))})  # type: ignore[attr-defined]
    for table in (pa.table({"a": values}), kept, pl.DataFrame({"a": [1.0, None, float("nan")]})):
        assert str(read(table)[0]["a"].combine_chunks()) == str(values)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), BIG), min_size=1))
def test_large_integers_never_lose_a_digit(values: list[int | None]) -> None:
    for frame in (
        pd.DataFrame({"a": pd.array(values, dtype="Int64")}),
        pd.DataFrame({"a": pd.Series(values, dtype=object)}),
    ):
        arrow, container = read(frame)
        assert arrow["a"].to_pylist() == values
        back = restore(arrow, container)
        assert isinstance(back, pd.DataFrame)
        assert [None if value is pd.NA else value for value in back["a"]] == values


# --- other kinds of table -------------------------------------------------------------------------------------------

SMALL = pa.table({"a": [1, 2, None], "b": ["x", "", None]})


@pytest.mark.parametrize(
    "table",
    [
        SMALL,
        SMALL.combine_chunks().to_batches()[0],
        SMALL.to_reader(),
        pds.dataset(SMALL),
    ],
    ids=lambda table: type(table).__name__,
)
def test_arrow_tables_of_all_sorts(table: object) -> None:
    arrow, container = read(table)
    assert arrow.equals(SMALL)
    assert arrow.schema.metadata is None
    assert container == Container("arrow")
    assert restore(arrow, container) is arrow


def test_metadata_are_kept_beside_the_table() -> None:
    table = SMALL.replace_schema_metadata({"made": "here", b"\xff": b"\xff"})
    arrow, container = read(table)
    assert arrow.schema.metadata is None
    assert container == Container("arrow", notes={"": {"made": "here"}})
    back = restore(arrow, container)
    assert isinstance(back, pa.Table)
    assert back.schema.metadata == {b"made": b"here"}


def test_anything_with_an_arrow_stream() -> None:
    class Stream:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return SMALL.__arrow_c_stream__(requested_schema)

    assert read(Stream())[0].equals(SMALL)


def test_polars_comes_back_with_its_categories() -> None:
    frame = pl.DataFrame(
        {
            "int": [1, None, BIG],
            "text": ["a", None, ""],
            "float32": pl.Series([1.5, None, 2], dtype=pl.Float32),
            "date": [DAY, None, DAY],
            "zone": pl.Series([MOMENT, None, MOMENT]).dt.replace_time_zone("Europe/Paris"),
            "decimal": [Decimal("1.20"), None, Decimal("3.00")],
            "enum": pl.Series(["b", None, "a"], dtype=pl.Enum(["z", "b", "a"])),
            "category": pl.Series(["b", None, "a"], dtype=pl.Categorical),
            "nothing": [None, None, None],
        }
    )
    arrow, container = read(frame)
    back = restore(arrow, container)
    assert isinstance(back, pl.DataFrame)
    assert container.kind == "polars"
    assert_polars_equal(back, frame)
    assert_polars_equal(restore(arrow.slice(0, 0), container), frame.clear())  # type: ignore[arg-type]


def test_dictionaries_of_several_chunks_become_one() -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "a"]).dictionary_encode()]
    arrow, container = read(pa.table({"c": pa.chunked_array(chunks)}))
    assert levels(arrow["c"]).to_pylist() == ["a", "b", "c"]
    assert plain(arrow["c"]).to_pylist() == ["a", "b", "c", "a"]
    assert container.pandas_dtypes is None


# --- files ----------------------------------------------------------------------------------------------------------


def test_parquet_files_lists_and_folders(tmp_path: Path) -> None:
    for name in ("1.parquet", "2.parquet"):
        pq.write_table(SMALL, tmp_path / name)
    arrow, container = read(tmp_path / "1.parquet")
    assert arrow.equals(SMALL)
    assert container.pandas_dtypes is not None
    assert container.pandas_dtypes["a"] == "Int64"
    for table in (tmp_path, str(tmp_path), [tmp_path / "1.parquet", str(tmp_path / "2.parquet")]):
        assert read(table)[0].num_rows == 6


def test_what_pandas_wrote_as_its_index_is_no_column(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=[5, 7]).to_parquet(tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet")[0].column_names == ["a"]


def test_csv_types_are_those_of_all_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [
        "n,f,zip,huge,when,day,clock,word,none,yes",
        "1,1.5,01234,99999999999999999999,2026-01-31T12:00:00,2026-01-31,12:00:01,a,,true",
        ",,,,,,,,,",
        f"{BIG},,12345,1,2026-01-31T12:00:00,2026-01-31,12:00:01,NA,,false",
    ]
    path.write_text("\n".join(rows) + "\n")
    arrow, container = read(path)
    types = [str(field.type) for field in arrow.schema]
    expected = [
        "int64",
        "double",
        "string",
        "string",
        "string",  # written again it would have no T
        "date32[day]",
        "string",
        "string",
        "null",
        "bool",
    ]
    assert types == expected
    assert arrow["n"].to_pylist() == [1, None, BIG]
    assert arrow["zip"].to_pylist() == ["01234", None, "12345"]
    assert arrow["word"].to_pylist() == ["a", None, "NA"]
    back = restore(arrow, container)
    assert isinstance(back, pd.DataFrame)
    assert back["n"].dtype == "Int64"
    assert back["when"][0] == "2026-01-31T12:00:00"


def test_csv_numbers_that_turn_into_text_late(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "1\n" * 500_000 + "x\n")
    assert str(read(path)[0].schema.field("a").type) == "string"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "Empty CSV"),
        ("t.csv", b"a,b\n", "0 rows"),
        ("t.csv", b"a,b\n1,2\n3,4,secret\n", "Expected 2 columns, got 3"),
        ("t.csv", b"a\nx\n\xff\xfe\n", "UTF-8"),
        ("t.csv", b"a,a\n1,2\n", "'a' appears more than once"),
        ("t.parquet", b"PAR1 not really", "Parquet magic bytes"),
        ("t.parquet", b"", "t.parquet"),
        ("t.xlsx", b"", ".parquet or .csv"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message) as caught:
        read(tmp_path / name)
    assert "secret" not in str(caught.value)


def test_a_truncated_parquet_file(tmp_path: Path) -> None:
    pq.write_table(SMALL, tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(TableError, match=r"t\.parquet"):
        read(tmp_path / "t.parquet")


def test_missing_files_empty_folders_and_files_that_differ(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="does not exist"):
        read(tmp_path / "no.parquet")
    with pytest.raises(TableError, match="none"):
        read(tmp_path)
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.csv").write_text("b\n1\n")
    with pytest.raises(TableError, match="same columns"):
        read([tmp_path / "a.csv", tmp_path / "b.csv"])


# --- what no table may hold -----------------------------------------------------------------------------------------


def test_everything_wrong_is_said_at_once() -> None:
    table = pa.table(
        {
            "list": [[1], [2]],
            "bytes": [b"a", b"b"],
            "inf": [1.0, float("-inf")],
            "big": pa.array([2**63, 1], pa.uint64()),
            "fine": [1, 2],
        }
    )
    with pytest.raises(TableError) as caught:
        read(table)
    text = str(caught.value)
    assert text.count("\n  - ") == 4
    assert "'inf' holds infinite values (1, first at row 1)" in text
    assert "'big' holds values beyond 9223372036854775807 (1, first at row 0)" in text
    assert "'fine'" not in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "secret"], r"mixed types \(int, str\), first other than int at row 1"),
        ([None, "secret", 2.5, True], r"mixed types \(str, float, bool\), first other than str at row 2"),
        ([True, 1], "mixed types"),
        ([DAY, MOMENT], "mixed types"),
        (["\ud800secret"], "UTF-8"),
        ([2**70], "beyond"),
        ([{"secret": 1}], "flatten"),
        ([1j], "not supported"),
    ],
)
def test_object_columns_without_one_type(values: list[object], message: str) -> None:
    with pytest.raises(TableError, match=message) as caught:
        read(pd.DataFrame({"a": pd.Series(values, dtype=object)}))
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_pandas_types_that_are_no_table_types() -> None:
    frame = pd.DataFrame({"p": pd.period_range("2026-01", periods=2, freq="M")})
    frame["c"] = pd.cut(pd.Series([1, 2]), 2)
    frame["x"] = [1j, 2j]
    with pytest.raises(TableError):
        read(frame)


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"a": []}), pd.DataFrame(), pd.DataFrame(index=[1, 2]), pa.table({"a": pa.array([], pa.int64())})],
)
def test_nothing_is_no_table(frame: object) -> None:
    with pytest.raises(TableError, match="at least one row and one column"):
        read(frame)


def test_column_names_are_text_and_appear_once() -> None:
    with pytest.raises(TableError, match=r"0 is a int, not text"):
        read(pd.DataFrame([[1, 2]]))
    for table in (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"]),
    ):
        with pytest.raises(TableError, match="'a' appears more than once"):
            read(table)
    hostile = ["", " ", "a\nb", "ü", "__proto__", "select *", "{x}", "a" * 300]
    assert read(pd.DataFrame([range(len(hostile))], columns=hostile))[0].column_names == hostile


@pytest.mark.parametrize(
    ("table", "advice"),
    [(pl.DataFrame({"a": [1]}).lazy(), "collect"), ({"a": [1]}, "pandas.DataFrame"), (None, "NoneType"), ([1], "list")],
)
def test_what_is_no_table(table: object, advice: str) -> None:
    with pytest.raises(TableError, match=advice):
        read(table)


def test_all_null_and_constant_columns_are_fine() -> None:
    frame = pd.DataFrame({"null": [None, None], "nan": [np.nan, np.nan], "same": ["a", "a"]})
    assert read(frame)[0].num_columns == 3


# --- types ----------------------------------------------------------------------------------------------------------

TYPES = [
    *(
        pa.bool_(),
        pa.int8(),
        pa.uint64(),
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.date32(),
        pa.date64(),
        pa.null(),
    ),
    *(pa.string(), pa.large_string(), pa.string_view(), pa.decimal128(5, 2), pa.decimal128(38, -3)),
    *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Paris", "+02:00")),
    *(pa.dictionary(pa.int8(), pa.string(), ordered) for ordered in (False, True)),
    pa.dictionary(pa.uint32(), pa.string_view()),
    pa.dictionary(pa.int32(), pa.int64()),
]


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_a_type_is_the_inverse_of_its_text(type_: pa.DataType) -> None:
    assert arrow_type(str(type_)) == type_


@pytest.mark.parametrize(
    "text", ["", "int", "list<item: int64>", "dictionary<values=date32[day], indices=int8, ordered=0>"]
)
def test_other_text_is_no_type(text: str) -> None:
    with pytest.raises(ValueError, match="supported Arrow type"):
        arrow_type(text)


# --- writing --------------------------------------------------------------------------------------------------------

WIDE = pa.table(
    {
        "n": pa.array([1, None, BIG]),
        "word": pa.array(["a", None, 'b,\n"c']),
        "level": pa.array(["x", "y", None]).dictionary_encode(),
        "view": pa.array(["x", "y", None], pa.string_view()),
        "half": pa.array(np.array([0.5, 1, 2], np.float16)),
        "when": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", "UTC")),
        "amount": pa.array([Decimal("1.20"), None, Decimal("3.00")]),
    }
)


def test_parquet_is_written_whole_with_its_metadata(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write(WIDE.to_batches(max_chunksize=2), path, WIDE.schema, {"synthetic": "yes"})
    assert read(path)[0].cast(WIDE.schema).equals(WIDE)
    assert pq.read_schema(path).metadata[b"synthetic"] == b"yes"
    assert [file.name for file in tmp_path.iterdir()] == ["t.parquet"]


def test_csv_is_written_whole_with_its_metadata_beside(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write(WIDE.to_batches(max_chunksize=2), path, WIDE.schema, {"synthetic": "yes"})
    back = read(path)[0]
    assert back["n"].to_pylist() == [1, None, BIG]
    assert back["word"].to_pylist() == WIDE["word"].to_pylist()
    assert json.loads((tmp_path / "t.csv.provenance.json").read_text()) == {"synthetic": "yes"}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path, name: str, error: type[BaseException]) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from SMALL.to_batches()
        raise error("stop")

    (tmp_path / name).write_text("before")
    with pytest.raises(error, match="stop") as caught:
        write(batches(), tmp_path / name, SMALL.schema, {})
    assert type(caught.value) is error
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("name", ["no/t.parquet", "no/t.csv", "file/t.parquet", "t.xlsx", "folder.csv"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutputError):
        write(SMALL.to_batches(), tmp_path / name, SMALL.schema, {})
    assert {file.name for file in tmp_path.iterdir()} == {"file", "folder.csv"}


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, name: str) -> None:
    code = """
import resource, sys, pyarrow as pa, numpy as np
from synthvae.errors import OutputError
from synthvae.tables import write
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
table = pa.table({"a": np.random.default_rng(0).random(100_000)})
try:
    write(table.to_batches(), sys.argv[1], table.schema, {})
except OutputError as error:
    print(type(error).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "OutputError"
    assert not list(tmp_path.iterdir())
