"""Columns that repeat one another: found, encoded alike, and given back as equal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae.codecs.echoes import MOST_SOURCES, rows_to_search
from synthvae.codecs.table import TableCodec
from synthvae.schema.infer import infer_schema
from synthvae.tables import read

ROWS = 4000


def codec_of(frame: pd.DataFrame) -> tuple[TableCodec, pa.Table]:
    table = read(frame)[0]
    schema = infer_schema(table, rules=False)
    table = schema.check(table)
    return TableCodec.fit(schema, table), table


def paid_in_full(share: float, dtype: str = "int64") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    bill = np.round(np.exp(rng.normal(8, 1.5, ROWS)))
    paid = np.where(rng.random(ROWS) < share, bill, np.round(np.exp(rng.normal(6, 1.5, ROWS))))
    return pd.DataFrame({"bill": bill, "paid": paid}).astype(dtype)


def pairs(codec: TableCodec) -> list[tuple[str, str]]:
    return [(codec.schema.names[e.source], codec.schema.names[e.target]) for e in codec.echoes]


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int32"])
def test_equal_amounts_are_found_and_come_back_equal(dtype: str) -> None:
    frame = paid_in_full(0.2, dtype)
    codec, table = codec_of(frame)
    assert pairs(codec) == [("bill", "paid")]
    again = codec.decode(codec.encode(table), np.arange(ROWS), seed=0).to_pandas()
    assert (again["bill"] == again["paid"]).mean() == pytest.approx((frame["bill"] == frame["paid"]).mean(), abs=0.02)


def test_equal_values_get_agreeing_tokens_whatever_the_bins() -> None:
    frame = paid_in_full(0.2)
    codec, table = codec_of(frame)
    tokens, (e,) = codec.encode(table), codec.echoes
    equal = (frame["bill"] == frame["paid"]).to_numpy() & codec.codecs["paid"].bins.is_step(tokens[:, 2:])
    assert equal.sum() > 500
    heard = e.heard(tokens[equal, :2])
    inside = heard[:, 0] >= 0  # a bill beyond what is ever paid has no token there
    assert inside.mean() > 0.98
    np.testing.assert_array_equal(heard[inside], tokens[equal, 2:][inside])


def test_an_echo_survives_its_state() -> None:
    codec, table = codec_of(paid_in_full(0.3))
    again = TableCodec.from_state(codec.schema, codec.state())
    assert [e.facts() for e in again.echoes] == [e.facts() for e in codec.echoes]
    np.testing.assert_array_equal(again.encode(table), codec.encode(table))


def test_dates_echo_dates() -> None:
    rng = np.random.default_rng(0)
    ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 2000, ROWS), "D")
    days = rng.integers(0, 30, ROWS) * (rng.random(ROWS) < 0.7)
    codec, _ = codec_of(pd.DataFrame({"ordered": ordered, "shipped": ordered + pd.to_timedelta(days, "D")}))
    assert pairs(codec) == [("ordered", "shipped")]


def test_strangers_and_other_units_do_not_echo() -> None:
    frame = paid_in_full(0.0)
    frame["cents"] = frame["bill"] / 100
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["bill"], "s")
    assert pairs(codec_of(frame)[0]) == []


def test_a_column_has_few_sources_and_they_come_before_it() -> None:
    frame = paid_in_full(0.0)
    for i in range(6):
        frame[f"copy {i}"] = frame["bill"]
    codec, _ = codec_of(frame)
    assert all(e.source < e.target for e in codec.echoes)
    assert max(pd.Series([e.target for e in codec.echoes]).value_counts()) == MOST_SOURCES


def test_too_few_equal_rows_are_not_repeated() -> None:
    frame = paid_in_full(0.0)
    frame.loc[:3, "paid"] = frame.loc[:3, "bill"]
    codec, _ = codec_of(frame)
    assert all(e.rate == 0 for e in codec.echoes)


def test_nulls_are_no_echo_and_nothing_is_repeated_from_them() -> None:
    frame = paid_in_full(0.3).astype("Int64")
    frame.loc[frame.index % 3 == 0, "bill"] = pd.NA
    codec, table = codec_of(frame)
    again = codec.decode(codec.encode(table), np.arange(ROWS), seed=0).to_pandas()
    assert again["bill"].isna().to_numpy().tolist() == frame["bill"].isna().tolist()
    assert again["paid"].notna().all()


def test_a_repeated_value_stays_within_the_bounds_of_its_column() -> None:
    frame = paid_in_full(0.3)
    codec, table = codec_of(frame)
    top = int(frame["paid"].quantile(0.5))
    schema = codec.schema.with_column("paid", upper=top)
    table = table.filter(pa.array(frame["paid"] <= top))
    codec = TableCodec.fit(schema, table)
    again = codec.decode(codec.encode(table), np.arange(table.num_rows), seed=0)
    assert max(again["paid"].to_pylist()) <= top


def test_many_columns_are_searched_in_fewer_rows() -> None:
    assert len(rows_to_search(1_000_000, 3)) == 20_000
    assert len(rows_to_search(1_000_000, 300)) < 6_000
    assert rows_to_search(3, 3).tolist() == [0, 1, 2]


def test_instants_with_a_time_of_day_stay_equal() -> None:
    rng = np.random.default_rng(2)
    made = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 1500 * 86_400, 4000), "s")
    later = made + pd.to_timedelta(rng.integers(1, 90 * 86_400, 4000), "s")
    same = rng.random(4000) < 0.6
    table, _ = read(pd.DataFrame({"created": made, "changed": np.where(same, made, later)}))
    codec = TableCodec.fit(infer_schema(table, rules=False), table)
    assert [(e.source, e.target) for e in codec.echoes] == [(0, 1)]
    assert len(codec.blocks) == 6
    back = codec.decode(codec.encode(table), np.arange(4000), 1).to_pandas()
    assert (back["created"] == back["changed"]).mean() == pytest.approx(0.6, abs=0.03)
