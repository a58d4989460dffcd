"""Round numbers: learned where there are any, drawn as often as they come, whatever else is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae.codecs.base import Draw
from synthvae.codecs.bins import Bins
from synthvae.codecs.grains import Grains
from synthvae.codecs.table import TableCodec

RNG = np.random.default_rng(0)
SIZE = 6000
PRICES = np.where(RNG.random(SIZE) < 0.8, RNG.integers(200, 4000, SIZE) * 250, RNG.integers(50_000, 1_000_000, SIZE))
ONE_BIN = Bins(np.array([100]), np.array([90, 129]), np.array([0, 1]), False)  # 90..129 but for 100


def fitted(values: np.ndarray) -> tuple[TableCodec, pa.Table]:
    schema = sv.infer_schema(pd.DataFrame({"price": values}), rules=False)
    table = schema.check(pd.DataFrame({"price": values}))
    return TableCodec.fit(schema, table), table


def redrawn(codec: TableCodec, table: pa.Table, seed: int = 0) -> np.ndarray:
    return codec.decode(codec.encode(table), np.arange(table.num_rows), seed)["price"].to_numpy()


def test_round_numbers_come_as_often_as_they_came() -> None:
    codec, table = fitted(PRICES)
    made = redrawn(codec, table)
    for grain in (250, 1000, 5000):
        assert (made % grain == 0).mean() == pytest.approx((PRICES % grain == 0).mean(), abs=0.02)
    assert not np.isin(made[made % 250 != 0], PRICES).all()  # the others are drawn, not repeated


def test_a_column_without_round_numbers_has_none() -> None:
    codec, _ = fitted(RNG.integers(0, 1_000_000, SIZE))
    assert "grain_units" not in codec.codecs["price"].state()[1]


def test_few_rows_are_no_proof() -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).integers(0, 100_000, 60)
        assert Grains.learn(ONE_BIN, values, 5) is None
        assert "grain_units" not in fitted(values)[0].codecs["price"].state()[1]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_chances_sum_to_one_over_a_step(weight: float) -> None:
    grains = Grains(np.array([1, 10]), np.array([[1.0 - weight, weight]]))
    number = np.array([x for x in range(90, 130) if x != 100 and (weight < 1 or x % 10 == 0)])
    tokens = np.full((len(number), 1), 2)
    log_p = ONE_BIN.log_density(tokens) + grains.log_gain(number, tokens, ONE_BIN)
    assert np.exp(log_p).sum() == pytest.approx(1.0)


def test_draws_have_the_chances_it_states_and_hit_no_atom() -> None:
    grains = Grains(np.array([1, 10]), np.array([[0.2, 0.8]]))
    tokens = np.full((40_000, 1), 2)
    uniforms = np.random.default_rng(1).random(len(tokens))
    units = grains.redrawn(ONE_BIN.decode(tokens, uniforms), tokens, ONE_BIN, uniforms)
    values, counts = np.unique(units.number, return_counts=True)
    assert set(values) == set(range(90, 130)) - {100}
    log_p = ONE_BIN.log_density(tokens[: len(values)]) + grains.log_gain(values, tokens[: len(values)], ONE_BIN)
    np.testing.assert_allclose(counts / len(tokens), np.exp(log_p), atol=0.006)


def test_the_middle_of_a_step_is_a_round_number_near_it() -> None:
    grains = Grains(np.array([1, 10]), np.array([[0.2, 0.8]]))
    tokens, half = np.full((1, 1), 2), np.full(1, 0.5)
    assert grains.redrawn(ONE_BIN.decode(tokens, half), tokens, ONE_BIN, half).number.tolist() == [110]


def test_wishes_are_kept() -> None:
    codec, table = fitted(PRICES)
    price = codec.codecs["price"]
    wish = sv.Between(300_001, 300_009).wish
    tokens = price.encode(table["price"])
    weights = price.allowed(wish)[0]
    meant = tokens[weights[tokens[:, 0]] > 0][:1].repeat(200, axis=0)
    fine = price.allowed(wish)[1][meant[:, 0]].argmax(axis=1)
    meant[:, 1] = fine
    drawn = price.decode(meant, Draw(np.arange(200), np.random.default_rng(0).random(200), 0, wish=wish)).to_numpy()
    assert ((drawn > 300_000) & (drawn < 300_010)).all()


def test_they_are_saved() -> None:
    codec, table = fitted(PRICES)
    again = TableCodec.from_state(codec.schema, codec.state())
    np.testing.assert_array_equal(redrawn(again, table), redrawn(codec, table))
    np.testing.assert_allclose(again.log_density(table), codec.log_density(table))
