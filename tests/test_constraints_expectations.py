"""Rules between columns as expectations: Great Expectations agrees with our arithmetic where it has the words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from synthvae.evaluation.expectations import check
from synthvae.evaluation.expectations.rules import rules
from synthvae.evaluation.expectations.suite import quiet, suite_of
from synthvae.schema.constraints import Constraint

ROWS = 200
RNG = np.random.default_rng(0)
A, B = RNG.integers(1, 50, ROWS), RNG.integers(0, 50, ROWS)
FRAME = pd.DataFrame(
    {
        "a": A,
        "b": A + B,
        "c": 100 - A - (A + B),
        "x": (A % 3 == 0).astype(int),
        "y": (A % 3 == 1).astype(int),
        "z": (A % 3 == 2).astype(int),
        "row": np.arange(ROWS) * 1.5,
        "kind": np.array(list("uvw"))[A % 3],
        "seen": pd.Series(B.astype(float)).where(A % 3 != 0),
        "flag": A % 3 == 0,
    }
)
SCHEMA = sv.infer_schema(FRAME, rules=False)
CASES: list[tuple[Constraint, dict[str, int]]] = [
    (sv.Inequality(("a", "b")), {"b": -1}),
    (sv.Sum(("a", "b", "c"), constant=100), {"c": 1}),
    (sv.OneHot(("x", "y", "z")), {"y": 1}),
    (sv.Unique(("row",)), {"row": 7}),
    (sv.Unique(("row", "a")), {"row": 7, "a": 3}),
    (sv.NullWhen("seen", "x", values=(1,)), {"seen": 5}),
    (sv.NullWhen("seen", "kind", values=("u",)), {"seen": 5}),
    (sv.NullWhen("seen", "flag", values=(True,)), {"seen": 5}),
    (sv.NullWhen("seen", "kind", values=("u",), exactly=False), {"seen": 5}),
    (sv.NullWhen("seen", "x", values=(0,), unless=True), {"seen": 5}),
]


def asked(rule: Constraint, frame: pd.DataFrame) -> list[bool]:
    """What Great Expectations says of the expectations of one rule."""
    schema = dataclasses.replace(SCHEMA, constraints=(rule,))
    own = suite_of([found for found in rules(schema) if found.between])
    if not own.expectations:
        return []
    with quiet():
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
        batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
        return [bool(result.success) for result in batch.validate(own).results]


@pytest.mark.parametrize(("rule", "changed"), CASES, ids=lambda case: getattr(case, "says", ""))
def test_both_see_the_same(rule: Constraint, changed: dict[str, int]) -> None:
    schema = dataclasses.replace(SCHEMA, constraints=(rule,))
    for frame, kept in ((FRAME, True), (FRAME.assign(**changed), False)):
        found = asked(rule, frame)
        assert found
        assert all(found) == kept
        (outcome,) = (each for each in check(frame, schema).outcomes if each.rule.between)
        assert (outcome.verdict == "met") == kept


@pytest.mark.parametrize(
    "rule",
    [
        sv.Sum(("a", "b"), total="c"),
        sv.FunctionalDependency(("kind",), ("x",)),
        sv.Derived("c", "product", ("a", "b")),
        sv.Inequality(("a", "b"), exempt=(0,)),
    ],
    ids=lambda rule: rule.says,
)
def test_what_has_no_words_there_is_judged_all_the_same(rule: Constraint) -> None:
    schema = dataclasses.replace(SCHEMA, constraints=(rule,))
    assert not asked(rule, FRAME)
    assert sum(outcome.rule.between is not None for outcome in check(FRAME, schema).outcomes) == 1


def test_known_combinations_are_those_of_the_real_table() -> None:
    schema = dataclasses.replace(SCHEMA, constraints=(sv.FixedCombinations(("kind", "x")),))
    assert not [each for each in check(FRAME, schema).outcomes if each.rule.between]
    for frame, strange in ((FRAME, 0), (FRAME.assign(x=1), int((A % 3 != 0).sum()))):
        (outcome,) = (each for each in check(frame, schema, real=FRAME).outcomes if each.rule.between)
        assert outcome.broken == strange


def test_lawful_rows_keep_the_rules() -> None:
    schema = dataclasses.replace(SCHEMA, constraints=(sv.Inequality(("a", "b")),))
    half = FRAME.assign(b=np.where(np.arange(ROWS) < ROWS // 2, FRAME["b"], 0))
    scores = sv.evaluate(FRAME, half, schema=schema).scores
    value = scores[(scores["metric"] == "lawful rows")]["value"].iloc[0]
    assert value <= 0.5
