"""Can a classifier tell synthetic rows from real ones, and which columns give them away.

Classifier two-sample tests (Lopez-Paz and Oquab, ICLR 2017) on equal numbers of rows of both tables, over folds that
keep each group, and each row and its copies, together. AUC 0.5, a coin, is likeness 1; AUC 1 is likeness 0. Anything
made by drawing each column alone passes the linear classifier and the columns; only the boosted one sees dependence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.encoding import Frame, features
from synthvae.evaluation.learners import Boosted, Learner, Linear, Predictor
from synthvae.evaluation.ranking import auc, variance
from synthvae.evaluation.sides import Array, Sides
from synthvae.evaluation.subsample import drawn, fold_of

FOLDS = 3
MIN_ROWS = 30  # of each table: fewer and no fold has enough to learn from
WIDE = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution
# Each two folds meet twice, once learning and once testing, and err alike: that at most doubles the variance. Measured
# between halves of real tables it is 1.2 to 1.5 times what independent folds would have.
FOLD_FACTOR = 1.5
PERMUTED_CELLS = 300_000  # of the held-out rows of a fold, whose columns are permuted one by one
TOLD = 10  # columns named as give-away, and the least share of the blame for which one is named
LEAST_SHARE = 0.01

BOOSTED = Metric(
    "boosted detection",
    Family.DETECTION,
    "How hard it is for gradient-boosted trees to tell synthetic rows from real ones: 1 is a coin toss, 0 is always.",
    headline=True,
)
LOGISTIC = Metric(
    "logistic detection",
    Family.DETECTION,
    "How hard it is for a linear classifier, blind to how columns go together, to tell synthetic rows from real ones.",
)
COLUMN = Metric(
    "column detection",
    Family.DETECTION,
    "How hard it is to tell synthetic values of this one column from real ones.",
)


def scores(sides: Sides) -> Iterator[Score]:
    """Both classifiers on whole rows, then every column alone."""
    ours = _trial(sides, "synthetic")
    theirs = None if sides.holdout is None else _trial(sides, "hold-out")
    if isinstance(ours, str):
        yield from (not_applicable(metric, ours) for metric in (BOOSTED, LOGISTIC, COLUMN))
        return
    beside = theirs if isinstance(theirs, _Trial) else None
    note = f"no reference: {theirs}" if isinstance(theirs, str) else ""
    learners: tuple[tuple[Metric, Learner], ...] = ((BOOSTED, Boosted()), (LOGISTIC, Linear()))
    for metric, learner in learners:
        found, reference = _judged(ours, learner, blame=True), _judged(beside, learner) if beside else None
        yield _score(metric, (), found, reference, ours, note)
    for name in ours.frame.names:
        yield _score(COLUMN, (name,), _alone(ours, name), _alone(beside, name) if beside else None, ours, note)


# --- one question: these rows, two tables ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Trial:
    """Rows of two tables to tell apart: ``other`` (n,) whether a row is not of the real table; its fold and owner."""

    frame: Frame
    other: Array
    fold: Array
    owner: Array


@dataclass(frozen=True)
class _Found:
    """The area under the curve, its variance, and each column's share of the blame."""

    auc: float
    variance: float
    blame: tuple[tuple[str, float], ...] = ()

    @property
    def is_noticed(self) -> bool:
        return self.auc - WIDE * self.variance**0.5 > 0.5


def _trial(sides: Sides, side: str) -> _Trial | str:
    """Equal numbers of rows of the real table and a side, or the reason why nothing can be asked."""
    columns = features(sides.schema)
    if not columns:
        return "there is no column but identifiers"
    real, other = drawn(sides, "real"), drawn(sides, side)
    rows = min(len(real.key), len(other.key))
    if rows < MIN_ROWS:
        return f"a classifier needs at least {MIN_ROWS} rows of each table; the smaller one has {rows}"
    parts = [real.first(rows), other.first(rows)]
    owner = np.concatenate([part.owner for part in parts])
    fold = fold_of(owner, FOLDS, salt=1)
    other_side = np.repeat([False, True], rows)
    if any(len(np.unique(other_side[fold == k])) < 2 for k in range(FOLDS)):
        return f"there are too few groups for {FOLDS} folds that keep each together"
    return _Trial(Frame.of(columns, [part.table for part in parts]), other_side, fold, owner)


def _score(
    metric: Metric, columns: tuple[str, ...], ours: _Found, theirs: _Found | None, trial: _Trial, note: str
) -> Score:
    half = WIDE * (ours.variance + (theirs.variance if theirs else 0.0)) ** 0.5
    details: dict[str, Any] = {"auc": round(ours.auc, 4), "rows": len(trial.other) // 2}
    if theirs:
        details["reference auc"] = round(theirs.auc, 4)
    if not columns:
        details["give-away"] = {name: round(share, 4) for name, share in ours.blame}
    return Score(
        metric,
        columns,
        _likeness(ours.auc),
        _likeness(ours.auc + half),
        _likeness(ours.auc - half),
        _likeness(theirs.auc) if theirs else None,
        note,
        details,
    )


def _likeness(area: float) -> float:
    return 2 - 2 * min(max(area, 0.5), 1.0)


def _found(areas: list[float], influence: Array, trial: _Trial) -> _Found:
    rows = len(trial.other) // 2
    whose = trial.owner ^ trial.other.astype(trial.owner.dtype)  # equal rows of the two tables are not one row
    noise = FOLD_FACTOR * variance(influence / FOLDS, whose) + (1 / rows) ** 2  # never less than of one row
    return _Found(float(np.mean(areas)), noise)


# --- whole rows -----------------------------------------------------------------------------------------------------


def _judged(trial: _Trial, learner: Learner, blame: bool = False) -> _Found:
    """Learn on the other folds, rank the rows of each."""
    frame = trial.frame.varying()
    design = learner.design(frame)
    areas, influence, learned = [], np.zeros(len(trial.other)), []
    for k in range(FOLDS if frame.names else 0):
        held = trial.fold == k
        learned.append(learner.fit(design.x[~held], trial.other[~held], frame.coded))
        area, influence[held] = auc(learned[k](design.x[held]), trial.other[held])
        areas.append(area)
    found = _found(areas or [0.5], influence, trial)
    if not blame or not found.is_noticed:
        return found
    drops = np.zeros(len(frame.names))
    for k, predict in enumerate(learned):
        held = trial.fold == k
        drops += _drops(predict, design.x[held], design.origin, trial.other[held])
    return replace(found, blame=_shares(frame.names, drops))


def _drops(predict: Predictor, x: Array, origin: Array, other: Array) -> Array:
    """(c,) what the area loses when a column is permuted among held-out rows (Breiman, Random forests, 2001)."""
    columns = int(origin.max()) + 1
    # rows are in the order of their hash, the real ones first: every so manieth of both
    rows = np.arange(len(x))[:: -(-len(x) * columns // PERMUTED_CELLS)]
    x, other = x[rows], other[rows]
    shuffled = np.random.default_rng(0).permutation(len(x))
    whole, _ = auc(predict(x), other)
    drops = np.zeros(columns)
    for column in range(columns):
        permuted = np.where(origin == column, x[shuffled], x)
        drops[column] = whole - auc(predict(permuted), other)[0]
    return drops


def _shares(names: tuple[str, ...], drops: Array) -> tuple[tuple[str, float], ...]:
    """The columns that gave the table away, the worst first, with their share of all that was lost."""
    losses = np.maximum(drops, 0.0)
    shares = losses / (losses.sum() or 1.0)
    worst = np.argsort(-shares, kind="stable")[:TOLD]
    return tuple((names[i], float(shares[i])) for i in worst if shares[i] >= LEAST_SHARE)


# --- a column alone -------------------------------------------------------------------------------------------------


def _alone(trial: _Trial, name: str) -> _Found:
    """Rank held-out rows by how synthetic their value was in the other folds."""
    x = trial.frame.values[:, trial.frame.names.index(name)]
    cells = _cells(x, bool(trial.frame.coded[trial.frame.names.index(name)]))
    areas, influence = [], np.zeros(len(x))
    for k in range(FOLDS):
        held = trial.fold == k
        width = int(cells.max()) + 1
        all_rows = np.bincount(cells[~held], minlength=width)
        others = np.bincount(cells[~held & trial.other], minlength=width)
        share = trial.other[~held].mean()
        odds = (others + share) / (all_rows + 1)  # an unmet value says nothing
        area, influence[held] = auc(odds[cells[held]], trial.other[held])
        areas.append(area)
    return _found(areas, influence, trial)


def _cells(x: Array, coded: bool) -> Array:
    """(n,) whole numbers: one per level; of numbers one per quantile and one per stretch between two; null its own."""
    missing = np.isnan(x)
    if missing.all():
        return np.zeros(len(x), np.int64)
    if coded:
        return np.where(missing, 0, x + 1).astype(np.int64)
    wanted = int(np.clip(len(x) // 100, 4, 64))
    edges = np.unique(np.quantile(x[~missing], np.linspace(0, 1, wanted + 1), method="lower"))
    place = np.searchsorted(edges, x, side="left") + np.searchsorted(edges, x, side="right")
    return np.where(missing, 0, place + 1)
