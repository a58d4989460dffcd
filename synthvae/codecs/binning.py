"""How the bins of a number are learned: atoms by frequency, the rest by smoothed quantiles.

Every number kept has ``min_count`` rows behind it: an atom occurs that often, an interior edge is the mean of that
many neighbours, an outer edge has that many rows at or beyond it and is rounded outward.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

import numpy as np

from synthvae.codecs.base import IntArray
from synthvae.codecs.bins import Bins, off_atoms, squeeze_down, squeeze_up, unsqueeze
from synthvae.codecs.grid import Grid, NumberArray, Units

# A value held by this share of rows is a fact of its own (a cap, a default, a price), not a draw from a density.
ATOM_SHARE = 0.003
# With so few distinct values every supported one is a token.
FEW_VALUES = 128
# Rows per step: fewer make the step's place noisy, more waste resolution.
ROWS_PER_STEP = 25
MOST_BINS, MOST_STEPS_IN_BIN = 48, 24
# Up to so many steps one block is enough.
ONE_BLOCK = 64
# Small tables get up to so many steps of 2 * min_count rows.
SMALL_STEPS = 20


@dataclass(frozen=True, eq=False)
class Learned:
    """Bins, what was folded into them, and the sorted numbers they were learned from (not to be kept)."""

    bins: Bins
    folded: int
    lost_nan: int
    ordered: NumberArray


def learn_bins(units: Units, grid: Grid, min_count: int, most: int | None = None) -> Learned:
    """The atoms, bins and steps of a column's units (n,); ``most``: at most so many steps, each a bin of its own."""
    nan = int(units.nan.sum())
    known_nan = nan >= min_count
    ordered = np.sort(units.number[~(units.null | units.nan)])
    values, counts = _runs(ordered)
    chosen = counts >= _least_count(values, len(ordered), min_count)
    rest = ordered[np.repeat(~chosen, counts)]
    rest = rest if grid.dtype.kind == "i" else rest[np.isfinite(rest)]
    edges, first = _steps(rest, values[chosen], grid, min_count, most)
    folded = len(rest) if not len(edges) or len(rest) < min_count else 0
    bins = Bins(values[chosen], edges, first, known_nan)
    return Learned(bins, folded, 0 if known_nan else nan, ordered)


def smoothed_quantiles(ordered: NumberArray, positions: IntArray, min_count: int) -> NumberArray:
    """(q,) the mean of the ``min_count`` sorted values around each position, ends replaced by the nearest inner one."""
    inner = np.clip(np.arange(len(ordered)), min(min_count, len(ordered)) - 1, max(len(ordered) - min_count, 0))
    start = np.clip(positions - min_count // 2, 0, max(len(ordered) - min_count, 0))
    window = np.minimum(start[:, None] + np.arange(min_count), len(ordered) - 1)  # (q, min_count)
    around = ordered[inner][window]
    if ordered.dtype.kind != "i":
        return np.asarray((around.astype(np.float64) / min_count).sum(axis=1).astype(ordered.dtype))
    # int64 never passes through float64: only the distance from the first of the window does.
    distance = around.view(np.uint64) - around[:, :1].view(np.uint64)  # in uint64, where even the whole of int64 fits
    return np.asarray(around[:, 0] + np.rint(distance.astype(np.float64).mean(axis=1)).astype(np.uint64).view(np.int64))


def robust_bounds(ordered: NumberArray, grid: Grid, min_count: int) -> tuple[int | float, int | float]:
    """The ``min_count``-th smallest and largest value, rounded outward to 1/100 of the range's power of ten."""
    ends = sorted((ordered[min_count - 1].item(), ordered[-min_count].item()))
    low, high = _round_outward(ends[0], ends[1], whole=grid.dtype.kind == "i")
    least, most = allowed_range(grid)
    return min(max(low, least), most), min(max(high, least), most)


def allowed_range(grid: Grid) -> tuple[int | float, int | float]:
    """What the schema's bounds and the Arrow type together allow."""
    least, most = grid.limits
    lower = least if grid.lower is None else min(max(grid.lower, least), most)
    upper = most if grid.upper is None else min(max(grid.upper, least), most)
    return lower, upper


def cut(starts: NumberArray, high: int | float, atoms: NumberArray, per_bin: int) -> tuple[NumberArray, IntArray]:
    """Edges (s + 1,) and first steps (c + 1,) from wished-for step starts: duplicates and empty steps are dropped."""
    last = np.asarray([high], starts.dtype)
    if starts.dtype.kind == "i":
        squeezed, top = squeeze_up(starts, atoms), squeeze_down(last, atoms)
        squeezed = squeezed[: np.searchsorted(squeezed, top[0], side="right")]
        fine, coarse = (unsqueeze(np.unique(part), atoms) for part in (squeezed, squeezed[::per_bin]))
        last = unsqueeze(top, atoms)
    else:
        starts, last = off_atoms(starts, atoms, up=True), off_atoms(last, atoms, up=False)
        usable = starts[starts <= last]
        fine, coarse = np.unique(usable), np.unique(usable[::per_bin])
    if not len(fine):
        return starts[:0], np.zeros(1, np.int64)
    if len(fine) <= ONE_BLOCK:
        coarse = fine
    return np.append(fine, last), np.append(np.searchsorted(fine, coarse), len(fine)).astype(np.int64)


def _runs(ordered: NumberArray) -> tuple[NumberArray, IntArray]:
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, np.int64)
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _least_count(values: NumberArray, rows: int, min_count: int) -> float:
    return min_count if len(values) <= FEW_VALUES else max(min_count, ATOM_SHARE * rows)


def _steps(
    rest: NumberArray, atoms: NumberArray, grid: Grid, min_count: int, most: int | None
) -> tuple[NumberArray, IntArray]:
    none = rest[:0], np.zeros(1, np.int64)
    if len(rest) < 2 * min_count:
        return none if len(atoms) or not len(rest) else _single_bin(rest, grid, min_count)
    low, high = robust_bounds(rest, grid, min_count)
    bins, per_bin = _shape(len(rest), min_count)
    bins, per_bin = (bins, per_bin) if most is None else (min(bins * per_bin, most), 1)
    positions = np.arange(1, bins * per_bin) * len(rest) // (bins * per_bin)
    interior = smoothed_quantiles(rest, positions, min_count)
    starts = np.clip(np.append(np.asarray([low], rest.dtype), interior), low, high)
    return cut(np.maximum.accumulate(starts), high, atoms, per_bin)


def _single_bin(rest: NumberArray, grid: Grid, min_count: int) -> tuple[NumberArray, IntArray]:
    """Too few rows for quantiles: what the schema allows, else what enough rows agree on, else nothing."""
    if grid.lower is not None and grid.upper is not None:
        low, high = allowed_range(grid)
    elif len(rest) >= min_count:
        low, high = robust_bounds(rest, grid, min_count)
    else:
        return rest[:0], np.zeros(1, np.int64)
    return cut(np.asarray([low], rest.dtype), high, rest[:0], 1)


def _shape(rows: int, min_count: int) -> tuple[int, int]:
    """Number of bins, and of steps in each."""
    wished = max(rows // ROWS_PER_STEP, min(SMALL_STEPS, rows // (2 * min_count)))
    steps = max(1, min(wished, MOST_BINS * MOST_STEPS_IN_BIN, rows // min_count))
    if steps <= ONE_BLOCK:
        return steps, 1
    bins = min(max(round((2 * steps) ** 0.5), 8), MOST_BINS)
    return bins, min(max(2, round(steps / bins)), MOST_STEPS_IN_BIN)


def _round_outward(low: int | float, high: int | float, whole: bool) -> tuple[int | float, int | float]:
    width = high - low
    if not 0 < width < float("inf"):
        return low, high
    power = max(floor(log10(width)) - 2, -300)
    if whole:
        unit = 10 ** max(power, 0)
        return low // unit * unit, -(-high // unit) * unit
    # Dividing by a whole power keeps 0.3 from becoming 0.30000000000000004.
    unit = 10.0 ** abs(power)
    if power >= 0:
        return min(low, floor(low / unit) * unit), max(high, -floor(-high / unit) * unit)
    return min(low, floor(low * unit) / unit), max(high, -floor(-high * unit) / unit)
