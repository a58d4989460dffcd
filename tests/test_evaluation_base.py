"""Scores beside their reference, tables made comparable, intervals that mean what they say."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from synthvae.demo.run import load_adult
from synthvae.errors import ParameterError, TableError
from synthvae.evaluation import fidelity, nulls, shapes
from synthvae.evaluation.base import Family, Metric, Score, Status, mean_value, not_applicable
from synthvae.evaluation.sides import Sides
from synthvae.schema.columns import Boolean, Datetime, Identifier
from synthvae.schema.infer import infer_schema
from tests.judged import category, found, number, sides, value

UP = Metric("up", Family.FIDELITY, "More is better.")
DOWN = Metric("down", Family.DISCLOSURE, "Less is better.", best=0.0, worst=1.0)


# --- scores ---------------------------------------------------------------------------------------------------------


def test_a_score_is_a_finite_number_or_none() -> None:
    with pytest.raises(ValueError, match="finite"):
        Score(UP, ("x",), float("nan"))


@pytest.mark.parametrize(
    ("score", "status"),
    [
        (Score(UP, value=0.97, reference=0.98), Status.GOOD),
        (Score(UP, value=0.99, reference=0.98), Status.GOOD),
        (Score(UP, value=0.88, reference=0.98), Status.FAIR),
        (Score(UP, value=0.60, reference=0.98), Status.POOR),
        (Score(UP, value=0.88, low=0.7, high=1.0, reference=0.98), Status.GOOD),
        (Score(UP, value=0.60), Status.POOR),
        (Score(DOWN, value=0.05, reference=0.05), Status.GOOD),
        (Score(DOWN, value=0.60, reference=0.05), Status.POOR),
        (Score(DOWN, value=0.01, reference=0.60), Status.GOOD),
        (not_applicable(UP, "there is no hold-out"), Status.NOT_APPLICABLE),
    ],
)
def test_status_is_the_gap_to_the_reference_beyond_noise(score: Score, status: Status) -> None:
    assert score.status is status


def test_gap_is_positive_on_the_wrong_side() -> None:
    assert Score(UP, value=0.5, reference=0.75).gap == 0.25
    assert Score(DOWN, value=0.5, reference=0.25).gap == 0.25
    assert Score(UP, value=0.5).gap == 0.5


def test_the_mean_leaves_out_what_is_not_applicable() -> None:
    assert mean_value([Score(UP, value=0.5), Score(UP, value=0.7), not_applicable(UP, "why")]) == pytest.approx(0.6)
    assert mean_value([]) is None
    scores = nulls.scores(sides({"x": [1, None], "y": [1, 2]}, {"x": [1, 1], "y": [1, 2]}, number("x"), number("y")))
    assert [score.value for score in scores if score.metric is nulls.RATES] == [0.75, 0.5, 1.0]


def test_the_mean_says_how_many_are_left_out() -> None:
    table = {"x": [1, 2], "id": [1, 2]}
    judged = sides(table, table, number("x"), Identifier(name="id", arrow="int64"))
    assert found(shapes.scores, judged, "shape").note == "1 of 2 not applicable"


# --- tables side by side --------------------------------------------------------------------------------------------


def test_sides_have_the_columns_of_the_schema_in_comparable_types() -> None:
    real = {"c": pa.array(["a"]).dictionary_encode(), "x": pa.array([1], pa.int32()), "more": [1]}
    synthetic = {"x": [1.5], "c": ["b"]}
    judged = sides(real, synthetic, number("x"), category("c"), holdout=pa.table({"c": ["a"], "x": [3]}))
    for table in judged.tables.values():
        assert table.schema == pa.schema([("x", pa.float64()), ("c", pa.large_string())])


def test_nan_is_null_in_numbers_only() -> None:
    judged = sides({"x": [1.0, float("nan")]}, {"x": [1.0, None]}, number("x", "double"))
    assert judged.real["x"].null_count == judged.synthetic["x"].null_count == 1


def test_all_problems_are_told_at_once_and_no_value_is_shown() -> None:
    real, synthetic = {"x": ["secret"], "c": ["a"]}, {"x": ["secret"], "c": [1]}
    with pytest.raises(TableError) as caught:
        sides(real, synthetic, number("x"), category("c"), number("gone"))
    text = str(caught.value)
    expected = ("'x'", "'c'", "real table has no column 'gone'", "synthetic table has no column 'gone'")
    assert [part for part in expected if part not in text] == []
    assert "secret" not in text


def test_instants_of_any_unit_are_compared() -> None:
    day = datetime.date(2020, 1, 1)
    column = Datetime(name="x", arrow="date32[day]", resolution="D")
    midnight = pa.array([datetime.datetime(2020, 1, 1)], pa.timestamp("ms"))
    assert value(shapes.scores, sides({"x": [day]}, {"x": midnight}, column), "shape", "x") == 1.0
    zones = (midnight.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone)) for zone in ("UTC", "Asia/Tokyo"))
    there = Datetime(name="x", arrow="timestamp[us, tz=UTC]", resolution="us", time_zone="UTC")
    first, second = ({"x": part} for part in zones)
    assert value(shapes.scores, sides(first, second, there), "shape", "x") == 1.0
    with pytest.raises(TableError, match="must agree"):
        sides(first, {"x": midnight}, there)


def test_a_target_is_a_column_of_the_schema() -> None:
    with pytest.raises(ParameterError, match="'gone'"):
        sides({"x": [1]}, {"x": [1]}, number("x"), targets=("gone",))


def test_randomness_is_apart_by_purpose_and_seed() -> None:
    judged = sides({"x": [1]}, {"x": [1]}, number("x"))
    first, again, other = (judged.rng(name).random() for name in ("a", "a", "b"))
    assert first == again != other


def test_the_holdout_takes_the_place_of_the_synthetic_table() -> None:
    judged = sides({"x": [1]}, {"x": [2]}, number("x"), holdout={"x": [3]})
    instead = judged.of_holdout()
    assert instead.synthetic["x"].to_pylist() == [3]
    assert instead.holdout is None


def test_what_is_shared_is_made_once() -> None:
    judged = sides({"x": [1]}, {"x": [1]}, number("x"))
    assert judged.once("list", list) is judged.once("list", list)


# --- intervals ------------------------------------------------------------------------------------------------------


def split(table: pa.Table, parts: tuple[int, int, int], seed: int) -> Sides:
    """Three parts of one table as real, synthetic and hold-out."""
    order = np.random.default_rng(seed).permutation(table.num_rows)[: sum(parts)]
    real, synthetic, holdout = (table.take(pa.array(part)) for part in np.split(order, np.cumsum(parts)[:-1]))
    return Sides.of(real, synthetic, infer_schema(table), holdout)


def outside(judged: Sides) -> list[bool]:
    scores = [score for score in fidelity.scores(judged) if score.reference is not None]
    return [not score.low - 1e-12 <= score.reference <= score.high + 1e-12 for score in scores]


@pytest.mark.parametrize("parts", [(3000, 3000, 3000), (4000, 2000, 1000)], ids=["alike", "unlike"])
def test_references_of_real_parts_lie_in_their_intervals(parts: tuple[int, int, int]) -> None:
    columns = ("age", "workclass", "education-num", "sex", "capital-gain", "hours-per-week", "income")
    table = load_adult().select(columns)
    cells = [cell for seed in range(5) for cell in outside(split(table, parts, seed))]
    assert np.mean(cells) <= 0.08


def test_intervals_shrink_with_the_rows() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (400, 40_000):
        parts = [{"x": rng.normal(size=n)} for _ in range(3)]
        score = found(shapes.scores, sides(parts[0], parts[1], number("x", "double"), holdout=parts[2]), "shape", "x")
        widths.append(score.high - score.low)
    assert 4 < widths[0] / widths[1] < 16  # about the root of 100


def test_rows_of_one_person_count_as_one() -> None:
    rng = np.random.default_rng(0)
    columns = (Identifier(name="who", arrow="int64"), number("x", "double"))

    def interval(group: str | None) -> float:
        n, times = 300, 16
        parts = [{"who": np.repeat(np.arange(n), times), "x": np.repeat(rng.normal(size=n), times)} for _ in range(3)]
        score = found(shapes.scores, sides(parts[0], parts[1], *columns, holdout=parts[2], group=group), "shape", "x")
        return score.high - score.low

    apart, together = (np.mean([interval(group) for _ in range(5)]) for group in (None, "who"))
    assert together / apart == pytest.approx(4, rel=0.25)  # the root of 16


def test_a_level_that_nobody_has_yet_may_turn_up_in_the_holdout() -> None:
    real = {"m": [True] * 999 + [None]}
    judged = sides(real, real, Boolean(name="m", arrow="bool", nullable=True), holdout={"m": [True] * 1000})
    score = found(nulls.scores, judged, "null rates", "m")
    assert score.low <= score.reference <= score.high
