"""Every family on the tables at the edge of what a table may be: a score or a reason, never an exception."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import tables
from synthvae.evaluation.base import Family, Score
from synthvae.evaluation.evaluate import evaluate
from synthvae.evaluation.sides import Sides
from synthvae.schema.columns import Boolean, Identifier, Text
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema
from tests.awkward import GOOD, hostile
from tests.judged import Key, ask, category, lawful, number

EVERY_FAMILY = pytest.mark.parametrize("family", list(Family), ids=str)


def parts(frame: pd.DataFrame) -> Sides:
    """A table's rows as all three sides, in different orders."""
    schema = infer_schema(frame)
    real = tables.read(frame)[0]
    order = np.random.default_rng(0).permutation(real.num_rows)
    return Sides.of(real, real.take(pa.array(order)), schema, real.take(pa.array(order[::-1])), (schema.names[0],))


@EVERY_FAMILY
@pytest.mark.parametrize("name", GOOD)
def test_awkward_tables_have_scores_or_reasons(family: Family, name: str) -> None:
    for score in ask(family, parts(GOOD[name]())).values():
        lawful(score)


@EVERY_FAMILY
def test_names_that_are_markup_or_paths_are_names(family: Family) -> None:
    for score in ask(family, parts(hostile())).values():
        lawful(score)


EDGES: dict[str, list[object]] = {
    "no rows": [],
    "one row": [1.5],
    "all null": [None] * 40,
    "constant": [7.0] * 40,
    "negative": [-float(place) for place in range(40)],
}


@EVERY_FAMILY
@pytest.mark.parametrize(
    ("real", "synthetic"),
    [("negative", name) for name in EDGES]
    + [(name, "negative") for name in EDGES if name != "negative"]
    + [("constant", "constant"), ("all null", "all null")],
)
def test_limits_have_scores_or_reasons(family: Family, real: str, synthetic: str) -> None:
    schema = Schema((number("x", "double"), category("c"), Boolean(name="b", arrow="bool", nullable=True),
                     Identifier(name="id", arrow="int64"), Text(name="t", arrow="string")))  # fmt: skip

    def table(name: str) -> pa.Table:
        x = pa.array(EDGES[name], pa.float64())
        n = len(x)
        levels = pa.array([None if name == "all null" else "ab"[place % 2] for place in range(n)], pa.string())
        flags = pa.array([None if name == "all null" else place % 3 == 0 for place in range(n)], pa.bool_())
        notes = pa.array([f"note {place}" for place in range(n)], pa.string())
        return pa.table({"x": x, "c": levels, "b": flags, "id": pa.array(range(n), pa.int64()), "t": notes})

    for holdout in (None, table(synthetic)):
        judged = Sides.of(table(real), table(synthetic), schema, holdout, ("x", "c", "b"))
        for score in ask(family, judged).values():
            lawful(score)


@pytest.mark.slow
@pytest.mark.parametrize("top", [1e300, 1.7e308])
def test_the_largest_numbers_there_are_have_scores_like_any_others(top: float, tmp_path: Path) -> None:
    def table(seed: int, scale: float) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame({"x": rng.uniform(-1, 1, 300) * scale, "c": rng.choice(["a", "b"], 300)})

    def judged(scale: float) -> dict[Key, Score]:
        found = evaluate(table(0, scale), table(1, scale), holdout=table(2, scale), target="c")
        found.to_json(tmp_path / "found.json")
        found.to_html(tmp_path / "found.html")
        return {(score.metric.name, score.columns): score for score in found.all_scores}

    ours, plain = judged(top), judged(1.0)
    for name in ("shape", "distance moved", "range coverage"):
        assert ours[name, ("x",)].value == pytest.approx(plain[name, ("x",)].value, abs=0.02)
    assert ours["associations", ("x", "c")].value == pytest.approx(plain["associations", ("x", "c")].value, abs=1e-9)
