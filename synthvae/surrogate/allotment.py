"""How the budget for counts is shared out, before anything is counted.

All counts have Gaussian noise, whose costs add up as mu^2; so shares of the budget are shares of mu^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthvae.privacy.budget import Budget
from synthvae.privacy.ledger import Spend

ROWS = 0.01  # share of all mu^2 for the number of rows
COLUMNS, DISTANCES = 0.34, 0.06  # shares of what counts have; counts of pairs of columns get the rest


@dataclass(frozen=True)
class Allotment:
    """The budget of all counts.

    mu2: what they may cost, the number of rows included; weights: of the columns, how much each needs; delta: for
    naming levels, of each column that needs it.
    """

    budget: Budget
    mu2: float
    weights: tuple[float, ...]
    delta: float

    def column(self, what: str, looks: float, delta: float = 0.0) -> Spend:
        """Part of a column's share: so many of its looks."""
        return self._spend(what, COLUMNS * looks / sum(self.weights), delta=delta)

    def distances(self, pairs: int) -> Spend:
        return self._spend(f"how far {pairs} pairs of columns are from independent", DISTANCES, pairs)

    def pairs(self, pairs: int) -> Spend:
        return self._spend(f"two-way counts of {pairs} pairs of columns", 1 - COLUMNS - DISTANCES, pairs)

    def _spend(self, what: str, share: float, queries: int = 1, delta: float = 0.0) -> Spend:
        sensitivity = self.budget.rows_per_unit * math.sqrt(queries)
        return Spend(what, sensitivity, sensitivity / math.sqrt(share * (1 - ROWS) * self.mu2), delta)


def rows_spend(budget: Budget, mu2: float) -> Spend:
    """For the number of rows, on which further plans depend; mu2: what everything together may cost."""
    most = float(budget.rows_per_unit)
    return Spend("number of rows", most, most / math.sqrt(ROWS * mu2))
