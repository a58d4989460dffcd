"""Does the synthetic table look like the real one: all that is asked of columns, pairs and triples of columns.

Shape and pair trends are those of SDMetrics, with two repairs: the bins of a pair come from the real side for both
tables (else one stray value shifts all edges), and a column that became constant or null is charged instead of skipped.
"""

from __future__ import annotations

from synthvae.evaluation import coverage, margins, nulls, pairs, shapes
from synthvae.evaluation.base import Score
from synthvae.evaluation.sides import Sides

METRICS = (
    shapes.SHAPE,
    shapes.DISTANCE,
    nulls.RATES,
    nulls.PATTERN,
    pairs.TRENDS,
    pairs.ASSOCIATIONS,
    margins.MARGINS,
    coverage.RANGE,
    coverage.LEVELS,
    coverage.RARE,
)


def scores(sides: Sides) -> list[Score]:
    """Every fidelity score, on all rows: of the table as a whole (no columns), then column by column."""
    return [found for ask in (shapes, nulls, pairs, margins, coverage) for found in ask.scores(sides)]
