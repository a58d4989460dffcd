"""Rules on tables nobody thought of: nulls anywhere, any order of rules, few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthvae.codecs.constraints import Rewriting
from synthvae.codecs.table import TableCodec
from synthvae.schema.columns import Datetime, Numeric
from synthvae.schema.constraints import Constraint, Inequality, NullWhen, Sum
from synthvae.schema.obeyed import broken
from synthvae.schema.schema import Schema
from tests.test_constraints_contract import drawn, same

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
ROWS = st.integers(1, 60)
SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.0, 0.0, 0.3, 1.0])


def holds(rules: tuple[Constraint, ...], columns: tuple[Any, ...], table: pa.Table) -> None:
    """Undone exactly, and kept by whatever is drawn."""
    schema = Schema(columns, min_count=2, constraints=rules)
    table = schema.check(table)
    rewriting = Rewriting.fit(schema, table)
    inner = rewriting.forward(table)
    rewriting.inner.check(inner)
    assert same(rewriting.backward(inner, np.arange(table.num_rows), 0), table)
    made = drawn(TableCodec.fit(schema, table), 200, 1)
    known = {column.name: column for column in columns}
    for rule in rules:
        assert not broken(rule, made, known).any()


def column(name: str, values: Any, null: Any) -> tuple[Any, pa.Array]:
    nullable = bool(null.any())
    return Numeric(name=name, arrow="int64", decimals=0, nullable=nullable), pa.array(values, mask=null)


@SETTINGS
@given(SEEDS, ROWS, st.lists(SHARES, min_size=2, max_size=4), st.booleans(), st.booleans(), st.booleans())
def test_chains(seed: int, rows: int, shares: list[float], strict: bool, exempt: bool, days: bool) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(1 if strict else 0, 9, (len(shares), rows))
    values = np.where(rng.random(steps.shape) < 0.3 * exempt, -5, steps.cumsum(axis=0) + rng.integers(0, 50, rows))
    names = tuple("abcd"[: len(shares)])
    pairs = [column(n, v, rng.random(rows) < s) for n, v, s in zip(names, values, shares, strict=True)]
    if days:
        pairs = [
            (
                Datetime(name=c.name, arrow="date32[day]", resolution="D", nullable=c.nullable),
                v.cast(pa.int32()).view(pa.date32()),
            )
            for c, v in pairs
        ]
    freed = ("1969-12-27",) if days else (-5,)
    rule = Inequality(names, strict=strict, exempt=freed if exempt else ())
    holds((rule,), tuple(c for c, _ in pairs), pa.table({c.name: v for c, v in pairs}))


@SETTINGS
@given(SEEDS, ROWS, st.lists(SHARES, min_size=4, max_size=4), st.booleans(), st.booleans())
def test_sums_and_what_shares_columns_with_them(
    seed: int, rows: int, shares: list[float], chain: bool, nulls: bool
) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = rng.integers(0, 40, (3, rows))
    null = [rng.random(rows) < share for share in shares]
    null[1] = (c % 3 == 0) if nulls else null[1]
    assume(not nulls or (~null[1]).sum() >= 2)  # of a column with fewer values none may be kept
    pairs = [
        column("a", a, null[0]),
        column("b", b, null[1]),
        column("total", a + b, null[2]),
        column("c", c, np.zeros(rows, bool)),
        column("more", a + b + 1 + c, null[3]),
    ]
    rules: tuple[Constraint, ...] = (Sum(("a", "b"), total="total"),)
    rules += (Inequality(("total", "more"), strict=True),) if chain else ()
    if nulls and null[1].any():
        rules += (NullWhen("b", "c", values=tuple(range(0, 40, 3))),)
    rules = tuple(rules[place] for place in rng.permutation(len(rules)))
    holds(rules, tuple(found for found, _ in pairs), pa.table({found.name: v for found, v in pairs}))
