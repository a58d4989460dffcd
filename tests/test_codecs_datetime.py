"""Dates and instants: type, zone and resolution come back; bounds and early years hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
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
