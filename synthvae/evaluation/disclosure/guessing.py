"""Attribute inference: does the synthetic table tell a person's secret to somebody who knows all the rest?

The attacker looks up the synthetic row nearest to what he knows and takes its value for the secret (Giomi et al.,
PoPETs 2023): right where it is the level itself, or a number within a twentieth of all people. What he learns about
people nobody trained on is what the table says about everybody, and no disclosure; the risk is what he learns beyond.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.answers import WIDE
from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.disclosure.cast import Cast, Part, cast_of
from synthvae.evaluation.disclosure.nearest import nearest_without
from synthvae.evaluation.disclosure.rows import Rows
from synthvae.evaluation.disclosure.shares import Share, attack_score, rate, risk, told, wilson
from synthvae.evaluation.sides import Array, Sides

SECRETS = Metric(
    "attribute inference",
    Family.DISCLOSURE,
    "1 if somebody who knows all else about a training person guesses a secret from the synthetic table no better than"
    " that of a person nobody trained on, 0 if he is always right about the one and never by that about the other.",
    headline=True,
)
METRICS = (SECRETS,)
NUMBER = 0.025  # ranks on either side within which a number is guessed: a twentieth of all people
MOST, FEW = 12, 4  # columns that are taken for secrets, and in large tables
LARGE = 200_000  # rows
PEOPLE = (150, 2_500)  # asked at least and at most: so many tell a gap of a tenth in one secret
OPEN = 10  # controls whose value is not guessed: fewer leave nothing to gain


def scores(sides: Sides) -> Iterator[Score]:
    """The mean risk over the secrets, then each; targets come first, and the stand-in's risk is the reference."""
    cast = cast_of(sides)
    if isinstance(cast, str):
        yield not_applicable(SECRETS, cast)
        return
    if len(cast.space.axes) < 2:
        yield not_applicable(SECRETS, "with a single column nothing is known that would tell a secret")
        return
    names = _chosen(sides, cast)
    people = min(max(cast.space.affordable(len(cast.synthetic.looked), len(names)), PEOPLE[0]), PEOPLE[1])
    ours, theirs = (list(Guesses.of(cast, source, names, people)) for source in (cast.synthetic, cast.standin))
    yield _mean(ours, theirs)
    for mine, other in zip(ours, theirs, strict=True):
        yield _one(mine, other)


def _chosen(sides: Sides, cast: Cast) -> list[str]:
    """Targets, then columns at random; in the schema's order."""
    names = list(cast.space.axes)
    first = [name for name in sides.targets if name in names]
    rest = [name for name in names if name not in first]
    large = max(len(cast.synthetic.looked), len(cast.standin.looked)) > LARGE
    rest = [rest[place] for place in sides.rng("secrets").permutation(len(rest))]
    chosen = (first + rest)[: FEW if large else MOST]
    return [name for name in names if name in chosen]


@dataclass(frozen=True, eq=False)
class Guesses:
    """Who of the members and controls (q,) was guessed; blind: members guessed by a synthetic row at random."""

    secret: str
    members: Array
    controls: Array
    blind: Array
    rows: int

    @classmethod
    def of(cls, cast: Cast, source: Part, secrets: list[str], people: int) -> Iterator[Guesses]:
        """Of every secret, in one search."""
        base = source.looked
        members, controls = cast.targets(people)
        points = np.concatenate([cast.space.points(part) for part in (members, controls)])
        found = nearest_without(points, source.points, [cast.space.places[name] for name in secrets])
        blindly = np.arange(len(members)) % len(base)
        for secret, places in zip(secrets, found.T, strict=True):
            first, second = np.split(places, [len(members)])
            right = [_agree(cast, secret, part, base, at) for part, at in ((members, first), (controls, second))]
            yield cls(secret, right[0], right[1], _agree(cast, secret, members, base, blindly), len(base))

    @property
    def closed(self) -> bool:
        """Whether nearly every control is guessed, so that there is nothing to gain."""
        return int((~self.controls).sum()) < OPEN

    @property
    def risk(self) -> Share:
        return risk(*(_share(found) for found in (self.members, self.controls)))


def _agree(cast: Cast, secret: str, people: Rows, base: Rows, places: Array) -> Array:
    """(q,) whether the value of the base row at each person's place is the person's."""
    axis, truth, guess = cast.space.axes[secret], people.columns[secret], base.columns[secret][places]
    if axis.table is not None:
        return np.asarray(truth == guess)
    apart = np.abs(axis.points(truth).astype(np.float64) - axis.points(guess))
    return np.asarray((apart <= NUMBER).all(axis=1))


def _one(ours: Guesses, theirs: Guesses) -> Score:
    columns = (ours.secret,)
    if ours.closed:
        return not_applicable(SECRETS, "nearly everybody's value is guessed, trained on or not", columns)
    details = {
        "guessed of training people": rate(_share(ours.members)),
        "guessed of controls": rate(_share(ours.controls)),
        "guessed at random": told(ours.blind.mean()),
        "rows": {"people": len(ours.members), "synthetic": ours.rows},
    }
    weak = ours.members.mean() < ours.blind.mean()
    note = "the attack guesses worse than a synthetic row at random: no evidence either way" if weak else ""
    return attack_score(SECRETS, ours.risk, None if theirs.closed else theirs.risk, details, columns, note)


def _share(found: Array) -> Share:
    return wilson(float(found.sum()), len(found))


def _mean(ours: list[Guesses], theirs: list[Guesses]) -> Score:
    told_ours, told_theirs = ([guess for guess in side if not guess.closed] for side in (ours, theirs))
    if not told_ours:
        return not_applicable(SECRETS, "nearly everybody's values are guessed, trained on or not")
    worst = max(told_ours, key=lambda guess: guess.risk.value)
    details = {"secrets": len(told_ours), "most at risk": worst.secret, "rows": {"people": len(worst.members)}}
    reference = _mean_risk(told_theirs) if told_theirs else None
    return attack_score(SECRETS, _mean_risk(told_ours), reference, details)


def _mean_risk(guesses: list[Guesses]) -> Share:
    """The mean of the risks; everybody is asked for every secret, so the noise is that of people's means."""
    weights = [1 / (1 - guess.controls.mean()) for guess in guesses]
    members, controls = (
        np.mean([weight * found for weight, found in zip(weights, side, strict=True)], axis=0)
        for side in ([guess.members for guess in guesses], [guess.controls for guess in guesses])
    )
    value = float(members.mean() - controls.mean())
    half = WIDE * float(members.var() / len(members) + controls.var() / len(controls)) ** 0.5
    return Share(value, value - half, value + half)
