"""What every kind of rule promises: rewriting is undone exactly, and whatever is drawn keeps the rule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthvae.codecs.constraints import Rewriting
from synthvae.codecs.table import TableCodec
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Numeric, Text
from synthvae.schema.constraints import (
    KINDS,
    Constraint,
    Derived,
    FixedCombinations,
    FunctionalDependency,
    Inequality,
    NullWhen,
    OneHot,
    Predicate,
    Sum,
    Unique,
)
from synthvae.schema.obeyed import broken
from synthvae.schema.schema import Schema

N = 1500
RNG = np.random.default_rng(5)
A, B, C = (RNG.integers(0, 90, N) for _ in range(3))
SOME, MORE = RNG.random(N) < 0.1, RNG.random(N) < 0.15
DAYS = RNG.integers(10_000, 20_000, N)


@dataclass(frozen=True)
class Case:
    rules: tuple[Constraint, ...]
    columns: tuple[Column, ...]
    table: pa.Table
    exact: bool = True  # whether every value comes back to the last bit


def case(rules: Constraint | tuple[Constraint, ...], *pairs: tuple[Column, pa.Array], exact: bool = True) -> Case:
    rules = rules if isinstance(rules, tuple) else (rules,)
    spare = (Numeric(name="spare", arrow="int64", decimals=0), pa.array(RNG.integers(0, 1000, N)))
    return Case(rules, tuple(c for c, _ in (*pairs, spare)), pa.table({c.name: v for c, v in (*pairs, spare)}), exact)


def whole(name: str, values: Any, mask: Any = None, arrow: pa.DataType | None = None, **facts: Any) -> Any:
    array = pa.array(values, mask=mask).cast(arrow or pa.int64())
    return Numeric(name=name, arrow=str(array.type), nullable=mask is not None, **{"decimals": 0, **facts}), array


def real(name: str, values: Any, mask: Any = None, decimals: int | None = 2, arrow: Any = None, **facts: Any) -> Any:
    array = pa.array(values, mask=mask, from_pandas=False).cast(arrow or pa.float64())
    column = Numeric(name=name, arrow=str(array.type), nullable=mask is not None, decimals=decimals, **facts)
    return column, array


def day(name: str, values: Any, mask: Any = None) -> Any:
    array = pa.array(np.asarray(values, np.int32), mask=mask).view(pa.date32())
    return Datetime(name=name, arrow="date32[day]", resolution="D", nullable=mask is not None), array


def second(name: str, values: Any, mask: Any = None) -> Any:
    array = pa.array(np.asarray(values, np.int64), mask=mask).view(pa.timestamp("s", "UTC"))
    return (
        Datetime(
            name=name,
            arrow="timestamp[s, tz=UTC]",
            resolution="s",
            time_zone="UTC",
            nullable=mask is not None,
            upper="2030-01-01T00:00:00Z",
        ),
        array,
    )


def level(name: str, values: Any, mask: Any = None, **facts: Any) -> Any:
    array = pa.array(values, mask=mask)
    found = tuple(sorted(set(array.drop_null().to_pylist())))
    return Categorical(name=name, arrow=str(array.type), levels=found, nullable=mask is not None, **facts), array


def decimal(name: str, cents: Any) -> Any:
    array = pa.array([Decimal(int(cent)).scaleb(-2) for cent in cents], pa.decimal128(20, 2))
    return Numeric(name=name, arrow="decimal128(20, 2)", decimals=2), array


CITY = RNG.integers(0, 6, N)
ZIP = CITY * 3 + RNG.integers(0, 3, N)
HOT = RNG.integers(0, 3, N)
ZERO = np.where(RNG.random(N) < 0.2, 0, A + 1)
RENOVATED = np.where(RNG.random(N) < 0.9, 0, 1900 + A + RNG.integers(0, 40, N))
FLOATS = RNG.lognormal(2, 1, (2, N))
NANS = np.where(RNG.random(N) < 0.05, np.nan, FLOATS[0])
CENTS = RNG.integers(0, 10_000, (2, N))

CASES: dict[str, Case] = {
    "chain": case(Inequality(("a", "b", "c")), whole("a", A), whole("b", A + B), whole("c", A + B + C)),
    "chain, strict": case(
        Inequality(("a", "b"), strict=True), whole("a", A), whole("b", A + B + 1, lower=1, upper=200)
    ),
    "chain, small type": case(
        Inequality(("a", "b")), whole("a", A // 2, arrow=pa.int8()), whole("b", (A + B) // 2, arrow=pa.int8())
    ),
    "chain, last null": case(Inequality(("a", "b")), whole("a", A), whole("b", A + B, SOME)),
    "chain, first null": case(Inequality(("a", "b")), whole("a", A, SOME), whole("b", A + B)),
    "chain, nulls anywhere": case(
        Inequality(("a", "b", "c")), whole("a", A, SOME), whole("b", A + B, MORE), whole("c", A + B + C, SOME & ~MORE)
    ),
    "chain, nulls together": case(Inequality(("a", "b")), whole("a", A, SOME), whole("b", A + B, SOME | MORE)),
    "chain of days": case(Inequality(("a", "b")), day("a", DAYS), day("b", DAYS + A, MORE)),
    "chain of instants": case(Inequality(("a", "b")), second("a", DAYS * 86_400), second("b", DAYS * 86_400 + C * 7)),
    "chain, day and instant": case(
        Inequality(("a", "b")),
        day("a", DAYS),
        (
            Datetime(name="b", arrow="timestamp[ms]", resolution="s"),
            pa.array((DAYS * 86_400 + C * 7) * 1000).view(pa.timestamp("ms")),
        ),
    ),
    "chain of cents": case(
        Inequality(("a", "b"), strict=True), real("a", CENTS[0] / 100), real("b", (CENTS[0] + CENTS[1] + 1) / 100)
    ),
    "chain, whole above cents": case(
        Inequality(("a", "b")), real("a", CENTS[0] / 100), real("b", np.ceil(CENTS[0] / 100) + A, decimals=0)
    ),
    "chain of thousands": case(
        Inequality(("a", "b")), whole("a", A * 1000, decimals=-3), whole("b", (A + B) * 1000, decimals=-3)
    ),
    "chain of floats": case(
        Inequality(("a", "b")),
        real("a", FLOATS[0], SOME, decimals=None),
        real("b", FLOATS.sum(axis=0), decimals=None),
        exact=False,
    ),
    "chain of floats, strict": case(
        Inequality(("a", "b"), strict=True),
        real("a", FLOATS[0], decimals=None),
        real("b", FLOATS.sum(axis=0), decimals=None),
        exact=False,
    ),
    "chain of levels": case(Inequality(("a", "b")), level("a", A % 4), level("b", A % 4 + B % 3)),
    "exempt last": case(Inequality(("a", "b"), exempt=(0,)), whole("a", 1900 + A), whole("b", RENOVATED)),
    "exempt last, null": case(Inequality(("a", "b"), exempt=(0,)), whole("a", 1900 + A), whole("b", RENOVATED, MORE)),
    "exempt first": case(
        Inequality(("a", "b"), exempt=(0, -1)),
        whole("a", np.where(SOME, 0, np.where(MORE, -1, 1900 + A))),
        whole("b", np.where(RNG.random(N) < 0.3, 0, 1900 + A + B)),
    ),
    "exempt date": case(
        Inequality(("a", "b"), exempt=("1970-01-01",)), day("a", DAYS), day("b", np.where(SOME, 0, DAYS + A))
    ),
    "sum": case(Sum(("a", "b"), total="t"), whole("a", A), whole("b", B), whole("t", A + B)),
    "sum, bounds": case(
        Sum(("a", "b"), total="t"),
        whole("a", A, lower=0),
        whole("b", B, lower=0),
        whole("t", A + B, lower=0, upper=200),
    ),
    "sum, total null": case(Sum(("a", "b"), total="t"), whole("a", A), whole("b", B), whole("t", A + B, SOME)),
    "sum, part null": case(Sum(("a", "b"), total="t"), whole("a", A), whole("b", B, SOME), whole("t", A + B, MORE)),
    "sum of cents": case(
        Sum(("a", "b"), total="t"),
        real("a", CENTS[0] / 100),
        real("b", CENTS[1] / 100),
        real("t", CENTS.sum(axis=0) / 100),
    ),
    "sum of decimals": case(
        Sum(("a", "b"), total="t"), decimal("a", CENTS[0]), decimal("b", CENTS[1]), decimal("t", CENTS.sum(axis=0))
    ),
    "sum of floats": case(
        Sum(("a", "b"), total="t"),
        real("a", NANS, decimals=None),
        real("b", FLOATS[1], decimals=None),
        real("t", NANS + FLOATS[1], decimals=None),
        exact=False,
    ),
    "equal columns": case(Sum(("a",), total="t"), whole("a", A), real("t", A.astype(float), decimals=0)),
    "parts of a whole": case(
        Sum(("a", "b", "c"), constant=100),
        whole("a", A // 2, lower=0, upper=100),
        whole("b", B // 2, lower=0, upper=100),
        whole("c", 100 - A // 2 - B // 2, lower=0, upper=100),
    ),
    "combinations": case(
        FixedCombinations(("a", "b")), level("a", CITY), level("b", np.char.add("s", (CITY // 2).astype(str)), MORE)
    ),
    "combinations of dates and numbers": case(
        FixedCombinations(("a", "b", "c")),
        day("a", CITY),
        real("b", CITY / 4),
        (Boolean(name="c", arrow="bool"), pa.array(CITY > 3)),
    ),
    "dependency": case(FunctionalDependency(("a",), ("b",)), whole("a", ZIP), level("b", CITY.astype(str))),
    "dependency, null": case(
        FunctionalDependency(("a",), ("b", "c")),
        level("a", ZIP, SOME),
        level("b", CITY.astype(str), MORE),
        level("c", CITY // 2),
    ),
    "product": case(
        Derived("t", "product", ("a", "b")),
        whole("a", A),
        real("b", CENTS[0] / 100),
        real("t", np.round(A * CENTS[0] / 100, 2)),
    ),
    "difference": case(
        Derived("t", "difference", ("a", "b")), whole("a", A, SOME), whole("b", B), whole("t", A - B, MORE | SOME)
    ),
    "ratio": case(
        Derived("t", "ratio", ("a", "b")),
        whole("a", A),
        whole("b", B),
        real("t", np.round(A / np.maximum(B, 1), 3), B == 0, decimals=3),
    ),
    "days between": case(
        Derived("t", "days_between", ("a", "b")), day("a", DAYS + A), day("b", DAYS), whole("t", A, arrow=pa.int16())
    ),
    "year": case(
        Derived("t", "year", ("a",)), day("a", DAYS, SOME), whole("t", pc.year(day("a", DAYS)[1]).to_numpy(), SOME)
    ),
    "one hot": case(
        OneHot(("a", "b", "c")), *(whole(name, (place == HOT).astype(int)) for place, name in enumerate("abc"))
    ),
    "one hot of booleans": case(
        OneHot(("a", "b", "c")),
        *((Boolean(name=name, arrow="bool"), pa.array(place == HOT)) for place, name in enumerate("abc")),
    ),
    "null when zero": case(NullWhen("b", "a", values=(0,)), whole("a", ZERO), day("b", DAYS, ZERO == 0)),
    "null when null": case(
        NullWhen("b", "a", null=True), whole("a", A, SOME), level("b", np.char.add("x", (B % 4).astype(str)), SOME)
    ),
    "null unless": case(
        NullWhen("b", "a", values=("x", "y"), unless=True),
        level("a", np.array(list("wxyz"))[A % 4]),
        whole("b", B, ~np.isin(A % 4, (1, 2))),
    ),
    "null when, not exactly": case(
        NullWhen("b", "a", values=(True,), exactly=False),
        (Boolean(name="a", arrow="bool"), pa.array(SOME)),
        whole("b", B, SOME | MORE),
    ),
    "null when, a text": case(
        NullWhen("b", "a", values=(0,)),
        whole("a", ZERO),
        (
            Text(name="b", arrow="string", nullable=True, min_length=7, max_length=7),
            pa.array(["xxxxxxx"] * N, mask=ZERO == 0),
        ),
    ),
    "unique": case(Unique(("a", "b")), whole("a", np.arange(N)), whole("b", B)),
    "predicate": case(Predicate("even", lambda frame: frame["a"] % 2 == 0), whole("a", A * 2)),
    "a chain in a sum": case(
        (Inequality(("a", "b")), Sum(("b", "c"), total="t")),
        whole("a", A),
        whole("b", A + B),
        whole("c", C),
        whole("t", A + B + C),
    ),
    "a sum in a chain": case(
        (Sum(("a", "b"), total="t"), Inequality(("c", "t"))),
        whole("a", A),
        whole("b", B),
        whole("c", (A + B) // 2),
        whole("t", A + B),
    ),
    "nulls in a sum": case(
        (NullWhen("b", "c", values=(0,)), Sum(("a", "b"), total="t")),
        whole("a", A),
        whole("b", B, C % 5 == 0),
        whole("c", C % 5),
        whole("t", A + B),
    ),
    "nulls at the end of a chain": case(
        (NullWhen("b", "c", values=(0,)), NullWhen("d", "b", null=True), Inequality(("a", "b", "d"))),
        whole("a", A),
        whole("b", A + B, C % 5 == 0),
        whole("c", C % 5),
        whole("d", A + B + 3, C % 5 == 0),
    ),
    "combinations that share columns": case(
        (FunctionalDependency(("a",), ("b",)), FunctionalDependency(("b",), ("c",))),
        whole("a", ZIP),
        level("b", CITY.astype(str)),
        level("c", CITY // 2),
    ),
}


def schema_of(found: Case) -> Schema:
    return Schema(found.columns, constraints=found.rules)


def same(one: pa.Table, other: pa.Table, exact: bool = True) -> bool:
    """Whether two tables hold the same; NaN is NaN."""
    if one.schema != other.schema or one.num_rows != other.num_rows:
        return False
    tolerance = 0.0 if exact else 1e-12
    for a, b in zip(one.columns, other.columns, strict=True):
        if not pc.is_null(a).equals(pc.is_null(b)):
            return False
        if pa.types.is_floating(a.type):
            if not np.allclose(a.to_numpy(), b.to_numpy(), rtol=tolerance, atol=0, equal_nan=True):
                return False
        elif not a.equals(b):
            return False
    return True


def drawn(codec: TableCodec, rows: int, seed: int) -> pa.Table:
    """A table of random tokens that may be drawn, each block for itself."""
    rng = np.random.default_rng(seed)
    tokens = np.zeros((rows, len(codec.blocks)), np.int32)
    for j, block in enumerate(codec.blocks):
        may = np.broadcast_to(block.sampleable, (rows, block.size))
        if block.compatible is not None:
            may = may & block.compatible[tokens[:, j - 1]]
        tokens[:, j] = np.argmax(rng.random((rows, block.size)) * may, axis=1)
    return codec.decode(tokens, np.arange(rows), seed)


def test_every_kind_has_a_case() -> None:
    assert {rule.kind for found in CASES.values() for rule in found.rules} == set(KINDS)


@pytest.mark.parametrize("name", CASES)
def test_the_table_obeys(name: str) -> None:
    found = CASES[name]
    assert same(schema_of(found).check(found.table), found.table)


@pytest.mark.parametrize("name", CASES)
def test_rewriting_is_undone(name: str) -> None:
    found = CASES[name]
    schema = schema_of(found)
    rewriting = Rewriting.fit(schema, found.table)
    inner = rewriting.forward(found.table)
    assert inner.column_names == list(rewriting.inner.names)
    back = rewriting.backward(inner, np.arange(N), 1)
    assert back.column_names == found.table.column_names
    assert back.schema.equals(found.table.schema)
    assert same(back, found.table, found.exact)
    saved = json.loads(json.dumps(rewriting.state(), allow_nan=False))
    again = Rewriting.from_state(schema, saved)
    assert again.inner == rewriting.inner
    assert same(again.forward(found.table), inner)
    assert same(again.backward(inner, np.arange(N), 1), back)


@pytest.mark.parametrize("name", CASES)
def test_the_inner_table_is_what_its_schema_says(name: str) -> None:
    found = CASES[name]
    rewriting = Rewriting.fit(schema_of(found), found.table)
    rewriting.inner.check(rewriting.forward(found.table))


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("unique", "predicate")])
def test_whatever_is_drawn_keeps_the_rules(name: str) -> None:
    found = CASES[name]
    codec = TableCodec.fit(schema_of(found), found.table)
    made = drawn(codec, 4000, 3)
    columns = {column.name: column for column in found.columns}
    assert made.schema.equals(found.table.schema)
    for rule in found.rules:
        assert not broken(rule, made, columns).any()
    for column in found.columns:
        assert column.nullable or not made[column.name].null_count
    again = TableCodec.from_state(codec.schema, codec.state())
    assert same(drawn(again, 4000, 3), made)


@pytest.mark.parametrize("name", CASES)
def test_rows_are_addressable(name: str) -> None:
    found = CASES[name]
    codec = TableCodec.fit(schema_of(found), found.table)
    tokens = codec.encode(found.table)
    every = codec.decode(tokens, np.arange(N), 9)
    assert same(codec.decode(tokens[100:110], np.arange(100, 110), 9), every.slice(100, 10))
    assert codec.decode(tokens[:0], np.arange(0), 9).schema.equals(found.table.schema)


@pytest.mark.parametrize("name", CASES)
def test_json_comes_back(name: str) -> None:
    schema = schema_of(CASES[name])
    if name == "predicate":
        with pytest.warns(UserWarning, match="'even' cannot be written"):
            text = schema.to_json()
        with pytest.warns(UserWarning, match="'even' cannot be read"):
            assert Schema.from_json(text).constraints == (Predicate("even"),)
        return
    assert Schema.from_json(schema.to_json()) == schema
    assert json.loads(schema.to_json())["version"] == 2


def test_blocks_say_what_they_are_made_of() -> None:
    found = CASES["chain, nulls anywhere"]
    codec = TableCodec.fit(schema_of(found), found.table)
    sources = dict(zip(codec.codecs, codec.rewriting.sources.values(), strict=True))
    assert sources["a"] == {"a"}
    assert sources["a (start)"] == sources["b"] == sources["c"] == {"a", "b", "c"}
    assert set(codec.block_columns) == {"a", "b", "c", "spare"}
    assert len(codec.block_sources) == len(codec.blocks)


@pytest.mark.parametrize("name", [name for name in CASES if name != "predicate"])
def test_a_block_changes_with_its_sources_only(name: str) -> None:
    """Cells of other columns may be anything: that is what makes a block known where its sources are."""
    found = CASES[name]
    codec = TableCodec.fit(schema_of(found), found.table)
    tokens = codec.encode(found.table)
    for column in found.table.column_names:
        turned = found.table.set_column(
            found.table.column_names.index(column), column, found.table[column].take(pa.array(np.arange(N)[::-1]))
        )
        again = codec.encode(turned)
        kept = [j for j, sources in enumerate(codec.block_sources) if column not in sources]
        assert (again[:, kept] == tokens[:, kept]).all()
