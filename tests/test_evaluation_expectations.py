"""Is a table lawful: the suite of a table passes on that table, planted faults are caught, nothing of a row leaks."""

from __future__ import annotations

import datetime as dt
import decimal
import doctest
import json
import re
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthvae as sv
from synthvae.cli import requirements
from synthvae.errors import TableError
from synthvae.evaluation.expectations import Check, Outcome, Verdict, chance, check, expectation_suite, patterns
from synthvae.evaluation.expectations import suite as suite_module
from synthvae.evaluation.expectations.judge import _outcome
from synthvae.evaluation.expectations.rows import lawful
from synthvae.evaluation.expectations.rules import Rule, rules
from synthvae.evaluation.expectations.suite import COUNTS, Engine, quiet
from synthvae.evaluation.profile import finding, inspect
from synthvae.schema.columns import Categorical, Column, Datetime, Identifier, Numeric, Text
from tests.awkward import GOOD, hostile
from tests.conftest import mixed_table

ROWS = 60


def every_dtype(rows: int = 120) -> pd.DataFrame:
    """A column of every dtype that a table may have, with nulls where it can have them."""
    rng = np.random.default_rng(3)
    whole, real, gap = rng.integers(0, 100, rows), rng.normal(size=rows).round(2), rng.random(rows) < 0.1
    days = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(whole, "h"))
    words = pd.Series(np.where(whole > 50, "a", "b"))
    made: dict[str, Any] = {f"numpy {name}": whole.astype(name) for name in ("int8", "int64", "uint16", "uint64")}
    made |= {f"null {name}": pd.Series(whole).astype(name).mask(gap) for name in ("Int8", "Int64", "UInt32", "Float64")}
    made |= {f"width {name}": real.astype(name) for name in ("float16", "float32", "float64")}
    for type_ in (pa.int32(), pa.float32()):
        made[f"arrow {type_}"] = pd.Series(whole).mask(gap).astype(pd.ArrowDtype(type_))
    made |= {f"unit {unit}": days.astype(f"datetime64[{unit}]").mask(gap) for unit in ("s", "ms", "us", "ns")}
    return pd.DataFrame(
        made
        | {
            "bool": whole % 2 == 0,
            "boolean": pd.Series(whole % 2 == 0).astype("boolean").mask(gap),
            "object bool": pd.Series(whole % 2 == 0).astype(object).mask(gap, None),
            "arrow bool": pd.Series(whole % 2 == 0).astype(pd.ArrowDtype(pa.bool_())),
            "str": words,
            "string": words.astype("string").mask(gap),
            "object text": words.astype(object).mask(gap, None),
            "arrow text": words.astype(pd.ArrowDtype(pa.large_string())),
            "category": words.astype("category"),
            "whole category": pd.Categorical(whole % 5),
            "half category": pd.Categorical(whole % 5 / 10, ordered=True),
            "free text": [f"note {i} {'!' * (i % 17)}" for i in rng.permutation(rows)],
            "zone": days.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
            "arrow zone": days.dt.tz_localize("UTC").astype(pd.ArrowDtype(pa.timestamp("us", "UTC"))),
            "date": days.dt.date,
            "arrow date": days.dt.floor("D").astype(pd.ArrowDtype(pa.date32())),
            "beyond nanoseconds": np.datetime64("2500-01-01", "s") + whole.astype("timedelta64[D]"),
            "decimal": [decimal.Decimal(int(number)) / 100 for number in whole],
            "arrow decimal": (pd.Series(whole) / 100).astype(pd.ArrowDtype(pa.decimal128(7, 2))),
            "uuid": [f"{i:08x}-0000-4000-8000-{i:012x}" for i in rng.permutation(rows)],
            "key": [f"K-{i}" for i in rng.permutation(rows)],
            "braces": [f"a{{b}} .{i:05d}" for i in range(rows)],
            "some id": rng.permutation(rows) * 7 + 1,
            "one absurd": np.r_[1e9, real[1:]],
        }
    )  # fmt: skip


Make = Callable[[], pd.DataFrame]
TABLES: dict[str, Make] = {**GOOD, "hostile names": hostile, "mixed": mixed_table, "dtypes": every_dtype}


def run(frame: pd.DataFrame, suite: Any) -> list[Any]:
    """The results of a suite on a frame, the way anybody would run it."""
    with quiet():
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
        batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
        return list(batch.validate(suite, result_format=COUNTS).results)


@pytest.mark.parametrize("name", TABLES)
def test_the_suite_of_a_table_passes_on_that_table(name: str) -> None:
    table = TABLES[name]()
    schema = sv.infer_schema(table)
    for real in (None, table):
        assert [o for o in check(table, schema, real=real).outcomes if o.verdict is not Verdict.MET] == []
    results = run(table, expectation_suite(schema, real=table))
    assert [(r.expectation_config.kwargs, r.exception_info) for r in results if not r.success] == []
    assert len(results) > 1


@pytest.mark.parametrize("kind", ["arrow", "polars", "csv", "parquet"])
def test_and_in_every_container(kind: str, tmp_path: Path) -> None:
    frame = mixed_table(200)
    table: Any = frame
    if kind == "arrow":
        table = pa.table({"x": [1.0, float("nan"), None] * 20, "y": [1.5, float("nan"), 2.0] * 20})
    elif kind == "polars":
        table = pl.from_pandas(frame).with_columns(pl.lit(float("nan")).alias("nan"))
    elif kind == "csv":
        frame.to_csv(table := tmp_path / "t.csv", index=False)
    else:
        frame.to_parquet(table := tmp_path / "t.parquet")
    found = check(table, sv.infer_schema(table))
    assert found.lawful, found.summary()


# --- planted faults ---------------------------------------------------------------------------------------------------


def people() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"C-{i:04d}" for i in range(ROWS)],
            "number": np.arange(1, ROWS + 1),
            "age": rng.integers(20, 90, ROWS),
            "income": rng.normal(100, 10, ROWS).round(2),
            "job": np.where(np.arange(ROWS) % 3, "baker", "smith"),
            "member": np.arange(ROWS) % 2 == 0,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(ROWS), "D"),
            "born": [dt.date(1990, 1, 1) + dt.timedelta(i) for i in range(ROWS)],
            "zone": (pd.Timestamp("2020-01-01", tz="Europe/Berlin") + pd.to_timedelta(np.arange(ROWS), "D")),
            "note": [f"{'word ' * (3 + i % 5)}{i}" for i in range(ROWS)],
            "bonus": np.where(np.arange(ROWS) % 10, 5.0, np.nan),
        }
    )


def changed(column: str, values: Any, row: int | slice = 7) -> pd.DataFrame:
    table = people()
    if not isinstance(values, str) and np.isscalar(values) and not isinstance(values, bool | float | int):
        table[column] = table[column].astype(object)
    table.loc[row, column] = values
    return table


FAULTS: dict[str, tuple[Callable[[], pd.DataFrame], str, str]] = {
    "far below": (lambda: changed("age", -100), "age", "range"),
    "far above": (lambda: changed("income", 1e9), "income", "range"),
    "too early": (lambda: changed("since", pd.Timestamp("1900-01-01")), "since", "range"),
    "too late": (lambda: changed("since", pd.Timestamp("2100-01-01")), "since", "range"),
    "a late date": (lambda: changed("born", dt.date(2100, 1, 1)), "born", "range"),
    "late in a zone": (lambda: changed("zone", pd.Timestamp("2100-01-01", tz="Europe/Berlin")), "zone", "range"),
    "an unknown level": (lambda: changed("job", "pirate"), "job", "levels"),
    "an id twice": (lambda: changed("id", "C-0001"), "id", "unique"),
    "a number twice": (lambda: changed("number", 1), "number", "unique"),
    "another pattern": (lambda: changed("id", "X-0001"), "id", "pattern"),
    "a number too small": (lambda: changed("number", -5), "number", "range"),
    "a null": (lambda: changed("job", None), "job", "nulls"),
    "a missing number": (lambda: changed("income", np.nan), "income", "nulls"),
    "text for numbers": (lambda: people().assign(age="old"), "age", "type"),
    "fractions for whole numbers": (lambda: people().assign(age=0.5), "age", "type"),
    "numbers for text": (lambda: people().assign(job=1), "job", "type"),
    "numbers for free text": (lambda: people().assign(note=1.5), "note", "type"),
    "truth for times": (lambda: people().assign(since=True), "since", "type"),
    "text for truth": (lambda: people().assign(member="yes"), "member", "type"),
    "a zone lost": (lambda: people().assign(zone=people()["zone"].dt.tz_localize(None)), "zone", "type"),
    "long texts": (lambda: people().assign(note="word " * 99), "note", "length"),
    "too many nulls": (lambda: changed("bonus", np.nan, slice(0, 40)), "bonus", "nulls"),
    "a column missing": (lambda: people().drop(columns="age"), "", "columns"),
    "a column more": (lambda: people().assign(extra=1), "", "columns"),
}  # fmt: skip


def strict() -> sv.Schema:
    """True bounds and all levels, no exceptions; single notes are nobody's business."""
    note = Text(name="note", arrow="large_string", min_length=10, max_length=40, open_share=0.0)
    return sv.infer_schema(people(), exact=True).replace(note)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_where_it_is(fault: str) -> None:
    make, column, name = FAULTS[fault]
    found = check(make(), strict(), real=people())
    assert not found.lawful
    assert {(o.rule.column, o.rule.name) for o in found.broken} == {(column, name)}
    broken = found.broken[0]
    if name not in ("type", "columns"):
        assert (broken.rows, broken.broken) >= (ROWS - 6, 1)
    beside = {o.rule.column for o in found.undecided}
    assert beside <= {column or "age"}


@pytest.mark.parametrize("fault", ["far below", "an unknown level", "an id twice", "text for numbers", "a null",
                                   "too many nulls", "a column missing", "a column more", "too late"])  # fmt: skip
def test_so_it_is_by_great_expectations_alone(fault: str) -> None:
    results = run(FAULTS[fault][0](), expectation_suite(strict(), real=people()))
    assert not all(result.success for result in results)
    assert all(result.success for result in run(people(), expectation_suite(strict(), real=people())))


def test_exceptions_the_schema_allows_are_no_fault() -> None:
    table = pd.DataFrame({"x": np.r_[np.tile(np.arange(30), 30), 10_000]})
    schema = sv.infer_schema(table)
    allowed = next(rule for rule in rules(schema) if rule.name == "range").allowed
    assert 0 < allowed < 0.1
    assert check(table, schema).lawful
    assert not check(pd.concat([table, pd.DataFrame({"x": [10_000] * 200})]), schema).lawful


@pytest.mark.parametrize("rows", [50, 500, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_fresh_sample_keeps_what_an_open_column_leaves_out(rows: int) -> None:
    """A skewed number, levels with a long tail and nulls: of 40 fresh tables none breaks a rule by a hair."""

    def drawn(seed: int, size: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        tail = pd.Series(rng.geometric(0.2, size)).astype(str)
        return pd.DataFrame(
            {"x": np.exp(rng.normal(size=size)), "tail": tail, "gap": pd.Series(rng.random(size)).mask(tail == "2")}
        )

    real = drawn(0, 1000)
    schema = sv.infer_schema(real)
    for seed in range(1, 41):
        assert [o.rule for o in check(drawn(seed, rows), schema, real=real).broken] == []
    suite = expectation_suite(schema, real=real, rows=rows)
    assert all(result.success for result in run(drawn(99, rows), suite))


@pytest.mark.parametrize("fault", ["x", "tail", "gap"])
def test_what_chance_cannot_do_is_a_fault_in_an_open_column(fault: str) -> None:
    real = pd.DataFrame({"x": np.arange(1000.0), "tail": np.r_[["a", "b"] * 499, ["c", "d"]], "gap": np.arange(1000.0)})
    real.loc[::20, "gap"] = np.nan
    schema = sv.infer_schema(real, rules=False)
    wrong = {"x": 1e6, "tail": "e", "gap": np.nan}
    table = real.copy()
    table.loc[:100, fault] = wrong[fault]  # a tenth of the rows
    assert {o.rule.column for o in check(table, schema, real=real).broken} == {fault}
    assert check(real, schema, real=real).lawful


def test_rows_of_one_group_count_once() -> None:
    table = pd.DataFrame({"who": np.repeat(np.arange(100), 10), "x": np.arange(1000.0)})
    sizes = chance.Sizes.of(pa.table(table), sv.infer_schema(table, group="who"))
    assert (sizes.rows, sizes.known["x"]) == (100, 100)


def test_rows_that_break_a_rule_are_found() -> None:
    table = people()
    table.loc[3, "age"], table.loc[5, "job"], table.loc[9, "id"], table.loc[9, "income"] = 999, "pirate", "X", np.nan
    table.loc[[11, 12], "number"] = 11
    arrow, schema = pa.table(table), strict()
    kept = lawful(arrow, schema, check(table, schema).outcomes)
    assert np.flatnonzero(~kept).tolist() == [3, 5, 9, 10, 11, 12]


def test_a_column_of_another_type_makes_every_row_unlawful() -> None:
    table = people().assign(age="old")
    assert not lawful(pa.table(table), strict(), check(table, strict()).outcomes).any()


# --- errors are no failures, and nothing leaks ------------------------------------------------------------------------


def test_an_expectation_that_raised_is_not_a_fault_of_the_data() -> None:
    rule = Rule("x", "pattern", "looks", "expect_column_values_to_match_regex", {"regex": "("})
    result = Engine().judge(pd.DataFrame({"value": ["a", "b"]}), [rule], "value")[0]
    assert not result.success
    outcome = _outcome(rule, result)
    assert outcome.verdict is Verdict.UNDECIDED
    assert outcome.note
    found = Check((outcome,), 2)
    assert (found.lawful, found.broken, found.undecided) == (False, (), (outcome,))


def test_a_missing_or_wrong_column_leaves_its_rules_undecided() -> None:
    found = check(people().drop(columns="age").assign(job=1), strict())
    assert {(o.rule.column, o.rule.name) for o in found.undecided} == {
        ("age", "type"), ("age", "nulls"), ("age", "range"), ("job", "nulls"), ("job", "levels"),
    }  # fmt: skip
    note = found.of("")[0].note
    assert "missing: 'age'" in note


SECRETS = ("Zyxxw-secret", 987654321, "1811-11-11")


def test_no_value_of_a_table_is_in_what_comes_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = people().astype({"note": object})
    table.loc[3, ["job", "note"]], table.loc[4, "age"] = SECRETS[0], SECRETS[1]
    table.loc[5, "id"], table.loc[6, "since"] = SECRETS[0], pd.Timestamp(SECRETS[2])
    found = check(table, strict(), real=people())
    assert len(found.broken) == 4
    found.to_json(tmp_path / "c.json")
    said = "".join([(tmp_path / "c.json").read_text(), found.summary().to_string(), repr(found), *capfd.readouterr()])
    assert not [secret for secret in SECRETS if str(secret) in said]
    suite = json.dumps(expectation_suite(sv.infer_schema(table), real=table).to_json_dict())
    assert not [secret for secret in SECRETS if str(secret) in suite]


def test_nothing_is_asked_of_the_network_or_left_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(tmp_path)
    assert check(people(), strict()).lawful
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


# --- the suite --------------------------------------------------------------------------------------------------------


def test_a_suite_is_json_and_back() -> None:
    suite = expectation_suite(strict(), name="people")
    told = json.loads(json.dumps(suite.to_json_dict()))
    assert told["name"] == "people"
    with quiet():
        from great_expectations import ExpectationSuite

        again = ExpectationSuite(**told)
    assert all(result.success for result in run(people(), again))
    types = {one["type"] for one in told["expectations"]}
    assert types == {
        "expect_table_columns_to_match_set", "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_not_be_null", "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set", "expect_column_values_to_be_unique", "expect_column_values_to_match_regex",
        "expect_column_value_lengths_to_be_between",
    }  # fmt: skip


def test_columns_great_expectations_cannot_name_are_left_out_of_the_suite_but_checked() -> None:
    table = pd.DataFrame({name: np.arange(40) % 2 for name in ("", "A", "a", "b")})
    schema = sv.infer_schema(table, exact=True)
    suite = expectation_suite(schema)
    assert {one.column for one in suite.expectations[1:]} == {"b"}
    assert all(result.success for result in run(table, suite))
    assert check(table, schema).lawful
    assert {o.rule.column for o in check(table.assign(a=9), schema).broken} == {"a"}
    assert {o.rule.column for o in check(table.assign(**{"": 9}), schema).broken} == {""}


def rule_of(column: Column, name: str, **schema: Any) -> Rule:
    found = [rule for rule in rules(sv.Schema((column,), **schema)) if rule.column == column.name]
    return next(rule for rule in found if rule.name == name)


def test_rules_say_what_a_column_promises() -> None:
    assert rule_of(Numeric(name="x", arrow="int64", lower=1, upper=9), "range").says == "lies between 1 and 9"
    assert rule_of(Numeric(name="x", arrow="int64", lower=1), "range").says == "is at least 1"
    assert rule_of(Numeric(name="x", arrow="int64", upper=9, open_share=0.25), "range").mostly == 0.75
    assert rule_of(Categorical(name="x", arrow="string", levels=("a", "b")), "levels").says == "is one of 2 levels"
    assert rule_of(Categorical(name="x", arrow="null", nullable=True), "nulls").says == "is always null"
    key = Identifier(name="x", arrow="string", template="K-{digits:3}")
    assert rule_of(key, "pattern").says == "looks like K-{digits:3}"
    assert rule_of(Text(name="x", arrow="string", max_length=5, open_share=0.1), "length").mostly == 0.9
    ancient = Datetime(name="x", arrow="timestamp[s]", lower="-5000-01-01", upper="12000-01-01")
    assert [rule.name for rule in rules(sv.Schema((ancient,)))] == ["columns", "type", "nulls"]


def test_the_key_of_a_group_may_repeat() -> None:
    table = pd.DataFrame({"user": np.repeat([f"{i}-{'x' * i}" for i in range(20)], 3), "x": np.arange(60) % 3})
    schema = sv.infer_schema(table, group="user")
    assert check(table, schema).lawful
    assert {rule.name for rule in rules(schema) if rule.column == "user"} == {"type", "nulls"}


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="ascii", min_codepoint=33), max_size=6), st.integers(1, 5), st.integers(0, 99_999))
def test_a_minted_key_matches_its_pattern(literal: str, width: int, number: int) -> None:
    template = literal.replace("{", "{{").replace("}", "}}") + f"{{digits:{width}}}-{{upper:2}}{{number:5}}"
    key = f"{literal}{number % 10**width:0{width}d}-AZ{number}"
    assert re.fullmatch(patterns.regex(template), key)
    assert pa.compute.match_substring_regex(pa.array([key]), patterns.regex(template))[0].as_py()
    assert not re.fullmatch(patterns.regex(template), key + "x")


@pytest.mark.parametrize(
    ("template", "low", "high"),
    [("{sequence:5}", 5, None), ("{number:3}", 0, 999), ("{digits:2}", 0, 99), ("9{digits:2}", None, None)],
)
def test_the_range_of_whole_keys(template: str, low: int | None, high: int | None) -> None:
    assert patterns.whole_range(template) == (low, high)


@pytest.mark.parametrize("module", [patterns, suite_module, finding, inspect, requirements], ids=lambda m: m.__name__)
def test_the_examples_hold(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


# --- limits -----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_a_table_error() -> None:
    for table in (people().head(0), None, Path("gone.csv")):
        with pytest.raises(TableError):
            check(table, strict())


def test_one_row_and_nothing_but_nulls() -> None:
    assert check(people().head(1), strict()).lawful
    empty = people().assign(age=pd.array([None] * ROWS, "Int64"))
    assert {(o.rule.column, o.rule.name) for o in check(empty, strict()).broken} == {("age", "nulls")}


def summary_columns(found: Sequence[Outcome]) -> set[str]:
    return {outcome.rule.name for outcome in found}


def test_the_summary_has_a_row_per_rule(tmp_path: Path) -> None:
    found = check(changed("age", 999), strict())
    frame = found.summary()
    assert len(frame) == len(found.outcomes)
    row = frame[(frame["column"] == "age") & (frame["rule"] == "range")].iloc[0]
    assert (row["verdict"], row["rows"], row["broken"]) == ("broken", ROWS, 1)
    assert row["share"] == pytest.approx(1 / ROWS)
    assert found.to_dict()["lawful"] is False
    assert summary_columns(found.of("age")) == {"type", "nulls", "range"}


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    n = 1_000_000
    table = pa.table(
        {f"n{i}": rng.normal(size=n) for i in range(8)}
        | {f"c{i}": pa.array(list("abcdefgh")).take(pa.array(rng.integers(0, 8, n))) for i in range(8)}
        | {"id": pa.array([f"K-{i:07d}" for i in range(n)]), "day": pa.array(rng.integers(0, 10**6, n), "timestamp[s]")}
    )
    schema = sv.infer_schema(table)
    start = time.perf_counter()
    assert check(table, schema).lawful
    assert time.perf_counter() - start < 20
