"""Exact copies: synthetic rows that equal a real one in every compared column, by hashing all rows of all tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthvae.evaluation.answers import owners_of
from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.disclosure.rows import compared, keys_of, rows_of
from synthvae.evaluation.disclosure.shares import Share, attack_score, share_score, told, wilson
from synthvae.evaluation.sides import Array, Sides

COPIES = Metric(
    "copies",
    Family.DISCLOSURE,
    "Share of synthetic rows that are, in every column, a row of the training table; where columns are few or coarse,"
    " people are alike by nature, so it is set beside that of real rows nobody trained on.",
    best=0.0,
    worst=1.0,
    headline=True,
    fair=0.01,
    poor=0.05,
)
PEOPLE = Metric(
    "copied people",
    Family.DISCLOSURE,
    "How many people of the training table have a row that is theirs alone and stands in the synthetic table.",
    best=0.0,
    worst=1.0,
)

UNHELD = "without a hold-out only the share of real rows that equal another tells how much repetition is natural"


def scores(sides: Sides) -> Iterator[Score]:
    """The share of copies among all synthetic rows and, where rows belong to people, the share of people copied."""
    why = _obstacle(sides)
    if why:
        yield not_applicable(COPIES, why)
        return
    keys = keys_of(sides)
    real, counts = np.unique(keys["real"], return_counts=True)
    held = {side: _counted(keys[side], real, counts) for side in keys if side != "real" and len(keys[side])}
    shares = {side: _share(sides, side, count > 0) for side, count in held.items()}
    alike = float(counts[counts > 1].sum() / counts.sum())
    details = _details(sides, held["synthetic"]) | {"share of real rows that equal another real row": told(alike)}
    note = "" if "hold-out" in shares else UNHELD
    yield share_score(COPIES, shares["synthetic"], shares.get("hold-out"), details, note=note)
    if sides.group is not None:
        yield _people(sides)


def _obstacle(sides: Sides) -> str:
    if not compared(sides):
        return "there is no column whose values are learned"
    empty = [side for side in ("real", "synthetic") if not sides.tables[side].num_rows]
    return f"the {empty[0]} table has no rows" if empty else ""


def _share(sides: Sides, side: str, copied: Array) -> Share:
    return wilson(float(copied.sum()), len(copied), _clustering(copied, owners_of(sides)[side]))


def _clustering(hit: Array, owner: Array | None) -> float:
    """How many times wider the variance of a share is because the rows of one owner go together."""
    spread = float(hit.mean() * (1 - hit.mean())) * len(hit)
    if owner is None or not spread:
        return 1.0
    by_owner = np.bincount(owner, weights=hit - hit.mean())
    return float((by_owner**2).sum()) / spread


def _counted(keys: Array, real: Array, counts: Array) -> Array:
    """(n,) how many real rows equal each row; ``real`` are the distinct real keys, ``counts`` their rows."""
    place = np.minimum(np.searchsorted(real, keys), len(real) - 1)
    return np.where(real[place] == keys, counts[place], 0)


def _details(sides: Sides, held: Array) -> dict[str, object]:
    """How many copies there are, and how many of them are of rows that few real rows share."""
    few = sides.schema.min_count
    return {
        "copied rows": int((held > 0).sum()),
        f"of rows that fewer than {few} real rows share": int(((held > 0) & (held < few)).sum()),
        "rows": {side: table.num_rows for side, table in sides.tables.items()},
    }


def _people(sides: Sides) -> Score:
    """Rows only one person has, looked up among all synthetic rows and as many of the hold-out.

    A smaller hold-out is taken to meet people in proportion to its rows: twice the rows meet at most twice as many.
    """
    rows = rows_of(sides)
    key, owner = rows["real"].key, rows["real"].owner
    own = _alone(key, owner)
    size = len(rows["synthetic"])
    people = len(np.unique(owner))

    def share(side: str) -> Share:
        hit = own & np.isin(key, rows[side].first(size).key)
        return wilson(len(np.unique(owner[hit])), people)

    theirs = None
    if len(rows.get("hold-out", ())):
        theirs = share("hold-out").scaled(max(size / len(rows["hold-out"]), 1.0))
    return attack_score(PEOPLE, share("synthetic"), theirs, {"people": people, "rows looked through": size})


def _alone(key: Array, owner: Array) -> Array:
    """(n,) whether every row equal to this one is of the same owner."""
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    shared = np.zeros(len(first), bool)
    shared[place[owner != owner[first][place]]] = True
    return ~shared[place]
