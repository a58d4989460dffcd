"""Fidelity on tables small enough to check by eye, at the limits, and as properties of any two tables."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.errors import TableError
from synthvae.evaluation.base import Score, mean
from synthvae.evaluation.fidelity import compare, null_rates, pair_trends, shape
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Text
from synthvae.schema.schema import Schema


def number(name: str = "x", arrow: str = "int64") -> Numeric:
    return Numeric(name=name, arrow=arrow, nullable=True)


def category(name: str = "c", ordered: bool = False) -> Categorical:
    return Categorical(name=name, arrow="string", levels=("a", "b", "z"), nullable=True, ordered=ordered)


def only(scores: tuple[Score, ...]) -> float | None:
    assert len(scores) == 1
    return scores[0].value


def value(real: list[object], synthetic: list[object], column: Column) -> float | None:
    """The shape of one column given as two lists."""
    tables = [pa.table({column.name: pa.array(part)}) for part in (real, synthetic)]
    return only(shape(*tables, Schema((column,))))


# --- shape ----------------------------------------------------------------------------------------------------------


def test_shape_of_numbers_is_one_minus_the_largest_gap_of_the_distribution_functions() -> None:
    # at 2: three quarters of the real values are there, one quarter of the synthetic ones
    assert value([1, 2, 2, 4], [2, 3, 4, 5], number()) == 0.5
    assert value([1, 2], [1, 1, 2, 2], number()) == 1.0
    assert value([1, 2], [3, 4], number()) == 0.0


def test_shape_of_levels_is_one_minus_half_the_sum_of_differences() -> None:
    # a: 3/4 and 1/4, b: 1/4 and 1/4, z: 0 and 1/2
    assert value(["a", "a", "a", "b"], ["a", "b", "z", "z"], category()) == 0.5
    assert value(["a", "a"], ["b", "b"], category()) == 0.0
    assert value(["a", "b"], ["b", "a"], category(ordered=True)) == 1.0
    assert value([True, False], [True, True], Boolean(name="c", arrow="bool")) == 0.5


def test_shape_takes_null_as_a_level_but_leaves_it_out_of_numbers() -> None:
    assert value(["a", "a", None, None], ["a", "a", "a", None], category()) == 0.75
    assert value([1, 2, None, None], [1, 2, 1, 2], number()) == 1.0
    assert value([1.0, 2.0, float("nan"), None], [1.0, 2.0], number(arrow="double")) == 1.0


def test_shape_reads_instants_and_dates_as_numbers() -> None:
    column = Datetime(name="x", arrow="date32[day]", resolution="D")
    first, second = datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)
    assert value([first, second], [first, first], column) == 0.5
    moments = [datetime.datetime(2020, 1, 1, hour) for hour in range(4)]
    assert value(moments, moments[:2], Datetime(name="x", arrow="timestamp[us]", resolution="us")) == 0.5


def test_shape_tells_large_whole_numbers_apart() -> None:
    # as float64 both would be 2**53
    assert value([2**53, 2**53], [2**53 + 1, 2**53 + 1], number()) == 0.0


def test_shape_does_not_mind_how_the_same_values_are_stored() -> None:
    assert value([1, 2], [1.0, 2.0], number()) == 1.0
    real = pa.table({"c": pa.array(["a", "b"]).dictionary_encode()})
    synthetic = pa.table({"c": pa.chunked_array([["b"], ["a"]], pa.large_string())})
    assert only(shape(real, synthetic, Schema((category(),)))) == 1.0


def test_minted_and_all_null_columns_are_not_applicable_and_say_why() -> None:
    schema = Schema((Identifier(name="id", arrow="int64"), Text(name="note", arrow="string"), number()))
    table = pa.table({"id": [1, 2], "note": ["p", "q"], "x": pa.array([None, None], pa.int64())})
    scores = shape(table, table, schema)
    assert [score.value for score in scores] == [None, None, None]
    assert all(score.note for score in scores)
    assert pair_trends(table, table, schema) == ()


def test_tables_without_rows_are_not_applicable() -> None:
    table = pa.table({"x": pa.array([1, 2]), "c": ["a", "b"]})
    for score in compare(table, table.slice(0, 0), Schema((number(), category()))):
        assert score.value is None


# --- pair trends ----------------------------------------------------------------------------------------------------


def test_trend_of_two_numbers_is_one_minus_half_the_difference_of_correlations() -> None:
    schema = Schema((number("x"), number("y")))
    rising = pa.table({"x": [1, 2, 3], "y": [2, 4, 6]})
    falling = pa.table({"x": [1, 2, 3], "y": [6, 4, 2]})
    assert only(pair_trends(rising, rising, schema)) == pytest.approx(1)
    assert only(pair_trends(rising, falling, schema)) == pytest.approx(0)


def test_trend_of_two_numbers_uses_rows_where_both_are_known() -> None:
    schema = Schema((number("x"), number("y")))
    holes = pa.table({"x": [1, 2, 3, None], "y": [2, 4, 6, -99]})
    full = pa.table({"x": [1, 2, 3], "y": [2, 4, 6]})
    assert only(pair_trends(holes, full, schema)) == pytest.approx(1)


def test_a_column_that_became_constant_counts_as_uncorrelated() -> None:
    schema = Schema((number("x"), number("y")))
    rising, flat = pa.table({"x": [1, 2, 3], "y": [2, 4, 6]}), pa.table({"x": [1, 2, 3], "y": [5, 5, 5]})
    assert only(pair_trends(rising, flat, schema)) == pytest.approx(0.5)
    assert only(pair_trends(flat, rising, schema)) is None


def test_trend_of_levels_compares_their_table_of_counts() -> None:
    schema = Schema((category("c"), category("d")))
    together = pa.table({"c": ["a", "a", "b", "b"], "d": ["a", "a", "b", "b"]})
    apart = pa.table({"c": ["a", "a", "b", "b"], "d": ["a", "b", "a", "b"]})
    # half of the mass sits in the two cells that the real table does not have
    assert only(pair_trends(together, apart, schema)) == 0.5
    assert only(pair_trends(together, together, schema)) == 1.0


def test_mixed_pairs_are_cut_at_tenths_of_the_real_range() -> None:
    schema = Schema((number(), category()))
    real = pa.table({"x": list(range(11)), "c": ["a"] * 11})
    # 0.9 stays in the first tenth, 1.1 does not
    same, moved = (real.set_column(0, "x", pa.array([first, *range(1, 11)])) for first in (0.9, 1.1))
    assert only(pair_trends(real, same, schema)) == 1.0
    assert only(pair_trends(real, moved, schema)) == pytest.approx(10 / 11)


def test_one_stray_value_beyond_the_real_range_costs_one_row_only() -> None:
    schema = Schema((number(), category()))
    real = pa.table({"x": list(range(10)), "c": ["a"] * 10})
    stray = real.set_column(0, "x", pa.array([1_000_000, *range(1, 10)]))
    assert only(pair_trends(real, stray, schema)) == 0.9


def test_columns_that_have_no_range_are_still_compared() -> None:
    schema = Schema((number(arrow="double"), category()))
    nothing, flat, narrow = (
        pa.table({"x": pa.array(x, pa.float64()), "c": ["a", "a"]})
        for x in ([None, None], [7.0, 7.0], [1.0, float(np.nextafter(1, 2))])
    )
    for real in (nothing, flat, narrow):
        assert only(pair_trends(real, real, schema)) == 1.0
    assert only(pair_trends(flat, nothing, schema)) == only(pair_trends(nothing, flat, schema)) == 0.0
    assert only(pair_trends(flat, narrow, schema)) == 0.0


def test_null_is_a_cell_of_its_own_in_a_mixed_pair() -> None:
    schema = Schema((number(), category()))
    real = pa.table({"x": [1, 1, None, None], "c": ["a", "a", "b", "b"]})
    swapped = pa.table({"x": [None, None, 1, 1], "c": ["a", "a", "b", "b"]})
    assert only(pair_trends(real, swapped, schema)) == 0.0


def test_long_level_lists_are_counted_without_a_cell_for_every_pair() -> None:
    names = [f"n{place}" for place in range(3000)]
    schema = Schema(tuple(Categorical(name=name, arrow="string", levels=("n0",), open_share=1.0) for name in "cd"))
    table = pa.table({"c": names, "d": names})
    assert only(pair_trends(table, table, schema)) == 1.0
    reverse = table.set_column(1, "d", pa.array(names[::-1]))
    assert only(pair_trends(table, reverse, schema)) == pytest.approx(0)


def test_trends_name_every_pair_once() -> None:
    schema = Schema((number("x"), number("y"), category()))
    table = pa.table({"x": [1, 2], "y": [1, 2], "c": ["a", "b"]})
    assert [score.columns for score in pair_trends(table, table, schema)] == [("x", "y"), ("x", "c"), ("y", "c")]


# --- null rates, overall, errors ------------------------------------------------------------------------------------


def test_null_rates_compare_shares() -> None:
    real, synthetic = pa.table({"x": [1, None, None, None]}), pa.table({"x": [1, 2, None, None]})
    assert only(null_rates(real, synthetic, Schema((number(),)))) == 0.75


def test_compare_gives_the_means() -> None:
    schema = Schema((number(), category()))
    real = pa.table({"x": [1, 2, 2, 4], "c": ["a", "a", "a", "b"]})
    synthetic = pa.table({"x": [2, 3, 4, 5], "c": ["a", "b", "z", "z"]})
    shapes, _, nulls = compare(real, synthetic, schema)
    assert shapes == Score("column shapes", (), 0.5)
    assert nulls.value == 1.0


def test_mean_counts_what_it_leaves_out() -> None:
    scores = [Score("s", ("x",), 0.5), Score("s", ("y",), None, "constant")]
    assert mean("m", scores) == Score("m", (), 0.5, "1 of 2 not applicable")
    assert mean("m", []) == Score("m", (), None, "nothing to compare")


def test_all_problems_are_told_at_once_and_no_value_is_shown() -> None:
    schema = Schema((number("x"), category("c"), number("gone")))
    real, synthetic = pa.table({"x": ["secret"], "c": ["a"]}), pa.table({"x": ["secret"], "c": [1]})
    with pytest.raises(TableError) as caught:
        shape(real, synthetic, schema)
    text = str(caught.value)
    expected = ("'x'", "'c'", "real table has no column 'gone'", "synthetic table has no column 'gone'")
    assert [part for part in expected if part not in text] == []
    assert "secret" not in text


# --- any two tables -------------------------------------------------------------------------------------------------

CELLS = st.tuples(st.none() | st.integers(-50, 50), st.none() | st.integers(-3, 3), st.sampled_from(["a", "b", None]))
ROWS = st.lists(CELLS, min_size=1, max_size=30)
SCHEMA = Schema((number("x"), number("y"), category()))


def table(rows: list[tuple[int | None, int | None, str | None]]) -> pa.Table:
    types = {"x": pa.int64(), "y": pa.int64(), "c": pa.string()}
    columns = [pa.array([row[place] for row in rows], type_) for place, type_ in enumerate(types.values())]
    return pa.table(columns, names=list(types))


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_scores_stay_between_zero_and_one(real: list[tuple], synthetic: list[tuple]) -> None:
    for metric in (shape, pair_trends, null_rates):
        for score in metric(table(real), table(synthetic), SCHEMA):
            assert (score.value is None and score.note) or 0 <= score.value <= 1 + 1e-12


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_a_table_in_another_order_is_the_same_table(rows: list[tuple], random: object) -> None:
    order = np.random.default_rng(random.randrange(2**32)).permutation(len(rows))
    for score in compare(table(rows), table(rows).take(pa.array(order)), SCHEMA):
        assert score.value is None or score.value == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS)
def test_shape_does_not_depend_on_which_table_is_real(real: list[tuple], synthetic: list[tuple]) -> None:
    there, back = shape(table(real), table(synthetic), SCHEMA), shape(table(synthetic), table(real), SCHEMA)
    assert [score.value for score in there] == pytest.approx([score.value for score in back])
