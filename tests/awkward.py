"""The drawer of awkward tables: what no table may be, and what every table may be. For any test to take from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import synthvae as sv
from synthvae.schema.columns import Boolean, Numeric


def numbers(rows: int = 60, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(50, 10, rows).round(1)


def plain(rows: int = 60) -> pd.DataFrame:
    """A number and a level that goes with it: nothing awkward."""
    x = numbers(rows)
    return pd.DataFrame({"x": x, "kind": np.where(x > 50, "high", "low")})


# --- what no table may be ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    """A table that cannot be learned: how to make it (files go into the folder), and what the error must say."""

    make: Callable[[Path], object]
    says: tuple[str, ...]
    schema: sv.Schema | None = None


X = Numeric(name="x", arrow="double")


def _file(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _truncated(folder: Path) -> Path:
    plain().to_parquet(folder / "cut.parquet")
    content = (folder / "cut.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(content[: len(content) // 2])
    return folder / "cut.parquet"


def _column(values: Any) -> Callable[[Path], pd.DataFrame]:
    return lambda _: plain().assign(odd=values)


def _twice() -> pd.DataFrame:
    table = plain()
    return pd.concat([table, table[["x"]]], axis=1)


BAD: dict[str, Bad] = {
    "no rows": Bad(lambda _: plain().head(0), ("at least one row", "0 rows")),
    "no columns": Bad(lambda _: pd.DataFrame(index=range(50)), ("one column", "0 columns")),
    "one row": Bad(lambda _: plain(1), ("at least 10 rows", "too few")),
    "nine rows": Bad(lambda _: plain(9), ("at least 10 rows", "9")),
    "one row, with a schema": Bad(lambda _: plain(1)[["x"]], ("at least 2 rows",), sv.Schema((X,))),
    "a name twice": Bad(lambda _: _twice(), ("'x' appears more than once",)),
    "a number for a name": Bad(lambda _: plain().rename(columns={"x": 7}), ("7 is a int, not text",)),
    "names of two levels": Bad(lambda _: plain().T.set_index([["a", "b"], ["c", "d"]]).T, ("not text",)),
    "infinite": Bad(_column([1.0] * 58 + [np.inf, -np.inf]), ("'odd'", "infinite", "2, first at row 58")),
    "mixed types": Bad(_column(["a", 1] * 30), ("'odd'", "mixed types (str, int)", "row 1")),
    "dates and text": Bad(_column([dt.date(2020, 1, 1)] * 59 + ["soon"]), ("'odd'", "mixed types", "row 59")),
    "lists": Bad(_column([[1, 2]] * 60), ("'odd'", "list", "flatten")),
    "records": Bad(lambda _: pa.table({"odd": [{"a": 1}] * 60}), ("'odd'", "struct", "flatten")),
    "binary": Bad(_column([b"\x00\xff"] * 60), ("'odd'", "binary")),
    "periods": Bad(_column(pd.period_range("2020-01", periods=60, freq="M")), ("'odd'", "period")),
    "intervals": Bad(_column(pd.interval_range(0, 60)), ("'odd'", "interval")),
    "complex": Bad(_column(np.ones(60) * 1j), ("'odd'", "complex128")),
    "objects": Bad(_column([Path("a")] * 60), ("'odd'", "not supported")),
    "beyond int64": Bad(_column([2**63] * 60), ("'odd'", "9223372036854775807")),
    "beyond int64, as Python integers": Bad(_column(pd.Series([2**70] * 60, dtype=object)), ("'odd'", "as text")),
    "all of it at once": Bad(
        lambda _: plain().assign(one=[np.inf] * 60, two=[b"b"] * 60), ("'one' holds infinite", "'two' is of type")
    ),
    "a column less than the schema": Bad(
        lambda _: plain()[["x"]], ("column 'fine' is missing",), sv.Schema((X, Boolean(name="fine", arrow="bool")))
    ),
    "a column more than the schema": Bad(lambda _: plain(), ("column 'kind' is not in the schema",), sv.Schema((X,))),
    "another type than the schema's": Bad(
        lambda _: plain()[["x"]].astype(str), ("column 'x' is of type", "expected double"), sv.Schema((X,))
    ),
    "text that is not UTF-8": Bad(_file("latin.csv", "x\nGrün\n".encode("latin-1") * 20), ("latin.csv", "not UTF-8")),
    "a ragged CSV": Bad(_file("ragged.csv", b"a,b\n1,2\n3\n"), ("ragged.csv", "Expected 2 columns, got 1")),
    "an empty file": Bad(_file("empty.csv", b""), ("empty.csv", "Empty CSV")),
    "half a Parquet file": Bad(_truncated, ("cut.parquet", "Parquet magic bytes")),
    "text called Parquet": Bad(_file("no.parquet", b"a,b\n1,2\n" * 20), ("no.parquet", "Parquet magic bytes")),
    "another kind of file": Bad(_file("book.xlsx", b"PK"), (".parquet or .csv", "book.xlsx")),
    "no such file": Bad(lambda folder: folder / "gone.csv", ("gone.csv", "does not exist")),
    "an empty folder": Bad(lambda folder: folder, ("Expected Parquet files in the folder",)),
    "an array": Bad(lambda _: np.zeros((60, 2)), ("numpy.ndarray", "pandas.DataFrame(...)")),
    "nothing": Bad(lambda _: None, ("NoneType",)),
}

# --- what every table may be ------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>", "it's \"quoted\" `so`", "two\nlines", "tab\tbed", "😀 naïve", "n" * 300, "weight_000",
    "../../etc/passwd", "/root", ".hidden", "C:\\x", "", " ", "manifest.json", "nats x", "epoch", "kl 0",
    "{sequence:1}", "[bold]red[/]", "%s", "NULL",
)  # fmt: skip
NEAR = 2**63 - 1


def _days(rows: int) -> pd.Series[Any]:
    return pd.Series(pd.Timestamp("2020-02-28") + pd.to_timedelta(np.arange(rows) % 40, "D"))


def _keys(rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame({"id": range(1, rows + 1), "code": [f"K-{i:04d}" for i in range(rows)]})


def _letters(rows: int) -> list[str]:
    """Sentences, no two the same."""
    return ["x" * (5 + i % 30) + f" note {i} " + "?" * (i % 7) for i in range(rows)]


GOOD: dict[str, Callable[[], pd.DataFrame]] = {
    "one number": lambda: plain()[["x"]],
    "one level": lambda: plain()[["kind"]],
    "constants": lambda: plain().assign(same="same", seven=7, half=0.5, day=pd.Timestamp("2020-02-29")),
    "nothing but constants": lambda: pd.DataFrame({"a": [1] * 60, "b": ["b"] * 60}),
    "always null": lambda: plain().assign(
        none=None, nan=np.nan, text=pd.array([None] * 60, "string"), int=pd.array([None] * 60, "Int64"), nat=pd.NaT
    ),
    "nothing but nulls": lambda: pd.DataFrame({"a": [None] * 60, "b": [np.nan] * 60}),
    "nulls and keys": lambda: _keys().assign(none=None),
    "nothing but keys": _keys,
    "ten rows": lambda: plain(10),
    "nothing but text": lambda: pd.DataFrame({"a": _letters(60), "b": _letters(60)[::-1]}),
    "nothing but numbers": lambda: pd.DataFrame({f"n{i}": numbers(60, i) * 1000.0 ** (i - 3) for i in range(7)}),
    "hostile levels": lambda: pd.DataFrame({"level": list(HOSTILE[:6]) * 10}),
    "near the end of int64": lambda: pd.DataFrame(
        {"high": NEAR - np.arange(60) % 31 * 3, "low": -NEAR + np.arange(60) % 31 * 3, "both": [NEAR, -NEAR] * 30}
    ),
    "gaps, levels nobody has, an index of its own": lambda: pd.DataFrame(
        {
            "gap": np.where(np.arange(60) % 2, numbers(60), np.nan),
            "kind": pd.Categorical(plain()["kind"], ["none", "low", "high"]),
            "well": pd.array([True, False, None] * 20, "boolean"),
        },
        index=pd.Index(np.arange(60) * 7, name="x"),
    ),
    "a leap day and a summer time": lambda: pd.DataFrame(
        {"day": _days(60), "zone": _days(60).dt.tz_localize("Europe/Berlin"), "date": _days(60).dt.date}
    ),
    "durations and clock times": lambda: pd.DataFrame(
        {
            "took": pd.to_timedelta(np.arange(60) % 50 * 90, "s"),
            "gap": pd.Series(pd.to_timedelta(np.arange(60) * 7, "ms")).where(np.arange(60) % 5 > 0),
            "at": [dt.time(8 + i % 9, i % 4 * 15) for i in range(60)],
        }
    ),
    "dates and numbers as text": lambda: pd.DataFrame(
        {
            "day": _days(60).dt.strftime("%d.%m.%Y"),
            "stamp": (pd.Timestamp("1969-12-30") + pd.Series(pd.to_timedelta(np.arange(60) * 4711, "s"))).dt.strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "price": [f"${i * 7919 % 5003 / 4:,.2f}" for i in range(60)],
            "age": ["?" if i % 6 == 0 else str(20 + i % 47) for i in range(60)],
        }
    ),
    "keys that come back, keys that are missing": lambda: pd.DataFrame(
        {
            "house_id": [f"H{i % 50 * 7919:07d}" for i in range(60)],
            "user_id": [f"U{i % 55:03d}" if i % 9 else None for i in range(60)],
        }
    ),
    "tiny and huge numbers": lambda: pd.DataFrame(
        {"tiny": numbers() * 1e-300, "huge": numbers() * 1e300, "zero": [0.0, -0.0] * 30}
    ),
}


def hostile() -> pd.DataFrame:
    """Names that are markup, paths, patterns, or words of our own."""
    return pd.DataFrame({name: numbers(60, i) for i, name in enumerate(HOSTILE)})


def wide() -> pd.DataFrame:
    """More columns than rows; on its own because it takes a while."""
    return pd.DataFrame({f"c{i:03d}": numbers(60, i) for i in range(300)})
