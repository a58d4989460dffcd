"""One distance for all that asks who is near whom: rows as points; nearest.py finds the nearest of many.

The squared distance is the sum over columns of Gower's dissimilarities (A general coefficient of similarity and some of
its properties, Biometrics 27, 1971), squared: numbers by rank among real rows in [0, 1], levels 0 where they are equal
and 1 where not, null apart from everything but null.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthvae.evaluation.disclosure.rows import Rows
from synthvae.evaluation.sides import Array

KNOTS = 257  # of a column's rank function, each a quantile of real rows
FITTED = 100_000  # real rows the ranks are read from
NAMED = 16  # levels that get an axis each; more are spread over as many axes at random, nearly equally far apart
NULL_APART = 0.957  # beside 1/2 in rank: the mean squared distance to a number is 1
CELLS = 100_000_000  # numbers in the points of a table: 400 MB; a larger table is cut to a sample
PRODUCTS = 50_000_000_000  # rows looked for times coordinates looked through: about a second
LEAST, MOST = 400, 5_000  # rows looked for
ROWS = 65_536  # made into points at once: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Axis:
    """How a column becomes coordinates. knots, ranks: of a number; table (v, d): the point of each level."""

    knots: Array
    ranks: Array
    nulls: bool
    table: Array | None = None

    @property
    def dims(self) -> int:
        return 1 + self.nulls if self.table is None else int(self.table.shape[1])

    def points(self, values: Array) -> Array:
        """(n, d) float32 coordinates of the values (n,)."""
        if self.table is not None:
            return np.asarray(self.table[values])
        missing = np.isnan(values)
        rank = np.where(missing, 0.5, np.interp(np.where(missing, 0, values), self.knots, self.ranks))
        made = np.stack([rank, missing * NULL_APART], axis=1)[:, : self.dims]
        return made.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Space:
    """Every compared column's axis."""

    axes: Mapping[str, Axis]

    def points(self, rows: Rows) -> Array:
        """(n, d) float32 coordinates of the rows."""
        made = np.empty((len(rows), self.dims), np.float32)
        for start in range(0, len(rows), ROWS):
            here = slice(start, start + ROWS)
            for name, place in self.places.items():
                made[here, place] = self.axes[name].points(rows.columns[name][here])
        return made

    def part(self, points: Array, columns: Collection[str]) -> Array:
        """Of points (n, d) the coordinates of some columns."""
        return np.concatenate([points[:, place] for name, place in self.places.items() if name in columns], axis=1)

    @cached_property
    def places(self) -> Mapping[str, slice]:
        """Which coordinates are of which column."""
        ends = np.cumsum([0, *(axis.dims for axis in self.axes.values())]).tolist()
        return {name: slice(*ends[place : place + 2]) for place, name in enumerate(self.axes)}

    @property
    def dims(self) -> int:
        return sum(axis.dims for axis in self.axes.values())

    @property
    def bearable(self) -> int:
        """How many rows of a table can be looked through at once."""
        return CELLS // max(self.dims, 1) + 1

    def affordable(self, rows: int, searches: int = 1) -> int:
        """How many rows may be looked for among so many, in so many searches."""
        return int(min(max(PRODUCTS // max(rows * self.dims * searches, 1), LEAST // searches), MOST))


def space_of(rows: Mapping[str, Rows], levels: Collection[str], rng: np.random.Generator) -> Space:
    """The axes of all columns; ranks are those of real rows, the hold-out's among them, so that neither is favoured."""
    real = [rows[side].first(FITTED) for side in ("real", "hold-out") if side in rows]
    made = {}
    for name in rows["real"].columns:
        if name in levels:
            size = 1 + max((int(side.columns[name].max()) for side in rows.values() if len(side)), default=0)
            made[name] = Axis(np.zeros(1), np.zeros(1), False, _spread(size, rng))
        else:
            nulls = any(bool(np.isnan(side.columns[name]).any()) for side in rows.values())
            made[name] = Axis(*_ranked(np.concatenate([part.columns[name] for part in real])), nulls)
    return Space(made)


def _spread(size: int, rng: np.random.Generator) -> Array:
    """(size, d) points whose squared distances are 1, or 1 on average."""
    if size <= NAMED:
        return (np.eye(size) / 2**0.5).astype(np.float32)
    return (rng.normal(size=(size, NAMED)) / (2 * NAMED) ** 0.5).astype(np.float32)


def _ranked(values: Array) -> tuple[Array, Array]:
    """Quantiles of the known values and the rank of each: values many rows have take the middle of theirs."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(1), np.zeros(1)
    ranks = np.linspace(0, 1, KNOTS)
    knots, place = np.unique(np.quantile(known, ranks, method="nearest"), return_inverse=True)
    return knots, np.bincount(place, weights=ranks) / np.bincount(place)
