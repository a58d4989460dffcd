"""The same files run on TensorFlow and on JAX, and a model of one is a model of the other."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import synthvae as sv
from synthvae import backend

ROOT = Path(__file__).parent.parent
HERE = backend.name()
THERE = {"tensorflow": "jax", "jax": "tensorflow"}[HERE]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec(THERE) is None, reason=f"{THERE} is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model: sv.Synthesizer) -> Path:
    """What the other backend made of this one's model and of the same table."""
    path = tmp_path_factory.mktemp("backends")
    model.save(path / "here.synthvae")
    environment = os.environ | {"KERAS_BACKEND": THERE, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "other_backend.py"), str(path)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (path / "said").write_text(run.stdout)
    return path


def agreement(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """The share of equal cells; two nulls are equal."""
    assert a.dtypes.equals(b.dtypes)
    equal = [(a[name] == b[name]).fillna(False) | (a[name].isna() & b[name].isna()) for name in a]
    return float(pd.concat(equal, axis=1).mean(axis=None))


def test_only_the_backend_that_was_asked_for_is_loaded(folder: Path) -> None:
    name, *loaded = (folder / "said").read_text().split()
    assert name == THERE
    assert THERE in loaded
    if THERE == "jax":
        assert "tensorflow" not in loaded


def test_the_other_backend_draws_the_same_rows_from_our_model(folder: Path, model: sv.Synthesizer) -> None:
    assert agreement(pd.read_parquet(folder / "sample_of_here.parquet"), model.sample(500, random_state=1)) > 0.99


def test_we_draw_the_same_rows_from_its_model(folder: Path, table: pd.DataFrame) -> None:
    model = sv.load(folder / "there.synthvae")
    assert model.card_["versions"]["backend"] == THERE
    made = model.sample(500, random_state=1)
    assert made.dtypes.equals(table.dtypes)
    assert agreement(pd.read_parquet(folder / "sample_of_there.parquet"), made) > 0.99


def test_it_learns_the_same_there(folder: Path, model: sv.Synthesizer) -> None:
    theirs = sv.load(folder / "there.synthvae").history_["held_out"]
    assert abs(theirs[0] - model.history_["held_out"][0]) < 1.0
