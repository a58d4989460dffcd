"""Is each column spread alike: Kolmogorov-Smirnov, total variation, and how far values would have to be moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synthvae.evaluation.answers import FOLDED, NO_ROWS, Answer, Sample, Tally, rowwise, samples
from synthvae.evaluation.base import Family, Metric, Score
from synthvae.evaluation.cells import REAL, Cells, cells_of
from synthvae.evaluation.sides import Array, Sides
from synthvae.schema.columns import Scale

SHAPE = Metric(
    "shape",
    Family.FIDELITY,
    "How alike a column is spread: the share of rows that lie on the right side of any value, or in the right level.",
    headline=True,
    fair=0.02,
    poor=0.05,
)
DISTANCE = Metric(
    "distance moved",
    Family.FIDELITY,
    "How little the values of a number would have to be moved to be spread as the real ones: 1 is not at all, 0 is as "
    "far as if all were at the median.",
)
QUANTILES = 50_000  # of either side between which distances are integrated, where there are more values
# mean distance of two samples in standard deviations at the worst place: .8 of one place only, 1.7 of a continuum
KOLMOGOROV = 1.3


def scores(sides: Sides) -> list[Score]:
    """Shape of every column, distance moved of every continuous one.

    Shape is 1 - sup |F - F'| of the known values for continuous columns, 1 - total variation for all else, null being a
    level there. Distance is 1 - W / D, cut at 0, with W the integral of |F - F'| (Wasserstein 1) and D the mean
    absolute deviation of the real values from their median.
    """
    shapes, distances = Tally(sides, SHAPE), Tally(sides, DISTANCE)
    rows = samples(sides)
    for cells in cells_of(sides):
        others = [side for side in cells.parts if side != REAL]
        if cells.column.scale is Scale.OPAQUE:
            why = f"the values of a column of kind {cells.column.kind} are minted, not learned"
            shapes.add((cells.name,), dict.fromkeys(others, Answer(None, why=why)))
        elif cells.continuous:
            pairs = {side: _answers(cells, side, rows) for side in others}
            shapes.add((cells.name,), {side: pair[0] for side, pair in pairs.items()})
            distances.add((cells.name,), {side: pair[1] for side, pair in pairs.items()})
        else:
            shapes.add((cells.name,), {side: _levels_alike(cells, side, rows) for side in others})
    return [*shapes.scores(), *distances.scores()]


# --- continuous columns ---------------------------------------------------------------------------------------------


def _answers(cells: Cells, side: str, rows: Mapping[str, Sample]) -> tuple[Answer, Answer]:
    """Shape and distance of one continuous column."""
    if not rows[REAL].rows or not rows[side].rows:
        return NO_ROWS, NO_ROWS
    real = cells.ordered
    if not len(real):
        nothing = Answer(None, why="all real values are null")
        return nothing, nothing
    other = np.sort(cells.known(side))
    if not len(other):
        gone = Answer(0.0, why="all values are null here, which they are not in the real table")
        return gone, gone
    heard = rows[side].witnesses
    known = ~cells.missing[side][heard]
    witnesses = cells.numbers(side)[heard][known]
    noise = (1 / rows[REAL].size + 1 / rows[side].size) ** 0.5
    shape, distance = _furthest(real, other, witnesses), _moved(real, other, witnesses)
    return _told(shape, known, noise), _told(distance, known, noise)


def _told(answer: Answer, known: Array, noise: float) -> Answer:
    """The answer with the influence of all witnesses, and its floor for samples of these sizes."""
    if answer.influence is None:
        return answer
    return replace(answer, influence=rowwise(answer.influence, known), floor=answer.floor * noise)


def _furthest(real: Array, other: Array, witnesses: Array) -> Answer:
    """Kolmogorov-Smirnov: where the distribution functions are furthest apart, at or just below one of the others."""
    last = np.flatnonzero(np.append(other[1:] != other[:-1], True))
    values, upto = other[last], (last + 1) / len(other)
    real_upto, real_below = (np.searchsorted(real, values, side=side) / len(real) for side in ("right", "left"))
    gaps = np.stack([real_upto - upto, real_below - np.append(0.0, upto[:-1])])
    below, place = np.unravel_index(int(np.abs(gaps).argmax()), gaps.shape)
    gap = float(gaps[below, place])
    counted = witnesses < values[place] if below else witnesses <= values[place]
    unsure = float((real_upto * (1 - real_upto)).max() ** 0.5)
    return Answer(1 - abs(gap), counted * np.sign(gap), floor=KOLMOGOROV * unsure)


def _moved(real: Array, other: Array, witnesses: Array) -> Answer:
    """Wasserstein 1 in units of the real spread."""
    spread = float(np.abs(real - real[len(real) // 2], dtype=np.float64).mean())
    if spread == 0:
        return Answer(None, why="the real column is constant, so there is no unit of distance")
    real, other = _thinned(real), _thinned(other)
    at = np.sort(np.concatenate([real, other]))
    below_real, below = (np.searchsorted(part, at, side="right") / len(part) for part in (real, other))
    steps, gap = np.diff(at).astype(np.float64), (below_real - below)[:-1]
    value = 1 - float(np.abs(gap) @ steps) / spread
    if value <= 0:
        return Answer(0.0)
    pull = np.append(0.0, np.cumsum(np.sign(gap) * steps)) / spread
    unsure = float(np.sqrt(below_real * (1 - below_real))[:-1] @ steps) / spread
    return Answer(value, -np.interp(witnesses, at, pull), floor=FOLDED * unsure)


def _thinned(values: Array) -> Array:
    """Values (n,), ascending, or as many quantiles of them as settle an integral."""
    if len(values) <= QUANTILES:
        return values
    return np.asarray(values[((np.arange(QUANTILES) + 0.5) * len(values) / QUANTILES).astype(np.int64)])


# --- levels ---------------------------------------------------------------------------------------------------------


def _levels_alike(cells: Cells, side: str, rows: Mapping[str, Sample]) -> Answer:
    codes, real = cells.codes[side], cells.codes[REAL]
    if not len(codes) or not len(real):
        return NO_ROWS
    counts = np.bincount(real, minlength=cells.size), np.bincount(codes, minlength=cells.size)
    return overlap(*counts, codes[rows[side].witnesses], (rows[REAL].size, rows[side].size))


def overlap(real: Array, other: Array, witnesses: Array, sizes: tuple[float, float]) -> Answer:
    """1 - total variation of two tables of counts (v,); ``witnesses`` (w,) are the cells of the others heard."""
    p, q = real / real.sum(), other / other.sum()
    value = max(0.0, 1 - float(np.abs(p - q).sum() / 2))  # a long sum may end a rounding error above 1
    return Answer(value, (np.sign(p - q) / 2)[witnesses], floor=expected_variation(p, sizes))


def expected_variation(p: Array, sizes: tuple[float, float]) -> float:
    """About the total variation of two samples of these sizes, both of the shares p (v,)."""
    noise = FOLDED * np.sqrt(p * (1 - p) * (1 / sizes[0] + 1 / sizes[1]))
    return float(np.minimum(noise, 2 * p).sum() / 2)
