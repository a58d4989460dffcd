"""What a metric is and what it answers: a value, its interval and its reference, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Family(StrEnum):
    """The question a metric belongs to."""

    FIDELITY = "fidelity"
    DETECTION = "detection"
    UTILITY = "utility"
    DISCLOSURE = "disclosure"
    VALIDITY = "validity"


class Status(StrEnum):
    """How a score stands beside its reference."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Metric:
    """A question that can be asked of two tables.

    meaning: one sentence for somebody who is no statistician. best, worst: the ends of its scale. headline: whether it
    stands at the top of a report. fair: the gap to the reference, as a share of the scale, that is never worth a
    remark; poor: the gap beyond noise from which a score is poor.
    """

    name: str
    family: Family
    meaning: str
    best: float = 1.0
    worst: float = 0.0
    headline: bool = False
    fair: float = 0.05
    poor: float = 0.15


@dataclass(frozen=True)
class Score:
    """One metric on one column, one pair or (no ``columns``) the whole table.

    ``low`` and ``high``: 95 % interval of the value, wide enough for the noise of the reference too. ``reference``: the
    same question asked of the real hold-out. ``floor``: how far below best real rows are expected to stay because they
    are so few, told where there is no reference. ``value`` is None where the metric is not applicable, and ``note``
    then says why. ``details``: what the report tells besides, JSON-able.
    """

    metric: Metric
    columns: tuple[str, ...] = ()
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    floor: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.value, self.low, self.high, self.reference)
        if any(number is not None and not math.isfinite(number) for number in numbers):
            raise ValueError(f"{self.metric.name} of {self.columns}: a score is a finite number or None; got {numbers}")

    @property
    def gap(self) -> float | None:
        """How far the value is on the wrong side of its goal, as share of the scale.

        The goal is the reference; without one what real rows are expected to score.
        """
        if self.value is None:
            return None
        metric = self.metric
        expected = metric.best - math.copysign(self.floor, metric.best - metric.worst)
        goal = expected if self.reference is None else self.reference
        return (goal - self.value) / (metric.best - metric.worst)

    @property
    def status(self) -> Status:
        """Good within noise of the reference or better; else by the gap beyond noise."""
        gap = self.gap
        if gap is None or self.value is None:
            return Status.NOT_APPLICABLE
        metric = self.metric
        end = self.high if metric.best > metric.worst else self.low  # the end that is nearer to best
        noise = 0.0 if end is None else (end - self.value) / (metric.best - metric.worst)
        if gap <= max(noise, metric.fair):
            return Status.GOOD
        return Status.FAIR if gap - noise < metric.poor else Status.POOR


def not_applicable(metric: Metric, why: str, columns: tuple[str, ...] = ()) -> Score:
    """A score without a value."""
    return Score(metric, columns, note=why)


def mean_value(scores: Sequence[Score]) -> float | None:
    """The mean over the applicable scores, None where there are none."""
    values = [score.value for score in scores if score.value is not None]
    return sum(values) / len(values) if values else None
