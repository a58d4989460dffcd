"""Rows of cells with given two-way counts: drawn along the tree, then weighted until all other counts fit too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthvae.surrogate.coarse import Cells, spread
from synthvae.surrogate.domains import Array
from synthvae.surrogate.margins import Margins

CANDIDATES, MOST_CANDIDATES = 4, 200_000  # rows drawn along the tree for each row kept
ROUNDS = 20  # of proportional fitting of the weights
STEP = 4.0  # by which a weight may change at once
EASE = 0.5  # rows added to both sides of a ratio of counts


def drawn(cells: Sequence[Cells], margins: Margins, rows: int, rng: np.random.Generator) -> Array:
    """(rows, columns) cells."""
    candidates = max(rows, min(CANDIDATES * rows, MOST_CANDIDATES))
    made = _along_tree(cells, margins, candidates, rng)
    return made[spread(_weights(made, margins, rows), rows, rng)]


def _along_tree(cells: Sequence[Cells], margins: Margins, n: int, rng: np.random.Generator) -> Array:
    """Each column given its parent in the tree, roots by themselves: (n, columns)."""
    made = np.zeros((n, len(cells)), np.int64)
    beside: dict[int, list[tuple[int, Array]]] = {i: [] for i in range(len(cells))}
    for (i, j), counts in list(zip(margins.pairs, margins.counts, strict=True))[: margins.tree]:
        beside[i].append((j, counts))
        beside[j].append((i, counts.T))
    done: set[int] = set()
    for root in range(len(cells)):
        if root in done:
            continue
        made[:, root] = spread(_some(cells[root].counts), n, rng)
        done.add(root)
        waiting = [root]
        while waiting:
            parent = waiting.pop()
            for child, counts in beside[parent]:
                if child not in done:
                    made[:, child] = _given(made[:, parent], counts, rng)
                    done.add(child)
                    waiting.append(child)
    return made


def _given(parents: Array, counts: Array, rng: np.random.Generator) -> Array:
    """A cell (n,) for each parent's cell (n,); counts: (c_parent, c_child)."""
    made = np.zeros(len(parents), np.int64)
    for cell in np.unique(parents):
        mine = np.flatnonzero(parents == cell)
        made[mine] = spread(_some(counts[cell]), len(mine), rng)
    return made


def _some(weights: Array) -> Array:
    return weights if weights.sum() > 0 else np.ones(len(weights))


def _weights(made: Array, margins: Margins, rows: int) -> Array:
    """Weights (n,) under which the rows have the two-way counts of all pairs, as far as they can."""
    weights = np.full(len(made), rows / len(made))
    flat = [made[:, i] * counts.shape[1] + made[:, j] for (i, j), counts in _all(margins)]
    wanted = [counts.ravel() * (rows / max(counts.sum(), 1e-9)) for _, counts in _all(margins)]
    if len(flat) == margins.tree:
        return weights
    for _ in range(ROUNDS):
        for places, target in zip(flat, wanted, strict=True):
            now = np.bincount(places, weights, minlength=len(target))
            weights *= np.clip((target + EASE) / (now + EASE), 1 / STEP, STEP)[places]
    return weights


def _all(margins: Margins) -> list[tuple[tuple[int, int], Array]]:
    return list(zip(margins.pairs, margins.counts, strict=True))
