"""Strange rows and strange cells: against arithmetic on a small model, then on tables with planted oddities."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.codecs.table import TableCodec
from synthvae.errors import NotFittedError, SchemaError, TableError
from synthvae.generation.anomaly import FLOOR, LeaveOut, Surprise, usual
from synthvae.generation.rarity import Rarity
from synthvae.generation.score import log_likelihood
from synthvae.generation.stream import Completer
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.saved import layout_of
from tests.conftest import mixed_table

JOBS = ("smith", "baker", "lawyer")


def linked(rows: int = 1500, seed: int = 0) -> pd.DataFrame:
    """A colour that says a letter nine times in ten, and a number near its letter's."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 4, rows)
    other = np.where(rng.random(rows) < 0.95, place, rng.integers(0, 4, rows))
    near = np.where(rng.random(rows) < 0.2, np.nan, 100.0 * place + rng.integers(0, 30, rows))
    colours = np.array(["red", "green", "blue", "white"])[other]
    return pd.DataFrame({"letter": np.array(list("abcd"))[place], "colour": colours, "near": near})


@pytest.fixture(scope="module")
def keen() -> sv.Synthesizer:
    return sv.Synthesizer(epochs=25, random_state=0).fit(linked())


def test_a_cell_out_of_context_is_the_strangest_of_its_row(keen: sv.Synthesizer) -> None:
    rows = linked(400, seed=1)
    rows = rows[(rows.colour.map({"red": "a", "green": "b", "blue": "c", "white": "d"}) == rows.letter)]
    swapped = rows.assign(colour=rows.colour.map({"red": "green", "green": "blue", "blue": "white", "white": "red"}))
    before, after = keen.anomaly_score(rows), keen.anomaly_score(swapped)
    assert before.index.equals(rows.index)
    assert (after.score > before.score).mean() > 0.97
    assert after.colour.median() > before.colour.median() + 2
    assert (after.colour > before.colour).mean() > 0.97
    parts = after.drop(columns="score")
    assert (parts[["letter", "colour"]].max(axis=1) >= parts.near.fillna(0)).mean() > 0.9
    assert (keen.expected(swapped).colour == rows.colour).mean() > 0.95
    assert keen.expected(rows).dtypes.equals(rows.dtypes)


def test_cells_add_up_to_the_score(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    scored = model.anomaly_score(table.head(40), random_state=3)
    np.testing.assert_allclose(scored.score, scored.drop(columns="score").sum(axis=1), rtol=1e-6)
    assert list(scored.columns) == ["score", *table.columns]
    assert (scored.id == 0).all()
    assert np.isfinite(scored).all(axis=None)
    assert (scored >= 0).all(axis=None)
    pd.testing.assert_frame_equal(model.anomaly_score(table.head(40), random_state=3), scored)


def nats(model: sv.Synthesizer, rows: pd.DataFrame, column: str) -> np.ndarray:
    """-log p(cell | the other cells) of a column, in nats of the table as given."""
    arrow, codec = model.schema_.check(rows), model.codec_
    tokens = codec.encode(arrow)
    found = LeaveOut(Completer(codec, model.vae_, [])).surprise(tokens, np.ones(tokens.shape, bool), 0)
    own = found.nats[:, list(codec.places(column))].sum(axis=1)
    return own - codec.codecs[column].log_density(codec.rewriting.forward(arrow)[column])


def test_a_cells_nats_sum_to_one_over_its_values(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    """exp(-nats) over every value that a cell could have is a distribution."""
    row = table.iloc[[0]]
    jobs = [row.assign(job=pd.Categorical([level], table.job.cat.categories, ordered=True)) for level in JOBS]
    # the null token keeps a little mass although it is never drawn
    assert np.exp(-nats(model, pd.concat(jobs), "job")).sum() == pytest.approx(1, abs=0.02)
    ages = pd.concat([row.assign(age=age) for age in range(18, 80)])
    assert np.exp(-nats(model, ages, "age")).sum() == pytest.approx(1, abs=0.05)


def test_surprise_is_measured_by_what_was_to_be_expected() -> None:
    """Two columns of p = (1/2, 1/2) and (1/8, 7/8): the first value is as expected, the second far from it."""
    p = np.array([1 / 8, 7 / 8])
    entropy = -(p * np.log(p)).sum()
    variance = (p * (-np.log(p) - entropy) ** 2).sum()
    np.testing.assert_allclose(usual(p[None]), [[entropy], [variance]])
    found = Surprise(np.log([[2.0, 8.0]]), np.array([[np.log(2), entropy]]), np.array([[0.0, variance]]))
    assert found.excess([0])[0] == pytest.approx(0)
    assert found.excess([1])[0] == pytest.approx((np.log(8) - entropy) / np.sqrt(variance + FLOOR))
    assert np.isnan(dataclasses.replace(found, nats=np.array([[np.nan, 0.0]])).excess([0]))[0]


def test_rare_values_are_those_of_little_density(keen: sv.Synthesizer) -> None:
    rare = Rarity(keen._completer).of("near", pa.chunked_array([[10.0, 65.0, 110.0, 330.0, 1000.0, None]]))
    assert rare[[0, 2, 5]].max() < 1  # inside the humps, and null: a fifth is
    assert rare[1] > 1.5  # between two humps
    assert rare[4] > rare[3] + 2 > 2  # beyond all: two interquartile ranges further out


def test_what_is_extreme_is_strange_though_it_fits(keen: sv.Synthesizer) -> None:
    rows = linked(50, seed=2).assign(near=329.0, letter="d", colour="white")
    far = rows.assign(near=2000.0)
    assert (keen.anomaly_score(far).near > keen.anomaly_score(rows).near + 5).all()


def test_cells_of_two_blocks_agree_with_the_walk() -> None:
    """One latent, one row: the masses of all heads at once are those the walk computes one by one, copies included."""
    rows = mixed_table(4000)
    rows["paid"] = np.where(rows.age > 40, rows.income, rows.income * 0.7).round(2)
    arrow, _ = tables.read(rows)
    codec = TableCodec.fit(sv.infer_schema(rows), arrow)
    vae = VAE(layout_of(codec), NetworkConfig(latent_dim=4), np.random.default_rng(0))
    assert vae.layout.echoes
    tokens = codec.encode(codec.schema.check(rows.head(64)))
    z = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    coarse = codec.block_columns.index("paid")
    own = np.arange(vae.layout.b) == coarse
    assert vae.layout.children[coarse] == coarse + 1
    order = (*(j for j in range(vae.layout.b) if j not in (coarse, coarse + 1)), coarse, coarse + 1)
    others = np.tile(~own & (np.arange(vae.layout.b) != coarse + 1), (64, 1))
    whole, part = (
        np.asarray(log_likelihood(vae, order, tokens, mask, z)) for mask in (np.ones(tokens.shape, bool), others)
    )
    total = np.zeros(64)
    for j, told in ((coarse, others), (coarse + 1, others | own)):
        first, v = vae.layout.offsets[j], vae.layout.sizes[j]
        mass = np.asarray(vae.masses(tokens, told, vae.decoder(tokens, told, z)))[:, first : first + v]
        compatible = vae.layout.compatible[j]
        mass = mass if compatible is None else mass * compatible[tokens[:, coarse]]
        total += np.log(mass[np.arange(64), tokens[:, j]] / mass.sum(axis=1))
    np.testing.assert_allclose(total, whole - part, atol=2e-3)


def test_holes_have_no_figure_and_hide_nothing_else(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    some = table.head(30).assign(job=table.job.where(table.index % 2 == 0))
    scored = model.anomaly_score(some.drop(columns="since"))
    assert scored.since.isna().all()
    assert (scored.job.isna() == some.job.isna()).all()
    assert np.isfinite(scored.drop(columns=["since", "job"])).all(axis=None)
    assert np.isfinite(scored.bonus[some.bonus.isna()]).all()  # a null where nulls are values has a probability
    filled = model.expected(some.drop(columns="since"))
    assert filled.job.notna().all()
    assert filled.since.notna().all()
    assert filled.id.equals(some.id)


@pytest.mark.usefixtures("eagerly")
def test_a_column_called_score_keeps_a_column(keen: sv.Synthesizer) -> None:
    renamed = linked(300).rename(columns={"letter": "score"})
    model = sv.Synthesizer(epochs=1, random_state=0).fit(renamed)
    assert list(model.anomaly_score(renamed.head(3)).columns) == ["score", "score (cell)", "colour", "near"]


def test_many_rows_are_many_tiles(keen: sv.Synthesizer) -> None:
    rows = linked(700, seed=5)
    scored = keen.anomaly_score(rows)
    assert len(scored) == 700
    # a cell's figure does not depend on where its row stands
    np.testing.assert_allclose(scored.tail(50).colour, keen.anomaly_score(rows.tail(50)).colour, atol=1e-4)


@pytest.mark.parametrize("method", ["anomaly_score", "expected"])
def test_bad_input(model: sv.Synthesizer, table: pd.DataFrame, method: str) -> None:
    for given, error, says in (
        (table.head(0), TableError, "at least one row"),
        (table.assign(x=1), SchemaError, "'x' is not in the schema"),
    ):
        with pytest.raises(error, match=says):
            getattr(model, method)(given)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(sv.Synthesizer(), method)(table)


def test_every_pair_of_values_is_ranked_as_it_was_made(keen: sv.Synthesizer) -> None:
    pairs = pd.DataFrame(
        list(itertools.product("abcd", ["red", "green", "blue", "white"])), columns=["letter", "colour"]
    )
    scored = keen.anomaly_score(pairs)  # near is not told
    usual = np.arange(4) * 5  # a red, b green, c blue, d white
    assert scored.score.iloc[usual].max() < scored.score.drop(scored.index[usual]).min()
