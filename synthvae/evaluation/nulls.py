"""Are values missing alike: how often in each column, and together in which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthvae.evaluation.answers import FOLDED, NO_ROWS, Answer, Sample, Tally, samples, score
from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.cells import REAL, Cells, cells_of
from synthvae.evaluation.shapes import overlap
from synthvae.evaluation.sides import Array, Sides

RATES = Metric("null rates", Family.FIDELITY, "How alike the share of missing values of a column is.")
PATTERN = Metric(
    "null pattern",
    Family.FIDELITY,
    "How alike values are missing together: the share of rows whose set of missing columns need not change.",
    fair=0.02,
    poor=0.05,
)


def scores(sides: Sides) -> list[Score]:
    """1 - |difference| of each null rate, and 1 - total variation over the sets of columns missing together."""
    rates = Tally(sides, RATES)
    rows = samples(sides)
    for cells in cells_of(sides):
        rates.add((cells.name,), {side: _rate(cells, side, rows) for side in cells.parts if side != REAL})
    return [*rates.scores(), _pattern(sides, rows)]


def _rate(cells: Cells, side: str, rows: Mapping[str, Sample]) -> Answer:
    real, other = cells.missing[REAL], cells.missing[side]
    if not len(real) or not len(other):
        return NO_ROWS
    p, q = float(real.mean()), float(other.mean())
    influence = other[rows[side].witnesses] * np.sign(p - q)
    floor = FOLDED * (p * (1 - p) * (1 / rows[REAL].size + 1 / rows[side].size)) ** 0.5
    return Answer(1 - abs(p - q), influence, floor=floor)


def _pattern(sides: Sides, rows: Mapping[str, Sample]) -> Score:
    tables = sides.tables
    if not all(tables[side].num_rows for side in (REAL, "synthetic")):
        return not_applicable(PATTERN, NO_ROWS.why)
    holey = [cells for cells in cells_of(sides) if any(part.any() for part in cells.missing.values())]
    if not holey:
        return not_applicable(PATTERN, "no value is missing on any side")
    patterns = _patterns(holey)
    size = max(int(codes.max(initial=0)) for codes in patterns.values()) + 1
    counts = {side: np.bincount(codes, minlength=size) for side, codes in patterns.items()}
    answers = {
        side: overlap(counts[REAL], counts[side], codes[rows[side].witnesses], (rows[REAL].size, rows[side].size))
        for side, codes in patterns.items()
        if side != REAL and len(codes)
    }
    return score(sides, PATTERN, (), answers, {"columns": [cells.name for cells in holey]})


def _patterns(holey: list[Cells]) -> Mapping[str, Array]:
    """Per side (n,) a number for the set of columns each row lacks; sets nobody has get none."""
    sides = list(holey[0].parts)
    ends = np.cumsum([len(holey[0].missing[side]) for side in sides])[:-1]
    together = np.zeros(sum(len(holey[0].missing[side]) for side in sides), np.int64)
    for cells in holey:
        together = together * 2 + np.concatenate([cells.missing[side] for side in sides])
        met = np.bincount(together) > 0
        together = (np.cumsum(met) - 1)[together]
    return dict(zip(sides, np.split(together, ends), strict=True))
