"""Leaves folded into few cells, so that counts of pairs of columns stand out of the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthvae.privacy.private_table import Coding
from synthvae.surrogate.domains import Array, Domain


@dataclass(frozen=True, eq=False)
class Cells:
    """A column in few cells. of_leaf: (l,) the cell of each leaf; counts: (c,) rows of each."""

    domain: Domain
    of_leaf: Array
    counts: Array

    @property
    def size(self) -> int:
        return len(self.counts)

    @property
    def coding(self) -> Coding:
        """The cells as a question."""
        return Coding(self.size, self.of_rows)

    def of_rows(self, rows: pa.Table) -> Array:
        """The cell of each row (n,)."""
        return self.of_leaf[self.domain.leaves(rows)]

    def draw(self, cells: Array, rng: np.random.Generator) -> pa.Array:
        """Values (n,) for cells (n,): a leaf of the cell by its counts, then a value of the leaf."""
        leaves = np.zeros(len(cells), np.int64)
        for cell in np.unique(cells):
            places, mine = np.flatnonzero(self.of_leaf == cell), np.flatnonzero(cells == cell)
            weights = self._drawn[places]
            weights = weights if weights.sum() else np.ones(len(places))
            leaves[mine] = places[spread(weights, len(mine), rng)]
        return self.domain.values(leaves, rng)

    @property
    def _drawn(self) -> Array:
        """Counts of leaves; the last one of categories stands for unnamed levels, and is never drawn."""
        counts = self.domain.counts.copy()
        if not self.domain.ordered and len(counts) > 2 and self.of_leaf[-1] == self.of_leaf[-2]:
            counts[-1] = 0.0
        return counts


def coarse(domain: Domain, most: int) -> Cells:
    """At most ``most`` cells, of about as many rows each; null is one of its own."""
    counts = domain.counts
    rest = np.arange(1, len(counts)) if counts[0] else np.arange(len(counts))
    room = max(most - (1 if counts[0] else 0), 2)
    grouped = _runs(counts[rest], room) if domain.ordered else _largest(counts[rest], room)
    of_leaf = np.zeros(len(counts), np.int64)
    of_leaf[rest] = grouped + (1 if counts[0] else 0)
    return Cells(domain, of_leaf, np.bincount(of_leaf, counts))


def _runs(counts: Array, most: int) -> Array:
    """Neighbouring leaves together; a leaf as heavy as a cell is one of its own."""
    share = counts.sum() / most
    group, filled, groups = 0, 0.0, []
    for count in counts.tolist():
        if filled and (filled + count > 1.25 * share) and group < most - 1:
            group, filled = group + 1, 0.0
        groups.append(group)
        filled += count
    return np.array(groups, np.int64)


def _largest(counts: Array, most: int) -> Array:
    """The largest levels apart, all others together; unnamed levels, which come last, with the smallest named one."""
    named = counts[:-1]
    rank = np.argsort(np.argsort(-named, kind="stable"), kind="stable")
    groups = np.minimum(rank, most - 1)
    return np.append(groups, groups.max(initial=0)).astype(np.int64)


def spread(weights: Array, n: int, rng: np.random.Generator) -> Array:
    """n places by weight, as evenly as whole numbers allow, in random order."""
    ends = np.cumsum(weights) / weights.sum()
    places = np.searchsorted(ends, (np.arange(n) + rng.random()) / max(n, 1), side="right")
    return rng.permutation(np.minimum(places, len(weights) - 1))
