"""What classifiers are given: matrices, subsamples that do not know the order of rows, and the area under a curve."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.evaluation import subsample
from synthvae.evaluation.encoding import LEVELS, Frame, codes, features, numbers
from synthvae.evaluation.ranking import auc, variance
from synthvae.evaluation.subsample import ROWS, drawn, fold_of, row_limit
from synthvae.schema.columns import Boolean, Datetime, Identifier, Text
from synthvae.schema.schema import Schema
from tests.judged import category, number, sides


def chunked(*values: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values)])


# --- columns as floats ----------------------------------------------------------------------------------------------


def test_levels_are_counted_the_most_frequent_first_and_ties_go_by_name() -> None:
    assert codes(chunked("b", "z", "z", None, "a")).tolist()[:3] == [2.0, 0.0, 0.0]
    assert np.isnan(codes(chunked("b", "z", "z", None, "a"))[3])
    assert codes(chunked("b", "a")).tolist() == codes(chunked("a", "b")).tolist()[::-1] == [1.0, 0.0]
    assert codes(chunked(True, False, True)).tolist() == [0.0, 1.0, 0.0]


def test_levels_beyond_what_trees_can_hold_share_a_code() -> None:
    found = codes(chunked(*range(1000)))
    assert found.max() == LEVELS - 1
    assert (found == LEVELS - 1).sum() == 1000 - LEVELS + 1


def test_an_all_null_column_of_levels_has_no_code() -> None:
    assert np.isnan(codes(pa.chunked_array([pa.array([None, None], pa.string())]))).all()


def test_numbers_dates_and_the_length_of_texts() -> None:
    day = Datetime(name="x", arrow="date32[day]", resolution="D")
    assert numbers(number(), chunked(1, None)).tolist()[0] == 1.0
    assert np.isnan(numbers(number(), chunked(1, None))[1])
    assert numbers(day, chunked(datetime.date(1970, 1, 3))).tolist() == [2.0]
    assert numbers(Text(name="x", arrow="string"), chunked("four", "")).tolist() == [4.0, 0.0]
    assert np.isnan(numbers(number(), chunked(float("inf"), None))).all()


def test_who_a_row_is_is_no_feature() -> None:
    columns = (Identifier(name="id", arrow="string"), category("user"), number())
    assert [column.name for column in features(Schema(columns, group="user"))] == ["x"]


def test_a_linear_design_has_indicators_scaled_numbers_and_nulls() -> None:
    columns = (category(), number(arrow="double"))
    table = pa.table({"c": ["a", "a", None, "b"], "x": [1.0, 3.0, None, 1e308]})
    design = Frame.of(columns, [table]).linear_design()
    assert design.origin.tolist() == [0, 0, 0, 1, 1]  # a, b, null; value, null
    assert design.x[:, :3].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert design.x[:, 4].tolist() == [0, 0, 1, 0]
    assert np.isfinite(design.x).all()


# --- subsamples -----------------------------------------------------------------------------------------------------

SMALL = {"x": [1, 1, 2, None], "c": ["a", "a", "b", None]}


def test_the_order_of_rows_does_not_matter() -> None:
    backwards = {name: values[::-1] for name, values in SMALL.items()}
    one, other = (drawn(sides(table, SMALL, number(), category()), "real") for table in (SMALL, backwards))
    assert one.table.equals(other.table)
    assert one.key.tolist() == other.key.tolist() == sorted(one.key.tolist())


def test_copies_have_equal_keys_and_fall_in_one_fold() -> None:
    judged = sides({"x": [1, 1, 2]}, {"x": [2, 1, 1]}, number())
    real, synthetic = drawn(judged, "real"), drawn(judged, "synthetic")
    assert real.key.tolist() == synthetic.key.tolist()
    assert len(set(real.key.tolist())) == 3  # equal rows of one table have keys of their own


def test_another_seed_is_another_sample_and_minus_zero_is_zero() -> None:
    one, other = sides({"x": [0.0, 1.0]}, {"x": [-0.0, 1.0]}, number(arrow="double")), None
    assert drawn(one, "real").key.tolist() == drawn(one, "synthetic").key.tolist()
    other = type(one)(one.real, one.synthetic, one.schema, seed=1)
    assert drawn(one, "real").key.tolist() != drawn(other, "real").key.tolist()


def test_a_long_table_is_sampled_without_repetition() -> None:
    judged = sides({"x": np.arange(ROWS + 500)}, {"x": [1]}, number())
    found = drawn(judged, "real")
    assert len(found.table) == ROWS == len(set(found.table["x"].to_pylist()))
    assert found.table["x"].to_numpy().mean() == pytest.approx((ROWS + 500) / 2, rel=0.02)
    assert len(found.first(7).table) == 7


def test_a_wide_table_gives_fewer_rows() -> None:
    assert row_limit(Schema(tuple(number(f"x{place}") for place in range(100)))) == subsample.CELLS // 100 + 1


def test_rows_of_one_group_have_one_owner_and_a_row_of_nobody_is_alone() -> None:
    real = {"x": [1, 2, 3, 3], "user": ["u", "u", None, None]}
    found = drawn(sides(real, real, number(), category("user"), group="user"), "real")
    owners = dict(zip(found.table["x"].to_pylist(), found.owner.tolist(), strict=True))
    assert owners[1] == owners[2]
    assert len(set(found.owner.tolist())) == 3


def test_folds_are_about_equal() -> None:
    keys = drawn(sides({"x": range(9000)}, {"x": [1]}, number()), "real").key
    assert np.bincount(fold_of(keys, 3, salt=1)).tolist() == pytest.approx([3000] * 3, rel=0.07)


def test_a_table_without_rows_has_an_empty_sample() -> None:
    empty = {"x": pa.array([], pa.int64())}
    assert drawn(sides(empty, empty, number()), "real").key.tolist() == []


# --- the area under the curve ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "expected"), [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 0.0), ([1, 3, 2, 4], 0.75), ([1, 1, 1, 1], 0.5)]
)
def test_the_area_is_the_share_of_pairs_in_the_right_order(scores: list[float], expected: float) -> None:
    assert auc(np.array(scores), np.array([False, False, True, True]))[0] == expected


def test_one_class_alone_cannot_be_ranked() -> None:
    value, influence = auc(np.array([1.0, 2.0]), np.array([True, True]))
    assert (value, influence.tolist()) == (0.5, [0.0, 0.0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=20))
def test_the_area_is_that_of_all_pairs(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    value, influence = auc(scores, positive)
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    if positive.any() and not positive.all():
        apart = np.sign(scores[positive][:, None] - scores[~positive])
        assert value == pytest.approx((apart.mean() + 1) / 2)


def test_the_variance_is_that_of_repeated_samples() -> None:
    rng, areas, said = np.random.default_rng(0), [], []
    positive = np.repeat([False, True], 100)
    for _ in range(300):
        value, influence = auc(rng.normal(size=200) + positive, positive)
        areas.append(value)
        said.append(variance(influence, np.arange(200)))
    assert np.mean(said) == pytest.approx(np.var(areas), rel=0.15)


def test_rows_of_one_owner_count_once() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.normal(size=40), np.repeat([False, True], 20)
    once = variance(auc(scores, positive)[1], np.arange(40))
    twice = auc(np.tile(scores, 2), np.tile(positive, 2))[1]
    assert variance(twice, np.tile(np.arange(40), 2)) == pytest.approx(once)
    assert variance(twice, np.arange(80)) == pytest.approx(once / 2)


def test_a_boolean_is_a_level() -> None:
    frame = Frame.of((Boolean(name="c", arrow="bool"),), [pa.table({"c": [True, None]})])
    assert frame.coded.tolist() == [True]
    assert frame.varying().names == ("c",)
    assert Frame.of((number(),), [pa.table({"x": [1, 1]})]).varying().names == ()
