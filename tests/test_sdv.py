"""Metadata in SDV's documented layout, V1: read with and without a table, and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError, SchemaError
from synthvae.schema.columns import Boolean, Categorical, Datetime, Identifier, Numeric, Personal, Text
from synthvae.schema.sdv import template_of

RNG = np.random.default_rng(1)
COLUMNS: dict[str, Any] = {
    "guest_email": {"sdtype": "email", "pii": True},
    "booking": {"sdtype": "id", "regex_format": "B-[0-9]{6}"},
    "has_rewards": {"sdtype": "boolean"},
    "room_type": {"sdtype": "categorical"},
    "stars": {"sdtype": "categorical"},
    "floor": {"sdtype": "numerical", "computer_representation": "Int64"},
    "amenities_fee": {"sdtype": "numerical", "computer_representation": "Float"},
    "checkin_date": {"sdtype": "datetime", "datetime_format": "%d %b %Y"},
    "note": {"sdtype": "unknown", "pii": True},
    "anything": {"sdtype": "unknown"},
}
SINGLE = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "primary_key": "booking", "columns": COLUMNS}
MULTI = {
    "METADATA_SPEC_VERSION": "MULTI_TABLE_V1",
    "tables": {
        "guests": {"primary_key": "booking", "columns": COLUMNS},
        "hotels": {"columns": {"id": {"sdtype": "id"}}},
    },
    "relationships": [],
}


def guests(rows: int = 400) -> pd.DataFrame:
    days = pd.Timestamp("2020-01-01") + pd.Series(pd.to_timedelta(RNG.integers(0, 365, rows), "D"))
    return pd.DataFrame(
        {
            "guest_email": [f"guest{i}@hotel{i % 7}.com" for i in range(rows)],
            "booking": [f"B-{i * 7919 % 10**6:06d}" for i in range(rows)],
            "has_rewards": RNG.random(rows) < 0.3,
            "room_type": RNG.choice(["BASIC", "DELUXE", "SUITE"], rows),
            "stars": RNG.integers(1, 60, rows) // 10 * 10.0,
            "floor": RNG.integers(0, 9, rows),
            "amenities_fee": np.round(RNG.lognormal(3, 1, rows), 2),
            "checkin_date": days.dt.strftime("%d %b %Y"),
            "note": ["please wake me"] * rows,
            "anything": RNG.normal(0, 1, rows),
        }
    )


@pytest.mark.parametrize("source", ["a dict", "a file", "one of several"])
def test_metadata_and_a_table_make_a_schema(source: str, tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps(SINGLE))
    given: Any = {"a dict": SINGLE, "a file": tmp_path / "metadata.json", "one of several": MULTI}[source]
    table = guests()
    schema = sv.Schema.from_sdv(given, table=table, name="guests" if source == "one of several" else None)
    kinds = [Personal, Identifier, Boolean, Categorical, Categorical, Numeric, Numeric, Datetime, Text, Numeric]
    assert [type(column) for column in schema] == kinds
    assert schema["stars"].arrow == "double"
    booking, checkin = schema["booking"], schema["checkin_date"]
    assert isinstance(booking, Identifier)
    assert booking.template == "B-{digits:6}"
    assert isinstance(checkin, Datetime)
    assert checkin.format == "%d %b %Y"
    arrow = schema.check(table)
    codec = TableCodec.fit(schema, arrow)
    made = schema.restore(codec.decode(codec.encode(arrow), np.arange(len(table)), 1))
    assert isinstance(made, pd.DataFrame)
    assert (made.dtypes == table.dtypes).all()
    assert not set(made["note"]) & set(table["note"])


def test_without_a_table_it_says_which_columns_need_one() -> None:
    with pytest.raises(SchemaError, match="pass table=") as caught:
        sv.Schema.from_sdv(SINGLE)
    assert len(caught.value.problems) == 4
    known = {name: COLUMNS[name] for name in ("guest_email", "booking", "has_rewards", "floor", "checkin_date")}
    schema = sv.Schema.from_sdv({"columns": known})
    assert [column.kind for column in schema] == ["personal", "identifier", "boolean", "numeric", "datetime"]
    assert schema["floor"].arrow == "int64"


@pytest.mark.parametrize(
    ("metadata", "name", "message"),
    [
        (MULTI, None, "guests, hotels"),
        (MULTI, "rooms", "'rooms'"),
        ({"columns": {}}, None, "at least one column"),
        ({"columns": {"a": {"type": "id"}}}, None, "'sdtype' is missing"),
        ({"columns": {"a": {"sdtype": "id"}}, "primary_key": "b"}, None, "'primary_key'"),
        ({"columns": {"a": {"sdtype": "id"}}}, None, "'a' is not in the table"),
    ],
)
def test_metadata_that_do_not_fit(metadata: dict[str, Any], name: str | None, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        sv.Schema.from_sdv(metadata, table=guests(), name=name)
    assert message in str(caught.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(SchemaError, match=r"broken\.json"):
        sv.Schema.from_sdv(tmp_path / "broken.json")


def test_a_schema_becomes_metadata_and_comes_back() -> None:
    table = guests()
    told = sv.Schema.from_sdv(SINGLE, table=table).to_sdv()
    assert told["METADATA_SPEC_VERSION"] == "SINGLE_TABLE_V1"
    assert told["primary_key"] == "booking"
    for name in ("guest_email", "booking", "has_rewards", "room_type", "floor", "checkin_date", "note"):
        assert told["columns"][name] == COLUMNS[name], name
    again = sv.Schema.from_sdv(json.loads(json.dumps(told)), table=table)
    assert [column.kind for column in again] == [c.kind for c in sv.Schema.from_sdv(SINGLE, table=table)]


@pytest.mark.parametrize(
    ("regex", "template"),
    [
        ("[0-9]{8}", "{digits:8}"),
        (r"ID_\d{4}-[A-Z]{2}", "ID_{digits:4}-{upper:2}"),
        ("U[A-Za-z0-9]{6}", "U{alnum:6}"),
        (r"\[x\]", "[x]"),
        ("[abc]{2}", None),
        ("a+", None),
        ("", None),
    ],
)
def test_regular_expressions_as_templates(regex: str, template: str | None) -> None:
    assert template_of(regex) == template


def test_kinds_can_be_said() -> None:
    table = guests()
    schema = sv.infer_schema(table, kinds={"floor": "numeric", "amenities_fee": "numeric", "room_type": "categorical"})
    assert isinstance(schema["floor"], Numeric)
    with pytest.raises(ParameterError, match="'flor' is no column"):
        sv.infer_schema(table, kinds={"flor": "numeric"})
    with pytest.raises(ParameterError, match="'number' is no kind"):
        sv.infer_schema(table, kinds={"floor": "number"})
    with pytest.raises(SchemaError, match="'room_type' to be numeric"):
        sv.infer_schema(table, kinds={"room_type": "numeric"})
