"""Distances to the closest real rows: near copies, who is nearest (DCR) and how much nearer than the next (NNDR)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.disclosure.cast import Cast, Part, cast_of
from synthvae.evaluation.disclosure.nearest import nearest
from synthvae.evaluation.disclosure.shares import Share, attack_score, rate, told, wilson
from synthvae.evaluation.sides import Array, Sides

NEAR = Metric(
    "near copies",
    Family.DISCLOSURE,
    "1 less the share of synthetic rows that are a real person's but for small changes: as near to a training row as"
    " only one in a hundred real rows nobody trained on (the five nearest, if they are fewer than 500).",
    headline=True,
    fair=0.005,
    poor=0.05,
)
CLOSEST = Metric(
    "DCR share",
    Family.DISCLOSURE,
    "1 if the real person nearest to a synthetic row is one trained on no more often than by chance, 0 if always.",
)
RATIO = Metric(
    "NNDR",
    Family.DISCLOSURE,
    "1 less the share of synthetic rows that point to one training row, far nearer to it than to the next: as only one"
    " in twenty real rows nobody trained on.",
    fair=0.03,
    poor=0.1,
)
METRICS = (NEAR, CLOSEST, RATIO)
NEARNESS, RATIOS = 0.01, 0.05  # shares of the controls' distances that count as near, of their ratios that single out
FEWEST = 5  # controls at or below a threshold: the lowest of all may lie anywhere
COARSE = 0.5  # where this share of the controls is as near, nearness tells nothing


def scores(sides: Sides) -> Iterator[Score]:
    """Near copies, DCR share and NNDR of the synthetic rows, and of the stand-in's as reference."""
    cast = cast_of(sides)
    if isinstance(cast, str):
        yield from (not_applicable(metric, cast) for metric in METRICS)
        return
    ours, theirs, controls = (Found.of(cast, part) for part in (cast.synthetic, cast.standin, cast.controls))
    rows = {"asked": len(ours.distance), "looked through": len(cast.real.looked)}
    yield _tail(NEAR, ours.distance, theirs.distance, controls.distance, NEARNESS, rows)
    yield _closest(cast, ours, theirs, rows)
    yield _tail(RATIO, ours.ratio, theirs.ratio, controls.ratio, RATIOS, rows)


@dataclass(frozen=True, eq=False)
class Found:
    """What rows asked (m,) found among the training rows. ratio: nearest over second distance, 1 if both are 0."""

    points: Array
    distance: Array
    place: Array
    ratio: Array

    @classmethod
    def of(cls, cast: Cast, part: Part) -> Found:
        points = cast.space.points(part.asked(cast.people))
        distances, places = nearest(points, cast.real.points, 2)
        first, second = distances.T
        ratio = np.divide(first, second, out=np.ones(len(first)), where=second > 0)
        return cls(points, first, places[:, 0], ratio)


def _tail(metric: Metric, ours: Array, theirs: Array, controls: Array, share: float, rows: dict[str, int]) -> Score:
    """The share at or below what ``share`` of the controls are; the stand-in is asked at the same threshold."""
    share = max(share, FEWEST / len(controls))
    threshold = float(np.quantile(controls, share, method="inverted_cdf"))
    found, reference = (wilson(float((side <= threshold).sum()), len(side)) for side in (ours, theirs))
    if (controls <= threshold).mean() > COARSE:
        return not_applicable(metric, "the columns are too coarse: most rows of the hold-out are as near")
    details = {"median": {"synthetic": told(np.median(ours)), "hold-out": told(np.median(theirs))}, "rows": rows}
    return attack_score(metric, found, reference, details)


def _closest(cast: Cast, ours: Found, theirs: Found, rows: dict[str, int]) -> Score:
    """Whose the nearest real row is: by chance a training row's as often as there are such among all looked through.

    DIFF: usually two samples of equal size are looked through, and .5 is best; all rows of both find more copies.
    """
    points = cast.controls.points
    chance = len(cast.real.looked) / (len(cast.real.looked) + len(points))
    nearer, reference = (_nearer(found, points, chance) for found in (ours, theirs))

    def gained(share: Share) -> Share:
        return share.scaled(1 / (1 - chance), -chance / (1 - chance))

    odds = nearer.value * (1 - chance)
    even = odds / (odds + (1 - nearer.value) * chance)
    details = {
        "share nearer to training rows": rate(nearer),
        "share by chance": told(chance),
        "share among equally many of both": told(even),
        "rows": rows | {"looked through in the hold-out": len(points)},
    }
    return attack_score(CLOSEST, gained(nearer), gained(reference), details)


def _nearer(found: Found, points: Array, chance: float) -> Share:
    """The share of rows whose nearest is a training row; ties go by chance.

    Rows with one nearest row in common stand or fall together: if labels fall by chance the share's variance is
    chance (1 - chance) times the sum of squared numbers of rows that share a nearest one, over m^2.
    """
    distance, place = (part[:, 0] for part in nearest(found.points, points))
    hits = (found.distance < distance) + chance * (found.distance == distance)
    winner = np.where(found.distance <= distance, found.place, -1 - place)
    shared = np.unique(winner, return_counts=True)[1]
    return wilson(float(hits.sum()), len(hits), float((shared**2).sum()) / len(hits))
