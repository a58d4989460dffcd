"""Journeys: conditions, targets, partial rows, imputation, prediction, scoring, augmentation on a fitted model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthvae as sv
from synthvae.errors import ConditionError, ParameterError, SchemaError
from tests.conftest import mixed_table

pytestmark = pytest.mark.filterwarnings("ignore:Only .* effective latents:synthvae.errors.SynthvaeWarning")
WISHES = {
    "equal": ({"job": "baker"}, lambda t: t.job == "baker"),
    "one of": ({"job": ["baker", "smith"]}, lambda t: t.job.isin(["baker", "smith"])),
    "a range": ({"age": sv.Between(30, 40)}, lambda t: t.age.between(30, 40)),
    "part of a bin": ({"income": sv.Between(20_000.5, 21_000)}, lambda t: t.income.between(20_000.5, 21_000)),
    "null": ({"bonus": sv.NULL}, lambda t: t.bonus.isna()),
    "not null": ({"bonus": sv.NOT_NULL}, lambda t: t.bonus.notna()),
    "dates": ({"since": sv.Between("2019-01-01", "2019-06-30")}, lambda t: t.since.between("2019-01-01", "2019-06-30")),
    "order": ({"job": sv.Between("baker", None)}, lambda t: t.job >= "baker"),
    "several": (
        "30 <= age < 60 and member and job != 'smith' and bonus is not null",
        lambda t: t.age.between(30, 59) & t.member & (t.job != "smith") & t.bonus.notna(),
    ),
}


@pytest.mark.parametrize("name", WISHES)
def test_every_row_is_as_wished(model: sv.Synthesizer, table: pd.DataFrame, name: str) -> None:
    where, holds = WISHES[name]
    made = model.sample(700, where=where, random_state=1)
    assert len(made) == 700
    assert made.dtypes.equals(table.dtypes)
    assert holds(made).all()
    assert made.id.is_unique
    pd.testing.assert_frame_equal(model.sample(300, where=where, random_state=1), made.head(300))
    batches = list(model.stream(700, where=where, batch_rows=333, random_state=1))
    pd.testing.assert_frame_equal(model.schema_.restore(pa.Table.from_batches(batches)), made)


def test_odds_are_probabilities_under_the_model(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    free = model.sample(20_000, random_state=5)
    odds = model.odds("age >= 50 and job == 'lawyer'", random_state=0)
    assert odds.alone["age"] == pytest.approx((free.age >= 50).mean(), abs=0.05)
    assert odds.alone["job"] == pytest.approx((free.job == "lawyer").mean(), abs=0.05)
    assert odds.probability <= min(odds.alone.values()) + 1e-6
    assert odds.effective > 100


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"agee": 3}, "did you mean 'age'"),
        ({"job": "bakr", "age": sv.Between(500, None)}, "(?s)no level 'bakr'.*Did you mean 'baker'.*knows values from"),
        ({"id": "C-00001"}, "identifier"),
        ("age >=", "cannot be read"),
        ({"age": sv.NULL}, "has no nulls"),
    ],
)
def test_conditions_that_cannot_be_met(model: sv.Synthesizer, where: object, says: str) -> None:
    with pytest.raises(ConditionError, match=says):
        model.sample(5, where=where)  # type: ignore[arg-type]


def test_writing_under_a_condition(model: sv.Synthesizer, tmp_path: Path) -> None:
    model.write(tmp_path / "old.parquet", 600, "age >= 60", random_state=2)
    assert (pq.read_table(tmp_path / "old.parquet")["age"].to_numpy() >= 60).all()


# --- shares -----------------------------------------------------------------------------------------------------------


def test_targets_set_the_shares_of_several_columns_at_once(model: sv.Synthesizer) -> None:
    targets = {"job": {"lawyer": 0.7, "smith": 0.1}, "member": {True: 0.5}}
    made = model.sample(4000, targets=targets, random_state=3)
    shares = made.job.value_counts(normalize=True)
    assert shares["lawyer"] == pytest.approx(0.7, abs=0.03)
    assert shares["baker"] == pytest.approx(0.2, abs=0.03)
    assert made.member.mean() == pytest.approx(0.5, abs=0.03)
    both = model.sample(500, "age >= 40", {"job": {"baker": 1.0}}, random_state=3)
    assert ((both.age >= 40) & (both.job == "baker")).all()


@pytest.mark.slow
def test_weights_shift_what_is_learned() -> None:
    table = mixed_table(2000)
    weights = np.where(table.job == "baker", 8.0, 1.0)
    plain, heavy = (
        sv.Synthesizer(epochs=3, random_state=0).fit(table[["age", "job"]], sample_weight=w) for w in (None, weights)
    )
    wanted = weights[table.job == "baker"].sum() / weights.sum()
    shares = [(m.sample(4000, random_state=1).job == "baker").mean() for m in (plain, heavy)]
    assert shares[0] == pytest.approx((table.job == "baker").mean(), abs=0.05)
    assert shares[1] == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("weights", [[1.0], [-1.0] * 600, [np.nan] * 600, ["a"] * 600, [0] * 600])
def test_weights_that_are_none(table: pd.DataFrame, weights: object) -> None:
    with pytest.raises(ParameterError, match="sample_weight must be 600 numbers"):
        sv.Synthesizer(epochs=1).fit(table, sample_weight=weights)


@pytest.mark.slow
def test_augmenting_balances_and_says_what_it_brings(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    some = table.head(400)
    got = model.augment(some, "job", holdout=mixed_table(500, seed=9), random_state=0)
    counts = got.table.job.value_counts()
    assert len(got.table) == 400 + got.added
    assert counts.max() - counts.min() < 0.1 * counts.max() + 20
    pd.testing.assert_frame_equal(got.table.head(400), some)
    assert got.lift.value is not None
    assert got.lift.measure == "AUC"
    assert "gain" in got.lift.note or "loss" in got.lift.note
    assert "no hold-out" in model.augment(some, "age", rows=7, random_state=0).lift.note


# --- holes ------------------------------------------------------------------------------------------------------------


def test_partial_rows_are_completed_in_their_order(model: sv.Synthesizer) -> None:
    part = pd.DataFrame({"job": ["baker", None, "lawyer"] * 200, "age": [30, 41, np.nan] * 200}, index=range(7, 607))
    made = model.sample(where=part, random_state=4)
    assert made.index.equals(part.index)
    assert list(made.columns) == list(model.schema_.names)
    assert (made.job[part.job.notna()] == part.job[part.job.notna()]).all()
    assert (made.age[part.age.notna()] == part.age[part.age.notna()]).all()
    assert made.job.notna().all()
    assert made.dtypes.equals(model.sample(1).dtypes)
    assert made.bonus.isna().any()
    pd.testing.assert_frame_equal(model.sample(where=part.head(520), random_state=4), made.head(520))
    with pytest.raises(ParameterError, match="600 partial rows gives as many"):
        model.sample(5, where=part)
    with pytest.raises(SchemaError, match="'jobs' is not in the schema"):
        model.sample(where=part.rename(columns={"job": "jobs"}))


def test_imputing_fills_holes_and_touches_nothing_else(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    holed = table.copy()
    holed.loc[::3, "age"] = 0
    holed["age"] = holed["age"].astype("Int64").mask(holed.index % 3 == 0)
    holed.loc[::5, "job"] = None
    holed.loc[::7, "since"] = pd.NaT
    filled = model.impute(holed, random_state=0)
    assert not filled.isna().any().any()
    assert filled.age.dtype == "Int64"
    for name in holed:
        known = holed[name].notna()
        assert (filled.loc[known, name] == holed.loc[known, name]).all()
    drawn = model.impute(holed, draws=2, random_state=0)
    assert len(drawn) == 2
    assert not drawn[0].isna().any().any()
    assert (drawn[0].age != drawn[1].age).any()


@pytest.mark.slow
def test_imputing_learns_from_the_other_cells() -> None:
    """A table in which one column says the other."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, 3000)
    table = pd.DataFrame({"x": x, "y": np.array(list("abcdef"))[x], "z": x * 100.0 + rng.integers(0, 9, 3000)})
    model = sv.Synthesizer(epochs=60, random_state=0).fit(table)
    holed = table.head(300).assign(y=None, x=table.x.head(300).astype("Int64"))
    filled = model.impute(holed)
    assert (filled.y == table.y.head(300)).mean() > 0.9
    odds = model.predict_proba(table.head(300).drop(columns="x"), "y")
    assert (odds.idxmax(axis=1) == table.y.head(300)).mean() > 0.9
    gone = model.impute(table.head(300).drop(columns="z"))
    assert (gone.z - table.z.head(300)).abs().median() < 15


@pytest.mark.parametrize("kind", ["arrow", "polars"])
def test_tables_of_every_kind_come_back_as_their_kind(model: sv.Synthesizer, table: pd.DataFrame, kind: str) -> None:
    part = pa.Table.from_pandas(table.head(20)[["age", "income"]], preserve_index=False)
    given = part if kind == "arrow" else pl.from_arrow(part)
    made = model.impute(given)
    assert isinstance(made, type(given))
    assert len(made) == 20


def test_probabilities_of_a_target(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    odds = model.predict_proba(table.head(50), "job")
    assert list(odds.columns) == ["smith", "baker", "lawyer"]
    assert odds.index.equals(table.head(50).index)
    np.testing.assert_allclose(odds.sum(axis=1), 1, rtol=1e-6)
    pd.testing.assert_frame_equal(model.predict_proba(table.head(50).drop(columns="job"), "job"), odds)
    with pytest.raises(ParameterError, match=r"'income' .numeric. has no list of values"):
        model.predict_proba(table, "income")
    with pytest.raises(ParameterError, match="no column 'jobs'"):
        model.predict_proba(table, "jobs")


def test_scores_tell_likely_rows_from_shuffled_ones(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    fresh = mixed_table(600, seed=8)
    scored = model.log_prob(fresh)
    assert scored.index.equals(fresh.index)
    assert np.isfinite(scored).all()
    pd.testing.assert_series_equal(scored, model.log_prob(fresh))
    odd = fresh.assign(bonus=fresh.bonus.sample(frac=1, random_state=0).to_numpy())
    assert model.log_prob(odd).mean() < scored.mean()


# --- rules ------------------------------------------------------------------------------------------------------------


def test_unique_columns_are_unique_within_a_call_whatever_the_batches() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"room": rng.integers(0, 30, 900), "day": rng.integers(0, 60, 900), "x": rng.normal(size=900)})
    table = table.drop_duplicates(["room", "day"])
    schema = sv.infer_schema(table).with_constraints(sv.Unique(("room", "day")))
    model = sv.Synthesizer(schema, epochs=2, random_state=0).fit(table)
    made = model.sample(800, random_state=1)
    assert not made.duplicated(["room", "day"]).any()
    batches = pa.Table.from_batches(list(model.stream(800, batch_rows=100, random_state=1)))
    assert not batches.to_pandas().duplicated(["room", "day"]).any()
    with pytest.raises(ConditionError, match="did not meet a rule or condition"):
        model.sample(70, where={"room": 3}, random_state=1)


@pytest.mark.slow
def test_conditions_on_columns_that_rules_compute() -> None:
    rng = np.random.default_rng(0)
    net = rng.integers(10, 500, 1500)
    tax = rng.integers(1, 90, 1500)
    city = rng.choice(["Ulm", "Bonn", "Graz"], 1500)
    land = np.where(city == "Graz", "AT", "DE")
    table = pd.DataFrame({"net": net, "tax": tax, "gross": net + tax, "city": city, "land": land})
    schema = sv.infer_schema(table).without_constraints()
    schema = schema.with_constraints(sv.Sum(("net", "tax"), "gross"), sv.FunctionalDependency(("city",), ("land",)))
    model = sv.Synthesizer(schema, epochs=3, random_state=0).fit(table)
    made = model.sample(300, where="gross >= 300 and land == 'AT'", random_state=1)
    assert (made.gross >= 300).all()
    assert (made.city == "Graz").all()
    assert (made.net + made.tax == made.gross).all()
    odds = model.predict_proba(table.head(20).drop(columns="city"), "land")
    assert list(odds.columns) == ["DE", "AT"] or list(odds.columns) == ["AT", "DE"]
    shares = model.sample(600, targets={"land": {"AT": 0.5}}, random_state=1).land.value_counts(normalize=True)
    assert shares["AT"] == pytest.approx(0.5, abs=0.08)
    holed = table.head(60).astype({"tax": "Int64"})
    holed.loc[::2, "tax"] = None
    assert (model.impute(holed).tax == table.tax.head(60)).all()  # what a sum decides is computed
    with pytest.raises(ConditionError, match="follow from others"):
        model.odds({"gross": sv.Between(300, None)})
