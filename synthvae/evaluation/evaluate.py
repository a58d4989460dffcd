"""One call, four questions: is the table faithful, is it useful, is it safe, is it lawful."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from typing import Any

from synthvae import tables
from synthvae.evaluation.base import Family, Score
from synthvae.evaluation.draw import pictures
from synthvae.evaluation.result import Evaluation
from synthvae.evaluation.sides import Sides
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema

Progress = Callable[[str, float], None]

# Imported when asked, so that a look at shapes does not load a classifier library.
FAMILIES: dict[Family, str] = {family: f"synthvae.evaluation.{family}" for family in Family}
JUDGED_BY = ("synthvae", "numpy", "pyarrow", "scipy", "scikit-learn", "great-expectations")


def evaluate(
    real: object,
    synthetic: object,
    *,
    holdout: object | None = None,
    schema: Schema | None = None,
    target: str | Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Judge a synthetic table against the real one it was learned from.

    real, synthetic, holdout: tables or paths; ``holdout`` holds real rows that nobody trained on and gives every score
    its reference. schema: inferred from the real table where it is not given. target: the column (or columns) that
    somebody would predict. progress: called with the family at hand and the share done. TableError where the tables
    cannot be compared.

    >>> import pandas as pd
    >>> real = pd.DataFrame({"x": [place / 4 for place in range(100)], "kind": ["low"] * 50 + ["high"] * 50})
    >>> found = evaluate(real, real.assign(kind=["low", "high"] * 50))
    >>> told = found.summary().set_index("metric")
    >>> [round(float(told.loc[metric, "value"]), 3) for metric in ("shape", "pair trends")]
    [1.0, 0.5]
    """
    targets = (target,) if isinstance(target, str) else tuple(target or ())
    schema = schema or infer_schema(real)
    learned, judged = tables.read(real)[0], tables.read(synthetic)[0]
    held = None if holdout is None else tables.read(holdout)[0]
    sides = Sides.of(learned, judged, schema, held, targets, seed)
    found = judge(sides, progress)
    given = [*learned.column_names, *judged.column_names, *([] if held is None else held.column_names)]
    beyond = dict.fromkeys(name for name in given if name not in schema)
    return replace(found, facts=found.facts | {"ignored columns": list(beyond)})


def judge(sides: Sides, progress: Progress | None = None) -> Evaluation:
    """Every metric of every family on tables that are already lawful."""
    found: list[Score] = []
    seconds: dict[str, float] = {}
    for place, (family, module) in enumerate(FAMILIES.items()):
        if progress:
            progress(family, place / len(FAMILIES))
        start = time.perf_counter()
        found += import_module(module).scores(sides)
        seconds[str(family)] = round(time.perf_counter() - start, 3)
    drawn = pictures(sides, found)
    if progress:
        progress("done", 1.0)
    return Evaluation(tuple(found), _facts(sides, found, seconds), drawn, sides.schema)


def _facts(sides: Sides, scores: Sequence[Score], seconds: dict[str, float]) -> dict[str, Any]:
    rows = {"real": sides.real.num_rows, "synthetic": sides.synthetic.num_rows}
    return {
        "versions": {name: version(name) for name in JUDGED_BY},
        "seed": sides.seed,
        "rows": rows | {"hold-out": None if sides.holdout is None else sides.holdout.num_rows},
        "columns": len(sides.schema),
        "targets": list(sides.targets),
        "subsamples": _subsamples(sides, scores),
        "seconds": seconds,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _subsamples(sides: Sides, scores: Sequence[Score]) -> dict[str, int]:
    """Of each metric that did not look at all rows, how many it looked at: what ``details`` has under "rows"."""
    everything = min(table.num_rows for table in (sides.real, sides.synthetic))
    looked_at: dict[str, int] = {}
    for score in scores:
        rows = score.details.get("rows", everything)
        most = max((int(count) for count in (rows.values() if isinstance(rows, Mapping) else [rows])), default=0)
        looked_at[score.metric.name] = max(most, looked_at.get(score.metric.name, 0))
    return {name: rows for name, rows in looked_at.items() if rows < everything}
