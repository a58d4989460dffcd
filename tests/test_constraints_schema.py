"""Rules in a schema: what may be wrong with them, how they are written down, which can be kept together."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthvae.errors import SchemaError
from synthvae.schema.columns import Boolean, Categorical, Datetime, Identifier, Numeric, Text
from synthvae.schema.constraints import (
    Constraint,
    Derived,
    FixedCombinations,
    FunctionalDependency,
    Inequality,
    NullWhen,
    OneHot,
    Predicate,
    Sum,
    Unique,
)
from synthvae.schema.schema import Schema
from synthvae.schema.solving import acts

COLUMNS = (
    *(Numeric(name=name, arrow="int64", decimals=0) for name in "abcdef"),
    Numeric(name="n", arrow="int64", decimals=0, nullable=True),
    Categorical(name="city", arrow="string", levels=("Bern", "Ulm")),
    Boolean(name="well", arrow="bool"),
    Datetime(name="day", arrow="date32[day]", resolution="D"),
    Datetime(name="zoned", arrow="timestamp[s, tz=UTC]", time_zone="UTC"),
    Identifier(name="key", arrow="string", template="{uuid}"),
    Text(name="note", arrow="string", max_length=5),
)
BY_NAME = {column.name: column for column in COLUMNS}


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (Inequality(("a",)), "at least two columns"),
        (Inequality(("a", "z")), "'z' is not a column"),
        (Inequality(("a", "a")), "column 'a' is named more than once"),
        (Inequality(("a", "day")), "expected numbers only, or dates only"),
        (Inequality(("day", "zoned")), "with a time zone cannot be compared"),
        (Inequality(("a", "b"), exempt=("never",)), "expected a number, received 'never'"),
        (Inequality("ab"), "'columns' must be a list of text"),  # type: ignore[arg-type]
        (Sum(("a", "b")), "exactly one of 'total' and 'constant'"),
        (Sum(("a", "b"), total="c", constant=1), "exactly one of 'total' and 'constant'"),
        (Sum(("a",), constant=1), "two where they add up to a constant"),
        (Sum(("a", "city"), total="b"), "expected numbers only"),
        (FixedCombinations(("a",)), "at least two columns"),
        (FixedCombinations(("a", "note")), "column 'note' is text, whose values are not learned"),
        (FunctionalDependency((), ("a",)), "must each name at least one column"),
        (FunctionalDependency(("key",), ("a",)), "column 'key' is identifier"),
        (Derived("a", "power", ("b", "c")), "'formula' must be one of product,"),
        (Derived("a", "product", ("b",)), "made of 2 to 8 columns, received 1"),
        (Derived("a", "year", ("b",)), "column 'b' does not suit a year"),
        (Derived("city", "year", ("day",)), "column 'city' must hold numbers"),
        (OneHot(("well",)), "at least two columns"),
        (OneHot(("well", "city")), "column 'city' must hold 0 and 1"),
        (Unique(()), "at least one column"),
        (NullWhen("n", "a"), "'values' must hold at least one value"),
        (NullWhen("b", "a", values=(0,)), "column 'b' must be 'nullable'"),
        (NullWhen("n", "city", values=(1.5,)), None),
        (NullWhen("n", "well", values=(1,)), "'values' do not suit column 'well'"),
        (NullWhen("n", "a", values=("x",)), "'values' do not suit column 'a'"),
        (Predicate(""), "'name' must be text"),
        (Predicate("x", 7), "'function' must be callable"),  # type: ignore[arg-type]
    ],
)
def test_everything_wrong_with_a_rule_is_told(rule: Constraint, problem: str | None) -> None:
    if problem is None:
        Schema(COLUMNS, constraints=(rule,))
        return
    for place in ("constraints", "proposals"):
        with pytest.raises(SchemaError) as caught:
            Schema(COLUMNS, **{place: (rule, Inequality(("a", "q")))})  # type: ignore[arg-type]
        assert len(caught.value.problems) == 2
        assert problem in caught.value.problems[0]
        assert f"({rule.kind})" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"constraints": {}}, "'constraints' must be a list"),
        ({"constraints": [7]}, "constraint 0: expected a JSON object"),
        ({"constraints": [{"kind": "law"}]}, "constraint 0: 'kind' must be one of inequality,"),
        ({"constraints": [{"kind": "inequality"}]}, "'columns' is missing"),
        ({"constraints": [{"kind": "sum", "parts": ["a"], "sign": 1}]}, "unknown key 'sign'; a sum constraint has"),
        ({"constraints": [{"kind": "sum", "parts": ["a", 1], "total": "b"}]}, "'parts' must be a list of text"),
        ({"proposals": [{"kind": "unique", "columns": ["q"]}]}, "proposal 0 (unique): 'q' is not a column"),
        ({"constraints": [{"kind": "predicate", "name": "x", "function": "f"}]}, "unknown key 'function'"),
    ],
)
def test_a_broken_file_says_so(change: dict[str, Any], problem: str) -> None:
    found = json.loads(Schema(COLUMNS).to_json()) | change
    with pytest.raises(SchemaError) as caught:
        Schema.from_json(json.dumps(found))
    assert [text for text in caught.value.problems if problem in text]


def test_rules_are_written_as_one_would() -> None:
    rule = NullWhen("n", "city", values=["Bern"], unless=True)  # type: ignore[arg-type]
    schema = Schema(COLUMNS, constraints=(rule,), proposals=(Sum(("a", "b"), constant=100),))
    found = json.loads(schema.to_json())
    told = {"kind": "null_when", "column": "n", "when": "city", "values": ["Bern"], "unless": True}
    assert found["constraints"] == [told]
    assert found["proposals"] == [{"kind": "sum", "parts": ["a", "b"], "constant": 100}]
    assert Schema.from_json(schema.to_json()) == schema
    assert json.loads(Schema(COLUMNS).to_json())["version"] == 1


def test_proposals_are_accepted_all_or_some() -> None:
    rules = (Sum(("a", "b"), total="c"), Inequality(("d", "e")), Unique(("f",)))
    schema = Schema(COLUMNS, proposals=rules)
    assert schema.accept().constraints == rules
    assert schema.accept().proposals == ()
    some = schema.accept(1, rules[2])
    assert some.constraints == rules[1:]
    assert some.proposals == rules[:1]
    assert some.without_constraints(rules[1]).constraints == rules[2:]
    with pytest.raises(SchemaError, match="not proposals"):
        schema.accept(Unique(("a",)))


def test_a_predicate_gets_its_function_back() -> None:
    def lawful(frame: pd.DataFrame) -> pd.Series[Any]:
        return frame["a"] > 0

    schema = Schema(COLUMNS, constraints=(Predicate("positive"),))
    assert schema.with_constraints(Predicate("positive", lawful)).constraints == (Predicate("positive", lawful),)


def frame(rows: int = 40) -> pd.DataFrame:
    whole = np.arange(rows)
    return pd.DataFrame({"a": whole, "b": whole + 1, "c": 2 * whole + 1, "g": whole % 4, "h": whole % 2})


NUMBERS = tuple(Numeric(name=name, arrow="int64", decimals=0) for name in "abcgh")


@pytest.mark.parametrize(
    ("rule", "changed", "row", "count"),
    [
        (Inequality(("a", "b")), ("b", 3), 4, 36),
        (Inequality(("a", "b"), exempt=(3,)), ("b", 3), None, 0),
        (Sum(("a", "b"), total="c"), ("c", 3), 0, 39),
        (FunctionalDependency(("g",), ("h",)), ("h", 1), None, 0),
        (FunctionalDependency(("h",), ("g",)), ("h", 1), 1, 30),
        (Derived("c", "product", ("a", "b")), ("c", 2), 0, 39),
        (OneHot(("a", "b")), ("b", 1), 1, 39),
        (Unique(("a",)), ("a", 7), 1, 39),
        (Predicate("even", lambda table: table["a"] % 2 == 0), ("b", 0), 1, 20),
    ],
)
def test_check_reports_rows_that_break_a_rule(
    rule: Constraint, changed: tuple[str, int], row: int | None, count: int
) -> None:
    schema = Schema(NUMBERS, constraints=(rule,))
    table = frame().assign(**{changed[0]: changed[1]})
    if row is None:
        schema.check(table)
        return
    with pytest.raises(SchemaError) as caught:
        schema.check(table)
    assert caught.value.problems == (f"constraint '{rule.says}' is broken ({count} rows, first at row {row})",)


def test_nulls_where_none_may_be_are_told() -> None:
    columns = (NUMBERS[0], Numeric(name="b", arrow="double", nullable=True))
    schema = Schema(columns, constraints=(NullWhen("b", "a", values=(0,)),))
    schema.check(pd.DataFrame({"a": [0, 1], "b": [np.nan, 1]}))
    with pytest.raises(SchemaError, match="2 rows, first at row 0"):
        schema.check(pd.DataFrame({"a": [0, 1], "b": [1, np.nan]}))
    with pytest.raises(SchemaError, match="1 rows, first at row 1"):
        Schema(columns, constraints=(NullWhen("b", "a", values=(0,), unless=True, exactly=False),)).check(
            pd.DataFrame({"a": [0, 1], "b": [1, 1]})
        )


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda table: table["nowhere"] > 0, "failed with a KeyError"),
        (lambda table: [True], "answer of shape"),
        (lambda table: "yes", "failed with a"),
    ],
)
def test_a_predicate_that_fails_says_so(function: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Schema(NUMBERS, constraints=(Predicate("odd one", function),)).check(frame())


@pytest.mark.parametrize(
    "rules",
    [
        (Inequality(("a", "b")), Inequality(("b", "c")), Inequality(("a", "d"))),
        (Inequality(("a", "c")), Inequality(("b", "c"))),
        (Sum(("a", "b"), total="c"), Sum(("c", "d"), total="e")),
        (Sum(("a", "b"), total="c"), Inequality(("c", "d"))),
        (Sum(("a", "b"), total="c"), Inequality(("d", "c"))),
        (FunctionalDependency(("a",), ("b",)), FunctionalDependency(("b",), ("c",)), Inequality(("a", "d"))),
        (NullWhen("n", "a", values=(0,)), Sum(("n", "b"), total="c")),
        (NullWhen("n", "city", values=("Ulm",)), FixedCombinations(("n", "city"))),
    ],
)
def test_rules_that_share_columns_are_put_in_order(rules: tuple[Constraint, ...]) -> None:
    for order in (rules, rules[::-1]):
        done: set[str] = set()
        found = acts(order, BY_NAME)
        decided = {name for act in found for name in act.decides}
        for act in found:
            assert not act.decides & done
            assert not act.needs & (decided - done)
            done |= act.decides


@pytest.mark.parametrize(
    "rules",
    [
        (Derived("a", "product", ("b", "c")), Derived("a", "ratio", ("d", "e"))),
        (Derived("a", "product", ("b", "c")), Derived("b", "ratio", ("a", "d"))),
        (FixedCombinations(("a", "b")), Derived("a", "product", ("c", "d"))),
        (NullWhen("n", "a", values=(0,)), FixedCombinations(("n", "b"))),
        (NullWhen("n", "a", values=(0,)), NullWhen("n", "b", values=(0,))),
    ],
)
def test_rules_in_each_others_way_are_named(rules: tuple[Constraint, ...]) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema(COLUMNS, constraints=(Inequality(("e", "f")), *rules))
    (problem,) = caught.value.problems
    assert "cannot be combined" in problem
    assert all(rule.says in problem for rule in rules)


def test_many_rules_are_solved_quickly() -> None:
    columns = tuple(Numeric(name=f"x{i}", arrow="int64") for i in range(300))
    rules = tuple(Inequality((f"x{i}", f"x{i + 1}")) for i in range(0, 299, 2))
    assert len(acts(rules, {column.name: column for column in columns})) == 150


def test_the_schema_shows_its_rules() -> None:
    shown = repr(Schema(COLUMNS, constraints=(Inequality(("a", "b")),), proposals=(Unique(("c",)),)))
    assert "constraint: a <= b" in shown
    assert "proposal: c is unique" in shown
