"""Which pairs of columns are counted together, and the counts.

One look tells for every pair how far its two-way counts are from those of independent columns (L1). A pair is worth
counting where that is more than the noise on its cells will be. A spanning tree of the farthest pairs comes first, as
in MST (McKenna, Miklau, Sheldon 2021), then whatever else is worth it. DIFF: all distances are told at once with
Gaussian noise instead of a tree edge at a time by the exponential mechanism, so that one curve accounts for everything
and more than a tree can be chosen.
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
from synthvae.surrogate.coarse import Cells
from synthvae.surrogate.denoise import consistent
from synthvae.surrogate.domains import Array

MEAN_NOISE = math.sqrt(2 / math.pi)  # mean of |x| for a standard normal x
SIZE, FEWEST, MOST = 0.1, 3, 24  # cells of a column: sqrt(SIZE * rows / sigma), so noise moves some 4 % of a pair
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Margins:
    """pairs: columns counted together, by number, those of the tree first; counts: (c_i, c_j) each; tree: how many."""

    pairs: tuple[Pair, ...]
    counts: tuple[Array, ...]
    tree: int


def cells_of_column(rows: float, columns: int, allotment: Allotment) -> int:
    """How many cells a column may have, so that two of them crossed stand out of the noise."""
    sigma = allotment.pairs(max(2 * (columns - 1), 1)).sigma
    return int(np.clip(math.sqrt(SIZE * max(rows, 1.0) / sigma), FEWEST, MOST))


def measured(cells: Sequence[Cells], private: PrivateTable, rows: float, allotment: Allotment) -> Margins:
    """Choose pairs of columns and count them."""
    varied = [i for i, one in enumerate(cells) if one.size > 1]
    pairs = [(i, j) for place, i in enumerate(varied) for j in varied[place + 1 :]]
    if not pairs:
        return Margins((), (), 0)
    codings = [one.coding for one in cells]
    expected = [np.outer(cells[i].counts, cells[j].counts) / max(rows, 1.0) for i, j in pairs]
    far = private.distances(codings, pairs, expected, allotment.distances(len(pairs)))
    chosen, tree = _chosen(pairs, far, [guess.size for guess in expected], allotment)
    if not chosen:
        return Margins((), (), 0)
    spend = allotment.pairs(len(chosen))
    counted = private.margins(codings, [pairs[p] for p in chosen], spend)
    clean = [consistent(c, expected[p], spend.sigma) for c, p in zip(counted, chosen, strict=True)]
    return Margins(tuple(pairs[p] for p in chosen), tuple(clean), tree)


def _chosen(pairs: Sequence[Pair], far: Array, sizes: Sequence[int], allotment: Allotment) -> tuple[list[int], int]:
    """The places of pairs to count, tree first, and how many are of the tree."""
    order = np.argsort(-far)
    cost = MEAN_NOISE * np.array(sizes)
    for count in range(len(pairs), 0, -1):
        sigma = allotment.pairs(count).sigma
        worth = [int(p) for p in order if far[p] > cost[p] * sigma]
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
