"""A whole table: blocks side by side, rows addressable, states that come back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError
from synthvae.schema.columns import Boolean, Categorical, Datetime, Identifier, Numeric, Text
from synthvae.schema.schema import Schema

ROWS = 3000
RNG = np.random.default_rng(1)
TABLE = pa.table(
    {
        "id": pa.array(np.arange(1, ROWS + 1)),
        "amount": pa.array(RNG.lognormal(6, 1, ROWS).round(2), mask=RNG.random(ROWS) < 0.1),
        "city": pa.array(RNG.choice(["Bern", "Ulm"], ROWS)),
        "when": pa.array(RNG.integers(0, 10**9, ROWS)).view(pa.timestamp("s", "UTC")),
        "well": pa.array(RNG.random(ROWS) < 0.5),
        "note": pa.array(["a note of some length"] * ROWS),
        "code": pa.array([f"K{i:04d}" for i in range(ROWS)]),
    }
)
SCHEMA = Schema(
    columns=(
        Identifier(name="id", arrow="int64"),
        Numeric(name="amount", arrow="double", nullable=True, decimals=2),
        Categorical(name="city", arrow="string", levels=("Bern", "Ulm")),
        Datetime(name="when", arrow="timestamp[s, tz=UTC]", resolution="s", time_zone="UTC"),
        Boolean(name="well", arrow="bool"),
        Text(name="note", arrow="string", min_length=21, max_length=21),
        Identifier(name="code", arrow="string", template="K{digits:4}"),
    )
)
SEED = 2**200 + 1
CODEC = TableCodec.fit(SCHEMA, TABLE)
TOKENS = CODEC.encode(TABLE)


def test_blocks_have_names_and_columns() -> None:
    assert CODEC.block_names == (
        "amount",
        "amount (fine)",
        "city",
        "when",
        "when (fine)",
        "when (time)",
        "well",
        "note",
    )
    assert CODEC.block_columns == ("amount", "amount", "city", "when", "when", "when", "well", "note")
    assert list(CODEC.codecs) == TABLE.column_names
    assert [block.child for block in CODEC.blocks] == [False, True, False, False, True, False, False, False]


def test_the_table_comes_back_in_its_types() -> None:
    back = CODEC.decode(TOKENS, np.arange(ROWS), SEED)
    assert back.schema.equals(TABLE.schema)
    assert back["city"].equals(TABLE["city"])
    assert back["amount"].null_count == TABLE["amount"].null_count
    assert (CODEC.encode(back) == TOKENS).all()


def test_rows_are_addressable() -> None:
    whole = CODEC.decode(TOKENS, np.arange(ROWS), SEED)
    assert CODEC.decode(TOKENS[100:110], np.arange(100, 110), SEED).equals(whole.slice(100, 10))
    turned = CODEC.decode(TOKENS[::-1], np.arange(ROWS)[::-1], SEED)
    assert turned.equals(whole.take(pa.array(np.arange(ROWS)[::-1])))


def test_columns_and_seeds_draw_apart() -> None:
    one, two = (CODEC.decode(TOKENS, np.arange(ROWS), seed) for seed in (1, 2))
    assert not one["when"].equals(two["when"])
    assert not one["code"].equals(two["code"])


def test_the_state_comes_back() -> None:
    facts, arrays = CODEC.state()
    assert {name.split("_")[0] for name in arrays} == {"1", "2", "3", "4", "5"}
    again = TableCodec.from_state(SCHEMA, (facts, arrays))
    assert again.decode(TOKENS, np.arange(ROWS), 3).equals(CODEC.decode(TOKENS, np.arange(ROWS), 3))
    assert again.reports == CODEC.reports


def test_room_is_asked_for_before_the_first_row() -> None:
    CODEC.check_room(10_000)
    with pytest.raises(ParameterError, match="'code'"):
        CODEC.check_room(10_001)


def test_no_rows_make_an_empty_table() -> None:
    assert CODEC.decode(TOKENS[:0], np.arange(0), 0).schema.equals(TABLE.schema)
