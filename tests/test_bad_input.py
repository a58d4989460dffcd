"""Awkward tables: what cannot be learned is one clear error, what can be learned comes back as it came."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.errors import ParameterError, SchemaError, TableError
from synthvae.schema.columns import Identifier
from tests.awkward import BAD, GOOD, HOSTILE, Bad, hostile, plain, wide

collapses = pytest.mark.filterwarnings("ignore::synthvae.errors.CollapseWarning")


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_table_that_cannot_be_learned_is_one_clear_error(bad: Bad, tmp_path: Path) -> None:
    model = sv.Synthesizer(bad.schema, epochs=1)
    with pytest.raises((TableError, SchemaError)) as caught:
        model.fit(bad.make(tmp_path))
    assert all(part in str(caught.value) for part in bad.says), str(caught.value)
    assert len(str(caught.value)) < 500
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("bad", [BAD["infinite"], BAD["mixed types"], BAD["no such file"]], ids=lambda bad: bad.says[0])
def test_the_same_of_a_table_to_validate_by(bad: Bad, tmp_path: Path) -> None:
    with pytest.raises(TableError):
        sv.Synthesizer(epochs=1).fit(plain(), validation=bad.make(tmp_path))


def test_a_validation_table_of_other_columns() -> None:
    with pytest.raises(SchemaError, match="'kind' is missing"):
        sv.Synthesizer(epochs=1).fit(plain(), validation=plain()[["x"]])


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("epochs", "batch_size", "latent_dim") for value in (0, -1, 1.5, "3", True)]
    + [("latent_dim", None), ("random_state", -1), ("random_state", "a"), ("random_state", 0.5), ("schema", "s.json")]
    + [("effort", "huge"), ("effort", None)],
)
def test_a_parameter_that_cannot_be(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=name):
        sv.Synthesizer(**{name: value}).fit(plain())  # type: ignore[arg-type]


def test_one_group_alone_cannot_be_split() -> None:
    table = plain().assign(who="p1")
    schema = sv.infer_schema(plain().assign(who=[f"p{i // 3}" for i in range(60)]), group="who", min_count=1)
    assert isinstance(schema["who"], Identifier)
    with pytest.raises(TableError, match=r"2 groups .*'who'"):
        sv.Synthesizer(schema, epochs=1).fit(table)


@cache
def fitted(name: str) -> sv.Synthesizer:
    return sv.Synthesizer(epochs=1, latent_dim=2, random_state=0).fit(GOOD[name]())


@collapses
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", GOOD)
def test_an_awkward_table_comes_back_as_it_came(name: str, tmp_path: Path) -> None:
    table = GOOD[name]()
    fitted(name).save(tmp_path / "m.synthvae")
    made = sv.load(tmp_path / "m.synthvae").sample(40, random_state=1)
    assert list(made.columns) == list(table.columns)
    assert made.dtypes.equals(table.dtypes)
    assert len(made) == 40
    for column in table:
        real, fake = table[column], made[column]
        assert fake.isna().any() <= real.isna().any()
        assert fake.isna().all() or not real.isna().all()
        if real.nunique() == 1:
            assert set(fake.dropna()) == set(real.dropna())
        if real.dtype.kind in "if" and column != "id" and fake.notna().any():
            reach = float(real.max()) - float(real.min())
            assert float(real.min()) - reach <= fake.min() <= fake.max() <= float(real.max()) + reach


@collapses
@pytest.mark.usefixtures("eagerly")
def test_keys_alone_are_unique_and_of_their_shape() -> None:
    made = fitted("nothing but keys").sample(3000, random_state=0)
    assert made["id"].tolist() == list(range(1, 3001))
    assert made["code"].is_unique
    assert made["code"].str.fullmatch(r"K-\d{4}").all()


@collapses
@pytest.mark.usefixtures("eagerly")
def test_more_rows_than_there_are_keys_is_an_error_before_the_first(tmp_path: Path) -> None:
    model = fitted("nothing but keys")
    assert model.sample(10_000)["code"].is_unique
    with pytest.raises(ParameterError, match="'code'"):
        model.stream(10_001)
    with pytest.raises(ParameterError, match="'code'"):
        model.write(tmp_path / "fake.csv", 10_001)
    assert not list(tmp_path.iterdir())


@collapses
@pytest.mark.usefixtures("eagerly")
def test_levels_near_the_end_of_int64_are_exact() -> None:
    made = fitted("near the end of int64").sample(200, random_state=0)
    assert set(made["both"]) == {2**63 - 1, -(2**63) + 1}
    assert made["high"].dtype == np.int64
    assert made["high"].min() > 2**63 - 1000
    assert made["low"].max() < -(2**63) + 1000


@collapses
@pytest.mark.usefixtures("eagerly")
def test_hostile_names_survive_every_file(tmp_path: Path) -> None:
    sv.Synthesizer(epochs=1, latent_dim=2, random_state=0).fit(hostile()).save(tmp_path / "m.synthvae")
    model = sv.load(tmp_path / "m.synthvae")
    assert {f"nats {name}" for name in HOSTILE} <= set(model.history_.columns)
    assert model.history_.columns.is_unique
    for ending in ("parquet", "csv"):
        model.write(tmp_path / f"fake.{ending}", 5, random_state=0)
        made, _ = tables.read(tmp_path / f"fake.{ending}")
        pd.testing.assert_frame_equal(made.to_pandas(), model.sample(5, random_state=0), check_dtype=False)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@collapses
@pytest.mark.slow
def test_more_columns_than_rows(tmp_path: Path) -> None:
    sv.Synthesizer(epochs=1, latent_dim=2).fit(wide()).save(tmp_path / "m.synthvae")
    made = sv.load(tmp_path / "m.synthvae").sample(40)
    assert made.dtypes.equals(wide().dtypes)
    assert made.notna().all(axis=None)
