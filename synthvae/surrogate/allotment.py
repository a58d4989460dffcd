"""How the budget for counts is shared out, before anything is counted.

All counts have Gaussian noise, whose costs add up as mu^2; so shares of the budget are shares of mu^2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthvae.privacy.budget import Budget
from synthvae.privacy.ledger import Spend

ROWS, COLUMNS, DISTANCES = 0.01, 0.34, 0.06  # shares of mu^2; pairs of columns get the rest
LEVEL_DELTA = 0.1  # share of delta for naming levels


@dataclass(frozen=True)
class Allotment:
    """mu2: what all counts together may cost; weights: of the columns, in how many looks they are learned; delta: for
    naming levels, of each column that needs it."""

    budget: Budget
    mu2: float
    weights: tuple[float, ...]
    delta: float

    def rows(self) -> Spend:
        return self._spend("number of rows", ROWS)

    def column(self, place: int, what: str, looks: float, delta: float = 0.0) -> Spend:
        """Part of a column's share: so many of its looks."""
        return self._spend(what, COLUMNS * looks / sum(self.weights), delta=delta)

    def distances(self, pairs: int) -> Spend:
        return self._spend(f"how far {pairs} pairs of columns are from independent", DISTANCES, pairs)

    def pairs(self, pairs: int) -> Spend:
        return self._spend(f"two-way counts of {pairs} pairs of columns", 1 - ROWS - COLUMNS - DISTANCES, pairs)

    def _spend(self, what: str, share: float, queries: int = 1, delta: float = 0.0) -> Spend:
        sensitivity = self.budget.rows_per_unit * math.sqrt(queries)
        return Spend(what, sensitivity, sensitivity / math.sqrt(share * self.mu2), delta)


def level_delta(budget: Budget, columns: Sequence[bool]) -> float:
    """What each column without stated levels (True) may take of delta."""
    return LEVEL_DELTA * budget.delta / max(sum(columns), 1)
