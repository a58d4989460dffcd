"""From answers about two tables to scores: intervals that carry the noise of both, means over columns.

An answer is asked twice, once of the synthetic table and once of the hold-out, by the same function. Its noise comes
from its influence function (Hampel, The influence curve and its role in robust estimation, JASA 69, 1974): how far a
value moves when one row more is as this row. The variance of its mean over rows is that of the value; influences summed
over columns give the noise of their mean with all their dependence, summed within a group that of dependent rows.

A small sample of the very same distribution stays further below best than a large one. The reference is what a hold-out
as large as the synthetic table would score: as measured, plus the difference that their sizes are expected to make.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthvae.evaluation.base import Metric, Score, not_applicable
from synthvae.evaluation.sides import Array, Sides

WIDE = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution
FOLDED = 0.797885  # mean of |x| for a standard normal x
EXPECTED = "expected of as many real rows"
AS_IT_IS = "hold-out at its own size"
WITNESSES = 50_000  # rows that tell a variance to a hundredth


@dataclass(frozen=True, eq=False)
class Answer:
    """What one table has to say beside the real one.

    influence: (w,) of each of its witnesses, up to a constant. variance: noise that no row carries alone. floor: how
    far below best a fresh real sample of this size is expected to stay. why: the reason where there is no value.
    """

    value: float | None
    influence: Array | None = None
    variance: float = 0.0
    floor: float = 0.0
    why: str = ""


NO_ROWS = Answer(None, why="a table without rows")


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of one side as a sample.

    size: how many independent rows tell as much: n, or n^2 over the sum of squared group sizes (Kish). witnesses: (w,)
    numbers of the rows that noise is measured on: all, or enough of them. owners: (w,) whose they are, as numbers from
    0, or None where every row is somebody else's. share: of all owners that are heard.
    """

    rows: int
    size: float
    witnesses: Array
    owners: Array | None
    share: float

    @classmethod
    def of(cls, rows: int, owners: Array | None, rng: np.random.Generator) -> Sample:
        """Of ``rows`` rows that belong to ``owners`` (n,)."""
        if owners is None or not rows:
            few = rows <= WITNESSES
            return cls(
                rows,
                float(rows),
                np.arange(rows) if few else np.sort(rng.choice(rows, WITNESSES, replace=False)),
                None,
                1.0,
            )
        counts = np.bincount(owners)
        size = float(rows**2 / (counts.astype(np.float64) ** 2).sum())
        share = min(1.0, WITNESSES / rows)
        heard = rng.permutation(len(counts)) < max(2, round(share * len(counts)))  # whole groups
        witnesses = np.flatnonzero(heard[owners])
        return cls(rows, size, witnesses, owners[witnesses], float(heard.mean()))

    def variance(self, influence: Array) -> float:
        """Of a mean over the rows, from the influences (w,) of the witnesses."""
        if self.owners is None:
            return float(influence.var()) / self.rows
        by_owner = np.bincount(self.owners, weights=influence - influence.mean())
        return float((by_owner**2).sum()) / self.share / self.rows**2


def samples(sides: Sides) -> Mapping[str, Sample]:
    """Every side as a sample."""
    owners = owners_of(sides)
    return sides.once("samples", lambda: {side: Sample.of(table.num_rows, owners[side], sides.rng(f"witnesses {side}"))
                                          for side, table in sides.tables.items()})  # fmt: skip


def sample_sizes(sides: Sides) -> Mapping[str, float]:
    """Per side the number of independent rows that tell as much."""
    return {side: sample.size for side, sample in samples(sides).items()}


def owners_of(sides: Sides) -> Mapping[str, Array | None]:
    """Per side (n,) whose row it is as numbers from 0, or None where every row is somebody else's."""
    return sides.once("owners", lambda: {side: _owners(sides, side) for side in sides.tables})


def _owners(sides: Sides, side: str) -> Array | None:
    if sides.group is None:
        return None
    values = sides.tables[side][sides.group].combine_chunks().dictionary_encode()
    codes = np.asarray(values.indices.fill_null(-1)).astype(np.int64)
    alone = codes < 0  # a row without a name is somebody of its own
    codes[alone] = len(values.dictionary) + np.arange(np.count_nonzero(alone))
    return codes


def rowwise(influence: Array, known: Array) -> Array:
    """Influences of the known witnesses, as (w,) of all: a row whose value is missing moves nothing."""
    if len(influence) == len(known):
        return influence
    made = np.zeros(len(known))
    made[known] = (influence - influence.mean()) * (len(known) / max(len(influence), 1)) if len(influence) else 0.0
    return made


class Tally:
    """The scores of one metric, column by column, and their mean."""

    def __init__(self, sides: Sides, metric: Metric) -> None:
        self.sides, self.metric = sides, metric
        self._scores: list[Score] = []
        self._sums = {side: _Sum() for side in sides.tables if side != "real"}

    def add(self, columns: tuple[str, ...], answers: Mapping[str, Answer], **details: Any) -> None:
        """The answers about some columns, by side."""
        self._scores.append(score(self.sides, self.metric, columns, answers, details))
        for side, total in self._sums.items():
            total.add(answers[side])

    def scores(self) -> list[Score]:
        """The mean over all that is applicable, then each."""
        left_out = sum(found.value is None for found in self._scores)
        why = "" if self._scores else "there is no column it could be asked of"
        reasons = {found.note for found in self._scores if found.value is None}
        if left_out:
            why = f"{left_out} of {len(self._scores)} not applicable"
        if left_out == len(self._scores) and len(reasons) == 1:
            (why,) = reasons
        means = {side: total.mean(why) for side, total in self._sums.items()}
        return [score(self.sides, self.metric, (), means, {"over": len(self._scores) - left_out}), *self._scores]


@dataclass
class _Sum:
    """The sum of some answers of one side."""

    count: int = 0
    value: float = 0.0
    variance: float = 0.0
    floor: float = 0.0
    influence: Array | None = None

    def add(self, answer: Answer) -> None:
        if answer.value is None:
            return
        self.count += 1
        self.value += answer.value
        self.variance += answer.variance
        self.floor += answer.floor
        if answer.influence is not None and self.influence is None:
            self.influence = answer.influence.astype(np.float64)
        elif answer.influence is not None and self.influence is not None:
            self.influence += answer.influence

    def mean(self, why: str) -> Answer:
        k = self.count
        if not k:
            return Answer(None, why=why)
        moved = None if self.influence is None else self.influence / k
        return Answer(self.value / k, moved, self.variance / k**2, self.floor / k, why)


def score(
    sides: Sides,
    metric: Metric,
    columns: tuple[str, ...],
    answers: Mapping[str, Answer],
    details: Mapping[str, Any] | None = None,
) -> Score:
    """Value, interval and reference of the answers by side; the reference is that of a hold-out of the same size."""
    ours, theirs = answers["synthetic"], answers.get("hold-out")
    if ours.value is None:
        return not_applicable(metric, ours.why, columns)
    half = WIDE * _noise(sides, ours, theirs) ** 0.5
    least, most = sorted((metric.best, metric.worst))
    low, high = (min(max(end, least), most) for end in (ours.value - half, ours.value + half))
    told = dict(details or {})
    if theirs is None or theirs.value is None:
        floor = min(ours.floor, most - least)
        if floor:
            told[EXPECTED] = metric.best - math.copysign(floor, metric.best - metric.worst)
        return Score(metric, columns, ours.value, low, high, None, ours.why, told, floor)
    fair = min(max(theirs.value + theirs.floor - ours.floor, least), most)
    if fair != theirs.value:
        told[AS_IT_IS] = theirs.value
    return Score(metric, columns, ours.value, low, high, fair, ours.why, told)


def _noise(sides: Sides, ours: Answer, theirs: Answer | None) -> float:
    """The variance by which the value and its reference, or without one the value and its truth, may be apart."""
    noise = _variance(sides, "synthetic", ours)
    if theirs is None or theirs.value is None:
        return noise * (1 + sides.synthetic.num_rows / sides.real.num_rows)  # the real table is a sample, too
    return noise + _variance(sides, "hold-out", theirs)


def _variance(sides: Sides, side: str, answer: Answer) -> float:
    """Of the value by the sampling of one side's rows; never less than that of one row."""
    sample = samples(sides)[side]
    carried = 0.0 if answer.influence is None else sample.variance(answer.influence)
    return carried + answer.variance + (1 / sample.rows) ** 2
