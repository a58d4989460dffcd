"""Leaves folded into few cells, so that counts of pairs of columns stand out of the noise.

A column has several partitions, each made of cells of the finer one before it: pairs that depend strongly can be
counted in fine cells, others in coarse ones, and rows are drawn in the finest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthvae.privacy.private_table import Coding
from synthvae.surrogate.domains import Array, Domain

FINER = 2  # times as many cells in each finer partition


@dataclass(frozen=True, eq=False)
class Cells:
    """A column in cells. of_leaf: (l,) the finest cell of each leaf; partitions: from the finest (which is as it is)
    to the coarsest, the cell of each finest cell; counts: rows of each finest cell."""

    domain: Domain
    of_leaf: Array
    partitions: tuple[Array, ...]
    counts: Array

    def size(self, level: int) -> int:
        """The number of cells of a partition."""
        return int(self.partitions[level].max()) + 1

    def counts_of(self, level: int) -> Array:
        """Rows of each cell of a partition."""
        return np.bincount(self.partitions[level], self.counts)

    def coding(self, level: int) -> Coding:
        """The cells of a partition as a question."""
        cell = self.partitions[level][self.of_leaf]
        return Coding(self.size(level), lambda rows: cell[self.domain.leaves(rows)])

    def draw(self, cells: Array, rng: np.random.Generator) -> pa.Array:
        """Values (n,) for finest cells (n,): a leaf of the cell by its counts, then a value of the leaf."""
        leaves = drawn_within(self.of_leaf, self._drawn, cells, rng)
        return self.domain.values(leaves, rng)

    @property
    def _drawn(self) -> Array:
        """Counts of leaves; the last one of categories stands for unnamed levels, and is never drawn."""
        counts = self.domain.counts.copy()
        if not self.domain.ordered and len(counts) > 2 and (self.of_leaf[1:-1] == self.of_leaf[-1]).any():
            counts[-1] = 0.0
        return counts


def coarse(domain: Domain, most: Sequence[int]) -> Cells:
    """Partitions of at most so many cells each, finest first, of about as many rows each; null is a cell of its own."""
    first = _folded(domain.counts, most[0], domain.ordered, named=not domain.ordered)
    counts = np.bincount(first, domain.counts)
    partitions = [np.arange(len(counts))]
    for room in most[1:]:
        before = partitions[-1]
        partitions.append(_folded(np.bincount(before, counts), room, domain.ordered, named=False)[before])
    return Cells(domain, first, tuple(partitions), counts)


def drawn_within(of_part: Array, weights: Array, wanted: Array, rng: np.random.Generator) -> Array:
    """For each whole (n,) one of its parts, by weight. of_part: (p,) the whole of each part."""
    made = np.zeros(len(wanted), np.int64)
    for whole in np.unique(wanted):
        places, mine = np.flatnonzero(of_part == whole), np.flatnonzero(wanted == whole)
        own = weights[places]
        made[mine] = places[spread(own if own.sum() else np.ones(len(places)), len(mine), rng)]
    return made


def spread(weights: Array, n: int, rng: np.random.Generator) -> Array:
    """n places by weight, as evenly as whole numbers allow, in random order."""
    ends = np.cumsum(weights) / weights.sum()
    places = np.searchsorted(ends, (np.arange(n) + rng.random()) / max(n, 1), side="right")
    return rng.permutation(np.minimum(places, len(weights) - 1))


def _folded(counts: Array, most: int, ordered: bool, named: bool) -> Array:
    """(l,) the cell of each leaf, null first where there is any."""
    null = int(counts[0] > 0)
    rest = counts[null:]
    folded = _runs(rest, max(most - null, 2)) if ordered else _largest(rest, max(most - null, 2), named)
    return np.append(np.zeros(null, np.int64), folded + null)


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


def _largest(counts: Array, most: int, named: bool) -> Array:
    """The largest levels apart, all others together. named: the last one stands for unnamed levels; it goes with the
    smallest of the others."""
    own = counts[:-1] if named else counts
    rank = np.argsort(np.argsort(-own, kind="stable"), kind="stable")
    groups = np.minimum(rank, most - 1).astype(np.int64)
    return np.append(groups, groups.max(initial=0)) if named else groups
