"""Detection where one knows whether, and by what, tables can be told apart."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.evaluation.base import Score, Status
from synthvae.evaluation.detection import MIN_ROWS, scores
from synthvae.evaluation.sides import Sides
from synthvae.schema.columns import Identifier
from synthvae.schema.infer import infer_schema
from synthvae.tables import read
from tests.judged import category, found, lawful, number, sides

Table = dict[str, object]
COLUMNS = (number("x", "double"), number("y", "double"), number("n", "double"), category())


def rows(count: int = 1500, seed: int = 0) -> Table:
    """y follows x, c follows the sign of x, n follows nothing and is missing for one in five."""
    rng = np.random.default_rng(seed)
    x, n = rng.normal(size=count), rng.normal(size=count)
    n[rng.random(count) < 0.2] = np.nan
    return {"x": x, "y": x + 0.1 * rng.normal(size=count), "n": n, "c": np.where(x > 0, "a", "b")}


def shuffled(table: Table) -> Table:
    rng = np.random.default_rng(9)
    return {name: rng.permutation(np.asarray(values)) for name, values in table.items()}


def judged(synthetic: Table, holdout: Table | None = None) -> Sides:
    return sides(rows(), synthetic, *COLUMNS, holdout=holdout)


def boosted(synthetic: Table) -> Score:
    return found(scores, judged(synthetic, rows(seed=2)), "boosted detection")


# --- what it sees ---------------------------------------------------------------------------------------------------


def test_fresh_rows_and_copies_are_not_told_apart() -> None:
    for synthetic in (rows(seed=1), rows()):
        score = boosted(synthetic)
        assert score.value is not None
        assert score.value > 0.95
        assert score.status is Status.GOOD
        assert score.details["give-away"] == {}
    assert score.value == 1.0  # copies share the fold of their originals, so nothing is learned from them


def test_shuffled_columns_are_condemned_by_trees_and_pass_all_others() -> None:
    synthetic = judged(shuffled(rows(seed=1)), rows(seed=2))
    by_name = {(score.metric.name, score.columns): score for score in scores(synthetic)}
    score = by_name["boosted detection", ()]
    assert score.value is not None
    assert score.value < 0.1
    assert score.status is Status.POOR
    assert set(score.details["give-away"]) >= {"x", "y"}
    assert "n" not in score.details["give-away"]
    assert sum(score.details["give-away"].values()) == pytest.approx(1, abs=0.03)
    rest = [other for key, other in by_name.items() if key != ("boosted detection", ())]
    assert len(rest) == 5
    assert {other.status for other in rest} == {Status.GOOD}


def test_a_shifted_column_gives_itself_away() -> None:
    table = rows(seed=1)
    moved = table | {"n": np.asarray(table["n"]) + 2}
    by_name = {(score.metric.name, score.columns): score for score in scores(judged(moved))}
    for name in ("boosted detection", "logistic detection"):
        assert next(iter(by_name[name, ()].details["give-away"])) == "n"
    # of normals two apart .92 are in order, and .84 on their side of the middle, where the missing fifth is
    expected = 0.64 * 0.92 + 0.32 * 0.84 + 0.04 * 0.5
    assert by_name["column detection", ("n",)].details["auc"] == pytest.approx(expected, abs=0.02)
    value = by_name["column detection", ("x",)].value
    assert value is not None
    assert value > 0.9


def test_nulls_and_levels_nobody_has_are_seen() -> None:
    known = rows(seed=1) | {"n": np.zeros(1500)}
    assert found(scores, judged(known), "column detection", "n").value == pytest.approx(0, abs=0.01)
    strange = rows(seed=1) | {"c": np.full(1500, "z")}
    assert found(scores, judged(strange), "column detection", "c").value == pytest.approx(0, abs=0.01)


def test_rounded_values_are_seen_by_the_column_alone() -> None:
    real = {"x": np.round(np.random.default_rng(0).normal(size=3000), 1)}
    smooth = {"x": np.random.default_rng(1).normal(size=3000)}
    value = found(scores, sides(real, smooth, number(arrow="double")), "column detection", "x").value
    assert value is not None
    assert value < 0.1


# --- groups ---------------------------------------------------------------------------------------------------------


def visits(seed: int, people: int = 60, each: int = 30) -> Table:
    """Each person has a height of their own: rows know their person, people are drawn alike."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), each)
    return {"x": rng.normal(size=people)[person], "user": [f"{seed}-{one}" for one in person]}


def test_folds_keep_people_together() -> None:
    columns = (number(arrow="double"), category("user"))
    apart = sides(visits(0), visits(1), *columns, group="user")
    by_row = sides({"x": visits(0)["x"]}, {"x": visits(1)["x"]}, columns[0])
    together, torn = (found(scores, given, "boosted detection") for given in (apart, by_row))
    assert torn.value == pytest.approx(0, abs=0.02)  # a height met in training says which table it is of
    assert together.value is not None
    assert together.value > 0.6
    assert together.status is Status.GOOD


def test_too_few_people_for_folds_is_a_reason() -> None:
    alike = {"x": np.arange(100.0), "user": ["one"] * 100}
    score = found(scores, sides(alike, alike, number(arrow="double"), category("user"), group="user"),
                  "boosted detection")  # fmt: skip
    assert "too few groups" in score.note


# --- intervals and references ---------------------------------------------------------------------------------------


def test_the_reference_of_real_halves_lies_in_the_interval() -> None:
    cells = []
    for seed in range(5):
        parts = [rows(300, 3 * seed + place) for place in range(3)]
        for score in scores(sides(parts[0], parts[1], *COLUMNS, holdout=parts[2])):
            assert score.low is not None
            assert score.high is not None
            assert score.reference is not None
            cells.append(score.low <= score.reference <= score.high)
    assert np.mean(cells) >= 0.92


def test_a_small_holdout_gives_no_reference_and_the_same_value() -> None:
    without = found(scores, judged(rows(seed=1)), "boosted detection")
    small = found(scores, judged(rows(seed=1), rows(10)), "boosted detection")
    assert (small.value, small.reference) == (without.value, None)
    assert small.note.startswith("no reference: a classifier needs at least 30 rows")
    assert without.note == ""


def test_the_same_seed_gives_the_same_scores_in_any_order_of_rows() -> None:
    table = rows(300, 1)
    backwards = {name: np.asarray(values)[::-1] for name, values in table.items()}
    assert list(scores(judged(table))) == list(scores(judged(table))) == list(scores(judged(backwards)))


# --- the limits -----------------------------------------------------------------------------------------------------


def test_a_few_rows_are_not_applicable_and_say_why() -> None:
    for count in (1, MIN_ROWS - 1):
        for score in scores(judged(rows(count))):
            assert score.value is None
            assert score.note == f"a classifier needs at least 30 rows of each table; the smaller one has {count}"


def test_keys_alone_tell_nothing() -> None:
    key = {"id": np.arange(50)}
    assert {score.note for score in scores(sides(key, key, Identifier(name="id", arrow="int64")))} == {
        "there is no column but identifiers"
    }


def test_columns_that_never_vary_are_alike() -> None:
    constant: Table = {"x": [1] * 50, "c": [None] * 50}
    for score in scores(sides(constant, constant, number(), category())):
        assert score.value == 1.0


COLUMN = st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=35, max_size=35)


@settings(max_examples=8, deadline=None)
@given(COLUMN, COLUMN)
def test_any_numbers_give_lawful_scores(real: list[float | None], synthetic: list[float | None]) -> None:
    for score in scores(sides({"x": real}, {"x": synthetic}, number(arrow="double"))):
        lawful(score)
        json.dumps(dict(score.details), allow_nan=False)


def test_rows_that_many_share_do_not_make_intervals_narrow() -> None:
    outside = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        draws = [pd.DataFrame({"a": rng.random(400) < 0.3, "b": rng.random(400) < 0.6}) for _ in range(3)]
        real, synthetic, holdout = (read(draw)[0] for draw in draws)
        for score in scores(Sides.of(real, synthetic, infer_schema(real), holdout, (), seed)):
            assert score.low is not None
            assert score.high is not None
            assert score.reference is not None
            outside.append(not score.low <= score.reference <= score.high)
    assert np.mean(outside) <= 0.08
