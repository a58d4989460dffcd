"""Going on from a fitted model: what is carried over, what is new, and what a changed table does."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.codecs.keeping import agreement, kept_codecs
from synthvae.codecs.table import TableCodec
from synthvae.errors import NotFittedError, ParameterError, SchemaError
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.saved import layout_of
from synthvae.schema.widened import widened
from synthvae.training.transfer import Match, transfer
from tests.conftest import mixed_table

CONFIG = NetworkConfig(latent_dim=3, encoder_width=16, decoder_width=24, category_width=16)


def echoing(rows: int = 3000, seed: int = 0) -> pd.DataFrame:
    """A table with a column of two blocks that repeats another."""
    table = mixed_table(rows, seed)
    table["paid"] = np.where(table.age > 40, table.income, (table.income * 0.7).round(2))
    return table


def carried(first: pd.DataFrame, second: pd.DataFrame) -> tuple[TableCodec, VAE, TableCodec, VAE]:
    """An untrained model of the first table and what it becomes on the second, before any step."""
    arrow, _ = tables.read(first)
    codec = TableCodec.fit(sv.infer_schema(first), arrow)
    old = VAE(layout_of(codec), CONFIG, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for variable in old.trainable_variables:  # biases too are something
        variable.assign(variable + rng.normal(0, 0.05, variable.shape).astype("float32"))
    arrow, container = tables.read(second)
    schema = widened(codec.schema, arrow, container)
    arrow = schema.check(arrow)
    kept = kept_codecs(codec, schema, arrow)
    later = TableCodec.fit(schema, arrow, kept)
    new = VAE(layout_of(later), CONFIG, np.random.default_rng(2))
    found = agreement(codec, later, kept)
    tokens = later.encode(arrow)
    counts = [np.bincount(c, minlength=b.size) for c, b in zip(tokens.T, later.blocks, strict=True)]
    transfer(old, new, Match(found.blocks, found.echoes, counts))
    return codec, old, later, new


def told(codec: TableCodec, vae: VAE, table: pd.DataFrame, hidden: tuple[str, ...], asked: str) -> np.ndarray:
    """Shares of the asked column's first block given all cells but the hidden columns'."""
    full = table.assign(**{name: np.nan for name in codec.schema.names if name not in table})
    arrow = codec.schema.check(full[list(codec.schema.names)], holes=True)
    tokens = codec.encode(arrow)
    known = np.array([name not in (*hidden, asked) for name in codec.block_columns])
    known = np.tile(known, (len(tokens), 1))
    z, _ = vae.encoder(tokens, known)
    mass = np.asarray(vae.masses(tokens, known, vae.decoder(tokens, known, z)))
    first = vae.layout.offsets[codec.block_columns.index(asked)]
    own = mass[:, first : first + codec.blocks[codec.block_columns.index(asked)].size]
    return np.asarray(own / own.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("asked", ["job", "income", "paid"])
def test_on_the_same_table_nothing_changes_before_the_first_step(asked: str) -> None:
    table = echoing()
    parts = carried(table, table)
    assert parts[1].layout.echoes
    a, b = (told(*pair, table.head(40), (), asked) for pair in (parts[:2], parts[2:]))
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("asked", ["job", "paid"])
def test_a_dropped_column_is_one_never_known_a_new_one_says_nothing_yet(asked: str) -> None:
    table = echoing()
    second = table.drop(columns=["bonus", "member"]).assign(city=np.random.default_rng(0).choice(list("abc"), 3000))
    second = second[["city", *second.columns[:-1]]]
    codec, old, later, new = carried(table, second)
    before = told(codec, old, table.head(40), ("bonus", "member"), asked)
    np.testing.assert_allclose(told(later, new, second.head(40), (), asked), before, atol=1e-5)
    np.testing.assert_allclose(told(later, new, second.head(40), ("city",), asked), before, atol=1e-5)
    shares = told(later, new, second.head(40), (), "city")
    np.testing.assert_allclose(shares[0], shares[9], atol=1e-6)
    np.testing.assert_allclose(shares[0][1:4], second.city.value_counts(normalize=True).sort_index(), atol=2e-3)


def test_new_levels_stand_beside_the_old_ones() -> None:
    rng = np.random.default_rng(0)
    first = pd.DataFrame({"a": rng.choice(list("xyz"), 600), "b": rng.choice(list("pq"), 600)})
    second = pd.DataFrame({"a": rng.choice(list("wxyz"), 600), "b": rng.choice(list("pq"), 600)})
    codec, old, later, new = carried(first, second)
    assert later.schema["a"].levels == ("x", "y", "z", "w")
    before, after = told(codec, old, first.head(30), (), "a"), told(later, new, first.head(30), (), "a")
    shares = [part[:, :4] / part[:, :4].sum(axis=1, keepdims=True) for part in (before, after)]
    np.testing.assert_allclose(*shares, atol=1e-5)
    assert 0.05 < after[:, 4].mean() < 0.6


@pytest.mark.slow
def test_going_on_helps_a_small_table() -> None:
    """Few rows of a world that a model knows: it starts where a fresh one does not get."""
    big, small, fresh = mixed_table(3000), mixed_table(80, seed=1), mixed_table(500, seed=2)
    known = sv.Synthesizer(epochs=8, random_state=0).fit(big)
    tuned = known.finetune(small, epochs=3, random_state=0)
    scratch = sv.Synthesizer(epochs=3, random_state=0).fit(small)
    told_by = [m.predict_proba(fresh, "job").idxmax(axis=1).astype(str) for m in (tuned, scratch)]
    hits = [(t == fresh.job.astype(str)).mean() for t in told_by]
    assert hits[0] > hits[1]
    assert tuned is not known
    assert known.card_["rows"] == 3000
    assert tuned.card_["rows"] == 80
    assert tuned.get_params()["latent_dim"] == 16


@pytest.mark.slow
def test_a_changed_table_is_learned(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    changed = table.drop(columns="since").assign(
        job=np.where(rng.random(len(table)) < 0.3, "clerk", table.job.astype(str)),
        town=rng.choice(["York", "Bath"], len(table)),
    )
    tuned = model.finetune(changed, epochs=6, random_state=0)
    made = tuned.sample(1500, random_state=1)
    assert list(made.columns) == list(changed.columns)
    assert made.dtypes.equals(changed.dtypes)
    assert (made.job == "clerk").mean() == pytest.approx((changed.job == "clerk").mean(), abs=0.07)
    assert set(made.town) == {"York", "Bath"}
    assert "since" in model.sample(2, random_state=0)


@pytest.mark.slow
def test_a_column_that_moved_is_learned_anew() -> None:
    """Bins stay where the values do; where they leave, the column starts again, and reaches its new values."""
    rng = np.random.default_rng(0)
    first = pd.DataFrame({"x": rng.normal(0, 1, 900), "y": rng.normal(0, 1, 900)})
    second = pd.DataFrame({"x": rng.normal(0, 0.9, 900), "y": rng.normal(50, 1, 900)})
    codec, _, later, _ = carried(first, second)
    bins = [[c.codecs[name].state()[1]["edges"] for c in (codec, later)] for name in ("x", "y")]
    np.testing.assert_array_equal(*bins[0])
    assert bins[1][1].min() > 40
    tuned = sv.Synthesizer(epochs=1, random_state=0).fit(first).finetune(second, epochs=2, random_state=0)
    assert tuned.sample(300, random_state=0).y.between(40, 60).all()


@pytest.mark.slow
def test_nulls_kinds_and_groups_may_change() -> None:
    rng = np.random.default_rng(0)
    first = pd.DataFrame(
        {"who": np.repeat(np.arange(60), 5), "a": rng.choice(list("xy"), 300), "b": rng.normal(size=300)}
    )
    model = sv.Synthesizer(sv.infer_schema(first, group="who"), epochs=1, random_state=0).fit(first)
    second = first.assign(a=first.a.where(rng.random(300) < 0.5, None), b=rng.choice(["low", "high"], 300))
    tuned = model.finetune(second, epochs=1, random_state=0)
    assert tuned.schema_.group == "who"
    assert tuned.schema_["a"].nullable
    assert tuned.schema_["b"].kind == "categorical"
    alone = model.finetune(second.drop(columns="who"), epochs=1, random_state=0)
    assert alone.schema_.group is None
    assert tuned.sample(200, random_state=0).a.isna().any()


@pytest.mark.slow
def test_a_saved_and_reopened_model_goes_on_alike(model: sv.Synthesizer, table: pd.DataFrame, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthvae")
    opened = sv.load(tmp_path / "m.synthvae")
    again = [m.finetune(table.head(200), epochs=1, random_state=5) for m in (model, opened)]
    pd.testing.assert_frame_equal(*(m.sample(50, random_state=0) for m in again))
    copied = copy.deepcopy(model)
    pd.testing.assert_frame_equal(copied.sample(50, random_state=0), model.sample(50, random_state=0))


def test_bad_input(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="Received none of them; fit a new model"):
        model.finetune(pd.DataFrame({"x": range(20)}))
    with pytest.raises(ParameterError, match="epochs must be"):
        model.finetune(table, epochs=0)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        sv.Synthesizer().finetune(table)
