"""Linkability: do synthetic rows tell that two halves of a record are of one person?

Somebody holds some columns of each person in one list and the other columns in another. He links two halves where the
synthetic row nearest to the one is also the nearest to the other (Giomi et al., PoPETs 2023).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.disclosure.cast import Cast, Part, cast_of
from synthvae.evaluation.disclosure.nearest import nearest
from synthvae.evaluation.disclosure.shares import Share, attack_score, rate, risk, told, wilson
from synthvae.evaluation.sides import Array, Sides

LINKS = Metric(
    "linkability",
    Family.DISCLOSURE,
    "1 if the synthetic table links two halves of a training person's record no more often than those of people nobody"
    " trained on, 0 if always.",
    fair=0.02,
    poor=0.1,
)
METRICS = (LINKS,)
SPLITS = 2  # ways to cut the columns in two, each tried on its part of the people
NEIGHBOURS = 1  # among which the two halves must meet

Cut = tuple[set[str], set[str]]  # of the columns


def scores(sides: Sides) -> Iterator[Score]:
    """Linked training people beyond linked controls; through the stand-in as reference."""
    cast = cast_of(sides)
    if isinstance(cast, str):
        yield not_applicable(LINKS, cast)
        return
    names = list(cast.space.axes)
    if len(names) < 2:
        yield not_applicable(LINKS, "a single column cannot be cut in two")
        return
    rng = sides.rng("linkability")
    cuts = [_halves(names, rng) for _ in range(SPLITS)]
    attack, control = _tried(cast, cast.synthetic, cuts)
    theirs = risk(*_tried(cast, cast.standin, cuts))
    base = len(cast.synthetic.looked)
    people = min(cast.space.affordable(base, 2), len(cast.members))
    details = {
        "linked training people": rate(attack),
        "linked controls": rate(control),
        "linked by chance": told(1 - (1 - NEIGHBOURS / base) ** NEIGHBOURS),
        "rows": {"people": people, "synthetic": base},
    }
    yield attack_score(LINKS, risk(attack, control), theirs, details)


def _halves(names: list[str], rng: np.random.Generator) -> Cut:
    order = [names[place] for place in rng.permutation(len(names))]
    return set(order[: len(order) // 2]), set(order[len(order) // 2 :])


def _tried(cast: Cast, source: Part, cuts: list[Cut]) -> tuple[Share, Share]:
    """The shares of linked members and controls."""
    targets = cast.targets(cast.space.affordable(len(cast.synthetic.looked), 2))
    points = np.concatenate([cast.space.points(people) for people in targets])
    linked = np.zeros(len(points), bool)
    for place, halves in enumerate(cuts):
        part = np.arange(len(points)) % len(cuts) == place
        linked[part] = _linked(cast, source, points[part], halves)
    attack, control = (_share(found) for found in np.split(linked, [len(targets[0])]))
    return attack, control


def _linked(cast: Cast, source: Part, points: Array, halves: Cut) -> Array:
    """(m,) whether the nearest source rows by the one half of the columns and by the other meet."""
    places = [
        nearest(cast.space.part(points, half), cast.space.part(source.points, half), NEIGHBOURS)[1] for half in halves
    ]
    return np.asarray((places[0][:, :, None] == places[1][:, None, :]).any(axis=(1, 2)))


def _share(found: Array) -> Share:
    # a certain control leaves nothing to gain: half a person is taken off
    return wilson(min(float(found.sum()), len(found) - 0.5), len(found))
