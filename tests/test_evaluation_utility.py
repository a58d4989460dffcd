"""Utility where one knows what can be learned from which table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.evaluation.base import Score, Status
from synthvae.evaluation.sides import Sides
from synthvae.evaluation.tasks import Classes, Number
from synthvae.evaluation.utility import scores
from synthvae.schema.columns import Text
from tests.judged import category, found, lawful, number, sides

Table = dict[str, object]
COLUMNS = (number("x", "double"), number("y", "double"), number("money", "double"), category())


def rows(count: int = 600, seed: int = 0) -> Table:
    """y, money and c follow x; money has a long upper tail."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=count), rng.normal(size=count)
    level = np.where(x + 0.5 * noise > 1, "z", np.where(x + 0.5 * noise > 0, "a", "b"))
    return {"x": x, "y": x + 0.5 * noise, "money": np.exp(2 * x + 0.5 * rng.normal(size=count)), "c": level}


def judged(synthetic: Table, *targets: str, holdout: Table | None = None) -> Sides:
    return sides(rows(), synthetic, *COLUMNS, holdout=holdout or rows(seed=9), targets=targets)


def utility(synthetic: Table, target: str) -> Score:
    return found(scores, judged(synthetic, target), "utility", target)


# --- what it says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "measure"), [("y", "R2"), ("money", "R2 on a log scale"), ("c", "AUC")])
def test_fresh_rows_teach_what_the_real_ones_do(target: str, measure: str) -> None:
    score = utility(rows(seed=1), target)
    assert score.details["measure"] == measure
    assert score.low is not None
    assert score.high is not None
    assert score.reference is not None
    assert score.low <= score.reference <= score.high
    assert score.status is Status.GOOD


def test_the_training_rows_themselves_score_their_reference() -> None:
    for score in scores(judged(rows(), "c", "y")):
        assert score.reference is not None
        assert score.value == pytest.approx(score.reference, abs=0.02)
        if score.metric.name == "utility":
            assert score.value == score.reference


@pytest.mark.parametrize(("target", "guessing"), [("y", 0.0), ("c", 0.5)])
def test_shuffled_targets_teach_nothing(target: str, guessing: float) -> None:
    table = rows(seed=1)
    score = utility(table | {target: np.random.default_rng(0).permutation(np.asarray(table[target]))}, target)
    assert score.value == pytest.approx(guessing, abs=0.15)
    assert score.status is Status.POOR


@pytest.mark.parametrize(("target", "one", "guessing"), [("y", 1.0, 0.0), ("c", "a", 0.5)])
def test_a_synthetic_target_that_never_varies_is_guessing(target: str, one: object, guessing: float) -> None:
    assert utility(rows(seed=1) | {target: [one] * 600}, target).value == pytest.approx(guessing)


def test_a_class_the_synthetic_table_lacks_costs_its_share() -> None:
    table = rows(seed=1)
    poorer = utility(table | {"c": np.where(np.asarray(table["c"]) == "z", "a", np.asarray(table["c"]))}, "c")
    assert poorer.value is not None
    assert poorer.reference is not None
    assert 0.5 < poorer.value < poorer.reference - 0.05


def test_wrong_rows_beside_the_real_ones_do_harm_and_right_ones_do_not() -> None:
    table = rows(seed=1)
    wrong = found(scores, judged(table | {"y": -np.asarray(table["y"])}, "y"), "augmentation", "y")
    right = found(scores, judged(table, "y"), "augmentation", "y")
    assert wrong.status is Status.POOR
    assert wrong.details["lift"] < -0.3
    assert right.status is Status.GOOD
    assert abs(right.details["lift"]) < 0.1


def test_a_target_nothing_predicts_says_so() -> None:
    rng = np.random.default_rng(0)
    real, held = ({"x": rng.normal(size=300), "y": rng.normal(size=300)} for _ in range(2))
    score = found(scores, sides(real, real, *COLUMNS[:2], holdout=held, targets=("y",)), "utility", "y")
    assert score.note == "real rows hardly predict it either"


def test_the_reference_of_real_parts_lies_in_the_interval() -> None:
    cells = []
    for seed in range(5):
        parts = [rows(200, 3 * seed + place) for place in range(3)]
        for score in scores(sides(parts[0], parts[1], *COLUMNS, holdout=parts[2], targets=("y",))):
            assert score.low is not None
            assert score.high is not None
            assert score.reference is not None
            cells.append(score.low <= score.reference <= score.high)
    assert np.mean(cells) >= 0.92


# --- groups ---------------------------------------------------------------------------------------------------------


def test_nobody_is_tested_on_who_was_trained_on() -> None:
    """Each person has a secret that only their height tells."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 10)
    table = {"x": rng.normal(size=40)[person], "y": rng.normal(size=40)[person], "user": person.astype(str)}
    columns = (*COLUMNS[:2], category("user"))
    same = sides(table, table, *columns, holdout=table, targets=("y",), group="user")
    known = sides(table, table, *columns[:2], holdout=table, targets=("y",))
    assert found(scores, same, "utility", "y").note.endswith("there are 0 in the hold-out table")
    value = found(scores, known, "utility", "y").value
    assert value is not None
    assert value > 0.8  # which would be praise for knowing the same people


# --- the limits -----------------------------------------------------------------------------------------------------


def notes(given: Sides) -> set[str]:
    found = list(scores(given))
    assert all(score.value is None for score in found)
    return {score.note for score in found}


def test_without_targets_or_holdout_there_is_a_reason() -> None:
    assert notes(judged(rows(seed=1))) == {"no target is named"}
    assert notes(sides(rows(), rows(seed=1), *COLUMNS, targets=("c",))) == {"there is no hold-out to test on"}


def test_targets_nobody_predicts_have_a_reason() -> None:
    text = (Text(name="note", arrow="string"), number())
    table: Table = {"note": ["p"] * 40, "x": [1.0] * 40}
    assert "which nobody predicts" in notes(sides(table, table, *text, holdout=table, targets=("note",))).pop()
    still = sides(table, table, *text, holdout=table, targets=("x",))
    assert notes(still) == {"the target does not vary in the real table"}
    blank = {"x": rows()["x"], "c": [None] * 600}
    given = sides(blank, blank, COLUMNS[0], category(), holdout=blank, targets=("c",))
    assert notes(given) == {"the target does not vary in the real table"}


def test_few_rows_or_columns_have_a_reason() -> None:
    assert notes(judged(rows(1), "c")).pop().endswith("there are 1 in the synthetic table")
    assert notes(judged(rows(), "y", holdout=rows() | {"y": [1.0] * 600})) == {
        "the target does not vary in the hold-out"
    }
    alone = {"y": rows()["y"]}
    given = sides(alone, alone, COLUMNS[1], holdout=alone, targets=("y",))
    assert notes(given) == {"there is no other column to predict it from"}


def test_unknown_targets_are_neither_learned_nor_tested() -> None:
    table = rows(seed=1)
    gaps = np.where(np.arange(600) % 2 == 0, np.nan, np.asarray(table["y"]))
    score = utility(table | {"y": gaps}, "y")
    assert score.details["rows"] == 300
    assert score.details["test rows"] == 600


CELL = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=4, deadline=None)
@given(st.lists(CELL, min_size=40, max_size=40), st.lists(CELL, min_size=40, max_size=40))
def test_any_numbers_give_lawful_scores(real: list[float | None], synthetic: list[float | None]) -> None:
    tables = ({"x": part, "y": part[::-1]} for part in (real, synthetic))
    for score in scores(sides(*tables, *COLUMNS[:2], holdout={"x": real, "y": real}, targets=("y",))):
        lawful(score)


# --- the tasks ------------------------------------------------------------------------------------------------------


def test_classes_are_ranked_by_the_real_rows_and_the_rare_are_one() -> None:
    y = np.array([1.0] * 6 + [0.0] * 5 + [2.0] * 3 + [3.0] * 2 + [4.0] * 9)  # the last nine are not real
    ranked = Classes.ranked(y, 16)
    assert ranked[[0, 6, 11, 14, 16]].tolist() == [0, 1, 2, 3, 4]
    assert Classes.of(ranked[:16], min_count=5) == Classes(3, folded=True)
    assert Classes.of(ranked[:13], min_count=5) == Classes(2, folded=False)
    assert Classes.of(ranked[:6], min_count=5) is None
    assert Classes(2, folded=False).known(np.array([0, 1, 2, np.nan])).tolist() == [True, True, False, False]


def test_quality_of_numbers_is_the_share_of_the_variance() -> None:
    y = np.array([0.0, 2.0, 4.0])
    assert Number().quality(np.array([0.0, 2.0, 4.0]), y)[0] == 1.0
    assert Number().quality(np.array([2.0, 2.0, 2.0]), y)[0] == 0.0
    assert Number().quality(np.array([1.0, 2.0, 3.0]), y)[0] == pytest.approx(1 - 2 / 8)
    assert Number().quality(-10 * y, y)[0] == 0.0  # worse than guessing is guessing


def test_a_long_tail_is_read_in_units_of_its_median() -> None:
    assert Number.of(np.exp(np.linspace(-3, 3, 101))) == Number(pytest.approx(1.0))
    assert Number.of(np.linspace(-3, 3, 101)) == Number(None)
    assert Number.of(np.array([np.nan, 1.0, 1.0])) is None
