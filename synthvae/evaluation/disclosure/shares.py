"""Shares with their 95 % interval, the risk an attack adds to its control, both as scores beside a reference.

No leak seen is good news only where a leak would have been seen: see ``attack_score``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthvae.evaluation.answers import WIDE
from synthvae.evaluation.base import Metric, Score, Status

BLIND = "too few real people are compared to tell: it would look good even if it were {:.2f} worse"


@dataclass(frozen=True)
class Share:
    """An estimate and its 95 % interval; a risk may lie below 0."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float, offset: float = 0.0) -> Share:
        """The same of ``factor`` times the estimated, plus ``offset``; factor > 0."""
        return Share(*(end * factor + offset for end in (self.value, self.low, self.high)))


def wilson(hits: float, rows: float, clustering: float = 1.0) -> Share:
    """The share of ``rows`` > 0 that hit (Wilson, Probable inference, JASA 22, 1927).

    hits may be fractional, as ties are split. clustering: how many rows carry as much as one independent row.
    """
    share, carried = hits / rows, rows / max(clustering, 1.0)
    middle = (share + WIDE**2 / (2 * carried)) / (1 + WIDE**2 / carried)
    half = WIDE * (share * (1 - share) / carried + WIDE**2 / (4 * carried**2)) ** 0.5 / (1 + WIDE**2 / carried)
    return Share(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def difference(a: Share, b: Share) -> Share:
    """a - b (Newcombe, Interval estimation for the difference between proportions, Stat. Med. 17, 1998, method 10)."""
    apart = a.value - b.value
    below = ((a.value - a.low) ** 2 + (b.high - b.value) ** 2) ** 0.5
    above = ((a.high - a.value) ** 2 + (b.value - b.low) ** 2) ** 0.5
    return Share(apart, apart - below, apart + above)


def risk(attack: Share, control: Share) -> Share:
    """What an attack gains beyond its control, as share of what there is to gain: (attack - control) / (1 - control).

    Giomi et al., A unified framework for quantifying privacy risk in synthetic data, PoPETs 2023. control < 1.
    """
    return difference(attack, control).scaled(1 / (1 - control.value))


def beside(ours: Share, theirs: Share | None) -> tuple[float, float]:
    """The interval of ours that holds the reference in 95 % of samples if both are samples of one distribution."""
    if theirs is None:
        return ours.low, ours.high
    apart = difference(ours, theirs)
    return ours.value - (apart.value - apart.low), ours.value + (apart.high - apart.value)


def share_score(
    metric: Metric,
    ours: Share,
    theirs: Share | None,
    details: Mapping[str, Any],
    columns: tuple[str, ...] = (),
    note: str = "",
) -> Score:
    """A share or risk as a score: as it is where 0 is best, 1 less it (a risk below 0 is none) where 1 is best."""

    def shown(value: float) -> float:
        value = min(max(value, 0.0), 1.0)
        return value if metric.best == 0 else 1.0 - value

    low, high = sorted(map(shown, beside(ours, theirs)))
    reference = None if theirs is None else shown(theirs.value)
    return Score(metric, columns, shown(ours.value), low, high, reference, note, details)


def attack_score(
    metric: Metric,
    ours: Share,
    theirs: Share | None,
    details: Mapping[str, Any],
    columns: tuple[str, ...] = (),
    note: str = "",
    unseen: float | None = None,
) -> Score:
    """The same, but not applicable where it would be good only for want of power.

    unseen: how much worse it could be and look as good; by default as far as its interval and its reference's reach.
    Up to the metric's ``poor`` that is borne. What is not good in spite of it stands: noise hides leaks and makes none.
    """
    score = share_score(metric, ours, theirs, details, columns, note)
    low, high = beside(ours, theirs)
    hidden = max(ours.value - low, high - ours.value) if unseen is None else unseen
    if score.status is not Status.GOOD or hidden < metric.poor:
        return score
    return Score(metric, columns, note=BLIND.format(min(hidden, 1.0)), details=details)


def told(value: float) -> float:
    """A number for the details: four digits."""
    return round(float(value), 4)


def rate(share: Share) -> dict[str, float]:
    """A share for the details."""
    return {"share": told(share.value), "low": told(share.low), "high": told(share.high)}
