"""The report on the latent: what it finds on a table of known causes, and that it is safe to open."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthvae as sv
from synthvae.errors import NotFittedError, ParameterError
from synthvae.generation.dimensions import _groups, _information

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def causes() -> sv.Synthesizer:
    """Two hidden causes with two columns each, and one column of noise."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, 2000))
    told = {name: np.array(list("pqrs"))[x] for name, x in (("a1", a), ("a2", a), (HOSTILE, b))}
    table = pd.DataFrame(told | {"b2": b * 10.0 + rng.integers(0, 3, 2000), "noise": rng.choice(list("xy"), 2000)})
    return sv.Synthesizer(epochs=15, latent_dim=6, random_state=0).fit(table)


def test_information_of_known_dependence() -> None:
    z = np.random.default_rng(0).normal(size=20_000)
    assert _information(z, (z > 0).astype(int)) == pytest.approx(np.log(2), abs=0.01)
    assert _information(z, np.random.default_rng(1).integers(0, 9, 20_000)) < 0.003
    assert _information(z, np.zeros(20_000, int)) == 0


def test_groups_of_many_values() -> None:
    tokens = np.repeat(np.arange(40), 10)
    by_rank = _groups(tokens, np.concatenate([[-1.0], np.arange(39)[::-1]]))
    assert len(np.unique(by_rank)) == 17
    assert (by_rank[tokens == 0] == 16).all()
    assert by_rank[tokens == 39][0] == 0
    names = _groups(np.concatenate([tokens, np.full(100, 7)]), None)
    assert len(np.unique(names)) == 16
    assert (names[-100:] == 0).all()


def test_what_it_says_of_a_dimension_is_seen_along_it(causes: sv.Synthesizer) -> None:
    report = causes.latent_report()
    assert report.idle + report.table.dimension.nunique() == 6
    assert report.table.nats.is_monotonic_decreasing
    names = report.table[report.table.column != "b2"].sort_values("information")
    assert _moved(causes, names.iloc[-1]) > _moved(causes, names.iloc[0]) + 0.1
    top = report.table.loc[report.table.information.idxmax()]
    assert top.low != top.high
    assert f"{top.dimension} (" in str(report)
    pd.testing.assert_frame_equal(causes.latent_report().table, report.table)


def _moved(model: sv.Synthesizer, line: pd.Series) -> float:
    """Total variation between a column's values at both ends of a dimension, the other dimensions at random."""
    z = np.random.default_rng(2).normal(size=(1000, 6))
    shares = []
    for end in (-1.5, 1.5):
        z[:, int(line.dimension[1:])] = end
        shares.append(model.decode(z, random_state=3)[line.column].value_counts(normalize=True))
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def test_the_page_runs_nothing(causes: sv.Synthesizer, tmp_path: Path) -> None:
    causes.latent_report().to_html(tmp_path / "latent.html", HOSTILE)
    page = (tmp_path / "latent.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert len(re.findall(r'src="data:image/svg', page)) == 2


def test_every_kind_of_column_can_colour_the_map(model: sv.Synthesizer, tmp_path: Path) -> None:
    report = model.latent_report()
    assert "id" not in report.map["row"]
    for column in report.map["row"]:
        assert report.scatter(column).to_dict()["encoding"]["color"]["title"] == column
    report.to_html(tmp_path / "latent.html")
    with pytest.raises(ParameterError, match="no column 'jobs' on the map"):
        report.scatter("jobs")
    with pytest.raises(NotFittedError, match="not fitted yet"):
        sv.Synthesizer().latent_report()


def test_an_idle_latent_has_an_empty_report(model: sv.Synthesizer, tmp_path: Path) -> None:
    report = sv.Synthesizer(epochs=1, latent_dim=1, random_state=0).fit(pd.DataFrame({"x": [1, 1, 1] * 20}))
    told = report.latent_report()
    told.to_html(tmp_path / "none.html")
    assert "active dimensions" in str(told)
