"""One call on any kind of table: what comes back, what is drawn, and what is never told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae.errors import OutputError, ParameterError, TableError
from synthvae.evaluation import draw, evaluate, fidelity
from synthvae.evaluation.base import Family, Metric, Score, Status
from synthvae.evaluation.pictures import Pictures
from synthvae.evaluation.result import FIELDS, Evaluation
from synthvae.evaluation.sides import Sides
from tests.conftest import mixed_table
from tests.judged import category, number, sides

ONLY_FIDELITY = {Family.FIDELITY: evaluate.FAMILIES[Family.FIDELITY]}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is the same for every family; the contract runs over all of them."""
    monkeypatch.setattr(evaluate, "FAMILIES", ONLY_FIDELITY)


def judge(real: object, synthetic: object, **options: Any) -> Evaluation:
    return evaluate.evaluate(real, synthetic, **options)


@pytest.fixture(scope="module")
def parts() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return mixed_table(600, 0), mixed_table(500, 1), mixed_table(400, 2)


# --- one call -------------------------------------------------------------------------------------------------------


def test_any_kind_of_table_is_judged_alike(parts: tuple[pd.DataFrame, ...], tmp_path: Path) -> None:
    real, synthetic, holdout = parts
    schema = sv.infer_schema(real)
    expected = judge(real, synthetic, holdout=holdout, schema=schema).scores
    paths = [tmp_path / f"{place}.parquet" for place in range(3)]
    for part, path in zip(parts, paths, strict=True):
        part.to_parquet(path)
    for convert in (pa.Table.from_pandas, polars.from_pandas):
        found = judge(convert(real), convert(synthetic), holdout=convert(holdout), schema=schema).scores
        pd.testing.assert_frame_equal(found, expected)
    found = judge(paths[0], str(paths[1]), holdout=paths[2], schema=schema).scores
    pd.testing.assert_frame_equal(found, expected)


def test_the_same_seed_gives_the_same_scores(parts: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic, _ = parts
    pd.testing.assert_frame_equal(judge(real, synthetic, seed=3).scores, judge(real, synthetic, seed=3).scores)


def test_progress_goes_from_nothing_to_all(parts: tuple[pd.DataFrame, ...]) -> None:
    heard: list[tuple[str, float]] = []
    judge(*parts[:2], progress=lambda family, share: heard.append((family, share)))
    assert heard == [("fidelity", 0.0), ("done", 1.0)]


def test_the_facts_say_what_was_judged(parts: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic, holdout = parts
    found = judge(real, synthetic.assign(more=1), holdout=holdout, target="bonus", seed=2)
    assert found.facts["rows"] == {"real": 600, "synthetic": 500, "hold-out": 400}
    assert found.facts["seed"] == 2
    assert found.facts["targets"] == ["bonus"]
    assert found.facts["ignored columns"] == ["more"]
    assert found.facts["versions"]["synthvae"] == sv.__version__
    json.dumps(found.facts, allow_nan=False)


def test_what_cannot_be_judged_is_said(parts: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic, _ = parts
    with pytest.raises(TableError, match="no column 'age'"):
        judge(real, synthetic.drop(columns="age"))
    with pytest.raises(ParameterError, match="Expected targets"):
        judge(real, synthetic, target=["age", "wage"])
    with pytest.raises(TableError, match="NoneType"):
        judge(real, None)


# --- what comes back ------------------------------------------------------------------------------------------------


def test_scores_are_a_tidy_frame(parts: tuple[pd.DataFrame, ...]) -> None:
    found = judge(*parts[:2], holdout=parts[2])
    frame = found.scores
    assert tuple(frame.columns) == FIELDS
    assert not frame.duplicated(["metric", "columns"]).any()
    assert set(frame["columns"].map(type)) == {tuple}
    assert (frame["family"] == "fidelity").all()
    told = frame.dropna(subset="value")
    assert ((told["low"] <= told["value"] + 1e-9) & (told["value"] <= told["high"] + 1e-9)).all()
    assert (frame["note"][frame["value"].isna()] != "").all()
    summary = found.summary()
    assert set(summary["metric"]) == {metric.name for metric in fidelity.METRICS if metric.headline}
    assert (summary["columns"] == ()).all()


def test_headlines_are_of_the_whole_table_where_there_is_such_a_score() -> None:
    whole = Metric("whole", Family.FIDELITY, "Of all.", headline=True)
    each = Metric("each", Family.UTILITY, "Of each.", headline=True)
    scores = (Score(whole, (), 0.9), Score(whole, ("x",), 0.8), Score(each, ("x",), 0.1), Score(each, ("y",), 0.9))
    found = Evaluation(scores, {}, Pictures(), sv.Schema((number(),)))
    assert [(score.metric.name, score.columns) for score in found.headlines] == [
        ("whole", ()), ("each", ("x",)), ("each", ("y",)),
    ]  # fmt: skip
    assert [(family, status) for family, status, _ in found.verdict()] == [
        (Family.FIDELITY, Status.FAIR), (Family.UTILITY, Status.POOR),
    ]  # fmt: skip


def test_json_holds_every_score(parts: tuple[pd.DataFrame, ...], tmp_path: Path) -> None:
    found = judge(*parts[:2])
    found.to_json(tmp_path / "scores.json")
    told = json.loads((tmp_path / "scores.json").read_text())
    assert len(told["scores"]) == len(found.all_scores)
    assert told["facts"] == json.loads(json.dumps(found.facts))
    assert {entry["family"] for entry in told["verdict"]} == {"fidelity"}
    with pytest.raises(OutputError, match="nowhere"):
        found.to_json(tmp_path / "nowhere" / "scores.json")


def test_a_shuffled_table_is_condemned_and_a_fresh_one_is_not(parts: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic, holdout = parts
    rng = np.random.default_rng(0)
    shuffled = real.apply(lambda column: column.sample(frac=1, random_state=int(rng.integers(2**31))).to_numpy())
    status = {name: judge(real, table, holdout=holdout).verdict()[0][1]
              for name, table in (("fresh", synthetic), ("shuffled", shuffled))}  # fmt: skip
    assert status == {"fresh": Status.GOOD, "shuffled": Status.POOR}


def test_people_read_html_and_markdown(parts: tuple[pd.DataFrame, ...], tmp_path: Path) -> None:
    found = judge(*parts[:2], holdout=parts[2])
    found.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().lower().startswith("<!doctype html>")
    assert "pair trends" in found.to_markdown()


# --- what is drawn --------------------------------------------------------------------------------------------------


def drawn(judged: Sides) -> Pictures:
    return draw.pictures(judged, fidelity.scores(judged))


def test_every_column_is_drawn_as_shares_of_rows(parts: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic, holdout = parts
    found = judge(real, synthetic, holdout=holdout).pictures
    by_name = {picture.column: picture for picture in found.columns}
    assert list(by_name) == list(real.columns)
    assert by_name["id"].shares == {}
    assert "identifier" in by_name["id"].note
    assert by_name["job"].labels == ("smith", "baker", "lawyer")  # the schema's order
    assert by_name["job"].shares["real"] == pytest.approx(real["job"].value_counts(normalize=True, sort=False))
    assert by_name["bonus"].nulls["synthetic"] == pytest.approx(synthetic["bonus"].isna().mean())
    assert by_name["since"].temporal
    assert by_name["since"].edges[0] <= real["since"].min().timestamp() + 86_400 * 30
    for picture in found.columns:
        for side, shares in picture.shares.items():
            assert len(shares) == len(picture.labels) == max(len(picture.edges) - 1, len(picture.labels))
            assert 0 < sum(shares) + picture.nulls[side] <= 1 + 1e-9


def test_edges_are_round_numbers() -> None:
    values = {"x": np.random.default_rng(0).normal(1234.567, 100, 5000)}
    (picture,) = drawn(sides(values, values, number(arrow="double"))).columns
    widths = np.diff(picture.edges)
    assert widths == pytest.approx([20.0] * len(widths)) or widths == pytest.approx([25.0] * len(widths))
    assert picture.edges[0] % 5 == 0
    assert sum(picture.shares["real"]) == pytest.approx(1)


def test_one_constant_is_one_bin() -> None:
    values = {"x": [7.0] * 30}
    (picture,) = drawn(sides(values, values, number(arrow="double"))).columns
    assert picture.shares["real"] == (1.0,)
    assert picture.edges[0] <= 7 < picture.edges[1]


def test_matrix_is_symmetric_and_pairs_are_those_that_differ_most(parts: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic, _ = parts
    shuffled = synthetic.assign(job=synthetic["job"].sample(frac=1, random_state=0).to_numpy())
    found = judge(real, shuffled).pictures
    assert found.matrix is not None
    for rows in found.matrix.values.values():
        assert rows == tuple(zip(*rows, strict=True))
        assert all(row[place] == 1.0 for place, row in enumerate(rows))
    assert all("job" in (pair.x.column, pair.y.column) for pair in found.pairs[:2])
    for pair in found.pairs:
        for shares in pair.shares.values():
            assert (len(shares), len(shares[0])) == (len(pair.x.labels), len(pair.y.labels))
            assert sum(map(sum, shares)) <= 1 + 1e-9


def everything(found: Evaluation, tmp_path: Path) -> str:
    """All an evaluation can tell, as text."""
    found.to_json(tmp_path / "all.json")
    return (tmp_path / "all.json").read_text() + repr(found.pictures) + found.scores.to_csv()


def test_nothing_of_one_person_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    amounts = rng.integers(1000, 2000, 300)
    amounts[7] = 987_654_321
    levels = rng.choice(["red", "blue"], 300).astype(object)
    levels[8] = "Rumpelstiltskin"
    people = [f"id-{place:04d}" for place in range(300)]
    real = pd.DataFrame(
        {"who": people, "amount": amounts, "colour": levels, "note": [f"note {i} !" for i in range(300)]}
    )
    text = everything(judge(real, real.sample(frac=1, random_state=1), holdout=real), tmp_path)
    assert [word for word in ("987654321", "987_654", "Rumpelstiltskin", "id-0", "note 1") if word in text] == []


def test_groups_are_what_counts_as_a_person(tmp_path: Path) -> None:
    who = np.repeat(np.arange(40), 10)
    colour = np.where(who == 3, "Rumpelstiltskin", np.where(who % 2, "red", "blue"))
    real = pd.DataFrame({"who": who, "colour": colour, "amount": np.where(who == 5, 987_654_321, who * 10.0)})
    schema = sv.infer_schema(real, group="who")
    text = everything(judge(real, real, holdout=real, schema=schema), tmp_path)
    assert [word for word in ("987654321", "987_654", "Rumpelstiltskin") if word in text] == []


def test_a_level_of_the_synthetic_table_only_is_not_named() -> None:
    judged = sides({"c": ["a"] * 20}, {"c": ["secret"] * 20}, category())
    (picture,) = drawn(judged).columns
    assert picture.labels == ("a", "other")
    assert picture.shares["synthetic"] == (0.0, 1.0)
