"""Journeys on samples of real tables, with nothing said about them: infer, fit, sample, check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthvae as sv
from synthvae.evaluation.expectations.judge import check

DATA = Path(__file__).parent.parent / "examples" / "data"
KINDS = {
    "king": {"id": "identifier", "date": "datetime", "price": "numeric", "waterfront": "categorical",
             "zipcode": "categorical", "lat": "numeric", "yr_renovated": "numeric", "sqft_basement": "numeric"},
    "airbnb_nyc": {"neighbourhood": "categorical", "room_type": "categorical", "last_review": "datetime",
                   "latitude": "numeric", "price": "numeric"},
    "porto_taxi": {"id": "identifier", "CALL_TYPE": "categorical", "TIMESTAMP": "datetime", "MISSING_DATA": "boolean"},
}  # fmt: skip


def slowly(*values: str) -> list[Any]:
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


@pytest.mark.parametrize("kind", ["pandas", *slowly("path")])
@pytest.mark.parametrize("name", ["porto_taxi", *slowly("king", "airbnb_nyc")])
@pytest.mark.filterwarnings("ignore::synthvae.errors.CollapseWarning")
def test_a_real_table_comes_back_lawful(name: str, kind: str) -> None:
    path = DATA / f"{name}.csv"
    real = pd.read_csv(path)
    table = real if kind == "pandas" else path
    schema = sv.infer_schema(table)
    assert {column: schema[column].kind for column in KINDS[name]} == KINDS[name]
    model = sv.Synthesizer(schema, epochs=1, random_state=0).fit(table)
    made = model.sample(1000, random_state=0)
    assert list(made.columns) == list(real.columns)
    if kind == "pandas":
        assert made.dtypes.equals(real.dtypes)
    found = check(made, schema)
    assert found.lawful, [outcome.rule.says for outcome in found.broken]
    RULES[name](made)


def _king(made: pd.DataFrame) -> None:
    known = made.dropna(subset=["sqft_basement"])
    assert (known.sqft_above + known.sqft_basement == known.sqft_living).all()
    assert not set(made.id) & set(pd.read_csv(DATA / "king.csv").id)


def _airbnb(made: pd.DataFrame) -> None:
    none = made.number_of_reviews == 0
    assert none.any()
    assert (made.last_review.isna() == none).all()
    assert (made.reviews_per_month.isna() == none).all()


def _porto(made: pd.DataFrame) -> None:
    assert (made.ORIGIN_CALL.isna() == (made.CALL_TYPE != "A")).all()
    assert made.id.is_unique


RULES = {"king": _king, "airbnb_nyc": _airbnb, "porto_taxi": _porto}
