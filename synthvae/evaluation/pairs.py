"""Do two columns go together alike: correlations, tables of counts, shared information."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.answers import FOLDED, NO_ROWS, Answer, Sample, Tally, samples
from synthvae.evaluation.base import Family, Metric, Score
from synthvae.evaluation.cells import REAL, Cells, comparable
from synthvae.evaluation.correlations import Correlation, Moments
from synthvae.evaluation.information import Information, entropy
from synthvae.evaluation.shapes import overlap
from synthvae.evaluation.sides import Array, Sides

TRENDS = Metric(
    "pair trends",
    Family.FIDELITY,
    "How alike two columns go together: the share of rows whose pair of values need not change, or how alike two "
    "correlations are.",
    headline=True,
    fair=0.015,  # independent columns of the census table are .06 apart from a fresh sample
    poor=0.035,
)
ASSOCIATIONS = Metric(
    "associations",
    Family.FIDELITY,
    "How alike the information is that two columns share, as a share of the most they could.",
    fair=0.02,
    poor=0.05,
)

CROWDED = 4  # cells for each row: from there on, only those that are met are counted


def scores(sides: Sides) -> list[Score]:
    """Trend and association of all b (b - 1) / 2 pairs of the b comparable columns.

    Trend of two continuous columns: 1 - |r - r'| / 2 of Pearson's correlations over rows where both are known; of all
    other pairs 1 - total variation of their tables of counts, continuous columns cut in ten equal widths of the real
    range, null a cell of its own. Association: 1 - |I - I'| / H with I the mutual information over rank bins or the
    commonest levels (less its bias, Miller 1955) and H the smaller real entropy of the two.
    """
    trends, associations = Tally(sides, TRENDS), Tally(sides, ASSOCIATIONS)
    rows = samples(sides)
    others = [side for side in rows if side != REAL]
    columns = comparable(sides)
    numbers = [cells for cells in columns if cells.continuous]
    moments = {side: Moments.of(numbers, side, sample.witnesses) for side, sample in rows.items()}
    for a, b in itertools.combinations(columns, 2):
        names = a.name, b.name
        if not all(sample.rows for sample in rows.values()):
            trends.add(names, dict.fromkeys(others, NO_ROWS))
            associations.add(names, dict.fromkeys(others, NO_ROWS))
            continue
        table = Contingency.of(a, b, rows)
        if a.continuous and b.continuous:
            trends.add(names, _correlations_alike(moments, numbers.index(a), numbers.index(b), rows))
        else:
            trends.add(names, _tables_alike(table, rows))
        shared, answers = _information_alike(table, rows)
        associations.add(names, answers)
        if shared:
            associations_of(sides)[names] = shared
    return [*trends.scores(), *associations.scores()]


def associations_of(sides: Sides) -> dict[tuple[str, str], dict[str, float]]:
    """Per pair and side the shared information in [0, 1], where both real columns vary; filled by ``scores``."""
    return sides.once("associations", dict)


# --- tables of counts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Contingency:
    """How many rows have which pair of codes: m cells, all there can be or, of very many, those that are met.

    counts: per side (m,). heard: per side (w,) the cell of each witness. trend and group: (m,) the cell of the pair's
    trend table, of ``trends`` cells, and of its association table, of ``shape``, that each cell is part of.
    """

    counts: Mapping[str, Array]
    heard: Mapping[str, Array]
    trend: Array
    trends: int
    group: Array
    shape: tuple[int, int]

    @classmethod
    def of(cls, a: Cells, b: Cells, rows: Mapping[str, Sample]) -> Contingency:
        """Of two columns on all sides."""
        keys = {side: a.codes[side].astype(np.int64) * b.size + b.codes[side] for side in rows}
        met = np.arange(a.size * b.size)
        if len(met) > CROWDED * sum(map(len, keys.values())):  # two long level lists: most cells are empty
            keys, met = _met(keys)
        x, y = np.divmod(met, b.size)
        trend, trends = a.trend_of[x] * b.trend_size + b.trend_of[y], a.trend_size * b.trend_size
        if trends > len(met):
            trend, trends = np.arange(len(met)), len(met)
        return cls(
            {side: np.bincount(key, minlength=len(met)) for side, key in keys.items()},
            {side: key[rows[side].witnesses] for side, key in keys.items()},
            trend,
            trends,
            a.group_of[x] * b.group_size + b.group_of[y],
            (a.group_size, b.group_size),
        )

    def of_trend(self, side: str) -> Array:
        """(trends,) counts of the trend table."""
        return np.bincount(self.trend, weights=self.counts[side], minlength=self.trends)

    def of_groups(self, side: str) -> Array:
        """Counts of the association table, of ``shape``."""
        cells = self.shape[0] * self.shape[1]
        return np.bincount(self.group, weights=self.counts[side], minlength=cells).reshape(self.shape)


def _met(keys: Mapping[str, Array]) -> tuple[dict[str, Array], Array]:
    """The keys renumbered by those that are met, and these."""
    found, together = np.unique(np.concatenate(list(keys.values())), return_inverse=True)
    parts = np.split(together, np.cumsum([len(key) for key in keys.values()])[:-1])
    return dict(zip(keys, parts, strict=True)), found


def _tables_alike(table: Contingency, rows: Mapping[str, Sample]) -> dict[str, Answer]:
    counts = {side: table.of_trend(side) for side in rows}
    return {
        side: overlap(counts[REAL], counts[side], table.trend[table.heard[side]], (rows[REAL].size, rows[side].size))
        for side in rows
        if side != REAL
    }


# --- correlations ---------------------------------------------------------------------------------------------------


def _correlations_alike(
    moments: Mapping[str, Moments], i: int, j: int, rows: Mapping[str, Sample]
) -> dict[str, Answer]:
    found = {side: of_side.correlation(i, j) for side, of_side in moments.items()}
    real = found.pop(REAL)
    if real is None:
        why = "a real column is constant where both are known: no correlation"
        return {side: Answer(None, why=why) for side in found}
    unsure = FOLDED * float(real.influence.std()) / 2
    return {
        side: _correlation_alike(other, real.r, unsure * (1 / rows[REAL].size + 1 / rows[side].size) ** 0.5)
        for side, other in found.items()
    }


def _correlation_alike(found: Correlation | None, real: float, floor: float) -> Answer:
    if found is None:
        return Answer(1 - abs(real) / 2, floor=floor)
    return Answer(1 - abs(real - found.r) / 2, found.influence * (np.sign(real - found.r) / 2), floor=floor)


# --- shared information ---------------------------------------------------------------------------------------------


def _information_alike(table: Contingency, rows: Mapping[str, Sample]) -> tuple[dict[str, float], dict[str, Answer]]:
    """The shared information per side, as a share of the smaller real entropy, and what it answers."""
    counts = {side: table.of_groups(side) for side in rows}
    others = [side for side in rows if side != REAL]
    most = min(entropy(counts[REAL].sum(axis=axis)) for axis in (0, 1))
    if most <= 0:
        return {}, dict.fromkeys(others, Answer(None, why="a real column is constant: it shares no information"))
    found = {side: Information.of(part) for side, part in counts.items()}
    shares = {side: float(np.clip(info.nats / most, 0, 1)) for side, info in found.items()}
    answers = {}
    for side in others:
        lost = shares[REAL] - shares[side]
        pull = found[side].gain.ravel() * (-np.sign(lost or 1.0) / most)
        chance = found[side].chance(rows[side].size) / most**2
        floor = FOLDED * found[REAL].noise(rows[REAL].size, rows[side].size) / most
        answers[side] = Answer(1 - abs(lost), pull[table.group[table.heard[side]]], variance=chance, floor=floor)
    return shares, answers
