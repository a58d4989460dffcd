"""What a report draws, counted from the tables; what fewer than ``min_count`` rows (or groups) share is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.evaluation.base import Score
from synthvae.evaluation.cells import REAL, Cells, cells_of, comparable
from synthvae.evaluation.pairs import TRENDS, associations_of
from synthvae.evaluation.pictures import ColumnPicture, MatrixPicture, PairPicture, Pictures
from synthvae.evaluation.sides import Array, Sides
from synthvae.schema.columns import Categorical, Scale
from synthvae.schema.instants import STEP, unit
from synthvae.schema.support import Support

PAIRS = 6  # drawn: those that differ most
BINS, LEVELS = 30, 20  # of a column alone
PAIR_BINS, PAIR_LEVELS = 12, 9
TAIL = 0.005  # of the real values on either side are drawn in the end bins, so that one far value empties no picture
DAY = 86_400
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, DAY // 2, DAY, 2 * DAY,
         7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 182 * DAY, 365 * DAY)  # fmt: skip
OTHER = "other"


def pictures(sides: Sides, scores: Sequence[Score]) -> Pictures:
    """Every column, the associations of all pairs, and the pairs whose trend differs most; ``scores`` say which."""
    supports = {side: Support.of(table, sides.group, sides.schema.min_count) for side, table in sides.tables.items()}
    columns = tuple(_drawn(cells, supports, BINS, LEVELS)[0] for cells in cells_of(sides))
    return Pictures(columns, _matrix(sides), tuple(_pairs(sides, scores, supports)))


# --- one column -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cut:
    """How a column is drawn: per side (n,) the bin or level of each row, nulls behind the last."""

    labels: tuple[str, ...]
    edges: tuple[float, ...]
    codes: Mapping[str, Array]

    @property
    def size(self) -> int:
        return len(self.labels)


def column_picture(cells: Cells, support: Support) -> ColumnPicture:
    """A column of one table alone."""
    return _drawn(cells, {REAL: support}, BINS, LEVELS)[0]


def _drawn(cells: Cells, supports: Mapping[str, Support], bins: int, levels: int) -> tuple[ColumnPicture, Cut | None]:
    kind, nulls = cells.column.kind, {side: _null_share(cells, side, supports[side]) for side in cells.parts}
    temporal = cells.continuous and pt.is_temporal(cells.parts[REAL].type)
    if cells.column.scale is Scale.OPAQUE:
        return ColumnPicture(cells.name, kind, nulls=nulls, note=f"values of a {kind} column are not shown"), None
    cut = _bins(cells, supports[REAL], bins) if cells.continuous else _levels(cells, supports[REAL], levels)
    if cut is None:
        return ColumnPicture(cells.name, kind, nulls=nulls, note="too few real values to draw"), None
    shares = {side: tuple(_shares(cut.codes[side], cut.size, supports[side]).tolist()) for side in cells.parts}
    return ColumnPicture(cells.name, kind, cut.labels, cut.edges, temporal, shares, nulls), cut


def _shares(codes: Array, size: int, support: Support) -> Array:
    """(size,) shares of all rows (n,); what too few have is 0, and codes from ``size`` on are not counted."""
    counts = np.bincount(codes, minlength=size + 1)[:size]
    held = support.counts(codes, size + 1)[:size] >= support.min_count
    return np.where(held, counts, 0) / max(len(codes), 1)


def _null_share(cells: Cells, side: str, support: Support) -> float:
    missing = cells.missing[side]
    return float(missing.mean()) if support.count(missing) >= support.min_count else 0.0


def _bins(cells: Cells, support: Support, bins: int) -> Cut | None:
    known = cells.known(REAL).astype(np.float64)
    support = support.where(~cells.missing[REAL])
    if support.count(np.ones(len(known), bool)) < 2 * support.min_count:
        return None
    factor = _seconds(cells.parts[REAL].type)
    edges = _edges(known * factor, support, bins, factor != 1 or pt.is_temporal(cells.parts[REAL].type))
    codes = {side: _binned(cells, side, edges / factor) for side in cells.parts}
    return Cut(("",) * (len(edges) - 1), tuple(_in_ones(edges, cells.unit).tolist()), codes)


def _in_ones(edges: Array, unit: float) -> Array:
    """Edges counted in a unit as plain numbers; none is beyond the largest there is."""
    most = np.finfo(np.float64).max / unit
    return np.asarray(np.clip(edges, -most, most) * unit)


def _binned(cells: Cells, side: str, edges: Array) -> Array:
    codes = np.searchsorted(edges[1:-1], cells.numbers(side).astype(np.float64), side="right")
    codes[cells.missing[side]] = len(edges) - 1
    return codes


def _seconds(type_: pa.DataType) -> float:
    """Seconds in a unit of an instant; 1 for plain numbers."""
    return STEP[unit(type_)] / 1e9 if pt.is_temporal(type_) else 1.0


def _edges(real: Array, support: Support, bins: int, temporal: bool) -> Array:
    """About ``bins`` + 1 round edges around all but the tails of the real values (n,)."""
    furthest = [float(end) for end in support.extremes(real)]
    inner = np.quantile(real, (TAIL, 1 - TAIL))
    low, high = max(float(inner[0]), furthest[0]), min(float(inner[1]), furthest[1])
    if not low < high:
        low, high = furthest
    step = _step((high - low) / bins, temporal) if low < high else max(1.0, _step(abs(low) / 100, temporal))
    first, last = np.floor(low / step), np.floor(high / step) + 1
    return np.asarray(np.arange(first, last + 0.5) * step)


def _step(least: float, temporal: bool) -> float:
    """The next round width: 1, 2, 2.5 or 5 times a power of ten, or a unit of the calendar."""
    if least <= 0:
        return 1.0
    if temporal and least > 0.5:
        return float(next((step for step in STEPS if step >= least), 365 * DAY * np.ceil(least / (365 * DAY))))
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(round_ * power for round_ in (1, 2, 2.5, 5, 10) if round_ * power >= least * (1 - 1e-9)))


def _levels(cells: Cells, support: Support, most: int) -> Cut | None:
    """The commonest real levels in the schema's order where it has one, the others together."""
    counts = support.counts(cells.codes[REAL].astype(np.int64), cells.size)
    null = np.asarray(pc.is_null(cells.levels)) if len(cells.levels) else np.ones(1, bool)
    counts = np.where(null | (counts < support.min_count), 0, counts)
    named = [int(code) for code in np.argsort(-counts, kind="stable")[:most] if counts[code]]
    texts = {code: str(cells.levels[code].as_py()) for code in named}
    if isinstance(cells.column, Categorical) and cells.column.ordered:
        places = {str(level): place for place, level in enumerate(cells.column.levels)}
        named.sort(key=lambda code: places.get(texts[code], len(places)))
    table = np.full(cells.size, len(named))
    table[named] = np.arange(len(named))
    rest = any(bool((~null & (table == len(named)))[np.unique(codes)].any()) for codes in cells.codes.values())
    table[null] = len(named) + rest
    labels = (*(texts[code] for code in named), *((OTHER,) if rest else ()))
    return Cut(labels, (), {side: table[codes] for side, codes in cells.codes.items()}) if labels else None


# --- pairs ----------------------------------------------------------------------------------------------------------


def _matrix(sides: Sides) -> MatrixPicture | None:
    """The root of the shared information, which reads like a correlation."""
    names = tuple(cells.name for cells in comparable(sides))
    found = associations_of(sides)
    if len(names) < 2:
        return None
    values = {}
    for side in sides.tables:
        matrix: list[list[float | None]] = [[1.0 if x == y else None for y in names] for x in names]
        for (x, y), shares in found.items():
            i, j = names.index(x), names.index(y)
            matrix[i][j] = matrix[j][i] = round(shares[side] ** 0.5, 4)
        values[side] = tuple(tuple(row) for row in matrix)
    return MatrixPicture("Association: 0 is none, 1 is that one column gives the other away", names, values)


def _pairs(sides: Sides, scores: Sequence[Score], supports: Mapping[str, Support]) -> list[PairPicture]:
    told = [score for score in scores if score.metric is TRENDS and score.columns and score.value is not None]
    made = {cells.name: cells for cells in cells_of(sides)}
    worst = sorted(told, key=lambda score: (-(score.gap or 0.0), score.columns))[:PAIRS]
    drawn = [_pair(made[score.columns[0]], made[score.columns[1]], score, supports) for score in worst]
    return [picture for picture in drawn if picture is not None]


def _pair(a: Cells, b: Cells, score: Score, supports: Mapping[str, Support]) -> PairPicture | None:
    (x, x_cut), (y, y_cut) = (_drawn(cells, supports, PAIR_BINS, PAIR_LEVELS) for cells in (a, b))
    if x_cut is None or y_cut is None or score.value is None:
        return None
    cells = x_cut.size * y_cut.size
    shares = {}
    for side, support in supports.items():
        known = (x_cut.codes[side] < x_cut.size) & (y_cut.codes[side] < y_cut.size)
        keys = np.where(known, x_cut.codes[side] * y_cut.size + y_cut.codes[side], cells)
        table = _shares(keys, cells, support).reshape(x_cut.size, y_cut.size)
        shares[side] = tuple(tuple(row) for row in table.tolist())
    return PairPicture(x, y, score.value, shares)
