"""Validity: rules kept and lawful rows, judged beyond what chance makes of a real sample."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae.evaluation import validity
from synthvae.evaluation.base import Score, Status
from synthvae.evaluation.sides import Sides
from tests.conftest import mixed_table


def sides(synthetic: pd.DataFrame, holdout: pd.DataFrame | None = None, real: pd.DataFrame | None = None) -> Sides:
    real = mixed_table() if real is None else real
    parts = [pa.table(part) for part in (real, synthetic, *([] if holdout is None else [holdout]))]
    return Sides.of(parts[0], parts[1], sv.infer_schema(real), parts[2] if holdout is not None else None)


def by_name(found: list[Score]) -> dict[tuple[str, tuple[str, ...]], Score]:
    return {(score.metric.name, score.columns): score for score in found}


def test_a_table_keeps_its_own_rules() -> None:
    found = validity.scores(sides(mixed_table(), mixed_table()))
    assert [score.value for score in found] == [1.0] * (2 + 7)
    assert [score.reference for score in found] == [1.0] * (2 + 7)
    assert {score.status for score in found} == {Status.GOOD}


def test_two_samples_of_one_table_are_equally_lawful() -> None:
    outside = total = 0
    for seed in range(5):
        found = validity.scores(sides(mixed_table(400, seed + 10), mixed_table(400, seed + 20), mixed_table(400, seed)))
        misses = [s for s in found if s.reference is None or not (s.low or 0) <= s.reference <= (s.high or 0)]
        outside, total = outside + len(misses), total + len(found)
    assert outside <= 0.08 * total


def test_broken_rules_are_counted_and_named() -> None:
    synthetic = mixed_table(600, 1)
    synthetic.loc[:299, "age"] += 500
    synthetic.loc[:59, "id"] = "C-00000"
    synthetic["bonus"] = np.nan
    found = by_name(validity.scores(sides(synthetic, mixed_table(600, 2))))
    total = len(validity.checks_of(sides(synthetic))["real"].outcomes)
    assert found["rules met", ()].value == pytest.approx(1 - 3 / total)
    assert found["rules met", ()].reference == 1.0
    assert found["rules met", ("age",)].value == pytest.approx(2 / 3)
    assert found["rules met", ("income",)].value == 1.0
    told = {rule["rule"]: rule for rule in found["rules met", ("age",)].details["rules"]}
    assert told["range"]["met"] == {"real": True, "synthetic": False, "hold-out": True}
    assert told["range"]["share"]["synthetic"] == 0.5
    assert told["range"]["allowed"] == 0  # so no row with such an age is lawful, nor are those whose keys repeat
    assert found["lawful rows", ()].value == 0.5
    json.dumps([dict(score.details) for score in found.values()], allow_nan=False)


def test_a_closed_column_allows_nothing() -> None:
    real = mixed_table()
    schema = sv.infer_schema(real).with_column("age", lower=18, upper=79, open_share=None)
    synthetic = mixed_table(600, 1)
    synthetic.loc[0, "age"] = 999
    found = by_name(validity.scores(Sides.of(pa.table(real), pa.table(synthetic), schema)))
    assert found["rules met", ("age",)].value == pytest.approx(2 / 3)
    assert found["lawful rows", ()].value == pytest.approx(599 / 600)
    assert found["lawful rows", ()].reference is None
    told = next(r for r in found["rules met", ("age",)].details["rules"] if r["rule"] == "range")
    assert told["share"] == {"real": 0.0, "synthetic": None}  # one row is not counted in public


def test_empty_sides_are_not_applicable() -> None:
    whole = sides(mixed_table())
    empty = Sides(whole.real, whole.synthetic.slice(0, 0), whole.schema)
    assert [(s.value, s.note) for s in validity.scores(empty)] == [(None, "a table without rows")] * 2


@pytest.mark.parametrize("rows", [1, 2])
def test_one_row_and_constants_have_a_score(rows: int) -> None:
    real = pd.DataFrame({"same": [1.5] * 40, "null": [None] * 40, "x": np.arange(40) - 20.0})
    for score in validity.scores(sides(real.head(rows), None, real)):
        assert score.value is not None
