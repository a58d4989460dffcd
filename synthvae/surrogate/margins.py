"""Which pairs of columns are counted together, in how fine cells, and the counts.

One look tells for every pair how far its two-way counts are from those of independent columns (L1). A pair is worth
counting where that is more than the noise on its cells will be; the farther, the finer the cells. A spanning tree of
the farthest pairs comes first, as in MST (McKenna, Miklau, Sheldon 2021), then whatever else is worth it. DIFF: all
distances are told at once with Gaussian noise instead of a tree edge at a time by the exponential mechanism, so that
one curve accounts for everything and more than a tree can be chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from synthvae.privacy.private_table import PrivateTable
from synthvae.surrogate.allotment import Allotment
from synthvae.surrogate.coarse import FINER, Cells
from synthvae.surrogate.denoise import consistent
from synthvae.surrogate.domains import Array

MEAN_NOISE = math.sqrt(2 / math.pi)  # mean of |x| for a standard normal x
SIZE, FEWEST, MOST = 0.1, 3, 24  # coarsest cells of a column: sqrt(SIZE * rows / sigma); noise moves some 4 % of a pair
LEVELS = 3  # partitions of a column
CLEAR = 3.0  # times the noise of finer cells that a pair must be away from independence to be counted in them
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Margin:
    """Two columns, by number, counted in cells of one of their partitions each: counts (c_i, c_j)."""

    pair: Pair
    partitions: tuple[Array, Array]
    counts: Array


@dataclass(frozen=True, eq=False)
class Margins:
    """What was counted; the first ``tree`` make up a forest."""

    all: tuple[Margin, ...] = ()
    tree: int = 0


def cells_of_column(rows: float, columns: int, allotment: Allotment) -> list[int]:
    """How many cells a column may have in each partition, finest first, so that coarse pairs stand out of the noise."""
    sigma = allotment.pairs(max(2 * (columns - 1), 1)).sigma
    least = int(np.clip(math.sqrt(SIZE * rows / sigma), FEWEST, MOST))
    return [least * FINER**level for level in reversed(range(LEVELS))]


def measured(cells: Sequence[Cells], private: PrivateTable, rows: float, allotment: Allotment) -> Margins:
    """Choose pairs of columns and count them."""
    varied = [i for i, one in enumerate(cells) if one.size(0) > 1]
    pairs = [(i, j) for place, i in enumerate(varied) for j in varied[place + 1 :]]
    if not pairs:
        return Margins()
    last = LEVELS - 1
    codings = [[one.coding(level) for level in range(LEVELS)] for one in cells]
    expected = [_independent(cells, pair, last, rows) for pair in pairs]
    far = private.distances(
        [(codings[i][last], codings[j][last]) for i, j in pairs], expected, allotment.distances(len(pairs))
    )
    chosen, tree = _chosen(pairs, far, np.array([guess.size for guess in expected]), allotment)
    if not chosen:
        return Margins()
    spend = allotment.pairs(len(chosen))
    levels = [_level(cells, pairs[p], float(far[p]) / (CLEAR * MEAN_NOISE * spend.sigma)) for p in chosen]
    wanted = [pairs[p] for p in chosen]
    asked = [(codings[i][level], codings[j][level]) for (i, j), level in zip(wanted, levels, strict=True)]
    counted = private.margins(asked, spend)
    made = [
        Margin(
            pair,
            (cells[pair[0]].partitions[level], cells[pair[1]].partitions[level]),
            consistent(counts, _independent(cells, pair, level, rows), spend.sigma),
        )
        for pair, level, counts in zip(wanted, levels, counted, strict=True)
    ]
    return Margins(tuple(made), tree)


def _independent(cells: Sequence[Cells], pair: Pair, level: int, rows: float) -> Array:
    """What the counts of a pair would be if its columns had nothing to do with one another."""
    return np.outer(cells[pair[0]].counts_of(level), cells[pair[1]].counts_of(level)) / rows


def _level(cells: Sequence[Cells], pair: Pair, room: float) -> int:
    """The finest partition in which a pair has no more than ``room`` cells, else the coarsest."""
    sizes = [cells[pair[0]].size(level) * cells[pair[1]].size(level) for level in range(LEVELS)]
    return next((level for level, size in enumerate(sizes) if size <= room), LEVELS - 1)


def _chosen(pairs: Sequence[Pair], far: Array, sizes: Array, allotment: Allotment) -> tuple[list[int], int]:
    """The places of pairs to count, tree first, and how many are of the tree."""
    order = np.argsort(-far)
    for count in range(len(pairs), 0, -1):
        sigma = allotment.pairs(count).sigma
        worth = [int(p) for p in order if far[p] > MEAN_NOISE * sizes[p] * sigma]
        if len(worth) >= count:
            worth = worth[:count]
            tree = _tree([pairs[p] for p in worth], far[worth])
            return [worth[t] for t in tree] + [p for t, p in enumerate(worth) if t not in tree], len(tree)
    return [], 0


def _tree(pairs: Sequence[Pair], far: Array) -> list[int]:
    """The places of the pairs of a maximum spanning forest."""
    size = 1 + max(j for _, j in pairs)
    i, j = np.array(pairs).T
    forest = minimum_spanning_tree(csr_array((1.0 / np.maximum(far, 1e-9), (i, j)), shape=(size, size))).tocoo()
    kept = set(zip(forest.coords[0].tolist(), forest.coords[1].tolist(), strict=True))
    return [place for place, pair in enumerate(pairs) if pair in kept]
