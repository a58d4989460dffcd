"""Somebody's data: recognised, never learned, minted for one invented person per row."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from faker import Faker

from synthvae import infer_schema
from synthvae.codecs.personal import MINTS
from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError, SchemaError
from synthvae.schema.checkdigits import ean, luhn, mod97
from synthvae.schema.columns import CATEGORIES, Categorical, Column, Personal
from synthvae.schema.schema import Schema
from synthvae.tables import read

ROWS = 300


def real() -> pd.DataFrame:
    """Customers as a shop would keep them."""
    fake = Faker("en_US")
    fake.seed_instance(11)
    made: dict[str, Any] = {
        "first_name": fake.first_name, "last_name": fake.last_name, 
        "customer_name": lambda: fake.name().split(". ")[-1],
        "email": fake.email, "phone": fake.phone_number, "address": lambda: fake.address().replace("\n", ", "),
        "iban": fake.iban, "card": fake.credit_card_number, "ssn": fake.ssn, "ip": fake.ipv4, "homepage": fake.url,
        "company": fake.company,
    }  # fmt: skip
    return pd.DataFrame({name: [make() for _ in range(ROWS)] for name, make in made.items()})


WANTED = {"first_name": "first_name", "last_name": "last_name", "customer_name": "name", "email": "email",
          "phone": "phone", "address": "address", "iban": "iban", "card": "credit_card", "ssn": "ssn", "ip": "ip",
          "homepage": "url", "company": "company"}  # fmt: skip


def minted(table: pd.DataFrame, rows: Any = range(ROWS), seed: int = 1) -> pd.DataFrame:
    arrow, _ = read(table)
    codec = TableCodec.fit(infer_schema(arrow), arrow)
    numbers = np.asarray(rows)
    tokens = codec.encode(arrow)[numbers % len(table)]
    return codec.decode(tokens, numbers, seed).to_pandas()


def test_every_category_is_recognised() -> None:
    schema = infer_schema(real())
    found = {column.name: column.category for column in schema if isinstance(column, Personal)}
    assert found == WANTED


def test_a_column_of_common_names_is_personal_all_the_same() -> None:
    column = infer_schema(pd.DataFrame({"host_name": ["Ann", "Bob", "Eve", *"CDFGHIJKL"] * 30}))["host_name"]
    assert isinstance(column, Personal)
    assert column.category == "first_name"


def test_nothing_of_anybody_is_kept_or_minted() -> None:
    table = real()
    arrow, _ = read(table)
    codec = TableCodec.fit(infer_schema(arrow), arrow)
    told = codec.schema.to_json() + json.dumps(codec.state()[0])
    made = minted(table)
    for name in table:
        assert not any(value in told for value in table[name])
    for name in ("email", "phone", "iban", "card", "ssn", "ip", "homepage"):
        assert not set(made[name]) & set(table[name])


def test_a_row_is_one_person_wherever_it_is_asked_for() -> None:
    made = minted(real())
    for first, last, name, email in zip(made.first_name, made.last_name, made.customer_name, made.email, strict=True):
        assert name == f"{first} {last}"
        assert email.startswith(re.sub("[^a-z]", "", first.lower()) + "." + re.sub("[^a-z]", "", last.lower()))
        assert email.split("@")[1] in ("example.com", "example.org", "example.net")
    pd.testing.assert_frame_equal(minted(real(), range(40, 50)), made.iloc[40:50].reset_index(drop=True))
    assert not minted(real(), seed=2)["email"].equals(made["email"])


def test_check_digits_are_lawful_and_keys_unique() -> None:
    made = minted(real())
    for number in made["card"]:
        digits = np.array([[int(sign) for sign in number]])
        assert luhn(digits[:, :-1])[0] == digits[0, -1]
    for account in made["iban"]:
        assert int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1
    for name in ("phone", "iban", "card", "ssn", "ip"):
        assert made[name].is_unique, name
    assert made["ssn"].str.fullmatch(r"9\d\d-\d\d-\d{4}").all()
    assert made["ip"].str.startswith("10.").all()


def test_known_check_digits() -> None:
    def digits(text: str) -> np.ndarray[Any, Any]:
        return np.array([[int(sign, 36) for sign in text]])

    assert luhn(digits("453914880343646"))[0] == 7
    assert ean(digits("978030640615"))[0] == 7
    assert ean(digits("400638133393"))[0] == 1
    assert mod97(digits("WEST12345698765432GB"))[0] == 82


def test_gaps_are_learned() -> None:
    table = real()[["email", "first_name"]]
    table.loc[::3, "email"] = None
    made = minted(table)
    assert made["email"].isna().tolist() == table["email"].isna().tolist()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", ["red", "green", "blue"] * 100),
        ("city", [f"Town {i % 12}" for i in range(300)]),
        ("company", [f"Firm {i % 12}" for i in range(300)]),
        ("url", [f"https://shop/{i % 12}" for i in range(300)]),
        ("card", ["visa", "master"] * 150),
        ("email_sent", ["yes", "no"] * 150),
    ],
)
def test_levels_stay_levels(name: str, values: list[str]) -> None:
    assert isinstance(infer_schema(pd.DataFrame({name: values}))[name], Categorical)


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "fr_FR"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_in_every_locale(category: str, locale: str) -> None:
    column = Personal(name="x", arrow="string", category=category, locale=locale)
    table = pa.table({"x": ["x"] * 50})
    codec = TableCodec.fit(Schema((column,)), table)
    made = codec.decode(codec.encode(table), np.arange(50), 3)["x"]
    assert made.type == pa.string()
    assert pc.min(pc.utf8_length(made)).as_py() > 0
    assert len(pc.unique(made)) > 5


def test_categories_are_those_that_can_be_minted() -> None:
    assert set(MINTS) == set(CATEGORIES)


@pytest.mark.parametrize(
    ("facts", "problem"), [({"category": "shoe"}, "'category'"), ({"locale": "english"}, "'locale'")]
)
def test_what_a_personal_column_cannot_be(facts: dict[str, str], problem: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema((Personal(name="x", arrow="string", **facts),))  # type: ignore[arg-type]
    assert problem in "\n".join(caught.value.problems)


def test_errors_say_what_to_do() -> None:
    column: Column = Personal(name="x", arrow="string", locale="xx_XX")
    table = pa.table({"x": ["x"] * 50})
    codec = TableCodec.fit(Schema((column,)), table)
    with pytest.raises(SchemaError, match="Faker"):
        codec.decode(codec.encode(table), np.arange(50), 3)
    column = Personal(name="x", arrow="string", category="email", unique=True)
    codec = TableCodec.fit(Schema((column,)), table)
    with pytest.raises(ParameterError, match="unique=False"):
        codec.decode(codec.encode(table), np.arange(10**8, 10**8 + 50), 3)
