"""What was spent where: every look at the rows is a line, and the lines together are within the budget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from synthvae.errors import BudgetError
from synthvae.privacy.accountant import Steps, gaussian_delta, gaussian_epsilon, total_epsilon
from synthvae.privacy.budget import Budget

ROUNDING = 1e-6  # relative, of comparing what was planned with what was spent
ASSUMPTIONS = (
    "Column names, their order and their declared types (of an ordered category also the order of its levels) are "
    "public; so is a schema that the user wrote, which must not have been inferred from these rows. The types of a "
    "DataFrame or an Arrow table count as declared, even where they were guessed from a CSV file; hand over the file "
    "instead.",
    "CSV files of neighbours differ by whole records, quoted as they must be: an open quote joins rows.",
    "The rows of one unit are all that is known of it; rows of different units do not depend on each other.",
    "All noise, and which rows a step takes, come from the operating system's cryptographic generator; the masks of a "
    "step come from a generator with a secret key. Counts are rounded to whole numbers, but the noise of gradients is "
    "floating-point and not hardened against attacks on its last bits.",
    "How long the fit took, how much memory, and whether it ended (a damaged file) are not part of the promise.",
    "Fitting again spends again: budgets of several fits of the same people add up.",
)


@dataclass(frozen=True)
class Spend:
    """One payment. what: in words; sensitivity: how far (L2) one unit can move the numbers looked at; sigma: the
    standard deviation of the noise on each of them; delta: the chance of something outside the Gaussian promise (a
    level that only one unit has gets past the threshold); rate, steps: of sampled rows and repeated looks.
    """

    what: str
    sensitivity: float
    sigma: float
    delta: float = 0.0
    rate: float = 1.0
    steps: int = 1

    @property
    def mu(self) -> float:
        """Of a Gaussian mechanism: sensitivity / sigma."""
        return self.sensitivity / self.sigma

    @property
    def sampled(self) -> bool:
        return self.rate < 1.0

    @property
    def mechanism(self) -> str:
        if self.sampled:
            return "Poisson-sampled Gaussian steps on clipped gradients"
        return "Gaussian noise" + (" and a threshold" if self.delta else "")


class Ledger:
    """The payments of one fit under one budget; a payment that the budget does not cover is refused.

    assumed: what this fit rests on beside ASSUMPTIONS, in words.
    """

    def __init__(self, budget: Budget, assumed: Sequence[str] = ()) -> None:
        self.budget, self.assumed = budget, tuple(assumed)
        self._spends: list[Spend] = []

    def __iter__(self) -> Iterator[Spend]:
        return iter(self._spends)

    def pay(self, spend: Spend) -> None:
        """Write a payment down; BudgetError where the total would exceed the budget."""
        if not (spend.sensitivity > 0 and spend.sigma > 0 and spend.delta >= 0 and 0 < spend.rate <= 1):
            raise BudgetError(f"A payment needs a sensitivity and noise above 0; got {spend}.")
        spends = [*self._spends, spend]
        if not self._covers(spends):
            raise BudgetError(
                f"The budget ({self.budget.says}) does not cover {spend.what!r} after {len(self._spends)} payments."
            )
        self._spends = spends

    @property
    def epsilon(self) -> float:
        """The total at the budget's delta."""
        return self._epsilon(self._spends)

    @property
    def mu(self) -> float:
        """Of all payments but sampled steps, as one Gaussian mechanism."""
        return _together(self._spends)

    @property
    def delta(self) -> float:
        """The part of the budget's delta that thresholds took."""
        return sum(spend.delta for spend in self._spends)

    def facts(self, delta: float | None = None) -> dict[str, Any]:
        """The ledger as JSON: the promise, each payment, the total, the assumptions.

        delta: at which the total is reckoned; None: all that thresholds left.
        """
        budget = self.budget
        return {
            "promise": budget.says,
            "epsilon": budget.epsilon,
            "delta": budget.delta,
            "neighbours": budget.neighbours,
            "subject": budget.subject,
            "unit": budget.unit,
            "rows_per_unit": budget.rows_per_unit,
            "testing": budget.testing,
            "spent_epsilon": round(self._epsilon(self._spends, delta), 6),
            "spent_at_delta": delta or self._left(self._spends),
            "payments": [self._line(spend) for spend in self._spends],
            "assumptions": [*self.assumed, *ASSUMPTIONS],
        }

    def _line(self, spend: Spend) -> dict[str, Any]:
        return {
            "what": spend.what,
            "mechanism": spend.mechanism,
            "sensitivity": spend.sensitivity,
            "sigma": spend.sigma,
            "rate": spend.rate,
            "steps": spend.steps,
            "delta": spend.delta,
            "epsilon_alone": round(self._epsilon([spend]), 6),
        }

    def _covers(self, spends: list[Spend]) -> bool:
        if sum(spend.delta for spend in spends) >= self.budget.delta:
            return False
        if any(spend.sampled for spend in spends):
            return self._epsilon(spends) <= self.budget.epsilon * (1 + ROUNDING)
        return gaussian_delta(_together(spends), self.budget.epsilon) <= self._left(spends) * (1 + ROUNDING)

    def _left(self, spends: list[Spend]) -> float:
        """What thresholds leave of delta."""
        return self.budget.delta - sum(spend.delta for spend in spends)

    def _epsilon(self, spends: list[Spend], delta: float | None = None) -> float:
        left = delta or self._left(spends)
        mu, sampled = _together(spends), [spend for spend in spends if spend.sampled]
        if not sampled:
            return gaussian_epsilon(mu, left)
        if len(sampled) > 1:
            raise BudgetError("Only one payment may be for sampled steps; plan them together.")
        one, rows = sampled[0], self.budget.rows_per_unit
        steps = Steps(one.rate, one.sigma / one.sensitivity, one.steps, rows)
        return total_epsilon(mu, steps, left)


def _together(spends: list[Spend]) -> float:
    """The mu of all Gaussian payments as one."""
    return math.sqrt(sum(spend.steps * spend.mu**2 for spend in spends if not spend.sampled))
