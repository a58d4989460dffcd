"""Rules through a whole fit: every synthetic row keeps them, whatever the model has learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
import synthvae.errors
from synthvae.codecs.table import TableCodec
from synthvae.evaluation.expectations import check
from tests.test_constraints_propose import planted

ROWS = 600


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return planted(1).drop(columns=["noise", "year", "is 0", "is 1", "is 2", "is 3"])  # a smaller network


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> sv.Synthesizer:
    return sv.Synthesizer(epochs=1, random_state=0).fit(table)


def test_every_row_keeps_what_was_found(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    fake = model.sample(ROWS, random_state=1)
    assert len(model.schema_.constraints) == 7
    assert fake.dtypes.equals(table.dtypes)
    assert list(fake) == list(table)
    model.schema_.check(fake)
    assert (fake["p"] + fake["q"] + fake["r"] == fake["all"]).all()
    assert (fake["stop"] >= fake["start"]).all()
    assert (fake["last"].isna() == (fake["visits"] == 0)).all()
    assert ((fake["redone"] == 0) | (fake["redone"] >= fake["built"])).all()
    assert np.allclose(fake["sugar"] + fake["salt"] + fake["flour"], 1)
    assert (fake["amount"] - fake["price"] * fake["pieces"]).abs().max() < 0.0051
    assert set(zip(fake["city"], fake["state"], strict=True)) <= set(zip(table["city"], table["state"], strict=True))


@pytest.mark.usefixtures("eagerly")
def test_a_saved_model_keeps_them_too(model: sv.Synthesizer, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthvae")
    again = sv.load(tmp_path / "m.synthvae")
    pd.testing.assert_frame_equal(again.sample(50, random_state=1), model.sample(50, random_state=1))
    assert again.schema_ == model.schema_


def test_what_is_computed_is_told(model: sv.Synthesizer) -> None:
    codec = model.codec_
    computed = {"stop", "amount", "last", "redone", "city", "state", "all"}
    assert codec.rewritten >= computed
    assert codec.rewritten - computed <= {"sugar", "salt", "flour"}
    assert not codec.rewritten & {"start", "price", "pieces", "visits", "built", "p", "q", "r"}
    assert {name.removeprefix("nats ") for name in model.history_ if name.startswith("nats ")} <= {*codec.schema.names}


def test_an_order_whose_distances_are_harder_is_left_to_drawing_again() -> None:
    """A grade from 0 to 3 below a sum of many is not learned as what the sum has above it."""
    rng = np.random.default_rng(0)
    grades = rng.choice(4, (3000, 10), p=[0.6, 0.2, 0.1, 0.1])
    table = pd.DataFrame({"a": grades[:, 0], "b": grades[:, 1], "total": grades.sum(axis=1)})
    sent = rng.integers(0, 1000, 3000)
    table = table.assign(sent=sent, arrived=sent + rng.integers(0, 5, 3000))
    rules = [sv.Inequality((name, "total"), strict=False) for name in ("a", "b")]
    rules.append(sv.Inequality(("sent", "arrived"), strict=False))
    schema = sv.infer_schema(table, rules=False).with_constraints(*rules)
    codec = TableCodec.fit(schema, schema.check(table))
    assert codec.rewritten == {"arrived", "total"}  # one grade may be below the total's distance from another
    tokens = codec.encode(schema.check(table))
    shuffled = np.stack([rng.permutation(column) for column in tokens.T], axis=1)
    for each in (codec, TableCodec.from_state(codec.schema, codec.state())):
        arrow = each.decode(shuffled, np.arange(3000), 0)
        drawn = arrow.to_pandas()
        above = drawn[["a", "b"]].max(axis=1) > drawn["total"]
        assert 10 < above.sum() < 1500
        np.testing.assert_array_equal(each.broken(arrow), above)
        assert drawn["arrived"].sub(drawn["sent"]).between(0, 4).all()
        assert set(drawn["a"]) == set(drawn["b"]) == set(range(4))


def test_check_asks_for_the_rules(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    fake = model.sample(ROWS, random_state=2)
    asked = {outcome.rule.says: outcome for outcome in check(fake, model.schema_).outcomes if outcome.rule.between}
    assert len(asked) == 7
    assert all(outcome.verdict == "met" for outcome in asked.values())
    broken = check(fake.assign(all=fake["all"] + 1), model.schema_)
    (outcome,) = (each for each in broken.outcomes if each.rule.between and each.verdict == "broken")
    assert outcome.broken == outcome.rows == ROWS
    gone = check(fake.drop(columns="all"), model.schema_)
    assert [each.note for each in gone.outcomes if each.rule.between and each.verdict == "not judged"] == [
        "one of its columns is missing"
    ]


@pytest.mark.slow
def test_rare_combinations_are_folded_and_told(table: pd.DataFrame) -> None:
    rare = table[["city", "state", "p"]].copy()
    rare.loc[:2, ["city", "state"]] = ["nowhere", "no state"]
    schema = sv.infer_schema(rare, rules=False).with_constraints(sv.FixedCombinations(("city", "state")))
    model = sv.Synthesizer(schema, epochs=1, random_state=0).fit(rare)
    assert model.codec_.reports["city"].folded_rows == 3
    assert "3 of 3000" in model.codec_.reports["city"].notes[0]
    assert "nowhere" not in str(model.codec_.state())
    assert "nowhere" not in set(model.sample(2000, random_state=0)["city"])
    strict = sv.FixedCombinations(("p", "city"))
    few = sv.Synthesizer(sv.infer_schema(rare, rules=False).with_constraints(strict), epochs=1)
    with pytest.raises(sv.errors.SchemaError, match="none of so many; drop the constraint"):
        few.fit(rare.assign(p=np.arange(len(rare))))


def test_what_cannot_be_rewritten_is_left_to_be_drawn_again(table: pd.DataFrame) -> None:
    some = table[["p", "q"]]
    rules = (sv.Predicate("p and q", lambda frame: frame["p"] < 480), sv.Unique(("p", "q")))
    schema = sv.infer_schema(some, rules=False).with_constraints(rules[0])
    with pytest.raises(sv.errors.SchemaError, match="the rule 'p and q'"):
        sv.Synthesizer(schema, epochs=1).fit(some)
    lawful = some[some["p"] < 480].drop_duplicates()
    model = sv.Synthesizer(schema.with_constraints(rules[1]), epochs=1, random_state=0).fit(lawful)
    assert model.codec_.unique == (("p", "q"),)
    assert model.codec_.rewritten == frozenset()
    made = schema.check(lawful.assign(p=lawful["p"].clip(0, 400)))
    assert not model.codec_.broken(made).any()
    raw = pd.DataFrame({"p": [0, 490], "q": [1, 1]})
    found = model.codec_.broken(sv.infer_schema(some, rules=False).check(raw))
    assert found.tolist() == [False, True]


@pytest.mark.filterwarnings("ignore::synthvae.errors.CollapseWarning")
def test_a_rule_that_held_out_rows_break_is_no_rule() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"low": rng.integers(0, 500, 400), "step": rng.integers(1, 40, 400)})
    table = table.assign(high=table.low + table.step)
    assert sv.infer_schema(table).constraints
    others = table.head(40).assign(high=0)
    model = sv.Synthesizer(epochs=1, random_state=0).fit(table, validation=others)
    assert model.schema_.constraints == ()
    assert sv.Synthesizer(epochs=1, random_state=0).fit(table, validation=table.head(40)).schema_.constraints


@pytest.mark.parametrize(
    "models", [5, pytest.param(120, marks=pytest.mark.slow)]
)  # 30 combinations are one block, 720 are two
def test_what_is_known_of_a_combination_is_kept(models: int) -> None:
    rng = np.random.default_rng(0)
    model = rng.permutation(6480) % (6 * models)
    cars = pd.DataFrame({"model": model, "price": rng.normal(20, 3, len(model)).round(1)})
    cars = cars.assign(brand=[f"B{i // models}" for i in model], model=[f"M{i}" for i in model])
    schema = sv.infer_schema(cars, rules=False).with_constraints(sv.FixedCombinations(("brand", "model")))
    fitted = sv.Synthesizer(schema, epochs=1, random_state=0).fit(cars)
    of_model = dict(zip(cars["model"], cars["brand"], strict=True))
    some = cars.head(400)
    for holed in (some.assign(brand=None), some.assign(model=None)):
        for filled in (fitted.impute(holed), *fitted.impute(holed, draws=1), fitted.sample(where=holed)):
            known = "brand" if holed["model"].isna().all() else "model"
            assert (filled[known] == some[known]).all()
            assert (filled["model"].map(of_model) == filled["brand"]).all()
    drawn = fitted.sample(where=some.assign(model=None), random_state=1)
    assert drawn["model"].nunique() > models  # not one for each brand
    pd.testing.assert_frame_equal(fitted.sample(where=some.head(9).assign(model=None), random_state=1), drawn.head(9))
    asked = fitted.sample(50, where={"brand": "B3"}, random_state=0)
    assert (asked["brand"] == "B3").all()
    if models == 5:
        odds = fitted.predict_proba(some.drop(columns="brand"), "brand")
        assert (odds.idxmax(axis=1) == some["brand"]).all()
        assert odds.max(axis=1).min() > 0.999
    else:
        with pytest.raises(synthvae.errors.ParameterError, match="no list of values"):
            fitted.predict_proba(some, "brand")
