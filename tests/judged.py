"""What the tests of the evaluation share: columns, tables side by side, one score out of many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib import import_module

import pyarrow as pa

from synthvae.evaluation.base import Family, Score, Status
from synthvae.evaluation.evaluate import FAMILIES
from synthvae.evaluation.sides import Sides
from synthvae.schema.columns import Categorical, Column, Numeric
from synthvae.schema.schema import Schema

Key = tuple[str, tuple[str, ...]]
Ask = Callable[[Sides], Iterable[Score]]


def number(name: str = "x", arrow: str = "int64") -> Numeric:
    return Numeric(name=name, arrow=arrow, nullable=True)


def category(name: str = "c", ordered: bool = False) -> Categorical:
    return Categorical(name=name, arrow="string", levels=("a", "b", "z"), nullable=True, ordered=ordered)


def sides(
    real: dict[str, object] | pa.Table,
    synthetic: dict[str, object] | pa.Table,
    *columns: Column,
    holdout: dict[str, object] | pa.Table | None = None,
    group: str | None = None,
    min_count: int = 5,
    targets: tuple[str, ...] = (),
) -> Sides:
    """Tables given as columns of values, judged under a schema of these columns."""
    schema = Schema(columns, group=group, min_count=min_count)
    tables = [None if table is None else pa.table(table) for table in (real, synthetic, holdout)]
    return Sides.of(tables[0], tables[1], schema, tables[2], targets)


def found(ask: Ask, judged: Sides, metric: str, *columns: str) -> Score:
    """The one score of a metric about these columns; none means the whole table."""
    (score,) = [score for score in ask(judged) if score.metric.name == metric and score.columns == columns]
    return score


def value(ask: Ask, judged: Sides, metric: str, *columns: str) -> float | None:
    return found(ask, judged, metric, *columns).value


def ask(family: Family, judged: Sides) -> dict[Key, Score]:
    """Every score of a family by metric and columns."""
    scores = list(import_module(FAMILIES[family]).scores(judged))
    found = {(score.metric.name, score.columns): score for score in scores}
    assert len(found) == len(scores)
    return found


def lawful(score: Score) -> None:
    """A finite value inside its interval and scale, or a reason."""
    metric = score.metric
    json.dumps(dict(score.details), allow_nan=False)
    assert set(score.columns) == set(map(str, score.columns))
    if score.value is None:
        assert score.note
        assert not score.note[0].isupper()
        assert not score.note.endswith(".")
        assert score.status is Status.NOT_APPLICABLE
        return
    least, most = min(0.0, metric.best, metric.worst), max(metric.best, metric.worst)  # an AUC may be below chance
    assert least - 1e-9 <= score.value <= most + 1e-9
    assert score.low is not None
    assert score.high is not None
    assert least - 1e-9 <= score.low <= score.value + 1e-9
    assert score.value - 1e-9 <= score.high <= most + 1e-9
    assert score.reference is None or least - 1e-9 <= score.reference <= most + 1e-9
