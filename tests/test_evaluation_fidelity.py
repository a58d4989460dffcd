"""Fidelity on tables small enough to check by eye, at the limits, and as properties of any two tables."""

from __future__ import annotations

import datetime
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.evaluation import coverage, fidelity, margins, nulls, pairs, shapes
from synthvae.evaluation.answers import AS_IT_IS
from synthvae.evaluation.sides import Sides
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Text
from synthvae.schema.schema import Schema
from tests.judged import category, found, number, sides, value

AGREEMENT = Path(__file__).parent / "data" / "agreement"


def shape(real: list[object], synthetic: list[object], column: Column) -> float | None:
    """The shape of one column given as two lists."""
    tables = [{column.name: pa.array(part)} for part in (real, synthetic)]
    return value(shapes.scores, sides(*tables, column), "shape", column.name)


def trend(real: dict[str, object], synthetic: dict[str, object], *columns: Column) -> float | None:
    """The trend of two columns."""
    a, b = (column.name for column in columns)
    return value(pairs.scores, sides(real, synthetic, *columns), "pair trends", a, b)


# --- shape ----------------------------------------------------------------------------------------------------------


def test_shape_of_numbers_is_one_minus_the_largest_gap_of_the_distribution_functions() -> None:
    # at 2: three quarters of the real values are there, one quarter of the synthetic ones
    assert shape([1, 2, 2, 4], [2, 3, 4, 5], number()) == 0.5
    assert shape([1, 2], [1, 1, 2, 2], number()) == 1.0
    assert shape([1, 2], [3, 4], number()) == 0.0


def test_shape_of_levels_is_one_minus_half_the_sum_of_differences() -> None:
    # a: 3/4 and 1/4, b: 1/4 and 1/4, z: 0 and 1/2
    assert shape(["a", "a", "a", "b"], ["a", "b", "z", "z"], category()) == 0.5
    assert shape(["a", "a"], ["b", "b"], category()) == 0.0
    assert shape(["a", "b"], ["b", "a"], category(ordered=True)) == 1.0
    assert shape([True, False], [True, True], Boolean(name="c", arrow="bool")) == 0.5


def test_shape_takes_null_as_a_level_but_leaves_it_out_of_numbers() -> None:
    assert shape(["a", "a", None, None], ["a", "a", "a", None], category()) == 0.75
    assert shape([1, 2, None, None], [1, 2, 1, 2], number()) == 1.0
    assert shape([1.0, 2.0, float("nan"), None], [1.0, 2.0], number(arrow="double")) == 1.0


def test_shape_reads_instants_and_dates_as_numbers() -> None:
    column = Datetime(name="x", arrow="date32[day]", resolution="D")
    first, second = datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)
    assert shape([first, second], [first, first], column) == 0.5
    moments = [datetime.datetime(2020, 1, 1, hour) for hour in range(4)]
    assert shape(moments, moments[:2], Datetime(name="x", arrow="timestamp[us]", resolution="us")) == 0.5


def test_shape_tells_large_whole_numbers_apart() -> None:
    # as float64 both would be 2**53
    assert shape([2**53, 2**53], [2**53 + 1, 2**53 + 1], number()) == 0.0


def test_shape_does_not_mind_how_the_same_values_are_stored() -> None:
    assert shape([1, 2], [1.0, 2.0], number()) == 1.0
    real = {"c": pa.array(["a", "b"]).dictionary_encode()}
    synthetic = {"c": pa.chunked_array([["b"], ["a"]], pa.large_string())}
    assert value(shapes.scores, sides(real, synthetic, category()), "shape", "c") == 1.0


def test_minted_and_all_null_columns_are_not_applicable_and_say_why() -> None:
    columns = (Identifier(name="id", arrow="int64"), Text(name="note", arrow="string"), number())
    table = {"id": [1, 2], "note": ["p", "q"], "x": pa.array([None, None], pa.int64())}
    judged = sides(table, table, *columns)
    scores = [found(shapes.scores, judged, "shape", *names) for names in ((), ("id",), ("note",), ("x",))]
    assert [score.value for score in scores] == [None] * 4
    assert all(score.note for score in scores)
    assert [score.columns for score in pairs.scores(judged)] == [(), ()]


def test_a_column_that_became_null_is_charged() -> None:
    gone = {"x": pa.array([None, None], pa.int64())}
    judged = sides({"x": [1, 2]}, gone, number(), min_count=1)
    for ask, metric in (
        (shapes.scores, "shape"),
        (shapes.scores, "distance moved"),
        (coverage.scores, "range coverage"),
    ):
        assert value(ask, judged, metric, "x") == 0.0


def test_distance_is_in_units_of_the_real_spread() -> None:
    # the real values are 2 away from their median 3 on average; all moved by 1
    judged = sides({"x": [0, 2, 3, 4, 6]}, {"x": [1, 3, 4, 5, 7]}, number())
    assert value(shapes.scores, judged, "distance moved", "x") == pytest.approx(1 - 1 / 1.6)
    at_median = sides({"x": [0, 2, 3, 4, 6]}, {"x": [3, 3, 3]}, number())
    assert value(shapes.scores, at_median, "distance moved", "x") == pytest.approx(0)
    constant = found(shapes.scores, sides({"x": [1, 1]}, {"x": [1, 2]}, number()), "distance moved", "x")
    assert constant.value is None
    assert "constant" in constant.note


# --- pairs ----------------------------------------------------------------------------------------------------------


def test_trend_of_two_numbers_is_one_minus_half_the_difference_of_correlations() -> None:
    rising, falling = {"x": [1, 2, 3], "y": [2, 4, 6]}, {"x": [1, 2, 3], "y": [6, 4, 2]}
    assert trend(rising, rising, number("x"), number("y")) == pytest.approx(1)
    assert trend(rising, falling, number("x"), number("y")) == pytest.approx(0)


def test_trend_of_two_numbers_uses_rows_where_both_are_known() -> None:
    holes, full = {"x": [1, 2, 3, None], "y": [2, 4, 6, -99]}, {"x": [1, 2, 3], "y": [2, 4, 6]}
    assert trend(holes, full, number("x"), number("y")) == pytest.approx(1)


def test_a_column_that_became_constant_counts_as_uncorrelated() -> None:
    rising, flat = {"x": [1, 2, 3], "y": [2, 4, 6]}, {"x": [1, 2, 3], "y": [5, 5, 5]}
    assert trend(rising, flat, number("x"), number("y")) == pytest.approx(0.5)
    assert trend(flat, rising, number("x"), number("y")) is None


def test_trend_of_levels_compares_their_table_of_counts() -> None:
    together = {"c": ["a", "a", "b", "b"], "d": ["a", "a", "b", "b"]}
    apart = {"c": ["a", "a", "b", "b"], "d": ["a", "b", "a", "b"]}
    # half of the mass sits in the two cells that the real table does not have
    assert trend(together, apart, category("c"), category("d")) == 0.5
    assert trend(together, together, category("c"), category("d")) == 1.0


def test_mixed_pairs_are_cut_at_tenths_of_the_real_range() -> None:
    real = {"x": list(range(11)), "c": ["a"] * 11}
    # 0.9 stays in the first tenth, 1.1 does not
    same, moved = (real | {"x": [first, *range(1, 11)]} for first in (0.9, 1.1))
    assert trend(real, same, number(), category()) == 1.0
    assert trend(real, moved, number(), category()) == pytest.approx(10 / 11)


def test_one_stray_value_beyond_the_real_range_costs_one_row_only() -> None:
    real = {"x": list(range(10)), "c": ["a"] * 10}
    assert trend(real, real | {"x": [1_000_000, *range(1, 10)]}, number(), category()) == 0.9


def test_columns_that_have_no_range_are_still_compared() -> None:
    columns = (number(arrow="double"), category())
    nothing, flat, narrow = (
        {"x": pa.array(x, pa.float64()), "c": ["a", "a"]}
        for x in ([None, None], [7.0, 7.0], [1.0, float(np.nextafter(1, 2))])
    )
    for real in (nothing, flat, narrow):
        assert trend(real, real, *columns) == 1.0
    assert trend(flat, nothing, *columns) == trend(nothing, flat, *columns) == 0.0
    assert trend(flat, narrow, *columns) == 0.0


def test_null_is_a_cell_of_its_own_in_a_mixed_pair() -> None:
    real, swapped = ({"x": x, "c": ["a", "a", "b", "b"]} for x in ([1, 1, None, None], [None, None, 1, 1]))
    assert trend(real, swapped, number(), category()) == 0.0


def test_long_level_lists_are_counted_without_a_cell_for_every_pair() -> None:
    names = [f"n{place}" for place in range(3000)]
    columns = tuple(Categorical(name=name, arrow="string", levels=("n0",), open_share=1.0) for name in "cd")
    table = {"c": names, "d": names}
    assert trend(table, table, *columns) == 1.0
    assert trend(table, table | {"d": names[::-1]}, *columns) == pytest.approx(0)


def test_trends_name_every_pair_once() -> None:
    table = {"x": [1, 2], "y": [1, 2], "c": ["a", "b"]}
    scores = pairs.scores(sides(table, table, number("x"), number("y"), category()))
    named = [score.columns for score in scores if score.metric is pairs.TRENDS]
    assert named == [(), ("x", "y"), ("x", "c"), ("y", "c")]


def test_association_is_the_share_of_information_that_two_columns_have_in_common() -> None:
    n = 400
    a = np.arange(n) % 2
    same, apart = {"c": a, "d": a}, {"c": a, "d": np.arange(n) // 2 % 2}
    columns = tuple(Categorical(name=name, arrow="int64", levels=(0, 1)) for name in "cd")
    judged = sides(same, apart, *columns)
    # of one bit all is shared in the real table and nothing in the other
    assert value(pairs.scores, judged, "associations", "c", "d") == pytest.approx(0, abs=0.01)
    shares = pairs.associations_of(judged)["c", "d"]
    assert shares["real"] == pytest.approx(1, abs=0.01)
    assert shares["synthetic"] == pytest.approx(0, abs=0.01)


def test_skewed_numbers_still_share_information() -> None:
    # nine of ten values are 0: rank bins are spent on the others
    x = np.where(np.arange(1000) % 10, 0, np.arange(1000))
    judged = sides({"x": x, "y": x}, {"x": x, "y": np.roll(x, 5)}, number("x"), number("y"))
    assert value(pairs.scores, judged, "associations", "x", "y") < 0.2


# --- nulls, margins, coverage ---------------------------------------------------------------------------------------


def test_null_rates_compare_shares() -> None:
    judged = sides({"x": [1, None, None, None]}, {"x": [1, 2, None, None]}, number())
    assert value(nulls.scores, judged, "null rates", "x") == 0.75


def test_null_pattern_sees_what_is_missing_together() -> None:
    together = {"x": [1, 1, None, None], "y": [1, 1, None, None]}
    apart = {"x": [1, 1, None, None], "y": [1, None, 1, None]}
    columns = (number("x"), number("y"))
    assert value(nulls.scores, sides(together, apart, *columns), "null rates") == 1.0
    assert value(nulls.scores, sides(together, apart, *columns), "null pattern") == 0.5
    full = {"x": [1], "y": [1]}
    assert found(nulls.scores, sides(full, full, *columns), "null pattern").note == "no value is missing on any side"


def test_margins_see_what_pairs_do_not() -> None:
    bits = np.arange(800)
    a, b = bits % 2, bits // 2 % 2
    real, synthetic = {"a": a, "b": b, "c": a ^ b}, {"a": a, "b": b, "c": bits // 4 % 2}
    columns = tuple(Categorical(name=name, arrow="int64", levels=(0, 1)) for name in "abc")
    judged = sides(real, synthetic, *columns)
    assert value(pairs.scores, judged, "pair trends") == 1.0
    assert value(margins.scores, judged, "three-way margins", "a", "b", "c") == 0.5


def test_margins_sample_different_triples() -> None:
    names = [f"x{place}" for place in range(12)]
    table = {name: [1, 2, 3] for name in names}
    scores = margins.scores(sides(table, table, *(number(name) for name in names)))
    triples = [score.columns for score in scores if score.columns]
    assert len(triples) == len(set(triples)) == margins.TRIPLES


def test_range_coverage_is_the_share_of_the_real_range_that_is_reached() -> None:
    real = {"x": list(range(101))}
    for synthetic, share in (([*range(25, 76)], 0.5), ([*range(-50, 200)], 1.0), ([500, 600], 0.0)):
        judged = sides(real, {"x": synthetic}, number(), min_count=1)
        assert value(coverage.scores, judged, "range coverage", "x") == share


def test_one_far_value_is_no_range() -> None:
    near = [*range(100)]
    judged = sides({"x": near}, {"x": [40] * 50 + [60] * 49 + [10**6]}, number())
    # from the fifth smallest real value to the fifth largest there are 91
    assert value(coverage.scores, judged, "range coverage", "x") == pytest.approx(20 / 91)


def test_category_coverage_counts_levels_with_enough_real_rows() -> None:
    real = ["a"] * 20 + ["b"] * 5 + ["z"]
    assert value(coverage.scores, sides({"c": real}, {"c": ["a", "z"]}, category()), "category coverage", "c") == 0.5


def test_rare_levels_weigh_what_of_them_is_there() -> None:
    real = ["a"] * 3960 + ["b"] * 30 + ["z"] * 10
    synthetic = ["a"] * 3985 + ["b"] * 15
    # of 40 rows in rare levels 15 are there
    judged = sides({"c": real}, {"c": synthetic}, category())
    assert value(coverage.scores, judged, "rare levels", "c") == pytest.approx(15 / 40)
    common = found(coverage.scores, sides({"c": ["a", "b"]}, {"c": ["a", "b"]}, category()), "rare levels", "c")
    assert common.value is None
    assert "1%" in common.note


# --- beside a neutral scorer ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agreement() -> Sides:
    """Tables that a neutral scorer has judged, under a schema made from its list of columns."""
    about = json.loads((AGREEMENT / "meta.json").read_text())
    parts = {name: pq.read_table(AGREEMENT / f"{name}.parquet") for name in ("train", "synthetic", "test")}

    def column(field: pa.Field) -> Column:
        if field.name in about["numerical"]:
            return Numeric(name=field.name, arrow=str(field.type), nullable=True)
        levels = tuple(parts["train"][field.name].unique().drop_null().to_pylist())
        return Categorical(name=field.name, arrow=str(field.type), levels=levels, nullable=True, open_share=1.0)

    schema = Schema(tuple(column(field) for field in parts["train"].schema))
    return Sides.of(parts["train"], parts["synthetic"], schema, parts["test"])


@pytest.mark.parametrize(
    ("metric", "key"),
    [("shape", "shape"), ("pair trends", "trend_same"), ("copies", "copies"), ("null rates", "null_err")],
)
def test_figures_agree_with_those_of_a_neutral_scorer(agreement: Sides, metric: str, key: str) -> None:
    expected = json.loads((AGREEMENT / "expected.json").read_text())[key] / 100
    if metric == "copies":
        from synthvae.evaluation.disclosure import copies

        assert value(copies.scores, agreement, metric) == pytest.approx(expected, abs=5e-4)
    elif metric == "null rates":
        worst = min(score.value for score in nulls.scores(agreement) if score.metric is nulls.RATES)
        assert 1 - worst == pytest.approx(expected, abs=5e-4)
    else:
        assert 1 - value(fidelity.scores, agreement, metric) == pytest.approx(expected, abs=5e-4)


# --- any two tables -------------------------------------------------------------------------------------------------

CELLS = st.tuples(st.none() | st.integers(-50, 50), st.none() | st.integers(-3, 3), st.sampled_from(["a", "b", None]))
Rows = list[tuple[int | None, int | None, str | None]]
ROWS = st.lists(CELLS, min_size=1, max_size=30)


def judged(*tables: Rows) -> Sides:
    types = {"x": pa.int64(), "y": pa.int64(), "c": pa.string()}
    made = [
        {name: pa.array([row[place] for row in rows], type_) for place, (name, type_) in enumerate(types.items())}
        for rows in tables
    ]
    held = made[2] if len(made) > 2 else None
    return sides(made[0], made[1], number("x"), number("y"), category(), holdout=held, min_count=2)


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS, ROWS)
def test_scores_stay_between_zero_and_one_inside_their_interval(real: Rows, synthetic: Rows, holdout: Rows) -> None:
    for score in fidelity.scores(judged(real, synthetic, holdout)):
        if score.value is None:
            assert score.note
        else:
            assert 0 <= score.value <= 1 + 1e-12
            assert score.low <= score.value + 1e-12
            assert score.value <= score.high + 1e-12


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_a_table_in_another_order_is_the_same_table(rows: Rows, rng: random.Random) -> None:
    other = rng.sample(rows, len(rows))
    for score in fidelity.scores(judged(rows, other)):
        assert score.value is None or score.value == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_the_reference_is_the_same_question_asked_of_the_holdout(synthetic: Rows, holdout: Rows) -> None:
    real: Rows = [(1, 2, "a"), (5, 2, "b"), (9, None, "a"), (2, 1, None)]
    asked = judged(real, synthetic, holdout)
    instead = {(s.metric.name, s.columns): s.value for s in fidelity.scores(asked.of_holdout())}
    for score in fidelity.scores(asked):
        told = instead[score.metric.name, score.columns]
        if score.reference is not None and score.columns and score.metric is not pairs.ASSOCIATIONS:
            measured = score.details.get(AS_IT_IS, score.reference)
            assert measured == pytest.approx(told)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_shape_does_not_depend_on_which_table_is_real(real: Rows, synthetic: Rows) -> None:
    there, back = (shapes.scores(judged(*tables)) for tables in ((real, synthetic), (synthetic, real)))
    for one, other in zip(there, back, strict=True):
        if one.metric is shapes.SHAPE and one.columns and None not in (one.value, other.value):
            assert one.value == pytest.approx(other.value)
