"""Membership inference: can somebody who holds a person's row tell whether that person was in the training table?

The attacker looks how near the synthetic table comes to the row, and divides by how near other real rows come, so that
a common row does not pass for a member (after van Breugel et al., Membership inference attacks against synthetic data
through overfitting detection, AISTATS 2023; nearest neighbours stand in for their density estimates). It is tried on
people of the training table and on controls, so a coin's toss is what chance gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.answers import WIDE
from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.disclosure.cast import Cast, Part, cast_of
from synthvae.evaluation.disclosure.nearest import nearest
from synthvae.evaluation.disclosure.shares import Share, attack_score, rate, wilson
from synthvae.evaluation.sides import Array, Sides

SUREST = Metric(
    "membership",
    Family.DISCLOSURE,
    "1 if somebody who names who was in the training table, only the surest one in a hundred, is right no more often"
    " than by tossing a coin, 0 if always.",
    headline=True,
)
OVERALL = Metric(
    "membership of anybody",
    Family.DISCLOSURE,
    "1 if the synthetic table does not help to tell training people from others at all, 0 if it always does.",
)
OUTLIERS = Metric(
    "outlier exposure",
    Family.DISCLOSURE,
    "1 if the synthetic table comes no nearer to the strangest training people than to equally strange people nobody"
    " trained on, 0 if always.",
    poor=0.25,  # they are a tenth of all, so their interval is three times as wide
)
METRICS = (SUREST, OVERALL, OUTLIERS)
SURE, GUESSES = 0.01, 20  # share of the candidates that are named, and how many at least
CROWD = 0.05  # share of the candidates beyond which the guesses are not the surest: one leak in ten would not fill them
FALSE_ALARMS = 0.01  # at which the true positive rate is told (Carlini et al., S&P 2022)
STRANGE = 0.1  # share of the candidates farthest from other real rows
TINY = 1e-3  # of the median distance: what two distances of 0 are compared by


def scores(sides: Sides) -> Iterator[Score]:
    """The surest guesses, all guesses, and those about the strangest people; the stand-in's as reference."""
    cast = cast_of(sides)
    if isinstance(cast, str):
        yield from (not_applicable(metric, cast) for metric in METRICS)
        return
    candidates = Candidates.of(cast)
    ours, theirs = (candidates.exposed_by(part) for part in (cast.synthetic, cast.standin))
    rows = {"candidates": len(ours), "synthetic": len(cast.synthetic.looked)}
    yield _surest(candidates.member, ours, theirs, rows)
    whole = np.ones(len(ours), bool)
    yield _ranking(OVERALL, candidates.member, ours, theirs, whole, rows)
    yield _ranking(OUTLIERS, candidates.member, ours, theirs, candidates.strange, rows)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Members, then as many controls: (m,) points, who is a member, how far the nearest other real row is."""

    points: Array
    member: Array
    apart: Array

    @classmethod
    def of(cls, cast: Cast) -> Candidates:
        members, controls = cast.targets(cast.people)
        points = np.concatenate([cast.space.points(part) for part in (members, controls)])
        themselves = np.isin(cast.real.looked.owner, members.owner)
        apart = nearest(points, cast.real.points, barred=themselves)[0][:, 0]
        return cls(points, np.arange(len(points)) < len(members), apart)

    @property
    def strange(self) -> Array:
        """(m,) who is among the farthest from other people; whether a member or not has no part in it."""
        return self.apart >= np.quantile(self.apart, 1 - STRANGE)

    def exposed_by(self, part: Part) -> Array:
        """(m,) how much nearer these rows come to each candidate than other real people do; higher is nearer."""
        distance = nearest(self.points, part.points)[0][:, 0]
        least = TINY * float(np.median(self.apart)) or TINY
        return np.log(self.apart + least) - np.log(distance + least)


def _surest(member: Array, ours: Array, theirs: Array, rows: dict[str, int]) -> Score:
    right, reference = (_right(member, exposed) for exposed in (ours, theirs))
    at = _true_positives(member, ours)
    details = {
        "right among the surest guesses": rate(right),
        "guesses": _guesses(len(member)),
        f"true positive rate at {FALSE_ALARMS:.0%} false alarms": rate(at),
        "rows": rows,
    }
    # a person copied is the surest guess of all, so what can hide is not what the interval leaves open
    unseen = 1.0 if _guesses(len(member)) > CROWD * len(member) else 0.0
    return attack_score(SUREST, right.scaled(2, -1), reference.scaled(2, -1), details, unseen=unseen)


def _guesses(candidates: int) -> int:
    return min(max(GUESSES, round(SURE * candidates)), candidates // 2)


def _right(member: Array, exposed: Array) -> Share:
    """The share of members among the most exposed; where the last place is tied, as if it were drawn."""
    guesses = _guesses(len(member))
    bar = -np.partition(-exposed, guesses - 1)[guesses - 1]
    above, tied = exposed > bar, exposed == bar
    hits = member[above].sum() + member[tied].mean() * (guesses - above.sum())
    return wilson(float(hits), guesses)


def _true_positives(member: Array, exposed: Array) -> Share:
    """The share of members above all but ``FALSE_ALARMS`` of the controls."""
    bar = np.quantile(exposed[~member], 1 - FALSE_ALARMS, method="higher")
    return wilson(float((exposed[member] > bar).sum()), int(member.sum()))


def _ranking(metric: Metric, member: Array, ours: Array, theirs: Array, among: Array, rows: dict[str, int]) -> Score:
    """Whether members rank before controls: 2 AUC - 1 is what the attack gains."""
    if min(member[among].sum(), (~member[among]).sum()) < GUESSES:
        return not_applicable(metric, f"fewer than {GUESSES} members or controls are as strange")
    found, reference = (_auc(exposed[among & member], exposed[among & ~member]) for exposed in (ours, theirs))
    details = {"AUC": rate(found), "rows": rows | {"ranked": int(among.sum())}}
    return attack_score(metric, found.scaled(2, -1), reference.scaled(2, -1), details)


def _auc(high: Array, low: Array) -> Share:
    """How often one of ``high`` (m,) is above one of ``low`` (n,), ties half (DeLong et al., Biometrics 44, 1988)."""
    beaten = _placements(high, low)
    beating = 1 - _placements(low, high)
    value = float(beaten.mean())
    half = WIDE * float(beaten.var(ddof=1) / len(high) + beating.var(ddof=1) / len(low)) ** 0.5
    return Share(value, value - half, value + half)


def _placements(values: Array, among: Array) -> Array:
    """(m,) share of ``among`` that each value is above, ties half."""
    ordered = np.sort(among)
    both = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(both / (2 * len(among)))
