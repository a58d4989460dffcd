"""Singling out: do conditions read off the synthetic table hold for exactly one real person?

The attacker looks for conditions that one synthetic row alone meets, on one column (a value nobody else has, beyond the
smallest or largest) or on several (equal levels, numbers at least or at most the row's), and hopes that one real person
alone meets them (Giomi et al., PoPETs 2023). DIFF: training people and controls are searched together, and a condition
counts where it isolates one of them all; by chance it is a training person as often as their number says, so tables
of unlike size can be compared without a model of how isolation falls with size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.disclosure.cast import Cast, cast_of
from synthvae.evaluation.disclosure.conditions import Combinations, Maker, Predicate, Values, meeting, shuffled
from synthvae.evaluation.disclosure.rows import Rows, levelled
from synthvae.evaluation.disclosure.shares import Share, attack_score, rate, risk, told, wilson
from synthvae.evaluation.sides import Array, Sides

ALONE = Metric(
    "singling out by one value",
    Family.DISCLOSURE,
    "1 if values that one synthetic row alone has lead to exactly one training person no more often than to one nobody"
    " trained on, 0 if always.",
)
TOGETHER = Metric(
    "singling out",
    Family.DISCLOSURE,
    "1 if combinations of values that one synthetic row alone meets lead to exactly one training person no more often"
    " than to one nobody trained on, 0 if always.",
    headline=True,
)
METRICS = (ALONE, TOGETHER)
FEWEST = 20  # conditions that tell something
NOBODY, SEVERAL = -1, -2  # in place of who meets a predicate alone
CERTAIN = 0.99  # a control is never taken to succeed more often: there must be something left to gain


def scores(sides: Sides) -> Iterator[Score]:
    """Singling out by one value and by a combination; the stand-in's conditions as reference."""
    cast = cast_of(sides)
    if isinstance(cast, str):
        yield from (not_applicable(metric, cast) for metric in METRICS)
        return
    levels = levelled(sides)
    makers: dict[Metric, Maker] = {ALONE: Values(levels), TOGETHER: Combinations(levels)}
    for metric, make in makers.items():
        yield _score(cast, metric, make, sides.rng(metric.name))


def _score(cast: Cast, metric: Metric, make: Maker, rng: np.random.Generator) -> Score:
    predicates, other = (make(source.looked, rng) for source in (cast.synthetic, cast.standin))
    if len(predicates) < FEWEST:
        return not_applicable(metric, f"fewer than {FEWEST} conditions are met by one synthetic row alone")
    ours = Attack.of(cast, predicates)
    theirs = Attack.of(cast, other).risk if len(other) >= FEWEST else None
    blind = Attack.of(cast, shuffled(predicates, rng))
    details = {
        "conditions": len(predicates),
        "isolate a training person": rate(ours.attack),
        "isolate a control, for as many people": rate(ours.control),
        "values drawn apart isolate a training person": told(blind.attack.value),
    }
    return attack_score(metric, ours.risk, theirs, details)


# --- the attack -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Attack:
    """Conditions of one source tried on real people. found: whom each isolates; trained: whether that is a member."""

    conditions: int
    found: Array
    trained: Array
    odds: float  # training people to controls

    @classmethod
    def of(cls, cast: Cast, predicates: Sequence[Predicate]) -> Attack:
        """The predicates that exactly one real person meets."""
        found, trained = [], []
        for predicate in predicates:
            member, control = (_owner(part.rows, predicate) for part in (cast.real, cast.controls))
            if (member == NOBODY) != (control == NOBODY) and SEVERAL not in (member, control):
                found.append(control if member == NOBODY else member)
                trained.append(control == NOBODY)
        odds = len(cast.real.rows.people) / len(cast.controls.rows.people)
        return cls(len(predicates), np.array(found, np.int64), np.array(trained, bool), odds)

    @property
    def attack(self) -> Share:
        return self._share(self.trained)

    @property
    def control(self) -> Share:
        share = self._share(~self.trained)
        return Share(*(min(end * self.odds, CERTAIN) for end in (share.value, share.low, share.high)))

    @property
    def risk(self) -> Share:
        return risk(self.attack, self.control)

    def _share(self, mask: Array) -> Share:
        """The share of conditions that isolate such a person; conditions on one person stand or fall together."""
        each = np.unique(self.found[mask], return_counts=True)[1]
        together = float((each**2).sum()) / max(int(each.sum()), 1)
        return wilson(float(mask.sum()), self.conditions, together)


def _owner(rows: Rows, predicate: Predicate) -> int:
    """Who alone meets all conditions, ``NOBODY`` or ``SEVERAL``."""
    owners = rows.owner[meeting(rows, predicate)]
    if not len(owners):
        return NOBODY
    return int(owners[0]) if (owners == owners[0]).all() else SEVERAL
