"""Journeys through the public interface: fit, sample, stream, write, save, load."""

from __future__ import annotations

import doctest
import json
import logging
import random
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone

import synthvae as sv
from synthvae import fitting
from synthvae.errors import BundleError, CollapseWarning, NotFittedError, OutputError, ParameterError, SynthvaeWarning
from synthvae.generation.noise import TILE
from synthvae.training.trainer import Progress
from tests.awkward import plain

collapses = pytest.mark.filterwarnings("ignore::synthvae.errors.CollapseWarning")
MORE = 2 * TILE + 300  # rows in three tiles


def small(epochs: int = 1, **parameters: object) -> sv.Synthesizer:
    return sv.Synthesizer(**{"epochs": epochs, "latent_dim": 2, "random_state": 0} | parameters)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sample(model: sv.Synthesizer) -> pd.DataFrame:
    return model.sample(MORE, random_state=1)


# --- a sample looks like the table ------------------------------------------------------------------------------------


def test_columns_order_and_dtypes_are_those_of_the_table(table: pd.DataFrame, sample: pd.DataFrame) -> None:
    assert list(sample.columns) == list(table.columns)
    assert sample.dtypes.equals(table.dtypes)
    assert sample.index.equals(pd.RangeIndex(MORE))


def test_categories_and_their_order_come_back(table: pd.DataFrame, sample: pd.DataFrame) -> None:
    assert sample["job"].dtype == table["job"].dtype
    assert list(sample["job"].cat.categories) == ["smith", "baker", "lawyer"]
    assert sample["job"].cat.ordered


def test_nulls_are_where_there_were_some(table: pd.DataFrame, sample: pd.DataFrame) -> None:
    assert sample.isna().any().equals(table.isna().any())
    assert abs(sample["bonus"].isna().mean() - table["bonus"].isna().mean()) < 0.2


def test_numbers_keep_their_grid_and_dates_their_days(sample: pd.DataFrame) -> None:
    assert (sample["income"].round(2) == sample["income"]).all()
    bonus = sample["bonus"].dropna()
    assert (bonus.round() == bonus).all()
    assert (sample["since"].dt.normalize() == sample["since"]).all()


def test_margins_are_near(table: pd.DataFrame, sample: pd.DataFrame) -> None:
    assert abs(sample["age"].mean() - table["age"].mean()) < 5
    assert abs((sample["job"] == "lawyer").mean() - (table["job"] == "lawyer").mean()) < 0.15


def test_keys_are_unique_and_minted(model: sv.Synthesizer, table: pd.DataFrame, sample: pd.DataFrame) -> None:
    assert sample["id"].is_unique
    assert sample["id"].str.fullmatch(r"C-\d{5}").all()
    assert set(sample["id"]) != set(table["id"])
    assert "nats id" not in model.history_
    assert model.card_["blocks"] == len(model.codec_.block_names)
    assert "id" not in model.codec_.block_columns


# --- rows are addressable ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, 1, 300, TILE, TILE + 1])
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(
    model: sv.Synthesizer, sample: pd.DataFrame, rows: int
) -> None:
    pd.testing.assert_frame_equal(model.sample(rows, random_state=1), sample.head(rows))


@pytest.mark.parametrize("batch_rows", [700, TILE, TILE + 1, 10**6])
def test_batches_put_together_are_the_sample(model: sv.Synthesizer, sample: pd.DataFrame, batch_rows: int) -> None:
    batches = list(model.stream(MORE, batch_rows=batch_rows, random_state=1))
    assert [batch.num_rows for batch in batches][:-1] == [batch_rows] * ((MORE - 1) // batch_rows)
    made = model.schema_.restore(pa.Table.from_batches(batches))
    pd.testing.assert_frame_equal(made, sample)


def test_batches_of_one_row(model: sv.Synthesizer, sample: pd.DataFrame) -> None:
    batches = list(model.stream(50, batch_rows=1, random_state=1))
    assert len(batches) == 50
    pd.testing.assert_frame_equal(model.schema_.restore(pa.Table.from_batches(batches)), sample.head(50))


def test_no_rows_is_a_table_of_no_rows(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    assert len(model.sample(0)) == 0
    assert model.sample(0).dtypes.equals(table.dtypes)
    assert list(model.stream(0)) == []


@pytest.mark.parametrize("n", [-1, 1.0, "3", None, True])
def test_a_number_of_rows_that_is_none(model: sv.Synthesizer, n: object) -> None:
    with pytest.raises(ParameterError, match="n must be a whole number of at least 0"):
        model.sample(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("batch_rows", [0, -1, 0.5, "all"])
def test_a_batch_of_no_rows(model: sv.Synthesizer, batch_rows: object) -> None:
    with pytest.raises(ParameterError, match="batch_rows must be a whole number of at least 1"):
        model.stream(3, batch_rows=batch_rows)  # type: ignore[arg-type]


# --- randomness is an argument ----------------------------------------------------------------------------------------


def test_seeds(model: sv.Synthesizer) -> None:
    same, other = model.sample(20, random_state=1), model.sample(20, random_state=2)
    pd.testing.assert_frame_equal(same, model.sample(20, random_state=np.int64(1)))  # type: ignore[arg-type]
    assert not same.equals(other)
    assert not set(same["id"]) & set(other["id"])


def test_the_models_seed_is_the_default(model: sv.Synthesizer) -> None:
    pd.testing.assert_frame_equal(model.sample(20), model.sample(20, random_state=0))


def test_a_generator_goes_on(model: sv.Synthesizer) -> None:
    generator = np.random.default_rng(5)
    first, second = model.sample(20, random_state=generator), model.sample(20, random_state=generator)
    assert not first.equals(second)
    pd.testing.assert_frame_equal(first, model.sample(20, random_state=np.random.default_rng(5)))


@collapses
@pytest.mark.usefixtures("eagerly")
def test_the_same_seed_fits_the_same_model_and_leaves_global_randomness_alone() -> None:
    np.random.seed(7)
    random.seed(7)
    before = np.random.get_state(), random.getstate()
    samples = [small(random_state=seed).fit(plain()).sample(100, random_state=3) for seed in (4, 4, 5)]
    after = np.random.get_state(), random.getstate()
    pd.testing.assert_frame_equal(samples[0], samples[1])
    assert not samples[0].equals(samples[2])
    assert str(before) == str(after)


@collapses
@pytest.mark.usefixtures("eagerly")
def test_without_a_seed_no_two_samples_are_the_same() -> None:
    model = small(random_state=None).fit(plain())
    assert not model.sample(50).equals(model.sample(50))


# --- files ------------------------------------------------------------------------------------------------------------


def test_writing_parquet(model: sv.Synthesizer, sample: pd.DataFrame, tmp_path: Path) -> None:
    told: list[int] = []
    model.write(tmp_path / "fake.parquet", MORE, random_state=1, progress=told.append)
    file = pq.read_table(tmp_path / "fake.parquet")
    pd.testing.assert_frame_equal(model.schema_.restore(file), sample)
    facts = {key.decode(): value.decode() for key, value in (file.schema.metadata or {}).items()}
    assert facts["synthetic"] == "true"
    assert facts["generator"].startswith("synthvae ")
    assert (facts["seed"], facts["budget"]) == ("1", "none")
    assert sum(told) == MORE
    assert [path.name for path in tmp_path.iterdir()] == ["fake.parquet"]


def test_writing_csv(model: sv.Synthesizer, sample: pd.DataFrame, tmp_path: Path) -> None:
    model.write(tmp_path / "fake.csv", 300, random_state=1)
    read = pd.read_csv(tmp_path / "fake.csv")
    assert list(read.columns) == list(sample.columns)
    assert read["id"].tolist() == sample["id"].head(300).tolist()
    np.testing.assert_array_equal(read["bonus"], sample["bonus"].head(300))
    facts = json.loads((tmp_path / "fake.csv.provenance.json").read_text())
    assert facts["synthetic"] == "true"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fake.csv", "fake.csv.provenance.json"]


def test_writing_no_rows(model: sv.Synthesizer, tmp_path: Path) -> None:
    model.write(tmp_path / "none.parquet", 0)
    assert pq.read_schema(tmp_path / "none.parquet").names == list(model.schema_.names)


@pytest.mark.parametrize("name", ["missing/fake.parquet", "missing/fake.csv", "file/fake.csv", "fake.xlsx", "fake"])
def test_a_file_that_cannot_be_written_leaves_nothing(model: sv.Synthesizer, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        model.write(tmp_path / name, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_is_stopped_leaves_nothing(model: sv.Synthesizer, tmp_path: Path) -> None:
    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.write(tmp_path / "fake.parquet", 10, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_model_is_the_saved_one(model: sv.Synthesizer, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthvae")
    loaded = sv.load(tmp_path / "m.synthvae")
    pd.testing.assert_frame_equal(loaded.sample(200, random_state=1), model.sample(200, random_state=1))
    pd.testing.assert_frame_equal(loaded.history_, model.history_)
    assert loaded.card_ == model.card_
    assert loaded.schema_.to_json() == model.schema_.to_json()
    assert loaded.get_params()["epochs"] == 3
    loaded.save(tmp_path / "again.synthvae")
    assert (tmp_path / "again.synthvae").read_bytes() == (tmp_path / "m.synthvae").read_bytes()


def test_a_bundle_of_something_else_is_one_clear_error(model: sv.Synthesizer, tmp_path: Path) -> None:
    (tmp_path / "m.synthvae").write_text("not a model")
    with pytest.raises(BundleError, match="not a saved model"):
        sv.load(tmp_path / "m.synthvae")
    with pytest.raises(OutputError):
        model.save(tmp_path / "missing" / "m.synthvae")


def test_a_bundle_holds_json_and_arrays_only(model: sv.Synthesizer, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthvae")
    with zipfile.ZipFile(tmp_path / "m.synthvae") as archive:
        assert {name.rsplit(".")[-1] for name in archive.namelist()} == {"json", "npy"}


# --- what a fit says --------------------------------------------------------------------------------------------------


def test_the_history(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    history = model.history_
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["kept"].sum() == 1
    assert history.loc[history["kept"] == 1, "held_out"].item() < history["held_out"].min() * 1.1
    assert {f"nats {name}" for name in table.columns if name != "id"} <= set(history.columns)
    assert np.isfinite(history.to_numpy()).all()
    parts = history.filter(regex="^(nats|kl) ").sum(axis=1)
    np.testing.assert_allclose(parts, history["held_out"], rtol=1e-5)


def test_the_card(model: sv.Synthesizer, table: pd.DataFrame) -> None:
    card = json.loads(json.dumps(model.card_, allow_nan=False))
    assert (card["rows"], card["columns"], card["seed"]) == (len(table), 7, 0)
    assert card["kept_epoch"] <= card["epochs"] <= card["planned_epochs"] == 3
    assert card["held_out_nats"] == model.history_.set_index("epoch")["held_out"][card["kept_epoch"]]
    assert card["versions"]["backend"] in ("tensorflow", "jax")


def test_a_latent_that_carries_nothing_is_said_to(model: sv.Synthesizer) -> None:
    with pytest.warns(CollapseWarning, match="has collapsed"):
        fitting.warn(model.card_ | {"latent_nats": 0.1, "steps": 5000})
    fitting.warn(model.card_ | {"latent_nats": 0.1, "steps": 50})  # too short a fit to say


@collapses
@pytest.mark.usefixtures("eagerly")
def test_rows_to_validate_by_may_be_given(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "synthvae"):
        model = small().fit(plain(60), validation=plain(40))
    assert model.card_["rows"] == 60
    assert "parameters" in caplog.text


@collapses
@pytest.mark.usefixtures("eagerly")
def test_progress_is_told_and_an_interrupt_keeps_what_was_learned() -> None:
    told: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if progress.epoch == 2:
            raise KeyboardInterrupt

    model = small(epochs=5)
    with pytest.warns(SynthvaeWarning, match=r"interrupted; the weights of epoch [12] are kept"):
        model.fit(plain(), progress=interrupt)
    assert model.card_["ended"] == "interrupted"
    assert len(model.sample(10)) == 10
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert all(0 < p.done <= 1 and p.epochs <= 5 and np.isfinite(p.loss) for p in told)


@collapses
@pytest.mark.usefixtures("eagerly")
def test_an_interrupt_before_anything_is_learned_leaves_it_unfitted() -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    model = small(epochs=5)
    with pytest.raises(KeyboardInterrupt):
        model.fit(plain(), progress=interrupt)
    with pytest.raises(NotFittedError):
        model.sample(1)


# --- scikit-learn's manners -------------------------------------------------------------------------------------------


def test_an_unfitted_model_says_so(tmp_path: Path) -> None:
    model = sv.Synthesizer()
    for ask in (
        lambda: model.sample(1),
        lambda: model.stream(1),
        lambda: model.write(tmp_path / "f.csv", 1),
        lambda: model.save(tmp_path / "m"),
    ):
        with pytest.raises(NotFittedError, match=r"call fit\(table\)"):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_parameters_and_clones(model: sv.Synthesizer) -> None:
    copy = clone(model)
    assert copy.get_params() == model.get_params() == {
        "schema": None, "epochs": 3, "effort": "default",
        "latent_nats": 4.0,
        "batch_size": None, "latent_dim": 16, "budget": None, "random_state": 0,
    }  # fmt: skip
    assert "schema_" not in vars(copy)
    assert copy.set_params(epochs=9).epochs == 9
    with_schema = sv.Synthesizer(model.schema_)
    assert clone(with_schema).schema.to_json() == model.schema_.to_json()
    assert "epochs=3" in repr(model)


# --- containers come back ---------------------------------------------------------------------------------------------


@collapses
@pytest.mark.usefixtures("eagerly")
def test_the_kind_of_table_that_came_in_comes_back(tmp_path: Path) -> None:
    frame = plain()
    arrow = pa.Table.from_pandas(frame)
    levels = {"enum": pl.col("kind").cast(pl.Enum(["low", "high"])), "category": pl.col("kind").cast(pl.Categorical)}
    polars = pl.from_pandas(frame).with_columns(**levels)
    frame.to_parquet(tmp_path / "real.parquet")
    frame.to_csv(tmp_path / "real.csv", index=False)
    made = small().fit(arrow).sample(5)
    assert isinstance(made, pa.Table)
    assert made.schema.equals(arrow.schema.remove_metadata())
    made = small().fit(polars).sample(5)
    assert isinstance(made, pl.DataFrame)
    assert made.schema == polars.schema
    for path in (tmp_path / "real.parquet", str(tmp_path / "real.csv")):
        made = small().fit(path).sample(5)
        assert isinstance(made, pd.DataFrame)
        assert made.dtypes.equals(frame.dtypes)


@collapses
@pytest.mark.usefixtures("eagerly")
def test_a_schema_may_be_given_and_decides() -> None:
    schema = sv.infer_schema(plain()).with_column("x", lower=0.0, upper=1000.0, decimals=0)
    table = plain().round({"x": 0})
    model = small(schema=schema).fit(pa.Table.from_pandas(table))
    assert isinstance(model.sample(5), pa.Table)
    assert model.schema_["x"] == schema["x"]


@collapses
@pytest.mark.usefixtures("eagerly")
def test_the_examples_in_the_documentation() -> None:
    result = doctest.testmod(sys.modules[sv.Synthesizer.__module__])
    assert result.attempted
    assert not result.failed
