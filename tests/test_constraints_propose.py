"""Rules found in a table: what was planted, and nothing where nothing is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthvae as sv
from synthvae.schema.constraints import Constraint
from synthvae.schema.seek_order import expected_breaches, sentinel

ROWS = 3000


def planted(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    """One table with a rule of every kind that is looked for."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**8, rows), "s")
    price, pieces = rng.lognormal(3, 1, rows).round(2), rng.integers(1, 30, rows)
    visits = np.where(rng.random(rows) < 0.2, 0, rng.integers(1, 60, rows))
    built = rng.integers(1900, 2020, rows)
    redone = np.where(rng.random(rows) < 0.7, 0, built + rng.integers(0, 60, rows).clip(0, 2024 - built))
    city = rng.integers(0, 12, rows)
    hot = rng.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    parts = rng.integers(0, 500, (3, rows))
    share = rng.dirichlet([2, 3, 4], rows).round(3)
    return pd.DataFrame(
        {
            "start": start,
            "stop": start + pd.to_timedelta(rng.gamma(2, 86_400, rows).round(), "s"),
            "price": price,
            "pieces": pieces,
            "amount": (price * pieces).round(2),
            "visits": visits,
            "last": pd.Series(rng.permutation(start)).where(visits > 0),
            "built": built,
            "redone": redone,
            "city": [f"city {i}" for i in city],
            "state": [f"state {i // 3}" for i in city],
            "year": start.year,
            **{f"is {i}": (hot == i).astype(int) for i in range(4)},
            "p": parts[0],
            "q": parts[1],
            "r": parts[2],
            "all": parts.sum(axis=0),
            "noise": rng.normal(size=rows),
            "sugar": share[:, 0],
            "salt": share[:, 1],
            "flour": (1 - share[:, 0] - share[:, 1]).round(3),
        }
    )


FOUND = sv.infer_schema(planted())


@pytest.mark.parametrize(
    "rule",
    [
        sv.Inequality(("start", "stop")),
        sv.Derived("amount", "product", ("price", "pieces")),
        sv.NullWhen("last", "visits", values=(0,)),
        sv.Inequality(("built", "redone"), exempt=(0,)),
        sv.FunctionalDependency(("city",), ("state",)),
        sv.Derived("year", "year", ("start",)),
        sv.OneHot(("is 0", "is 1", "is 2", "is 3")),
        sv.Sum(("p", "q", "r"), total="all"),
        sv.Sum(("sugar", "salt", "flour"), constant=1),
    ],
    ids=lambda rule: rule.says,
)
def test_what_was_planted_is_found_and_holds(rule: Constraint) -> None:
    assert rule in FOUND.constraints


def test_nothing_else_is_taken_for_granted() -> None:
    assert len(FOUND.constraints) == 9


def test_it_can_be_left_out() -> None:
    assert not sv.infer_schema(planted(), rules=False).constraints


@pytest.mark.parametrize("seed", range(6))
def test_independent_columns_have_no_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            **{f"n{i}": rng.normal(i, 1 + i, 800) for i in range(8)},
            **{f"w{i}": rng.integers(0, 5 + 20 * i, 800) for i in range(8)},
            **{f"z{i}": np.where(rng.random(800) < 0.8, 0, rng.integers(1, 100, 800)) for i in range(3)},
            **{f"c{i}": rng.choice(list("abcdefgh")[: 2 + i], 800) for i in range(6)},
            **{f"b{i}": rng.random(800) < 0.1 * (i + 1) for i in range(4)},
            **{f"d{i}": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, 800), "D") for i in range(3)},
            **{f"h{i}": pd.Series(rng.normal(size=800)).where(rng.random(800) < 0.2 * (i + 1)) for i in range(4)},
        }
    )
    schema = sv.infer_schema(frame)
    assert schema.constraints == schema.proposals == ()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(20, 60), st.integers(1, 4))
def test_small_tables_say_nothing(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": rng.integers(0, 4, rows) for i in range(columns)})
    assert sv.infer_schema(frame).constraints == ()


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_a_height_beside_a_weight_is_no_order(correlation: float) -> None:
    """One is always more than the other, but no row comes near."""
    rng = np.random.default_rng(1)
    z = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], 5000)
    frame = pd.DataFrame({"weight": (75 + 12 * z[:, 0]).round(1), "height": (172 + 9 * z[:, 1]).round(1)})
    schema = sv.infer_schema(frame)
    assert schema.constraints == schema.proposals == ()


def test_the_copula_counts_what_ordinary_dependence_would_break() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=4000)
    assert expected_breaches(a, a + 100) == 0
    assert expected_breaches(a, a + rng.exponential(0.2, 4000)) > 400
    assert 1900 < expected_breaches(a, rng.normal(size=4000)) < 2100


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0] * 50 + list(range(1900, 2000)), 0),
        ([9999] * 50 + list(range(100)), 9999),
        ([0] * 50 + list(range(1, 100)), None),
        ([0] + list(range(1900, 2001)) * 3, None),
        ([1, 2], None),
    ],
)
def test_a_sentinel_is_common_and_far_away(values: list[int], found: float | None) -> None:
    assert sentinel(np.array(values, float)) == found


def test_one_row_against_a_rule_is_enough() -> None:
    """The search looks at some rows, the verdict at all."""
    frame = planted(rows=30_000)
    broken = frame.copy()
    broken.loc[17, "all"] += 1
    broken.loc[18, "stop"] = broken.loc[18, "start"] - pd.Timedelta(1, "s")
    rules = sv.infer_schema(broken).constraints
    assert sv.Sum(("p", "q", "r"), total="all") in sv.infer_schema(frame).constraints
    assert sv.Sum(("p", "q", "r"), total="all") not in rules
    assert sv.Inequality(("start", "stop")) not in rules


def column(**facts: Any) -> pd.DataFrame:
    return pd.DataFrame(facts)


def test_what_is_open_to_doubt_is_proposed_only() -> None:
    rng = np.random.default_rng(3)
    kind = rng.choice(list("abc"), 2000)
    value = pd.Series(rng.normal(size=2000)).where(~((kind == "a") | (rng.random(2000) < 0.2)))
    grade = rng.integers(0, 8, 2000)
    frame = column(
        kind=kind,
        value=value,
        grade=[f"g{i}" for i in grade],
        teacher=[f"t{(i + rng.integers(0, 2)) % 8}" for i in grade],
    )
    schema = sv.infer_schema(frame)
    assert schema.constraints == ()
    assert set(schema.proposals) == {
        sv.NullWhen("value", "kind", values=("a",), exactly=False),
        sv.FixedCombinations(("grade", "teacher")),
    }
    assert sv.Schema.from_json(schema.to_json()) == schema
    assert len(schema.accept().constraints) == 2


def test_numbers_too_large_to_add_have_no_rules() -> None:
    large = np.random.default_rng(0).integers(2**62, 2**63 - 1, 500)
    assert sv.infer_schema(column(a=large, b=large)).constraints == ()
