"""The part of an axis that a wish allows: shares by arithmetic, draws that stay inside."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthvae as sv
from synthvae.codecs import CODECS
from synthvae.codecs.base import Draw
from synthvae.codecs.bins import Bins
from synthvae.codecs.within import Intervals, Part
from synthvae.errors import ConditionError
from synthvae.schema.columns import Categorical, Column, Datetime, Numeric
from synthvae.schema.conditions import Condition

WHOLE = Bins(np.array([10, 20]), np.array([0, 5, 15, 30]), np.array([0, 2, 3]), False)  # steps 0-4, 5-14, 15-30
FLOAT = Bins(np.array([1.0]), np.array([0.0, 2.0, 4.0]), np.array([0, 1, 2]), False)


def part(bins: Bins, *pairs: tuple[Any, Any]) -> Part:
    return Part(bins, Intervals.of(list(pairs), bins.atoms.dtype), False)


def test_overlapping_intervals_are_joined_and_empty_ones_dropped() -> None:
    found = Intervals.of([(5, 9), (1, 3), (8, 12), (4, 2)], np.dtype(np.int64))
    assert list(zip(found.low.tolist(), found.high.tolist(), strict=True)) == [(1, 3), (5, 12)]
    assert found.contains(np.array([0, 1, 3, 4, 5, 12, 13])).tolist() == [False, True, True, False, True, True, False]


def test_shares_of_steps_count_whole_numbers_that_are_no_atoms() -> None:
    coarse, fine = part(WHOLE, (3, 11), (20, 20)).weights(null=False)
    assert coarse.tolist() == [0, 1, 1, 1, 0]  # null, atoms 10 and 20, the two bins
    # of 0..4 two; of 5..14 without 10 the six 5..9 and 11; of 15..30 without 20 none
    np.testing.assert_allclose(fine[3], [0, 2 / 5, 6 / 9])
    np.testing.assert_allclose(fine[4], [0, 0, 0])


def test_shares_of_steps_are_lengths_on_a_float_axis() -> None:
    coarse, _ = part(FLOAT, (0.5, 3.0)).weights(null=True)
    np.testing.assert_allclose(coarse, [1, 1, 0.75, 0.5])


@pytest.mark.parametrize("bins", [WHOLE, FLOAT])
def test_every_allowed_value_is_drawn_and_no_other(bins: Bins) -> None:
    found = part(bins, (2, 2), (4, 11)) if bins is WHOLE else part(bins, (0.25, 0.5), (1.5, 3.0))
    coarse, fine = found.weights(null=False)
    for token in np.flatnonzero(coarse[1 + len(bins.atoms) :]) + 1 + len(bins.atoms):
        steps = np.flatnonzero(fine[token]) if bins.refined else [0]
        for step in steps:
            rows = np.tile([[token, step]] if bins.refined else [[token]], (500, 1)).astype("int32")
            drawn = found.decode(rows, np.linspace(0, 1, 500, endpoint=False)).number
            assert found.intervals.contains(drawn).all()
            assert (bins.encode(found.decode(rows, np.full(500, 0.3))) == rows).all()
    if bins is WHOLE:
        five = np.tile(np.array([[3, 2]], "int32"), (5000, 1))
        assert set(found.decode(five, np.linspace(0, 1, 5000, endpoint=False)).number) == {5, 6, 7, 8, 9, 11}


@given(st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=4), st.floats(0, 1, exclude_max=True))
def test_shares_are_what_counting_says(pairs: list[tuple[int, int]], u: float) -> None:
    found = part(WHOLE, *pairs)
    _, fine = found.weights(null=False)
    steps = {(3, 1): range(5), (3, 2): range(5, 15), (4, 1): range(15, 31)}
    for (token, step), values in steps.items():
        free = np.array([value for value in values if value not in (10, 20)])
        assert fine[token, step] == pytest.approx(found.intervals.contains(free).mean())
        if fine[token, step]:
            drawn = found.decode(np.array([[token, step]], "int32"), np.array([u])).number
            assert drawn[0] in free
            assert found.intervals.contains(drawn).all()


# --- what users write -------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
PRICES = pa.array(RNG.lognormal(3, 1, 3000).round(2))
DAYS = pa.array(np.datetime64("2015-01-01") + RNG.integers(0, 2000, 3000).astype("timedelta64[D]")).cast(
    pa.timestamp("us")
)
MONEY = pa.array([Decimal(int(x)).scaleb(-2) for x in RNG.integers(1, 10**6, 3000)])
COLUMNS: dict[str, tuple[Column, pa.Array, Condition, Any]] = {
    "prices": (Numeric(name="x", arrow="double", decimals=2), PRICES, sv.Between(20, 30.5), lambda v: 20 <= v <= 30.5),
    "prices, open ends": (
        Numeric(name="x", arrow="double", decimals=2),
        PRICES,
        sv.Between(20, 20.05, "neither"),
        lambda v: 20 < v < 20.05,
    ),
    "floats": (Numeric(name="x", arrow="double"), PRICES, sv.Between(None, 2), lambda v: v <= 2),
    "one float": (Numeric(name="x", arrow="double"), PRICES, sv.OneOf(17.25), lambda v: v == 17.25),
    "all but some": (
        Numeric(name="x", arrow="double", decimals=2),
        PRICES,
        sv.NoneOf(20.0, 20.01),
        lambda v: v not in (20, 20.01),
    ),
    "money": (
        Numeric(name="x", arrow="decimal128(10, 2)", decimals=2),
        MONEY.cast(pa.decimal128(10, 2)),
        sv.Between(Decimal("99.99"), 150),
        lambda v: Decimal("99.99") <= v <= 150,
    ),
    "days": (
        Datetime(name="x", arrow="timestamp[us]", resolution="D"),
        DAYS,
        sv.Between("2016-02-01", datetime(2016, 2, 29)),
        lambda v: datetime(2016, 2, 1) <= v <= datetime(2016, 2, 29),
    ),
    "an ordered category": (
        Categorical(name="x", arrow="string", levels=("low", "mid", "high"), ordered=True),
        pa.array(["low", "mid", "high"] * 100),
        sv.Between("mid", None),
        lambda v: v in ("mid", "high"),
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_draw_meets_the_wish(name: str) -> None:
    column, values, condition, holds = COLUMNS[name]
    codec = CODECS[column.kind].fit(column, pa.chunked_array([values]), 5)
    weights = codec.allowed(condition.wish)
    coarse = np.flatnonzero(weights[0] > 0)
    pairs = [(c, f) for c in coarse for f in (np.flatnonzero(weights[1][c] > 0) if len(weights) > 1 else [0])]
    tokens = np.array(pairs, "int32")[:, : len(weights)]
    for u in (0.0, 0.4, 1 - 2**-53):
        draw = Draw(np.arange(len(tokens)), np.full(len(tokens), u), 1, wish=condition.wish)
        made = codec.decode(tokens, draw)
        met = codec.meets(column, pa.chunked_array([made]), condition.wish)
        assert met.tolist() == list(map(holds, made.to_pylist()))
        assert met.all() if codec.exact else met.any()


@pytest.mark.parametrize(
    ("name", "condition", "says"),
    [
        ("prices", sv.Between(10**6, None), "knows values from .* to .*; nearest to what was asked"),
        ("prices", sv.Between(30, 20), "nearest to what was asked"),
        ("prices", sv.OneOf("cheap"), "holds double: expected a number"),
        ("prices", sv.NULL, "has no nulls"),
        ("days", sv.Between("yesterday", None), "Expected ISO 8601"),
        ("days", sv.OneOf(3.5j), "expected a date"),
        ("an ordered category", sv.OneOf("hihg"), "Did you mean 'high'"),
        ("an ordered category", sv.Between("none", None), "no level 'none'"),
    ],
)
def test_a_wish_that_cannot_be_met_says_what_can(name: str, condition: Condition, says: str) -> None:
    column, values, _, _ = COLUMNS[name]
    codec = CODECS[column.kind].fit(column, pa.chunked_array([values]), 5)
    with pytest.raises(ConditionError, match=says):
        codec.allowed(condition.wish)
