"""Every dtype there and back: what is decoded is a table of the same kind, columns, order and dtypes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae import Schema, infer_schema
from synthvae.codecs.table import TableCodec
from synthvae.tables import read
from tests.awkward import GOOD

Maker = Callable[[np.random.Generator, int], "pd.Series[Any]"]
START = pd.Timestamp("1969-06-01")


def whole(dtype: str) -> Maker:
    return lambda rng, n: pd.Series(rng.integers(0, 100, n)).astype(dtype)  # type: ignore[call-overload]


def real(dtype: str) -> Maker:
    return lambda rng, n: pd.Series(rng.normal(5, 2, n).round(2)).astype(dtype)  # type: ignore[call-overload]


def gaps(make: Maker) -> Maker:
    return lambda rng, n: make(rng, n).mask(rng.random(n) < 0.3)


def moments(unit: str, zone: str | None = None) -> Maker:
    def make(rng: np.random.Generator, n: int) -> pd.Series[Any]:
        days = START + pd.to_timedelta(rng.integers(0, 10**8, n), "s")
        return pd.Series(days.tz_localize("UTC").tz_convert(zone) if zone else days).dt.as_unit(unit)  # type: ignore[arg-type]

    return make


def texts(dtype: Any) -> Maker:
    return lambda rng, n: pd.Series(rng.choice(["a", "bc", "déf"], n).astype(object)).astype(dtype)


def objects(values: list[Any]) -> Maker:
    return lambda rng, n: pd.Series([values[i] for i in rng.integers(0, len(values), n)], dtype=object)


def categories(levels: list[Any], ordered: bool) -> Maker:
    return lambda rng, n: pd.Series(
        pd.Categorical.from_codes(rng.integers(-1, len(levels), n), levels, ordered=ordered)
    )


def arrow(type_: pa.DataType, values: list[Any]) -> Maker:
    def make(rng: np.random.Generator, n: int) -> pd.Series[Any]:
        array = pa.array([values[i] for i in rng.integers(0, len(values), n)], type_)
        return pd.Series(pd.arrays.ArrowExtensionArray(array))

    return make


DAYS = [dt.date(2020, 2, 29) + dt.timedelta(days=7 * i) for i in range(9)]
INSTANTS = [dt.datetime(2024, 3, day, tzinfo=dt.UTC) for day in range(1, 9)]
MAKERS: dict[str, Maker] = {
    **{name: whole(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")},
    **{name: gaps(whole(name)) for name in ("Int8", "Int64", "UInt16")},
    **{name: gaps(real(name)) for name in ("float16", "float32", "float64", "Float32", "Float64")},
    "bool": lambda rng, n: pd.Series(rng.random(n) < 0.5),
    "boolean": gaps(lambda rng, n: pd.Series(rng.random(n) < 0.5).astype("boolean")),
    "str": gaps(texts("str")),
    "string": gaps(texts("string")),
    "string[python]": gaps(texts(pd.StringDtype("python"))),
    "text in objects": gaps(texts(object)),
    "categories": categories(["z", "a", "m"], ordered=False),
    "ordered": categories(["low", "mid", "high", "never"], ordered=True),
    "ordered numbers": categories([3, 1, 2], ordered=True),
    **{f"datetime64[{unit}]": gaps(moments(unit)) for unit in ("s", "ms", "us", "ns")},
    "zoned": gaps(moments("us", "America/New_York")),
    "timedelta": gaps(lambda rng, n: pd.Series(pd.to_timedelta(rng.integers(-500, 10**6, n), "s"))),
    "dates": gaps(objects(DAYS)),
    "times": objects([dt.time(h, 30) for h in range(5, 12)]),
    "decimals": gaps(objects([Decimal(i) / 4 + Decimal("0.25") for i in range(9)])),
    "dates as text": lambda rng, n: moments("s")(rng, n).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "numbers as text": lambda rng, n: real("float64")(rng, n).map("{:.2f}".format),
    "Arrow int64": arrow(pa.int64(), [*range(30), None]),
    "Arrow string": arrow(pa.string(), ["x", "y", None]),
    "Arrow large_string": arrow(pa.large_string(), ["x", "y", None]),
    "Arrow decimal": arrow(pa.decimal128(12, 3), [Decimal("1.250"), Decimal("-7.500"), None]),
    "Arrow date32": arrow(pa.date32(), [*DAYS, None]),
    "Arrow timestamp": arrow(pa.timestamp("ms", "Europe/Berlin"), INSTANTS),
    "Arrow time64": arrow(pa.time64("us"), [dt.time(1, 2, 3), dt.time(4, 5, 6), None]),
    "Arrow duration": arrow(pa.duration("ms"), [dt.timedelta(seconds=i) for i in range(20)]),
    "Arrow bool": arrow(pa.bool_(), [True, False, None]),
    "Arrow float": arrow(pa.float32(), [0.5, 1.25, None]),
    "always null": lambda rng, n: pd.Series([np.nan] * n),
    "keys": lambda rng, n: pd.Series([f"K{i:05d}" for i in rng.permutation(n)]),
    "mail": lambda rng, n: pd.Series([f"m{i}@x.org" for i in rng.permutation(n)]),
}  # fmt: skip


def there_and_back(table: object) -> Any:
    """By way of tokens; the schema by way of its JSON."""
    arrow_table, _ = read(table)
    schema = infer_schema(table)
    schema = Schema.from_json(schema.to_json())
    codec = TableCodec.fit(schema, schema.check(table))
    facts, arrays = codec.state()
    codec = TableCodec.from_state(schema, (facts, arrays))
    made = codec.decode(codec.encode(schema.check(table)), np.arange(arrow_table.num_rows), 5)
    return schema.restore(made)


@pytest.mark.parametrize("name", MAKERS)
def test_a_dtype_comes_back(name: str) -> None:
    frame = pd.DataFrame({"x": MAKERS[name](np.random.default_rng(4), 60)})
    made = there_and_back(frame)
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)
    if frame["x"].dtype == object and frame["x"].notna().any():
        assert {type(v) for v in made["x"].dropna()} == {type(v) for v in frame["x"].dropna()}
    assert made["x"].isna().tolist() == frame["x"].isna().tolist()


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=8, unique=True),
    rows=st.integers(150, 250),  # so many that no level is too rare to be kept
    seed=st.integers(0, 2**32),
)
def test_dtypes_come_back_together(names: list[str], rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: MAKERS[name](rng, rows) for name in names})
    made = there_and_back(frame)
    assert list(made.columns) == names
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)


@pytest.mark.parametrize("name", GOOD)
def test_awkward_tables_come_back(name: str) -> None:
    frame = GOOD[name]()
    assert (there_and_back(frame).dtypes == frame.dtypes).all()


def test_an_arrow_schema_comes_back_with_its_metadata() -> None:
    rng = np.random.default_rng(0)
    fields = [
        pa.field("n", pa.int32(), metadata={"unit": "m", "long": "a length"}),
        pa.field("d", pa.dictionary(pa.int8(), pa.string())),
        pa.field("t", pa.timestamp("ms", "UTC"), metadata={"source": "clock"}),
        pa.field("v", pa.string_view()),
        pa.field("y", pa.decimal128(9, 2)),
    ]
    table = pa.table(
        [
            pa.array(rng.integers(0, 50, 200), pa.int32()),
            pa.array(rng.choice(["a", "b"], 200)).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
            pa.array(rng.integers(0, 10**12, 200)).cast(pa.timestamp("ms", "UTC")),
            pa.array(rng.choice(["a", "b"], 200), pa.string_view()),
            pa.array([Decimal(int(i)) / 4 for i in rng.integers(0, 99, 200)], pa.decimal128(9, 2)),
        ],
        schema=pa.schema(fields, metadata={"title": "lengths", "pandas": "{}"}),
    )
    made = there_and_back(table)
    assert isinstance(made, pa.Table)
    wanted = table.schema.with_metadata({"title": "lengths"})
    assert made.schema.equals(wanted, check_metadata=True)


def test_a_polars_frame_comes_back() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "i": pl.Series(rng.integers(0, 50, 100), dtype=pl.Int16),
            "f": pl.Series(rng.normal(size=100), dtype=pl.Float32),
            "s": rng.choice(["a", "b"], 100),
            "c": pl.Series(rng.choice(["a", "b"], 100), dtype=pl.Categorical),
            "e": pl.Series(rng.choice(["lo", "hi"], 100), dtype=pl.Enum(["lo", "hi"])),
            "d": pl.Series([dt.date(2020, 1, 1 + i % 9) for i in range(100)]),
            "t": pl.Series([dt.datetime(2020, 1, 1 + i % 9, i % 24, tzinfo=dt.UTC) for i in range(100)]),
            "o": pl.Series([dt.time(i % 24) for i in range(100)]),
            "u": pl.Series([dt.timedelta(hours=i % 30) for i in range(100)]),
            "b": rng.random(100) < 0.5,
        }
    )
    made = there_and_back(frame)
    assert isinstance(made, pl.DataFrame)
    assert made.schema == frame.schema
