"""Does the table reach as far: ranges of numbers, levels of categories, and the rare among them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from synthvae.evaluation.answers import FOLDED, NO_ROWS, Answer, Tally, sample_sizes
from synthvae.evaluation.base import Family, Metric, Score
from synthvae.evaluation.cells import REAL, Cells, comparable
from synthvae.evaluation.sides import Array, Sides

RANGE = Metric("range coverage", Family.FIDELITY, "How much of the real range of a number is reached.")
LEVELS = Metric("category coverage", Family.FIDELITY, "How many of a column's real levels occur at all.")
RARE = Metric(
    "rare levels",
    Family.FIDELITY,
    "How much of the real rows in rare levels (each under 1 % of rows) is there.",
    headline=True,
)
SCARCE = 0.01  # share of rows under which a level is rare
LOGISTIC = 1.702  # slope at which a logistic curve is that of the normal distribution, to a hundredth
DRAWS = 200  # of the rank of an end, for its noise


def scores(sides: Sides) -> list[Score]:
    """Coverage of every number's range, and of every other column's levels and rare levels.

    A range goes from the ``min_count``-th smallest to the ``min_count``-th largest known value, on the other sides from
    the same share of rows; a level counts from ``min_count`` real rows. No single row is a range or a level.
    """
    ranges, levels, rare = Tally(sides, RANGE), Tally(sides, LEVELS), Tally(sides, RARE)
    for cells in comparable(sides):
        others = [side for side in cells.parts if side != REAL]
        if cells.continuous:
            ranges.add((cells.name,), {side: _range(sides, cells, side) for side in others})
        else:
            levels.add((cells.name,), {side: _levels(sides, cells, side) for side in others})
            rare.add((cells.name,), {side: _rare(sides, cells, side) for side in others})
    return [*ranges.scores(), *levels.scores(), *rare.scores()]


# --- numbers --------------------------------------------------------------------------------------------------------


def _range(sides: Sides, cells: Cells, side: str) -> Answer:
    real, other = cells.known(REAL), cells.known(side)
    rank = sides.schema.min_count
    if not len(cells.parts[REAL]) or not len(cells.parts[side]):
        return NO_ROWS
    if len(real) < 2 * rank:
        return Answer(None, why=f"fewer than {2 * rank} real values are known")
    low, high = (float(end[rank - 1]) for end in _ends(real, rank))
    if low >= high:
        return Answer(None, why="the real column is (almost) constant, so there is no range")
    if not len(other):
        return Answer(0.0, why="all values are null here, which they are not in the real table")
    wanted = max(1.0, rank * len(other) / len(real))
    bottom, top, place = *_ends(other, depth := _depth(wanted, len(other))), min(round(wanted), depth) - 1
    value = float(_reached(bottom, top, np.full((2, 1), place), low, high)[0])
    rng = sides.rng(f"range of {cells.name}")
    # the rank that a bound has among all the rows there could be, looked up here and, finer or coarser, among the real
    ranks = rng.gamma(wanted, size=(2, DRAWS))
    noise = _reached(bottom, top, _places(ranks, depth), low, high).var()
    ranks *= len(real) / len(other)
    bottom, top = _ends(real, depth := _depth(float(ranks.max()), len(real)))
    noise = max(noise, _reached(bottom, top, _places(ranks, depth), low, high).var())
    return Answer(value, variance=float(noise))


def _depth(rank: float, rows: int) -> int:
    """Rows to sort at an end so that ranks about this one can be looked up."""
    return min(rows, math.ceil(rank + 6 * rank**0.5))


def _places(ranks: Array, depth: int) -> Array:
    return np.minimum(np.ceil(ranks).astype(np.int64), depth) - 1


def _ends(values: Array, depth: int) -> tuple[Array, Array]:
    """The ``depth`` smallest, ascending, and the ``depth`` largest, descending."""
    last = len(values) - depth
    parted = np.partition(values, [depth - 1, last])
    return np.sort(parted[:depth]), np.sort(parted[last:])[::-1]


def _reached(bottom: Array, top: Array, places: Array, low: float, high: float) -> Array:
    """The share of low..high between the given places (2, d) of both ends, (d,)."""
    reached = np.minimum(top[places[1]], high) - np.maximum(bottom[places[0]], low)
    return np.asarray(np.clip(reached / (high - low), 0, 1))


# --- levels ---------------------------------------------------------------------------------------------------------


def _counts(cells: Cells, side: str) -> Iterator[Array]:
    """Rows per level, null left out, on the real and on the other side."""
    real_level = ~np.asarray(pc.is_null(cells.levels)) if len(cells.levels) else np.zeros(1, bool)
    for part in (REAL, side):
        yield np.bincount(cells.codes[part], minlength=cells.size)[real_level]


def _levels(sides: Sides, cells: Cells, side: str) -> Answer:
    if not len(cells.parts[REAL]) or not len(cells.parts[side]):
        return NO_ROWS
    real, other = _counts(cells, side)
    held = real >= sides.schema.min_count
    if not held.any():
        return Answer(None, why=f"no level is held by {sides.schema.min_count} real rows")
    sizes = sample_sizes(sides)
    # a level of c real rows stays away from another sample by chance: Poisson, its rate known from c rows
    absent = (1 + sizes[side] / max(sizes[REAL], 1)) ** -real[held].astype(np.float64)
    value = float((other[held] > 0).mean())
    return Answer(value, variance=float((absent * (1 - absent)).sum()) / held.sum() ** 2, floor=float(absent.mean()))


def _rare(sides: Sides, cells: Cells, side: str) -> Answer:
    if not len(cells.parts[REAL]) or not len(cells.parts[side]):
        return NO_ROWS
    real, other = _counts(cells, side)
    n, m = len(cells.parts[REAL]), len(cells.parts[side])
    scarce = (real >= sides.schema.min_count) & (real < SCARCE * n)
    if not scarce.any():
        return Answer(None, why=f"no level of {sides.schema.min_count} real rows or more is under {SCARCE:.0%} of rows")
    p, q = real[scarce] / n, other[scarce] / m
    sizes = sample_sizes(sides)
    total = float(p.sum())
    floor = FOLDED * float(np.sqrt(p * (1 / sizes[REAL] + 1 / sizes[side])).sum()) / 2 / total
    # a level with more rows than it needs moves nothing; how surely it has them is a logistic curve of the difference
    lacking = (p - q) / np.sqrt(p / sizes[REAL] + np.maximum(q, 1 / m) / sizes[side])
    short = 1 / (1 + np.exp(-LOGISTIC * np.clip(lacking, -30, 30)))
    variance = float((short * np.maximum(q, 1 / m)).sum()) / sizes[side] / total**2
    return Answer(float(np.minimum(p, q).sum()) / total, variance=variance, floor=min(floor, 1.0))
