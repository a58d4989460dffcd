"""Disclosure: shares and distances one can check by eye, attacks on planted leaks, and no alarm where nothing leaks."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae import tables
from synthvae.demo.run import load_adult
from synthvae.evaluation import disclosure
from synthvae.evaluation.base import Score, Status
from synthvae.evaluation.disclosure import (
    cast,
    conditions,
    copies,
    distance,
    guessing,
    linking,
    membership,
    nearest,
    rows,
    shares,
    space,
)
from synthvae.evaluation.disclosure.shares import Share
from synthvae.evaluation.sides import Array, Sides
from synthvae.schema.columns import Identifier, Text
from synthvae.schema.infer import infer_schema
from tests.judged import Key, category, found, number, sides

# --- shares ---------------------------------------------------------------------------------------------------------


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    share = shares.wilson(5, 10)
    assert (share.value, share.low, share.high) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)
    none = shares.wilson(0, 10)
    assert (none.value, none.low, none.high) == pytest.approx((0, 0, 0.2775), abs=1e-4)


def test_rows_that_go_together_carry_less() -> None:
    assert shares.wilson(20, 40, clustering=4).high == pytest.approx(shares.wilson(5, 10).high)


def test_risk_is_the_gain_over_the_control_as_share_of_what_there_is_to_gain() -> None:
    sure = shares.risk(Share(0.6, 0.6, 0.6), Share(0.2, 0.2, 0.2))
    assert (sure.value, sure.low, sure.high) == pytest.approx((0.5, 0.5, 0.5))
    # noise of both: half widths .03 and .04 add up to .05, over .8 left to gain
    noisy = shares.risk(Share(0.6, 0.57, 0.63), Share(0.2, 0.16, 0.24))
    assert noisy.low == pytest.approx(0.5 - 0.05 / 0.8)


def test_an_interval_carries_the_noise_of_the_reference() -> None:
    assert shares.beside(Share(0.5, 0.47, 0.53), Share(0.5, 0.46, 0.54)) == pytest.approx((0.45, 0.55))
    assert shares.beside(Share(0.5, 0.47, 0.53), None) == (0.47, 0.53)


# --- copies ---------------------------------------------------------------------------------------------------------

NAN = float("nan")


def test_copies_are_rows_that_equal_a_real_one_in_every_column() -> None:
    judged = sides(
        {"x": [1.0, 2.0, None, 0.0], "c": ["a", "b", "a", None]},
        {"x": [1.0, 2.0, NAN, -0.0, 3.0], "c": ["a", "a", "a", None, "b"]},  # all but the second and the last
        number("x", "double"),
        category(),
    )
    score = found(copies.scores, judged, "copies")
    assert score.value == pytest.approx(3 / 5)
    assert score.metric.best < score.metric.worst
    assert score.details["copied rows"] == 3
    assert score.reference is None
    assert "without a hold-out" in score.note


def test_copies_of_rows_that_many_share_are_told_apart() -> None:
    judged = sides({"c": ["a"] * 6 + ["b"]}, {"c": ["a", "b", "z", "z"]}, category(), holdout={"c": ["a", "z"]})
    score = found(copies.scores, judged, "copies")
    assert (score.value, score.reference) == (0.5, 0.5)
    assert score.status is Status.GOOD
    assert score.details["copied rows"] == 2
    assert score.details["of rows that fewer than 5 real rows share"] == 1
    assert score.details["share of real rows that equal another real row"] == pytest.approx(6 / 7, abs=1e-4)


def test_minted_columns_make_no_row_a_new_one() -> None:
    columns = (number("x"), Identifier(name="id", arrow="int64"), Text(name="t", arrow="string"))
    judged = sides({"x": [1, 2], "id": [1, 2], "t": ["k", "l"]}, {"x": [1, 2], "id": [3, 4], "t": ["m", "n"]}, *columns)
    assert found(copies.scores, judged, "copies").value == 1
    judged = sides({"id": [1, 2]}, {"id": [1, 3]}, columns[1])
    assert "no column" in found(copies.scores, judged, "copies").note


@pytest.mark.parametrize("share", [1, 2])
def test_copied_people_have_a_row_of_their_own_in_the_synthetic_table(share: int) -> None:
    """40 people have rows of their own, 40 one that they share: the synthetic table has 30 of the first and that one.

    A hold-out of half the rows is taken to meet half as many people.
    """
    judged = sides(
        {"who": [*range(40), 0, *range(40, 80)], "x": [*range(40), 200, *[100] * 40]},
        {"who": [*range(100, 140)], "x": [*range(30), 200, *[100] * 9]},  # person 0 twice
        number("who"),
        number("x"),
        group="who",
        holdout={"who": [*range(200, 200 + 40 // share)], "x": [*range(10 // share), *[100] * (30 // share)]},
    )
    score = found(copies.scores, judged, "copied people")
    assert score.value == 30 / 80
    assert score.reference == 10 / 80
    assert found(copies.scores, judged, "copies").value == 1


def test_rows_of_one_person_that_go_together_widen_the_interval() -> None:
    x = [1] * 10 + list(range(100, 190))
    columns = (category("who"), number("x"))
    table = {"x": list(range(100)), "who": [f"r{place}" for place in range(100)]}
    together, apart = ({"x": x, "who": [f"s{place // size}" for place in range(100)]} for size in (10, 1))
    wide, narrow = (
        found(copies.scores, sides(table, judged, *columns, group="who"), "copies") for judged in (together, apart)
    )
    assert wide.value == narrow.value == pytest.approx(0.1)
    assert wide.high > narrow.high + 0.05


# --- rows, distances ------------------------------------------------------------------------------------------------


def test_rows_come_in_an_order_that_hangs_on_nothing_but_what_is_in_them() -> None:
    x, c = np.arange(50) % 20, np.array(list("abz"))[np.arange(50) % 3]
    turned = np.random.default_rng(0).permutation(50)
    made = [
        rows.rows_of(sides({"x": x[order], "c": c[order]}, {"x": x[order], "c": c[order]}, number(), category()))
        for order in (np.arange(50), turned)
    ]
    for side in ("real", "synthetic"):
        for name in ("x", "c"):
            assert (made[0][side].columns[name] == made[1][side].columns[name]).all()
    assert (made[0]["real"].key != made[0]["synthetic"].key).any()  # else copies would be sampled together


def test_one_row_of_each_person_is_asked() -> None:
    table = {"who": ["Ann", "Ann", "Bob", None, None], "x": [1, 2, 3, 4, 5]}
    found_rows = rows.rows_of(sides(table, table, category("who"), number("x"), group="who"))["real"]
    assert sorted(found_rows.people.columns["x"])[-3:] == [3, 4, 5]  # a row of nobody is somebody's of its own
    assert len(found_rows.people) == 4


def placed(judged: Sides) -> Array:
    """The points of the real rows, in the table's order by their x."""
    made = rows.rows_of(judged)
    points = space.space_of(made, rows.levelled(judged), np.random.default_rng(0)).points(made["real"])
    return points[np.argsort(made["real"].columns["x"])]


def test_distances_are_of_ranks_levels_and_nulls() -> None:
    table = {"x": [0, 1, 10, 1000, None], "c": ["a", "a", "b", "b", "b"]}
    points = placed(sides(table, table, number("x"), category("c"))).astype(np.float64)
    squared = ((points[:, None] - points[None]) ** 2).sum(-1)
    # of four known values the middles of a sixth, a third, a third and a sixth: 1/12, 1/3, 2/3 and 11/12
    assert squared[0, 1] == pytest.approx((1 / 4) ** 2, abs=0.01)
    assert squared[0, 3] == pytest.approx((10 / 12) ** 2 + 1, abs=0.01)  # and another level
    assert squared[2, 4] == pytest.approx((2 / 3 - 0.5) ** 2 + 0.957**2, abs=0.01)  # null apart, the same level
    assert squared[4, 4] == 0


def test_many_levels_are_about_equally_far_apart() -> None:
    table = {"x": list(range(300)), "c": [f"level {place}" for place in range(300)]}
    judged = sides(table, table, number("x"), category("c"))
    made = rows.rows_of(judged)
    axis = space.space_of(made, rows.levelled(judged), np.random.default_rng(0)).axes["c"]
    points = axis.points(made["real"].columns["c"])
    assert points.shape == (300, space.NAMED)
    squared = ((points[:, None] - points[None]) ** 2).sum(-1)[~np.eye(300, dtype=bool)]
    assert squared.mean() == pytest.approx(1, abs=0.05)
    assert squared.min() > 0.02


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(3, 60))
def test_the_nearest_are_those_of_all_distances(seed: int, k: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    points, base = (rng.integers(0, 4, (rows, 5)).astype(np.float32) for rows in (7, size))
    barred = np.arange(size) >= max(k, size - 2)
    distances, places = nearest.nearest(points, base, k, barred)
    every = np.sqrt(((points[:, None] - base[None]).astype(np.float64) ** 2).sum(-1))
    np.testing.assert_allclose(distances, np.sort(every[:, ~barred], axis=1)[:, :k])
    np.testing.assert_allclose(np.take_along_axis(every, places, 1), distances)
    assert not barred[places].any()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 2 * nearest.BLOCK))
def test_the_nearest_without_a_column_are_those_of_the_other_columns(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    points, base = (rng.random((rows, 5), np.float32) for rows in (7, size))
    unknown = [slice(0, 1), slice(1, 3), slice(4, 4)]
    for column, place in zip(nearest.nearest_without(points, base, unknown).T, unknown, strict=True):
        apart = np.delete(points[:, None] - base[None], place, axis=2).astype(np.float64)
        every = np.sqrt((apart**2).sum(-1))
        np.testing.assert_allclose(np.take_along_axis(every, column[:, None], 1)[:, 0], every.min(axis=1), atol=1e-4)


def test_blocks_of_the_search_do_not_show() -> None:
    rng = np.random.default_rng(0)
    points, base = rng.random((3, 2), np.float32), rng.random((nearest.BLOCK * 2 + 5, 2), np.float32)
    base[[5, nearest.BLOCK + 1, -1]] = points
    distances, places = nearest.nearest(points, base)
    assert places[:, 0].tolist() == [5, nearest.BLOCK + 1, len(base) - 1]
    assert (distances == 0).all()


# --- the cast -------------------------------------------------------------------------------------------------------


def crowd(rows_: int, seed: int) -> pa.Table:
    """Numbers and levels that go together loosely."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows_)
    c = np.where(x + rng.normal(size=rows_) > 0, "a", "b")
    return pa.table({"x": x, "y": x + rng.normal(size=rows_), "c": c, "who": rng.permutation(rows_) + 10_000 * seed})


CROWD = (number("x", "double"), number("y", "double"), category("c"))


def held(real: pa.Table, synthetic: pa.Table, holdout: pa.Table | None, group: str | None = None) -> Sides:
    columns = (*CROWD, number("who")) if group else CROWD
    return sides(real, synthetic, *columns, holdout=holdout, group=group)


def test_controls_and_stand_in_are_different_people_and_none_of_the_real_table() -> None:
    holdout = pa.concat_tables([crowd(200, 3), crowd(200, 1)])  # the second half is in the real table
    made = cast.cast_of(held(crowd(200, 1), crowd(200, 2), holdout, group="who"))
    assert isinstance(made, cast.Cast)
    people = [set(part.rows.owner.tolist()) for part in (made.controls, made.standin, made.real)]
    assert [len(part) for part in people] == [100, 100, 200]
    assert not people[0] & people[1]
    assert not (people[0] | people[1]) & people[2]
    assert set(made.members.owner.tolist()) < people[2]


@pytest.mark.parametrize(
    ("real", "synthetic", "holdout", "why"),
    [
        (100, 100, 0, "the hold-out table holds fewer than 40 rows"),
        (39, 100, 100, "the real table holds fewer than 40 rows"),
        (100, 0, 100, "the synthetic table holds fewer than 20 rows"),
    ],
)
def test_too_few_people_are_no_evidence(real: int, synthetic: int, holdout: int, why: str) -> None:
    judged = held(crowd(real, 0), crowd(synthetic, 1), crowd(holdout, 2))
    for score in disclosure.scores(judged):
        assert score.metric is copies.COPIES or (score.value is None and score.note == why)


def test_without_a_hold_out_only_copies_are_told() -> None:
    scores = list(disclosure.scores(held(crowd(100, 0), crowd(100, 1), None)))
    assert {score.metric.name for score in scores if score.value is not None} == {"copies"}
    assert {score.note for score in scores if score.value is None} == {"there is no hold-out to set it beside"}


# --- attacks --------------------------------------------------------------------------------------------------------


def test_auc_counts_pairs_and_halves_ties() -> None:
    # 3 beats both, 1 beats one and ties with the other
    assert membership._auc(np.array([3.0, 1.0]), np.array([1.0, 0.0])).value == pytest.approx(3.5 / 4)


def test_the_surest_guesses_split_ties() -> None:
    member = np.arange(200) < 100
    exposed = np.zeros(200)
    assert membership._right(member, exposed).value == pytest.approx(0.5)
    exposed[:10] = 1  # of twenty guesses ten are sure, ten are tossed for among 90 members and 100 controls
    assert membership._right(member, exposed).value == pytest.approx((10 + 10 * 90 / 190) / 20)


def test_conditions_are_met_by_one_row_alone() -> None:
    table = {"x": [1, 1, 2, 5], "c": ["a", "a", "a", "b"]}
    source = rows.rows_of(sides(table, table, number("x"), category()))["real"]
    made = conditions.Values(frozenset({"c"}))(source, np.random.default_rng(0))
    met = [source.columns["x"][conditions.meeting(source, predicate)].tolist() for predicate in made]
    assert sorted(met) == [[1, 1], [2], [5], [5], [5]]  # at most 1; x = 2; x = 5, at least 5, c = b
    for predicate in conditions.Combinations(frozenset({"c"}))(source, np.random.default_rng(0)):
        assert len(conditions.meeting(source, predicate)) == 1


def test_a_condition_on_null_is_met_by_nulls() -> None:
    table = {"x": [None, 1, 2], "y": [1, None, None]}
    source = rows.rows_of(sides(table, table, number("x"), number("y")))["real"]
    assert len(conditions.meeting(source, (("x", conditions.equal, NAN),))) == 1
    assert len(conditions.meeting(source, (("y", conditions.equal, NAN), ("x", conditions.at_least, 2.0)))) == 1


def test_a_number_is_guessed_within_a_twentieth_of_all_people() -> None:
    made = cast.cast_of(held(crowd(1000, 0), crowd(1000, 1), crowd(1000, 2)))
    assert isinstance(made, cast.Cast)
    people = made.real.rows
    ordered = np.argsort(people.columns["x"])
    for places, right in ((10, True), (100, False)):
        shifted = people.at(ordered[places:])
        agreed = guessing._agree(made, "x", people.at(ordered[:-places]), shifted, np.arange(len(shifted)))
        assert bool(agreed.mean() > 0.95) is right


def leaky(judged: Sides) -> dict[str, Score]:
    return {score.metric.name: score for score in disclosure.scores(judged) if not score.columns}


def test_a_secret_only_the_training_people_lose_is_found() -> None:
    """c is a coin; the synthetic table repeats the training people's x and y a little blurred, with their c."""
    rng = np.random.default_rng(0)

    def coins(seed: int) -> pa.Table:
        return crowd(1000, seed).set_column(2, "c", pa.array(np.array(["a", "b"])[rng.integers(0, 2, 1000)]))

    real = coins(0)
    x, y = (pa.array(real[name].to_numpy() + rng.normal(size=1000) / 10_000) for name in ("x", "y"))
    told = guessing.scores(held(real, real.set_column(0, "x", x).set_column(1, "y", y), coins(1)))
    secret = {score.columns: score for score in told}[("c",)]
    assert secret.value < 0.1
    assert secret.status is Status.POOR
    assert secret.details["guessed of controls"]["share"] == pytest.approx(0.5, abs=0.1)


def test_a_constant_is_no_secret() -> None:
    tables_ = [crowd(100, seed).set_column(2, "c", pa.array(["a"] * 100)) for seed in range(3)]
    secrets = {score.columns: score for score in guessing.scores(held(*tables_))}
    assert secrets[("c",)].value is None
    assert "nearly everybody" in secrets[("c",)].note


def test_targets_are_secrets_before_all_others() -> None:
    names = [f"n{place}" for place in range(30)]
    made = [{name: np.random.default_rng(seed).random(60) for name in names} for seed in range(3)]
    columns = [number(name, "double") for name in names]
    judged = sides(made[0], made[1], *columns, holdout=made[2], targets=("n29", "n7"))
    asked = {score.columns for score in guessing.scores(judged)}
    assert {("n29",), ("n7",)} < asked
    assert len(asked) == 1 + guessing.MOST


def test_a_single_column_leaves_nothing_to_link_or_to_know() -> None:
    judged = sides(*({"x": list(range(start, start + 50))} for start in (0, 9)), number(), holdout={"x": [7] * 50})
    for ask in (linking.scores, guessing.scores):
        assert [score.value for score in ask(judged)] == [None]


# --- a real table ---------------------------------------------------------------------------------------------------


@cache
def adult(part: int) -> pd.DataFrame:
    """2,500 people of the shipped table, others for each part."""
    order = np.random.default_rng(0).permutation(load_adult().num_rows)
    return load_adult().take(pa.array(order[part * 2500 : part * 2500 + 2500])).to_pandas()


def blurred(people: pd.DataFrame) -> pd.DataFrame:
    """The same people, every number moved by about a fiftieth of its standard deviation."""
    rng, made = np.random.default_rng(1), people.copy()
    for name in people.select_dtypes("number"):
        moved = people[name] + rng.normal(size=len(people)) * people[name].std() / 50
        made[name] = moved.round().astype(people[name].dtype)
    return made


def attacked(synthetic: pd.DataFrame) -> dict[Key, Score]:
    real, judged, holdout = (tables.read(frame)[0] for frame in (adult(0), synthetic, adult(1)))
    scores = disclosure.scores(Sides.of(real, judged, infer_schema(load_adult()), holdout, ("income",)))
    return {(score.metric.name, score.columns): score for score in scores}


@cache
def fresh() -> dict[Key, Score]:
    return attacked(adult(2))


def test_fresh_people_give_nobody_away() -> None:
    scores = fresh()
    hidden = [key[0] for key, score in scores.items() if score.value is None and not key[1]]
    assert hidden in ([], ["outlier exposure"])  # of 2,500 people in the hold-out few are strange
    assert {score.status for key, score in scores.items() if not key[1]} <= {Status.GOOD, Status.NOT_APPLICABLE}


def test_a_copy_of_the_training_rows_is_condemned_by_every_attack() -> None:
    scores = attacked(adult(0).sample(frac=1, random_state=0))
    assert [key for key, score in scores.items() if not key[1] and score.status is not Status.POOR] == []
    assert scores["copies", ()].value == 1
    for name in ("near copies", "NNDR", "DCR share", "membership", "membership of anybody", "outlier exposure"):
        assert scores[name, ()].value < 0.05


@pytest.mark.parametrize("part", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("people", [100, 500, 2500])
def test_no_table_of_near_copies_is_good_for_want_of_people(part: float, people: int) -> None:
    """Blurred training rows are not good; where too few people are held out to see them, the score says so."""
    size = round(part * 2500)
    synthetic = pd.concat([blurred(adult(0)[:size]), adult(2)[size:]])
    real, judged, holdout = (tables.read(frame)[0] for frame in (adult(0), synthetic, adult(1)[-people:]))
    judged_sides = Sides.of(real, judged, infer_schema(load_adult()), holdout)
    told = {score.metric.name: score for ask in (distance, membership) for score in ask.scores(judged_sides)}
    surest = told["near copies"], told["membership"]
    if part:
        assert Status.GOOD not in {score.status for score in surest}
        if people >= 500:
            assert Status.NOT_APPLICABLE not in {score.status for score in surest}
    else:
        assert {score.status for score in told.values()} <= {Status.GOOD, Status.NOT_APPLICABLE}
    if part == 1:
        assert Status.GOOD not in {score.status for score in told.values()}
    if people == 100 and part < 1:
        assert all("too few real people" in score.note for score in surest)


def test_good_for_want_of_power_is_no_result() -> None:
    few = shares.attack_score(copies.COPIES, Share(0.0, 0.0, 0.1), Share(0.0, 0.0, 0.1), {"rows": 3})
    assert (few.value, few.details) == (None, {"rows": 3})
    assert "0.10 worse" in few.note
    # what is poor in spite of the noise stands
    assert shares.attack_score(copies.COPIES, Share(0.9, 0.5, 1.0), Share(0.0, 0.0, 0.1), {}).status is Status.POOR


def test_one_blurred_training_row_in_ten_is_caught() -> None:
    scores = attacked(pd.concat([adult(2)[250:], blurred(adult(0)[:250])]))
    assert scores["membership", ()].status is Status.POOR
    assert scores["membership", ()].high < scores["membership", ()].reference
    assert scores["copies", ()].status is Status.GOOD


def test_the_order_of_rows_changes_no_figure() -> None:
    assert attacked(adult(2).sample(frac=1, random_state=0)) == fresh()


def test_details_are_plain_numbers() -> None:
    for score in fresh().values():
        json.dumps(dict(score.details))
