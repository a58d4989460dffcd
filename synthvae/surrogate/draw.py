"""Rows of cells with given two-way counts: drawn along the tree, then weighted until all other counts fit too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthvae.surrogate.coarse import Cells, drawn_within, spread
from synthvae.surrogate.domains import Array
from synthvae.surrogate.margins import Margin, Margins

CANDIDATES, MOST_CANDIDATES = 4, 200_000  # rows drawn along the tree for each row kept
ROUNDS = 20  # of proportional fitting of the weights
STEP = 4.0  # by which a weight may change at once
EASE = 0.5  # rows added to both sides of a ratio of counts


def drawn(cells: Sequence[Cells], margins: Margins, rows: int, rng: np.random.Generator) -> Array:
    """(rows, columns) finest cells."""
    candidates = max(rows, min(CANDIDATES * rows, MOST_CANDIDATES))
    made = _along_tree(cells, margins, candidates, rng)
    return made[spread(_weights(made, margins, rows), rows, rng)]


def _along_tree(cells: Sequence[Cells], margins: Margins, n: int, rng: np.random.Generator) -> Array:
    """Each column given its parent in the tree, roots by themselves: (n, columns)."""
    made = np.zeros((n, len(cells)), np.int64)
    beside: dict[int, list[tuple[int, Margin]]] = {i: [] for i in range(len(cells))}
    for margin in margins.all[: margins.tree]:
        (i, j), (own, other) = margin.pair, margin.partitions
        beside[i].append((j, margin))
        beside[j].append((i, Margin((j, i), (other, own), margin.counts.T)))
    done: set[int] = set()
    for root in range(len(cells)):
        if root in done:
            continue
        made[:, root] = spread(_some(cells[root].counts), n, rng)
        done.add(root)
        waiting = [root]
        while waiting:
            parent = waiting.pop()
            for child, margin in beside[parent]:
                if child not in done:
                    made[:, child] = _given(made[:, parent], margin, cells[child].counts, rng)
                    done.add(child)
                    waiting.append(child)
    return made


def _given(parents: Array, margin: Margin, counts: Array, rng: np.random.Generator) -> Array:
    """A finest cell (n,) of the second column for each of the first's (n,); counts: of the second's finest cells."""
    own, other = margin.partitions
    above = own[parents]
    found = np.zeros(len(parents), np.int64)
    for cell in np.unique(above):
        mine = np.flatnonzero(above == cell)
        found[mine] = spread(_some(margin.counts[cell]), len(mine), rng)
    return drawn_within(other, counts, found, rng)


def _some(weights: Array) -> Array:
    return weights if weights.sum() > 0 else np.ones(len(weights))


def _weights(made: Array, margins: Margins, rows: int) -> Array:
    """Weights (n,) under which the rows have the two-way counts of all pairs, as far as they can."""
    weights = np.full(len(made), rows / len(made))
    if len(margins.all) == margins.tree:
        return weights
    parts = [_flat(made, margin) for margin in margins.all]
    wanted = [margin.counts.ravel() * (rows / max(margin.counts.sum(), 1e-9)) for margin in margins.all]
    for _ in range(ROUNDS):
        for places, target in zip(parts, wanted, strict=True):
            now = np.bincount(places, weights, minlength=len(target))
            weights *= np.clip((target + EASE) / (now + EASE), 1 / STEP, STEP)[places]
    return weights


def _flat(made: Array, margin: Margin) -> Array:
    (i, j), (own, other) = margin.pair, margin.partitions
    return own[made[:, i]] * margin.counts.shape[1] + other[made[:, j]]
