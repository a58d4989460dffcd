"""A table alone: what is planted in it is found, what is not is not, and nobody is given away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.errors import OutputError, SchemaError, TableError
from synthvae.evaluation.profile import Finding, Profile, Severity, profile
from synthvae.evaluation.profile.finding import counted, percent
from synthvae.evaluation.profile.inspect import FINDERS
from synthvae.evaluation.profile.look import Look
from synthvae.evaluation.profile.rows import copies
from synthvae.schema.columns import Identifier
from synthvae.schema.support import Support
from tests.awkward import GOOD, hostile
from tests.conftest import mixed_table
from tests.test_evaluation_report import browse

N = 400


def plain(rows: int = N) -> pd.DataFrame:
    """Nothing to find: numbers, levels, texts and days that have no quirk and nothing to do with one another."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "x": rng.normal(50, 10, rows).round(2),
            "count": rng.poisson(30, rows),
            "money": np.exp(rng.normal(8, 1.5, rows)).round(2),
            "level": rng.choice(["red", "green", "blue"], rows),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "note": [f"{'some words ' * (1 + i % 4)}{i} said" for i in range(rows)],
        }
    )


def with_(**columns: Any) -> Callable[[], pd.DataFrame]:
    return lambda: plain().assign(**columns)


def put(column: str, value: Any, rows: int = 20) -> Callable[[], pd.DataFrame]:
    """A value in the first rows of a column."""

    def make() -> pd.DataFrame:
        table = plain()
        table.loc[: rows - 1, column] = value
        return table

    return make


def found(told: Profile, severity: Severity | None = None) -> set[tuple[tuple[str, ...], str]]:
    return {(f.columns, f.what) for f in told.findings if severity in (None, f.severity)}


def test_nothing_is_found_where_nothing_is() -> None:
    assert found(profile(plain())) == set()


I = np.arange(N)  # noqa: E741
PLANTED: dict[str, tuple[Callable[[], pd.DataFrame], tuple[str, ...], str]] = {
    "an absurd number": (put("x", 1e7, 1), ("x",), "outliers"),
    "an absurd number in a long tail": (put("money", 1e14, 1), ("money",), "outliers"),
    "an absurd day": (put("day", pd.Timestamp("2250-01-01"), 1), ("day",), "outliers"),
    "999": (put("count", 999), ("count",), "placeholder"),
    "-1": (put("count", -1), ("count",), "placeholder"),
    "-999.0": (put("x", -999.0), ("x",), "placeholder"),
    "1900-01-01": (put("day", pd.Timestamp("1900-01-01")), ("day",), "placeholder"),
    "9999-12-31": (with_(day=np.where(I < 20, "9999-12-31", "2020-03-03").astype("datetime64[s]") + I % 9), ("day",),
                   "placeholder"),
    "n/a": (put("level", "N/A"), ("level",), "placeholder"),
    "a question mark": (put("level", " ? "), ("level",), "placeholder"),
    "unknown": (put("level", "unknown"), ("level",), "placeholder"),
    "blanks": (put("level", "red "), ("level",), "blanks"),
    "variants": (put("level", "RED"), ("level",), "variants"),
    "two ways to write dates": (with_(d=np.where(I % 2, "2020-01-31", "31/01/2020")), ("d",), "mixed formats"),
    "dates as text": (with_(d=[f"2020-{1 + i % 12:02}-{1 + i % 28:02}" for i in I]), ("d",), "dates as text"),
    "numbers as text": (with_(d=[str(i % 40) for i in I]), ("d",), "numbers as text"),
    "comma and point": (with_(d=[f"{i % 40}{',.'[i % 2]}5" for i in I]), ("d",), "mixed formats"),
    "a wrong encoding": (put("level", "grÃ¼n"), ("level",), "encoding"),
    "a constant": (with_(c=7), ("c",), "constant"),
    "nearly a constant": (with_(c=np.r_[[1.5] * (N - 3), 2, 3, 4]), ("c",), "nearly constant"),
    "nothing": (with_(c=pd.array([None] * N, "Int64")), ("c",), "empty"),
    "hardly anything": (with_(c=np.where(I % 3, np.nan, I)), ("c",), "mostly missing"),
    "nearly a key": (with_(c=[f"note {max(i, 2)} {'x' * (max(i, 2) % 7)}" for i in I]), ("c",), "nearly unique"),
    "rare levels": (with_(c=np.where(I < 40, [f"rare {i}" for i in I], "common")), ("c",), "rare levels"),
    "a column twice": (with_(again=plain()["x"]), ("x", "again"), "same column twice"),
    "a column in other units": (with_(again=plain()["x"] * 1000), ("x", "again"), "go together"),
    "levels by another name": (with_(again=plain()["level"].str.upper()), ("level", "again"), "go together"),
    "nulls in the same rows": (
        with_(a=plain()["x"].where(I % 5 > 0), b=plain()["level"].where(I % 5 > 0)), ("a", "b"), "missing together",
    ),
    "rows again": (lambda: pd.concat([plain(), plain().head(30)]), (), "copied rows"),
    "rows of nothing": (lambda: plain().mask(np.repeat((I < 10)[:, None], 6, axis=1)), (), "empty rows"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(planted: str) -> None:
    make, columns, what = PLANTED[planted]
    assert (columns, what) in found(profile(make()))


def test_nan_beside_null_is_two_ways_of_saying_nothing() -> None:
    table = pa.table({"x": pa.array([1.0, 2.0, float("nan"), None] * 20)})
    assert (("x",), "NaN and null") in found(profile(table))


def test_a_key_under_a_schema_that_repeats() -> None:
    table = plain().assign(key=[f"K-{max(i, 6):04d}" for i in I])
    key = Identifier(name="key", arrow="large_string", template="K-{digits:4}")
    told = profile(table, sv.Schema((*sv.infer_schema(plain()).columns, key)))
    assert {(("key",), "repeated key"), (("key",), "rule: unique")} <= found(told)
    assert (("key",), "rule: unique") in found(told, Severity.PROBLEM)
    assert told.check is not None
    assert not told.check.lawful


def test_a_schema_brings_its_rules() -> None:
    real = mixed_table()
    schema = sv.infer_schema(real)
    assert found(profile(real, schema), Severity.PROBLEM) == set()
    broken = real.assign(age="old", extra=1).drop(columns="job")
    assert found(profile(broken, schema), Severity.PROBLEM) == {((), "rule: columns"), (("age",), "rule: type")}


def test_findings_come_worst_first() -> None:
    table = plain().assign(c=1, d=[f"2020-{1 + i % 12:02}-{1 + i % 28:02}" for i in I]).drop(columns="x")
    severities = [finding.severity for finding in profile(table, sv.infer_schema(plain())).findings]
    assert severities == sorted(severities, key=list(Severity).index)
    assert len(set(severities)) == 3


# --- facts ------------------------------------------------------------------------------------------------------------


def test_columns_in_numbers() -> None:
    table = pd.DataFrame({"a": [1.5] * 30 + [np.nan] * 10 + list(np.arange(60.0)), "b": ["x", "y"] * 50})
    frame = profile(table).summary().set_index("column")
    assert frame.loc["a", ["nulls", "distinct", "commonest"]].tolist() == [0.1, 61, 0.3]
    assert frame.loc["b", ["kind", "nulls", "distinct", "commonest"]].tolist() == ["categorical", 0, 2, 0.5]
    assert frame["findings"].tolist() == [0, 0]


def test_which_columns_are_null_together() -> None:
    a, b = np.where(I % 4, 1.0, np.nan), np.where(I % 8, 1.0, np.nan)
    told = profile(pd.DataFrame({"a": a + I, "b": b + I, "c": I * 1.5}))
    assert [(p.columns, p.rows, p.share) for p in told.patterns] == [
        ((), 300, 0.75), (("a",), 50, 0.125), (("a", "b"), 50, 0.125),
    ]  # fmt: skip


def test_copies_of_rows_are_counted_cell_by_cell() -> None:
    schema = sv.infer_schema(mixed_table())

    def again(table: pd.DataFrame) -> list[int]:
        arrow = tables.read(table)[0]
        looks = [Look(schema[name], tables.plain(arrow[name]), Support(5)) for name in arrow.column_names]
        return [int(row) for row in np.flatnonzero(copies(looks))]

    table = mixed_table(50)
    assert again(table) == []
    assert again(pd.concat([table, table.iloc[[3, 3, 7]]])) == [50, 51, 52]
    assert again(pd.concat([table, table.iloc[[3]].assign(age=17)])) == []


def test_associations_are_measured_from_0_to_1() -> None:
    told = profile(plain().assign(twice=plain()["x"] * 2 + 1))
    assert told.associations[0].columns == ("x", "twice")
    assert told.associations[0].strength == 1.0
    matrix = np.array(told.matrix)
    assert matrix.shape == (len(told.matrix_columns),) * 2
    assert (matrix == matrix.T).all()
    assert ((matrix >= 0) & (matrix <= 1)).all()
    assert matrix[0, 1] < 0.3


def test_counts_of_few_rows_are_not_told() -> None:
    assert counted(1200, 48_000, 5) == "1,200 values (2.5 %)"
    assert counted(4, 48_000, 5, "rows") == "fewer than 5 rows"
    assert counted(40, 48_000, 5, units=4) == "fewer than 5 values"
    assert [percent(x) for x in (0, 1e-6, 0.00012, 0.031, 0.5, 0.9999, 1)] == [
        "0 %", "< 0.01 %", "0.01 %", "3.1 %", "50 %", "< 100 %", "100 %",
    ]  # fmt: skip


# --- promises ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*GOOD, "hostile names"])
def test_every_table_has_a_profile(name: str, tmp_path: Path) -> None:
    table = hostile() if name == "hostile names" else GOOD[name]()
    told = profile(table, sv.infer_schema(table))
    assert len(told.summary()) == len(table.columns)
    assert told.count(Severity.PROBLEM) == 0
    json.dumps(told.to_dict(), allow_nan=False)
    told.to_html(tmp_path / "q.html")


def test_the_same_in_every_container(tmp_path: Path) -> None:
    table = PLANTED["999"][0]()
    table.to_parquet(tmp_path / "t.parquet")
    expected = found(profile(table))
    for other in (pa.table(table), pl.from_pandas(table), tmp_path / "t.parquet"):
        assert found(profile(other)) == expected


def secret() -> pd.DataFrame:
    """One absurd number, one level, one date and one text that belong to one person each."""
    table = plain().astype({"level": object})
    table.loc[3, "x"], table.loc[4, "level"] = 987654321.5, "Zyxxw-secret"
    table.loc[5, "day"], table.loc[6, "note"] = pd.Timestamp("1811-11-11"), "Zyxxw-secret"
    table.loc[7, "money"] = np.nan
    return table.assign(key=[f"K-{i}" for i in I + 700_100])


def test_nothing_of_one_person_is_told(tmp_path: Path) -> None:
    told = profile(secret(), sv.infer_schema(plain()))
    told.to_html(tmp_path / "q.html")
    told.to_json(tmp_path / "q.json")
    files = [(tmp_path / name).read_text() for name in ("q.html", "q.json")]
    said = "".join([*files, repr(told), told.summary().to_string()])
    for word in ("987654321", "Zyxxw", "1811", "700100", "700123"):
        assert word not in said
    assert (("x",), "outliers") in found(told)
    counts = {rule["broken"] for rule in told.to_dict()["rules"]["rules"] if rule["column"] in ("level", "money")}
    assert counts == {None, 0}
    facts = next(facts for facts in told.columns if facts.column == "money")
    assert facts.nulls is None  # one missing value is somebody's


def test_counts_go_by_group() -> None:
    users = np.repeat([f"u-{i:03d}" for i in range(100)], 20)
    table = pd.DataFrame({"user": users, "x": np.tile(np.arange(1000), 2)})
    table.loc[:9, "x"] = 999_999
    schema = sv.infer_schema(table, group="user")
    sentences = [finding.sentence for finding in profile(table, schema).of("x")]
    assert sentences
    assert not [text for text in sentences if "10 values" in text or "999999" in text]  # all of one user


def test_hostile_names_and_levels_stay_text(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    table = plain().assign(**{name: np.where(I % 2, "<img src=x onerror=alert(2)>", " <b>b</b>")})
    profile(table).to_html(tmp_path / "q.html")
    text = (tmp_path / "q.html").read_text()
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert text.count("http") == text.count("http-equiv")  # nothing is asked of anybody


def test_a_browser_has_nothing_to_complain_of(tmp_path: Path) -> None:
    script = np.where(I % 2, "<script>alert(1)</script>", "x")
    table = plain().assign(**{"<b>": script, "gap": np.where(I % 3, np.nan, I)})
    profile(table, sv.infer_schema(plain())).to_html(tmp_path / "q.html")
    document, console = browse((tmp_path / "q.html").as_uri(), tmp_path / "browser")
    assert console == []
    assert "Data quality of a table" in document


def test_a_page_is_whole_or_not_there(tmp_path: Path) -> None:
    told = profile(plain())
    with pytest.raises(OutputError, match="gone"):
        told.to_html(tmp_path / "gone" / "q.html")
    told.to_html(tmp_path / "q.html")
    assert [path.name for path in tmp_path.iterdir()] == ["q.html"]
    text = (tmp_path / "q.html").read_text()
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert len(text) < 500_000


def test_what_cannot_be_profiled_says_so() -> None:
    with pytest.raises(SchemaError, match="at least 10 rows"):
        profile(plain(3))
    with pytest.raises(TableError):
        profile(plain().head(0))


def test_every_finder_answers_on_every_kind_of_column() -> None:
    arrow = pa.table({"null": pa.nulls(30), "bool": [True, None, False] * 10, "one": [1] * 30, "text": [""] * 30})
    schema = sv.infer_schema(arrow)
    for column in schema:
        for finder in FINDERS:
            assert all(isinstance(f, Finding) for f in finder(Look(column, arrow[column.name], Support(5))))


def test_the_seed_decides_the_sample() -> None:
    assert profile(plain(), seed=1).matrix == profile(plain(), seed=2).matrix  # few rows: all are looked at


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    n = 1_000_000
    table = pa.table(
        {f"n{i}": rng.normal(size=n) for i in range(10)}
        | {f"c{i}": pa.array(list("abcdefgh")).take(pa.array(rng.integers(0, 8, n))) for i in range(9)}
        | {"id": pa.array([f"K-{i:07d}" for i in range(n)])}
    )
    start = time.perf_counter()
    profile(table)
    assert time.perf_counter() - start < 60
