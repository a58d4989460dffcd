"""Bundles of every format ever released still open and still draw the rows they drew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthvae as sv
from synthvae import bundle
from tests.make_golden import DATA, record

GOLDEN = sorted(DATA.glob("golden_v*.synthvae"))


@pytest.fixture(scope="module", params=GOLDEN, ids=lambda path: path.stem)
def golden(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any]]:
    path: Path = request.param
    return path, json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found(golden: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    return record(sv.load(golden[0]))


def test_there_is_one_for_every_format() -> None:
    assert [path.stem for path in GOLDEN] == [f"golden_v{number}" for number in range(1, bundle.VERSION + 1)]
    assert all(path.stat().st_size < 3e6 for path in GOLDEN)


def test_types_columns_and_categories(golden: tuple[Path, dict[str, Any]], found: dict[str, Any]) -> None:
    expected = golden[1]
    assert found["categories"] == expected["categories"]
    assert list(found["dtypes"]) == list(expected["dtypes"])
    # what text is called differs between versions of pandas
    assert found["dtypes"] | {"id": "text"} == expected["dtypes"] | {"id": "text"}


def test_the_first_rows(golden: tuple[Path, dict[str, Any]], found: dict[str, Any]) -> None:
    """Keys are pure arithmetic; a cell may tip over where a matrix product is rounded otherwise, and few do."""
    expected = golden[1]["rows"]
    assert [row["id"] for row in found["rows"]] == [row["id"] for row in expected]
    cells = [(a[name], b[name]) for a, b in zip(found["rows"], expected, strict=True) for name in a]
    assert sum(a == b for a, b in cells) >= 0.9 * len(cells)


def test_many_rows(golden: tuple[Path, dict[str, Any]], found: dict[str, Any]) -> None:
    for part, near in (("means", {"rel": 0.02}), ("nulls", {"abs": 0.01}), ("shares", {"abs": 0.01})):
        assert found[part] == pytest.approx(golden[1][part], **near), part


def test_it_can_be_saved_again(golden: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    model = sv.load(golden[0])
    model.save(tmp_path / "again.synthvae")
    again = sv.load(tmp_path / "again.synthvae").sample(20, random_state=1)
    pd.testing.assert_frame_equal(again, model.sample(20, random_state=1))
