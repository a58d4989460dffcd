"""Directions and counterfactuals: on a table in which it is known what has to change with what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from synthvae.errors import ConditionError, NotFittedError, ParameterError, SynthvaeWarning


def ladder(rows: int = 2500, seed: int = 0) -> pd.DataFrame:
    """A hidden rank decides rank, pay and car; sex has nothing to do with it."""
    rng = np.random.default_rng(seed)
    rank = rng.integers(0, 3, rows)
    return pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], rows),
            "rank": np.array(["clerk", "chief", "head"])[rank],
            "pay": 1000 * (rank + 1) + rng.integers(0, 200, rows),
            "car": np.where(rng.random(rows) < 0.95, rank == 2, rank != 2),
        }
    )


@pytest.fixture(scope="module")
def firm() -> sv.Synthesizer:
    return sv.Synthesizer(epochs=20, random_state=0).fit(ladder())


@pytest.mark.parametrize("value", ["head", sv.OneOf("chief", "head")])
def test_a_direction_leads_to_its_attribute(firm: sv.Synthesizer, value: object) -> None:
    way = firm.direction("rank", value)
    assert np.linalg.norm(way) == pytest.approx(1)
    assert list(way.index) == [f"z{i}" for i in range(16)]
    pd.testing.assert_series_equal(firm.direction("rank", value), way)
    z = np.random.default_rng(0).normal(size=(500, 16))
    wanted = ["head"] if value == "head" else ["chief", "head"]
    low, high = (firm.decode(z + s * way.to_numpy(), random_state=1) for s in (-2, 2))
    assert high["rank"].isin(wanted).mean() > low["rank"].isin(wanted).mean() + 0.3
    assert high.pay.mean() > low.pay.mean() + 300  # what goes with it comes along
    assert abs((high.sex == "f").mean() - (low.sex == "f").mean()) < 0.2  # what does not stays
    spread = np.random.default_rng(1).normal(size=16)
    other = z + 2 * spread / np.linalg.norm(spread)
    assert firm.decode(other, random_state=1)["rank"].isin(wanted).mean() < high["rank"].isin(wanted).mean()


def test_opposite_values_lie_opposite(firm: sv.Synthesizer) -> None:
    assert firm.direction("car", True) @ firm.direction("car", False) < -0.9


def test_a_direction_that_the_latent_does_not_tell_warns() -> None:
    rng = np.random.default_rng(0)
    noise = pd.DataFrame({"a": rng.choice(list("xy"), 900), "b": rng.choice(list("xyz"), 900)})
    model = sv.Synthesizer(epochs=1, random_state=0).fit(noise)
    for variable in model.vae_.decoder.trunks[0].latent.trainable_variables:
        variable.assign(np.zeros(variable.shape))  # a decoder that does not listen to z
    with pytest.warns(SynthvaeWarning, match="hardly tells 'a'"):
        model.direction("a", "x")


@pytest.mark.slow
def test_a_counterfactual_changes_what_must_change(firm: sv.Synthesizer) -> None:
    row = {"sex": "f", "rank": "clerk", "pay": 1100, "car": False}
    found = firm.counterfactual(row, {"rank": "head"}, keep=["sex"], n=20)
    rows, facts = found.rows, found.facts
    assert len(rows) == len(facts) == 20
    assert rows.dtypes.equals(ladder(10).dtypes)
    assert (rows["rank"] == "head").all()
    assert (rows.sex == "f").all()
    best = rows.iloc[0]
    assert facts.plausible[0]
    assert best.pay > 2000  # 1,100 does not go with a head
    assert (rows.pay > 3000).mean() > 0.8  # as heads earn; the model of few epochs has some that do not
    assert facts["columns"][0].split(", ")[0] == "rank"
    plausible = facts[facts.plausible]
    assert plausible.changed.is_monotonic_increasing
    for i, line in enumerate(facts["columns"]):
        changed = set(line.split(", "))
        assert all(rows.iloc[i][name] == value for name, value in row.items() if name not in changed)
    again = firm.counterfactual(pd.Series(row), "rank == 'head'", keep=["sex"], n=20)
    pd.testing.assert_frame_equal(again.rows, rows)


def test_a_row_that_is_as_wished_stays(firm: sv.Synthesizer) -> None:
    row = ladder(1)
    found = firm.counterfactual(row, {"pay": sv.Between(0, 5000)}, n=3)
    pd.testing.assert_frame_equal(found.rows, row)
    assert found.facts.changed.tolist() == [0]


def test_ranges_are_met_by_the_nearest_of_their_values(firm: sv.Synthesizer) -> None:
    found = firm.counterfactual(ladder(1, seed=3), {"pay": sv.Between(2050, 2100)}, n=5)
    assert found.rows.pay.between(2050, 2100).all()
    assert (found.rows["rank"] == "chief").sum() >= 4  # of many candidates a few draws may flatter one


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda m, t: m.direction("ran", "head"), ParameterError, "no column 'ran'"),
        (lambda m, t: m.direction("rank", "boss"), ConditionError, "no level 'boss'"),
        (lambda m, t: m.counterfactual(t, {"rank": "head"}, keep=["rank"]), ConditionError, "'rank': to be kept"),
        (lambda m, t: m.counterfactual(t, {"rank": "head"}, keep=["six"]), ParameterError, "no column 'six'"),
        (lambda m, t: m.counterfactual(t, {"pay": sv.Between(90_000, None)}), ConditionError, "knows values from"),
        (lambda m, t: m.counterfactual(t, {"rank": "head"}, n=0), ParameterError, "n must be"),
        (lambda m, t: m.counterfactual(pd.concat([t, t]), {"rank": "head"}), ParameterError, "row must be one row"),
    ],
)
def test_bad_input(firm: sv.Synthesizer, ask: object, error: type[Exception], says: str) -> None:
    row = pd.DataFrame({"sex": ["f"], "rank": ["clerk"], "pay": [1100], "car": [False]})
    with pytest.raises(error, match=says):
        ask(firm, row)  # type: ignore[operator]
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ask(sv.Synthesizer(), row)  # type: ignore[operator]
