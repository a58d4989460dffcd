"""Journeys through the latent space of a fitted model: there and back, along it, and what is near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae.errors import ConditionError, NotFittedError, ParameterError, SchemaError, TableError
from synthvae.generation.path import great_circle
from tests.awkward import GOOD


def test_encoding_keeps_rows_and_takes_holes(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    some = table.iloc[5:605:2].sample(frac=1, random_state=0)
    z, deviation = model.encode(some, std=True)
    assert list(z.columns) == [f"z{i}" for i in range(16)]
    assert z.index.equals(some.index)
    assert (deviation > 0).all(axis=None)
    pd.testing.assert_frame_equal(model.encode(some), z)
    np.testing.assert_allclose(model.encode(some.tail(7)), z.tail(7), atol=1e-5)  # wherever a row stands
    part = some.drop(columns=["since", "bonus"]).assign(job=some.job.where(some.age > 40, None))
    holed = model.encode(part)
    told, hidden = some.job.notna() & (some.age > 40), some.age <= 40
    whole = model.encode(some.drop(columns=["since", "bonus"]))
    np.testing.assert_allclose(holed[told], whole[told], atol=1e-5)
    assert ((holed - whole).abs().max(axis=1)[hidden] > 1e-4).all()
    # a null where nulls are values is one, a missing column is not known
    null = some.assign(bonus=np.nan)
    assert ((model.encode(null) - model.encode(some.drop(columns="bonus"))).abs().max(axis=1) > 1e-4).all()


def test_what_is_known_sharpens_the_latent(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    deviations = [model.encode(table[columns], std=True)[1] for columns in (["age"], list(table))]
    assert np.log(deviations[1]).sum(axis=1).mean() < np.log(deviations[0]).sum(axis=1).mean()


def test_decoding_is_told_by_the_latent_alone(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    z = model.encode(table.head(600))
    likely = model.decode(z)
    assert likely.dtypes.equals(table.dtypes)
    assert likely.index.equals(z.index)
    pd.testing.assert_frame_equal(model.decode(z.tail(50)).drop(columns="id"), likely.tail(50).drop(columns="id"))
    pd.testing.assert_frame_equal(model.decode(z.to_numpy()), likely)
    drawn = model.decode(z, random_state=1)
    pd.testing.assert_frame_equal(drawn, model.decode(z, random_state=1))
    assert (drawn.age != likely.age).any()
    assert drawn.income.std() > likely.income.std()  # a median has less spread than draws
    pd.testing.assert_frame_equal(model.reconstruct(table), likely)
    assert len(model.decode(z.head(0))) == 0


@pytest.mark.slow
def test_the_latent_tells_what_rows_have_in_common() -> None:
    """One hidden cause behind three columns: it is what the latent keeps."""
    rng = np.random.default_rng(0)
    cause = rng.integers(0, 4, 2000)
    noisy = [np.where(rng.random(2000) < 0.9, cause, rng.integers(0, 4, 2000)) for _ in range(3)]
    told = pd.DataFrame({f"c{i}": np.array(list("abcd"))[x] for i, x in enumerate(noisy)})
    model = sv.Synthesizer(epochs=30, random_state=0).fit(told)
    assert (model.reconstruct(told) == told).mean(axis=None) > 0.75  # a guess without z: 0.25
    same = told[(told.c0 == "a") & (told.c1 == "a") & (told.c2 == "a")].head(1)
    near = model.neighbours(told, same, k=20)
    assert (told.loc[near.neighbour] == "a").mean(axis=None) > 0.9


@pytest.mark.parametrize("steps", [2, 3, 6])
def test_a_path_ends_at_its_rows(model: sv.Synthesizer, table: pd.DataFrame, steps: int) -> None:
    a, b = table.iloc[[0]], table.iloc[[9]]
    path = model.interpolate(a, b, steps)
    assert len(path) == steps
    assert path.dtypes.equals(table.dtypes)
    pd.testing.assert_frame_equal(path.iloc[[0]], a)
    pd.testing.assert_frame_equal(path.iloc[[-1]].reset_index(drop=True), b.reset_index(drop=True))
    path = model.interpolate(a, a, steps)
    assert (path.drop(columns="id").nunique(dropna=False) == 1).all()


def test_a_path_holds_conditions_and_what_its_ends_share(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    bakers = table[(table.job == "baker") & (table.age >= 30) & (table.age <= 60) & table.bonus.isna()]
    a, b = bakers.iloc[0], bakers.iloc[1]
    path = model.interpolate(a, dict(b), 9, where="30 <= age <= 60")
    assert path.age.between(30, 60).all()
    assert (path.job == "baker").all()
    assert path.bonus.isna().all()
    assert path.age.iloc[0] == a.age
    with pytest.raises(ConditionError, match="row_a is not as wished in column 'age'"):
        model.interpolate(a.replace(a.age, 29), b, 4, where="30 <= age <= 60")


def test_rows_with_holes_are_filled_at_the_ends(model: sv.Synthesizer) -> None:
    path = model.interpolate({"age": 30, "job": "baker"}, {"age": 60, "job": None}, 4)
    assert path.age.iloc[[0, -1]].tolist() == [30, 60]
    assert path.job.iloc[0] == "baker"
    assert path.drop(columns="bonus").notna().all(axis=None)


def test_great_circles_turn_and_stretch_evenly() -> None:
    points = great_circle(np.array([1.0, 0.0]), np.array([0.0, 3.0]), np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(points, [[1, 0], [2**0.5, 2**0.5], [0, 3]], atol=1e-12)
    straight = great_circle(np.array([1.0, 0.0]), np.array([3.0, 0.0]), np.array([0.5]))
    np.testing.assert_allclose(straight, [[2, 0]])
    np.testing.assert_allclose(great_circle(np.zeros(2), np.array([2.0, 0.0]), np.array([0.25])), [[0.5, 0]])


def test_traversing_moves_one_dimension(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    row = table.iloc[3]
    values = [-2.0, 0.0, 2.0]
    moved = model.traverse(row, "z3", values)
    assert moved.index.tolist() == values
    assert moved.index.name == "z3"
    z = np.repeat(model.encode(table.iloc[[3]]).to_numpy(), 3, axis=0)
    z[:, 3] = values
    pd.testing.assert_frame_equal(model.decode(z).set_axis(moved.index), moved)
    pd.testing.assert_frame_equal(model.traverse(row, 3, values), moved)


def test_a_rows_nearest_neighbour_is_itself(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    named = table.set_axis([f"r{i}" for i in range(len(table))])
    near = model.neighbours(named, named.iloc[[4, 20]], k=3)
    assert list(near.columns) == ["row", "rank", "neighbour", "distance"]
    assert near.row.tolist() == ["r4"] * 3 + ["r20"] * 3
    assert near.neighbour[near["rank"] == 1].tolist() == ["r4", "r20"]
    assert near.distance[near["rank"] == 1].max() < 1e-5
    z = model.encode(named)
    by_hand = ((z - z.loc["r4"]) ** 2).sum(axis=1) ** 0.5
    assert near.distance[:3].tolist() == pytest.approx(by_hand.nsmallest(3).tolist(), abs=1e-5)


def test_arrow_tables_are_answered_in_arrow(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    arrow = pa.Table.from_pandas(table.head(5), preserve_index=False)
    again = model.reconstruct(arrow)
    assert isinstance(again, pa.Table)
    assert again.num_rows == 5
    assert model.encode(arrow).index.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda m, t: m.decode(np.zeros((3, 5))), ParameterError, r"16 columns z0 to z15.*got shape \(3, 5\)"),
        (lambda m, t: m.decode("abc"), ParameterError, r"shape \(n, 16\)"),
        (lambda m, t: m.decode(np.full((2, 16), np.nan)), ParameterError, "2 of 2 rows are not, the first is row 0"),
        (lambda m, t: m.encode(t.rename(columns={"job": "jobs"})), SchemaError, "'jobs' is not in the schema"),
        (lambda m, t: m.encode(t.head(0)), TableError, "at least one row"),
        (lambda m, t: m.interpolate(t.head(2), t.head(1)), ParameterError, "row_a must be one row.*got 2 rows"),
        (lambda m, t: m.interpolate(t.head(1), t.head(1), 1), ParameterError, "steps must be.*at least 2; got 1"),
        (lambda m, t: m.interpolate(t.head(1), t.head(1), where={"ag": 1}), ConditionError, "did you mean 'age'"),
        (lambda m, t: m.traverse(t.head(1), 16, [0]), ParameterError, "dim must be a number from 0 to 15"),
        (lambda m, t: m.traverse(t.head(1), 0, ["a"]), ParameterError, "z must be numbers"),
        (lambda m, t: m.neighbours(t.head(3), t.head(1), 4), ParameterError, "k must be at most.*3; got 4"),
        (lambda m, t: m.neighbours(t.head(3), t.head(1), 0), ParameterError, "k must be.*at least 1; got 0"),
    ],
)
def test_what_cannot_be_answered_says_why(
    model: sv.Synthesizer, table: pd.DataFrame, ask: object, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ask(model, table)  # type: ignore[operator]


@pytest.mark.parametrize(
    "ask",
    [
        lambda m, t: m.encode(t),
        lambda m, t: m.decode(np.zeros((1, 16))),
        lambda m, t: m.reconstruct(t),
        lambda m, t: m.interpolate(t.head(1), t.head(1)),
        lambda m, t: m.traverse(t.head(1), 0, [0]),
        lambda m, t: m.neighbours(t, t),
    ],
)
def test_an_unfitted_model_says_so(table: pd.DataFrame, ask: object) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ask(sv.Synthesizer(), table)  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.filterwarnings("ignore:The latent hardly tells:synthvae.errors.SynthvaeWarning")
@pytest.mark.filterwarnings("ignore:Only .* effective latents:synthvae.errors.SynthvaeWarning")
@pytest.mark.parametrize("name", GOOD)
def test_every_lawful_table_can_be_asked_everything(name: str, tmp_path: Path) -> None:
    table = GOOD[name]()
    model = sv.Synthesizer(epochs=1, latent_dim=3, random_state=0).fit(table)
    one, two = table.iloc[[0]], table.iloc[[-1]]
    assert model.encode(table).shape == (len(table), 3)
    assert model.reconstruct(table).dtypes.equals(table.dtypes)
    ends = model.interpolate(one, two, 4).iloc[[0, -1]]
    pd.testing.assert_frame_equal(ends.reset_index(drop=True), pd.concat([one, two]).reset_index(drop=True))
    assert len(model.traverse(one, 0, [0.0, 1.0])) == 2
    assert len(model.neighbours(table, one, 2)) == 2
    assert np.isfinite(model.anomaly_score(table)).all(axis=None)
    assert model.expected(table).index.equals(table.index)
    model.latent_report().to_html(tmp_path / "latent.html")
    assert len(model.finetune(table, epochs=1).sample(3, random_state=0)) == 3


@pytest.mark.parametrize("name", ["nothing but keys", "nothing but nulls"])
def test_a_table_that_tells_nothing_can_be_asked(name: str, eagerly: None, tmp_path: Path) -> None:
    table = GOOD[name]()
    model = sv.Synthesizer(epochs=1, latent_dim=2, random_state=0).fit(table)
    assert np.isfinite(model.anomaly_score(table)).all(axis=None)
    assert len(model.decode(model.encode(table))) == len(table)
    assert len(model.expected(table)) == len(table)
    model.latent_report().to_html(tmp_path / "latent.html")
