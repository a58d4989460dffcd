"""How mechanisms add up.

Gaussian mechanisms compose exactly: with mu = sensitivity / noise each, all together are one of mu = sqrt(sum mu^2)
(Dong, Roth, Su 2022), and

    delta(epsilon) = Phi(mu / 2 - epsilon / mu) - e^epsilon Phi(-mu / 2 - epsilon / mu)

(Balle, Wang 2018). Steps of Poisson-sampled rows are added by privacy loss distributions (Koskela et al. 2020;
dp-accounting).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.special import log_ndtr, ndtr

from synthvae.errors import ParameterError

TIGHT = 60  # halvings of an interval: far below the precision of a double's last use


@dataclass(frozen=True)
class Steps:
    """Gradient steps: each takes a row with probability ``rate``, and adds noise of ``noise`` times the clip norm.

    rows: how many rows of one unit may be in the table; each is sampled for itself.
    """

    rate: float
    noise: float
    count: int
    rows: int = 1


def gaussian_delta(mu: float, epsilon: float) -> float:
    """The delta of a Gaussian mechanism of ``mu`` at ``epsilon``."""
    if mu == 0:
        return 0.0
    tail = math.exp(min(epsilon + float(log_ndtr(-mu / 2 - epsilon / mu)), 0.0))
    return max(float(ndtr(mu / 2 - epsilon / mu)) - tail, 0.0)


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The epsilon of a Gaussian mechanism of ``mu`` at ``delta``."""
    low, high = 0.0, 1.0
    if gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    while gaussian_delta(mu, high) > delta:
        high *= 2
    for _ in range(TIGHT):
        middle = (low + high) / 2
        low, high = (middle, high) if gaussian_delta(mu, middle) > delta else (low, middle)
    return high


def gaussian_mu(epsilon: float, delta: float) -> float:
    """The largest mu of a Gaussian mechanism that keeps (epsilon, delta)."""
    low, high = 0.0, 1.0
    while gaussian_delta(high, epsilon) <= delta:
        high *= 2
    for _ in range(TIGHT):
        middle = (low + high) / 2
        low, high = (middle, high) if gaussian_delta(middle, epsilon) <= delta else (low, middle)
    return low


def total_epsilon(mu: float, steps: Steps | None, delta: float) -> float:
    """The epsilon at ``delta`` of Gaussian mechanisms of ``mu`` together and of ``steps``."""
    if steps is None:
        return gaussian_epsilon(mu, delta)
    event, pld = _library()
    accountant = pld.PLDAccountant()
    accountant.compose(_steps(event, steps))
    if mu:
        accountant.compose(event.GaussianDpEvent(1 / mu))
    return float(accountant.get_epsilon(delta))


def step_noise(mu: float, steps: Steps, epsilon: float, delta: float) -> float:
    """The smallest noise of ``steps`` that keeps (epsilon, delta) beside Gaussian mechanisms of ``mu``."""

    def kept(noise: float) -> bool:
        return total_epsilon(mu, Steps(steps.rate, noise, steps.count, steps.rows), delta) <= epsilon

    if gaussian_epsilon(mu, delta) >= epsilon:
        raise ParameterError(f"Nothing of epsilon {epsilon:g} is left for training; the histograms took it all.")
    low, high = 0.3, 1.0
    while not kept(high):
        low, high = high, 2 * high
    while high / low > 1.005:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high


def _steps(event: Any, steps: Steps) -> Any:
    """The sum of a unit's clipped gradients has norm at most j where j of its rows were sampled, j binomial."""
    if steps.rows == 1:
        one = event.PoissonSampledDpEvent(steps.rate, event.GaussianDpEvent(steps.noise))
    else:
        counts = list(range(steps.rows + 1))
        shares = [math.comb(steps.rows, j) * steps.rate**j * (1 - steps.rate) ** (steps.rows - j) for j in counts]
        one = event.MixtureOfGaussiansDpEvent(steps.noise, counts, shares)
    return event.SelfComposedDpEvent(one, steps.count)


def _library() -> tuple[Any, Any]:
    try:
        from dp_accounting import dp_event, pld
    except ImportError as error:
        raise ParameterError(
            "Training under a budget is accounted for by dp-accounting. Install it: pip install 'synthvae[privacy]'."
        ) from error
    return dp_event, pld
