"""What every metric of every family promises, whatever the tables: a metric is tested by being there."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import tables
from synthvae.demo.run import load_adult
from synthvae.evaluation.base import Family, Metric, Score, Status
from synthvae.evaluation.sides import Sides
from synthvae.schema.infer import infer_schema
from tests.conftest import mixed_table
from tests.judged import Key, ask, lawful

EVERY_FAMILY = pytest.mark.parametrize("family", list(Family), ids=str)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Every column but the key in an order of its own: perfect margins, no dependence."""
    learned = frame.columns.drop("id")
    apart = {name: frame[name].sample(frac=1, random_state=place).array for place, name in enumerate(learned)}
    return frame.assign(**apart)


REAL, HOLDOUT = mixed_table(700, 0), mixed_table(700, 1)
JUDGED = {
    "fresh": mixed_table(700, 2),
    "itself": REAL,
    "itself in another order": REAL.sample(frac=1, random_state=0),
    "shuffled": shuffled(REAL),
    "fresh in another order": mixed_table(700, 2).sample(frac=1, random_state=0),
}


@cache
def asked(family: Family, synthetic: str, seed: int = 0, held: bool = True) -> dict[Key, Score]:
    """The scores of one of the tables above, beside real rows and a hold-out."""
    real, judged, holdout = (tables.read(table)[0] for table in (REAL, JUDGED[synthetic], HOLDOUT))
    given = Sides.of(real, judged, infer_schema(REAL), holdout if held else None, ("job", "income"), seed)
    return ask(family, given)


# --- what a metric says about itself --------------------------------------------------------------------------------


@EVERY_FAMILY
def test_a_metric_says_what_it_is(family: Family) -> None:
    metrics: dict[str, Metric] = {}
    for score in asked(family, "fresh").values():
        metric = metrics.setdefault(score.metric.name, score.metric)
        assert score.metric.best == metric.best  # worst and the words may be those of a kind of target
    assert any(metric.headline for metric in metrics.values())
    for metric in metrics.values():
        assert metric.family is family
        assert not metric.meaning[0].islower()
        assert metric.meaning.endswith(".")
        assert metric.best != metric.worst
        assert {metric.best, metric.worst} <= {-1.0, 0.0, 1.0}
        assert 0 < metric.fair < metric.poor < 1


def test_names_are_of_one_family_only() -> None:
    names = [{key[0] for key in asked(family, "fresh")} for family in Family]
    assert sum(map(len, names)) == len(set().union(*names))


@EVERY_FAMILY
@pytest.mark.parametrize("held", [True, False], ids=["hold-out", "no hold-out"])
def test_a_score_is_a_value_in_its_interval_or_a_reason(family: Family, held: bool) -> None:
    scores = asked(family, "fresh", held=held)
    for score in scores.values():
        lawful(score)
        assert held or score.reference is None
    assert {name for name, _ in scores} == {name for name, _ in asked(family, "fresh")}


@EVERY_FAMILY
def test_scores_are_those_of_their_seed(family: Family) -> None:
    assert asked.__wrapped__(family, "fresh") == asked(family, "fresh")


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [Family.FIDELITY, Family.UTILITY, Family.VALIDITY], ids=str)
def test_a_table_is_its_own_best_likeness(family: Family) -> None:
    for score in asked(family, "itself").values():
        if score.value is not None:
            assert score.status is Status.GOOD
            assert family is not Family.FIDELITY or score.value == pytest.approx(score.metric.best)


def test_a_table_is_the_worst_of_copies() -> None:
    scores = asked(Family.DISCLOSURE, "itself")
    assert scores["copies", ()].value == scores["copies", ()].metric.worst
    assert scores["copies", ()].status is Status.POOR
    assert scores["membership", ()].status is Status.POOR


@EVERY_FAMILY
@pytest.mark.parametrize("table", ["itself", "fresh"])
def test_the_order_of_rows_does_not_matter(family: Family, table: str) -> None:
    scores, turned = asked(family, table), asked(family, f"{table} in another order")
    assert scores.keys() == turned.keys()
    for key, score in scores.items():
        other = turned[key]
        assert (score.value is None) == (other.value is None)
        if score.value is not None and family in (Family.FIDELITY, Family.VALIDITY):
            assert score.value == pytest.approx(other.value)
        elif score.value is not None:
            assert score.low - 0.02 <= other.value <= score.high + 0.02


@pytest.mark.parametrize("family", [Family.FIDELITY, Family.DETECTION, Family.UTILITY], ids=str)
def test_shuffled_columns_are_never_better(family: Family) -> None:
    fresh, apart = asked(family, "itself"), asked(family, "shuffled")
    for key, score in apart.items():
        if score.value is not None and fresh[key].value is not None:
            towards_best = (score.value - fresh[key].value) / (score.metric.best - score.metric.worst)
            slack = 1e-9 if family is Family.FIDELITY else abs(score.high - score.low) + 0.02
            assert towards_best <= slack, key


def test_shuffled_columns_are_condemned_by_pairs_and_detection() -> None:
    fidelity, detection = asked(Family.FIDELITY, "shuffled"), asked(Family.DETECTION, "shuffled")
    for score in (fidelity["pair trends", ()], fidelity["three-way margins", ()], detection["boosted detection", ()]):
        assert score.status is Status.POOR
        assert score.high < score.reference
    assert fidelity["shape", ()].status is Status.GOOD


@pytest.fixture(scope="module")
def census() -> tuple[pa.Table, pa.Table]:
    """Rows to learn from and a hold-out."""
    table = load_adult()
    order = np.random.default_rng(0).permutation(table.num_rows)[:10_000]
    real, holdout = (table.take(pa.array(part)) for part in np.split(order, 2))
    return real, holdout


def test_independent_columns_of_a_census_are_condemned(census: tuple[pa.Table, pa.Table]) -> None:
    real, holdout = census
    rng = np.random.default_rng(0)
    apart = pa.table({name: real[name].take(pa.array(rng.permutation(len(real)))) for name in real.column_names})
    judged = Sides.of(real, apart, infer_schema(real), holdout)
    assert ask(Family.FIDELITY, judged)["shape", ()].status is Status.GOOD
    assert ask(Family.FIDELITY, judged)["pair trends", ()].status is Status.POOR
    assert ask(Family.DETECTION, judged)["boosted detection", ()].status is Status.POOR


def test_copied_rows_of_a_census_are_condemned_by_disclosure_alone(census: tuple[pa.Table, pa.Table]) -> None:
    real, holdout = census
    copied = real.take(pa.array(np.random.default_rng(0).integers(0, len(real), len(real))))
    judged = Sides.of(real, copied, infer_schema(real), holdout)
    assert ask(Family.FIDELITY, judged)["pair trends", ()].status is Status.GOOD
    scores = ask(Family.DISCLOSURE, judged)
    assert scores["copies", ()].status is Status.POOR
    assert scores["membership", ()].status is Status.POOR


@EVERY_FAMILY
def test_a_fresh_sample_is_not_condemned(family: Family) -> None:
    headlines = [score for score in asked(family, "fresh").values() if score.metric.headline and not score.columns]
    assert [score.metric.name for score in headlines if score.status is Status.POOR] == []


# --- nothing of one person ------------------------------------------------------------------------------------------


@EVERY_FAMILY
def test_no_score_tells_of_one_person(family: Family) -> None:
    real = mixed_table(300, 0).astype({"job": "object"})
    real.loc[7, "income"] = 987_654_321.25
    real.loc[8, "job"] = "Rumpelstiltskin"
    judged, holdout = real.sample(frac=1, random_state=0), mixed_table(300, 1).astype({"job": "object"})
    schema = infer_schema(real)
    sides = Sides.of(*(tables.read(frame)[0] for frame in (real, judged)), schema, tables.read(holdout)[0], ("job",))
    told = "".join(f"{score.note}{json.dumps(dict(score.details))}" for score in ask(family, sides).values())
    assert [word for word in ("98765432", "987,654,321", "Rumpelstiltskin", "C-000") if word in told] == []


@EVERY_FAMILY
def test_rows_of_one_group_stay_together(family: Family) -> None:
    people = mixed_table(150, 0).drop(columns="id")
    frames = []
    for seed in range(3):
        drawn = np.random.default_rng(seed).integers(0, 150, 450)
        frames.append(people.iloc[drawn].assign(who=drawn + 1000 * seed).reset_index(drop=True))
    schema = infer_schema(frames[0], group="who")
    sides = Sides.of(*(tables.read(frame)[0] for frame in frames[:2]), schema, tables.read(frames[2])[0], ("job",))
    for score in ask(family, sides).values():
        lawful(score)


# --- intervals mean what they say -----------------------------------------------------------------------------------


@pytest.mark.slow
@EVERY_FAMILY
def test_references_of_real_parts_lie_in_their_intervals(family: Family) -> None:
    table = load_adult()
    schema, outside = infer_schema(table), []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(table.num_rows)
        real, synthetic, holdout = (table.take(pa.array(part)) for part in np.split(order[:18_000], 3))
        scores = ask(family, Sides.of(real, synthetic, schema, holdout, ("income",), seed)).values()
        told = [score for score in scores if score.reference is not None and score.value is not None]
        outside += [not score.low - 1e-9 <= score.reference <= score.high + 1e-9 for score in told]
    assert np.mean(outside) <= 0.08
