"""What the tests share: small tables and one small fitted model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from tests.explored import hostile


def mixed_table(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Numbers, categories, dates, ids and nulls that depend on one another."""
    rng = np.random.default_rng(seed)
    wealth = rng.normal(size=rows)
    income = np.round(np.exp(10 + wealth), 2)
    job = np.where(wealth > 0.5, "lawyer", np.where(rng.random(rows) < 0.5, "baker", "smith"))
    bonus = pd.Series(np.where(wealth > 0, np.round(income / 10), np.nan))
    return pd.DataFrame(
        {
            "id": [f"C-{i:05d}" for i in range(rows)],
            "age": rng.integers(18, 80, rows),
            "income": income,
            "job": pd.Categorical(job, ["smith", "baker", "lawyer"], ordered=True),
            "bonus": bonus,
            "member": pd.array(rng.random(rows) < 0.3, dtype="boolean"),
            "since": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, rows), "D"),
        }
    )


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return mixed_table()


@pytest.fixture(scope="session")
def model(table: pd.DataFrame) -> sv.Synthesizer:
    return sv.Synthesizer(epochs=3, random_state=0).fit(table)


@contextmanager
def uncompiled() -> Iterator[None]:
    """No compiling: of a model that is used once, that is most of the time."""
    if os.environ.get("KERAS_BACKEND") == "jax":
        import jax

        with jax.disable_jit():
            yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def explored() -> Iterator[sv.Synthesizer]:
    """A fitted model of hostile names, asked without compiling."""
    fitted = sv.Synthesizer(epochs=32, latent_dim=4, random_state=0).fit(hostile())
    with uncompiled():
        yield fitted


@pytest.fixture
def eagerly() -> Iterator[None]:
    with uncompiled():
        yield
