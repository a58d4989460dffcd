"""Do three columns go together alike: tables of counts of sampled triples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np

from synthvae.evaluation.answers import NO_ROWS, Answer, Sample, Tally, samples
from synthvae.evaluation.base import Family, Metric, Score
from synthvae.evaluation.cells import NAMED, RANKS, REAL, Cells, comparable
from synthvae.evaluation.shapes import overlap
from synthvae.evaluation.sides import Array, Sides

MARGINS = Metric(
    "three-way margins",
    Family.FIDELITY,
    "How alike three columns go together, coarsely cut: the share of rows whose three values need not change.",
    headline=True,
    fair=0.02,
    poor=0.05,
)
TRIPLES = 60  # sampled of all; their mean has settled by then
WIDTH = 6  # cells of a column: five parts and null, so that a triple has 216


def scores(sides: Sides) -> list[Score]:
    """1 - total variation of the counts of three columns, each in five rank parts or its four commonest levels."""
    margins, rows = Tally(sides, MARGINS), samples(sides)
    columns = comparable(sides)
    coarse = [_coarse(cells) for cells in columns]
    for i, j, k in _triples(len(columns), sides.rng("three-way margins")):
        keys = {
            side: coarse[i][side].astype(np.int16) * WIDTH**2 + coarse[j][side] * WIDTH + coarse[k][side]
            for side in columns[i].parts
        }
        margins.add(tuple(columns[place].name for place in (i, j, k)), _alike(keys, rows))
    return margins.scores()


def _alike(keys: Mapping[str, Array], rows: Mapping[str, Sample]) -> dict[str, Answer]:
    others = [side for side in keys if side != REAL]
    if not all(len(key) for key in keys.values()):
        return dict.fromkeys(others, NO_ROWS)
    counts = {side: np.bincount(key, minlength=WIDTH**3) for side, key in keys.items()}
    return {
        side: overlap(counts[REAL], counts[side], keys[side][rows[side].witnesses], (rows[REAL].size, rows[side].size))
        for side in others
    }


def _coarse(cells: Cells) -> Mapping[str, Array]:
    """Per side (n,) one of ``WIDTH`` codes: neighbouring rank bins by two, levels beyond the four commonest as one."""
    if cells.continuous:
        table = np.append(np.arange(RANKS) // 2, WIDTH - 1)
    else:
        table = np.append(np.minimum(np.arange(NAMED + 1), WIDTH - 2), WIDTH - 1)
    coarse = table.astype(np.int8)[cells.group_of]
    return {side: coarse[codes] for side, codes in cells.codes.items()}


def _triples(columns: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """All triples where they are few, else a sample without repeats."""
    if math.comb(columns, 3) <= TRIPLES:
        return list(itertools.combinations(range(columns), 3))
    found: set[tuple[int, int, int]] = set()
    while len(found) < TRIPLES:
        i, j, k = sorted(rng.choice(columns, 3, replace=False).tolist())
        found.add((i, j, k))
    return sorted(found)
