"""Does a model learned from synthetic rows work on real ones.

Train on synthetic, test on real (Esteban, Hyland and Raetsch, 2017): boosted trees learn a target from the synthetic
rows and from as many real ones, and both are tested on the hold-out. Augmentation: the same with real and synthetic
rows together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.encoding import Frame, codes, features, is_level, numbers
from synthvae.evaluation.ranking import variance
from synthvae.evaluation.sides import Array, Sides
from synthvae.evaluation.subsample import Drawn, drawn, fold_of
from synthvae.evaluation.tasks import Classes, Number, Quality, Task
from synthvae.schema.columns import Column, Identifier, Personal, Text

PARTS = 5  # of a table, learned from one by one: how they differ is how much a model owes to its sample
T_QUANTILE = 2.306  # 95 % of Student's t with the 2 (PARTS - 1) degrees of freedom of two tables
MIN_ROWS = 30  # of each table, with a known target
HARDLY = 0.05  # of the way from guessing to best: what real rows predict no better says little about any table

_SAID = {
    Classes: "AUC of each class against the rest: 0.5 is guessing, 1 is always right",
    Number: "R2, the share of the variance it explains, on a log scale where the column has a long upper tail",
}
_GUESSING = {Classes: 0.5, Number: 0.0}  # what a model scores that learned nothing
# Gaps are measured from guessing to best: that is half of the scale of an AUC.
_GAPS = {task: (0.05 * (1 - guess), 0.15 * (1 - guess)) for task, guess in _GUESSING.items()}
UTILITY = {
    task: Metric(
        "utility",
        Family.UTILITY,
        f"How well a model learned from synthetic rows alone predicts this column in real rows it never saw ({said}); "
        "the reference learned from as many real rows.",
        fair=_GAPS[task][0],
        poor=_GAPS[task][1],
        headline=True,
    )
    for task, said in _SAID.items()
}
AUGMENTATION = {
    task: Metric(
        "augmentation",
        Family.UTILITY,
        f"How well a model learned from real and synthetic rows together predicts this column in real rows it never "
        f"saw ({said}); the reference learned from the real rows alone.",
        fair=_GAPS[task][0],
        poor=_GAPS[task][1],
    )
    for task, said in _SAID.items()
}


def scores(sides: Sides) -> Iterator[Score]:
    """For every target, what synthetic rows teach, alone and beside the real ones."""
    if not sides.targets:
        yield not_applicable(UTILITY[Classes], "no target is named")
    for name in sides.targets:
        yield from _of_target(sides, sides.schema[name])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of one table to learn from or to test on: features x (n, c), target y (n,), whose row each is (n,)."""

    x: Array
    y: Array
    owner: Array

    def __len__(self) -> int:
        return len(self.y)

    def first(self, rows: int) -> _Rows:
        return self.where(np.arange(len(self)) < rows)

    def where(self, keep: Array) -> _Rows:
        return _Rows(self.x[keep], self.y[keep], self.owner[keep])

    def with_rows(self, other: _Rows) -> _Rows:
        return _Rows(np.r_[self.x, other.x], np.r_[self.y, other.y], np.r_[self.owner, other.owner])


@dataclass(frozen=True, eq=False)
class _Exam:
    """A task, rows of both tables to learn it from, and rows to test it on."""

    task: Classes | Number
    coded: Array
    real: _Rows
    synthetic: _Rows
    test: _Rows

    def taken(self, rows: _Rows) -> Quality:
        """How well a model of these rows does in the test."""
        return self.task.quality(self.task.learned(rows.x, rows.y, self.coded)(self.test.x), self.test.y)

    def sampling(self, rows: _Rows) -> float:
        """Variance of the result by the choice of the rows: of parts that share no owner, over their number."""
        part = fold_of(rows.owner, PARTS, salt=2)
        results = [self.taken(rows.where(part == k))[0] for k in np.unique(part)]
        return float(np.var(results, ddof=1)) / len(results) if len(results) > 1 else 0.25


@dataclass(frozen=True, eq=False)
class _Marks:
    """What the real rows teach: the reference, its influences, and the variance by the choice of rows to learn from."""

    value: float
    influence: Array
    sampling: float

    @classmethod
    def of(cls, exam: _Exam) -> _Marks:
        return cls(*exam.taken(exam.real), exam.sampling(exam.real) + exam.sampling(exam.synthetic))


def _of_target(sides: Sides, column: Column) -> Iterator[Score]:
    kind = Classes if is_level(column) else Number
    metrics = UTILITY[kind], AUGMENTATION[kind]
    exam = _exam(sides, column)
    if isinstance(exam, str):
        yield from (not_applicable(metric, exam, (column.name,)) for metric in metrics)
        return
    utility, augmentation = metrics
    marks = _Marks.of(exam)
    yield _score(utility, column.name, exam, exam.synthetic, marks)
    # twice the rows teach more even where all are real: no more than the second half of them did
    half = exam.taken(exam.real.first(len(exam.real) // 2))[0]
    more = max(marks.value - half, 0.0)
    found = _score(augmentation, column.name, exam, exam.real.with_rows(exam.synthetic), marks, more)
    lift = round(found.value - marks.value, 4) if found.value is not None else 0.0
    yield replace(
        found, details={**found.details, "lift": lift, "lift from half of the real rows to all": round(more, 4)}
    )


def _score(metric: Metric, name: str, exam: _Exam, rows: _Rows, marks: _Marks, below: float = 0.0) -> Score:
    """What some rows teach beside what the real ones do; the interval reaches further down by ``below``."""
    value, moved = exam.taken(rows)
    # both models err on the same test rows, so only what one errs more than the other counts
    half = T_QUANTILE * (variance(moved - marks.influence, exam.test.owner) + marks.sampling) ** 0.5
    low, high = max(value - half - below, 0.0), min(value + half, 1.0)
    guess = _GUESSING[type(exam.task)]
    note = "real rows hardly predict it either" if marks.value - guess < HARDLY * (1 - guess) else ""
    details = {"measure": exam.task.measure, "rows": len(exam.real), "test rows": len(exam.test)}
    return Score(metric, (name,), value, low, high, marks.value, note, details)


# --- the rows of an exam --------------------------------------------------------------------------------------------


def _exam(sides: Sides, column: Column) -> _Exam | str:
    """What to learn and on which rows, or the reason why it cannot be asked."""
    if isinstance(column, Identifier | Text | Personal) or column.name == sides.group:
        return "the target is an identifier, a text or the group, which nobody predicts"
    if sides.holdout is None:
        return "there is no hold-out to test on"
    parts = {side: drawn(sides, side) for side in ("real", "synthetic", "hold-out")}
    parts["hold-out"] = _strangers(sides, parts["hold-out"])
    targets = _targets(column, list(parts.values()))
    real_y = targets[: len(parts["real"].key)]
    task = Classes.of(real_y, sides.schema.min_count) if is_level(column) else Number.of(real_y)
    if task is None:
        return "the target does not vary in the real table"
    frame = _frame(sides, column, list(parts.values()))
    rows = dict(zip(parts, _split(frame, targets, list(parts.values()), task), strict=True))
    return _of_rows(task, frame.coded, rows)


def _of_rows(task: Classes | Number, coded: Array, rows: dict[str, _Rows]) -> _Exam | str:
    few = [f"{len(part)} in the {side} table" for side, part in rows.items() if len(part) < MIN_ROWS]
    if few:
        return f"at least {MIN_ROWS} rows with a known target are needed; there are {' and '.join(few)}"
    if not coded.size:
        return "there is no other column to predict it from"
    if not task.varies(rows["hold-out"].y):
        return "the target does not vary in the hold-out"
    size = min(len(rows["real"]), len(rows["synthetic"]))
    return _Exam(task, coded, rows["real"].first(size), rows["synthetic"].first(size), rows["hold-out"])


def _strangers(sides: Sides, held: Drawn) -> Drawn:
    """The hold-out's rows of groups that the real table does not have."""
    if sides.group is None:
        return held
    known = pc.is_in(held.table[sides.group], value_set=sides.real[sides.group].combine_chunks(), skip_nulls=True)
    return held.where(~np.asarray(known))


def _targets(column: Column, parts: list[Drawn]) -> Array:
    values = pa.chunked_array([chunk for part in parts for chunk in part.table[column.name].chunks],
                              type=parts[0].table[column.name].type)  # fmt: skip
    return Classes.ranked(codes(values), len(parts[0].key)) if is_level(column) else numbers(column, values)


def _frame(sides: Sides, column: Column, parts: list[Drawn]) -> Frame:
    others = [other for other in features(sides.schema) if other.name != column.name]
    return Frame.of(others, [part.table for part in parts]).varying()


def _split(frame: Frame, targets: Array, parts: list[Drawn], task: Task) -> Iterator[_Rows]:
    start = 0
    for part in parts:
        here = slice(start, start := start + len(part.key))
        yield _Rows(frame.values[here], targets[here], part.owner).where(task.known(targets[here]))
