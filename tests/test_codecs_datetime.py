"""Dates and instants: type, zone and resolution come back; bounds and early years hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae.codecs.base import Draw
from synthvae.codecs.datetime import DatetimeCodec
from synthvae.errors import SchemaError
from synthvae.schema.columns import Datetime

RNG = np.random.default_rng(5)


def there_and_back(values: pa.Array, **facts: Any) -> pa.Array:
    codec = DatetimeCodec.fit(Datetime(name="x", arrow=str(values.type), **facts), pa.chunked_array([values]), 5)
    tokens = codec.encode(pa.chunked_array([values]))
    return codec.decode(tokens, Draw(np.arange(len(values)), RNG.random(len(values)), 0))


def test_frequent_dates_are_exact() -> None:
    values = pa.array([date(1899, 12, 31), date(2024, 2, 29)] * 5)
    assert there_and_back(values, resolution="D").equals(values)


def test_the_zone_comes_back() -> None:
    values = pa.array([datetime(2024, 3, 31, 1, tzinfo=UTC)] * 5, pa.timestamp("us", "Europe/Berlin"))
    back = there_and_back(values, resolution="h", time_zone="Europe/Berlin")
    assert back.equals(values)
    assert str(back.type) == "timestamp[us, tz=Europe/Berlin]"


def test_draws_stay_on_the_resolution() -> None:
    hours = pa.array(RNG.integers(-500_000, 500_000, 3000) * 3600 * 10**9).view(pa.timestamp("ns"))
    drawn = there_and_back(hours, resolution="h").cast(pa.int64()).to_numpy()
    assert (drawn % (3600 * 10**9) == 0).all()
    assert drawn.min() < 0 < drawn.max()


def test_draws_stay_within_the_bounds() -> None:
    days = pa.array(RNG.integers(0, 20_000, 3000), pa.int32()).view(pa.date32())
    drawn = there_and_back(days, resolution="D", lower="1980-01-01", upper="2000-12-31").to_pylist()
    assert min(drawn) >= date(1980, 1, 1)
    assert max(drawn) <= date(2000, 12, 31)


def test_bounds_with_an_offset_are_in_utc() -> None:
    grid = DatetimeCodec.grid(
        Datetime(
            name="x",
            arrow="timestamp[s, tz=UTC]",
            resolution="s",
            lower="1970-01-01T01:00:00+01:00",
            upper="1970-01-02Z",
        )
    )
    assert (grid.lower, grid.upper) == (0, 86_400)


def test_an_early_and_a_late_day_are_nowhere() -> None:
    days = np.append(RNG.integers(10_000, 11_000, 5000), [-600_000, 2_900_000])
    values = pa.array(days, pa.int32()).view(pa.date32())
    codec = DatetimeCodec.fit(Datetime(name="x", arrow="date32[day]", resolution="D"), pa.chunked_array([values]), 5)
    assert all(np.abs(array).max(initial=0) < 20_000 for array in codec.state()[1].values())
    drawn = there_and_back(values, resolution="D").cast(pa.int32()).to_numpy()
    assert drawn.min() > 9_000
    assert drawn.max() < 12_000


def test_an_unknown_resolution_is_an_error() -> None:
    with pytest.raises(SchemaError, match="Got 'fortnight'"):
        DatetimeCodec.grid(Datetime(name="x", arrow="date32[day]", resolution="fortnight"))


def _business_hours(rows: int) -> pd.Series[Any]:
    """Ten years of working days between 8 and 20 o'clock."""
    days = pd.Timestamp("1965-01-01") + pd.to_timedelta(RNG.integers(0, 3650, rows * 3), "D")
    hours = np.clip(RNG.normal(14, 3, rows), 8, 19.99) * 3600
    return pd.Series(days[days.day_of_week < 5][:rows] + pd.to_timedelta(hours.astype(int), "s"))


def _distance(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    """Total variation between two margins."""
    return float((a.value_counts(normalize=True).sub(b.value_counts(normalize=True), fill_value=0)).abs().sum() / 2)


def test_weekdays_and_hours_survive_where_steps_are_weeks_wide() -> None:
    real = _business_hours(5000)
    made = pd.Series(there_and_back(pa.array(real), resolution="s").to_pandas())
    assert _distance(real.dt.day_of_week, made.dt.day_of_week) < 0.02  # 0.29 with days drawn evenly
    assert _distance(real.dt.hour, made.dt.hour) < 0.05
    assert (made.dt.day_of_week < 5).mean() > 0.98


def test_bills_come_on_the_first() -> None:
    months = (np.datetime64("1990-01") + RNG.integers(0, 400, 3000)).astype("datetime64[D]")
    made = pd.Series(there_and_back(pa.array(months), resolution="D").to_pandas(date_as_object=False))
    assert (made.dt.day == 1).mean() > 0.9


def test_the_network_sees_weekdays() -> None:
    days = pa.array(np.repeat(np.arange(70, dtype=np.int32), 50)).view(pa.date32())
    codec = DatetimeCodec.fit(Datetime(name="x", arrow="date32[day]", resolution="D"), pa.chunked_array([days]), 5)
    week = codec.blocks[0].features[1:, -6:-4]
    assert np.allclose(week[:7], week[7:14], atol=1e-5)
    assert np.linalg.norm(week[:7, None] - week[None, :7], axis=-1)[~np.eye(7, dtype=bool)].min() > 0.5


def test_one_stretch_of_time_has_no_calendar() -> None:
    seconds = pa.array(RNG.integers(10**9, 10**9 + 86_400 * 3, 4000)).view(pa.timestamp("s"))
    codec = DatetimeCodec.fit(Datetime(name="x", arrow="timestamp[s]", resolution="s"), pa.chunked_array([seconds]), 5)
    assert [block.child for block in codec.blocks] == [False, True]
