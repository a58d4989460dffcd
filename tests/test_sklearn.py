"""LatentTransformer among scikit-learn's own: its checks, pipelines, tables of any kind."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import synthvae as sv
from tests.conftest import mixed_table

# none of scikit-learn's checks is expected to fail
FAST = sv.LatentTransformer(epochs=1, batch_size=64, latent_dim=2, random_state=0)


@parametrize_with_checks([FAST])
@pytest.mark.usefixtures("eagerly")
@pytest.mark.filterwarnings("ignore")  # the checks themselves warn of skipped parts and of tiny data
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_a_table_of_every_kind_in_a_pipeline() -> None:
    table = mixed_table(400)
    pipe = make_pipeline(
        sv.LatentTransformer(epochs=2, latent_dim=4, random_state=0), StandardScaler(), LogisticRegression()
    )
    pipe.fit(table.drop(columns="member"), table.member)
    assert pipe.predict(table.drop(columns="member").head(7)).shape == (7,)
    z = pipe[0].set_output(transform="pandas").transform(table.drop(columns="member").head(7))
    assert list(z.columns) == [f"latenttransformer{i}" for i in range(4)]
    assert list(pipe[0].get_feature_names_out()) == list(z.columns)
    assert list(pipe[0].feature_names_in_) == list(table.drop(columns="member").columns)


def test_it_is_what_encode_says(eagerly: None) -> None:
    table = mixed_table(300).drop(columns="id")
    fitted = sv.LatentTransformer(epochs=1, latent_dim=3, random_state=0).fit(table)
    np.testing.assert_allclose(fitted.transform(table), fitted.synthesizer_.encode(table))
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(again.transform(table), fitted.transform(table), atol=1e-6)


def test_numbers_with_nan(eagerly: None) -> None:
    x = np.random.default_rng(0).normal(size=(120, 3))
    x[::3, 1] = np.nan
    z = sv.LatentTransformer(epochs=1, latent_dim=2, random_state=0).fit_transform(x)
    assert z.shape == (120, 2)
    assert np.isfinite(z).all()
    frame = pd.DataFrame(x, columns=["x0", "x1", "x2"])
    np.testing.assert_allclose(sv.LatentTransformer(epochs=1, latent_dim=2, random_state=0).fit_transform(frame), z)
