"""Findings in numbers and instants: outliers, placeholders, NaN beside null."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.evaluation.profile.finding import Finding, Severity
from synthvae.evaluation.profile.look import Look
from synthvae.evaluation.sides import Array

ENOUGH = 20
FAR = 8.0  # robust standard deviations
FEW = 0.01  # of the values at most are outliers
LIGHT = 3.0  # robust standard deviations to which light tails reach
GAPS = (2.0, 10.0)  # how many times farther than the next one, behind a light and behind a long tail
MAD = 1.4826  # times the median deviation is the standard deviation of a normal distribution
# -1, all nines and all eights of either sign, the ends of int32
NUMBERS = tuple(
    sorted(
        {-1.0, -2147483648.0, 2147483647.0}
        | {sign * (10.0**digits - 1) for digits in range(2, 10) for sign in (-1, 1)}
        | {sign * (10.0**digits - 1) / 9 * 8 for digits in range(2, 7) for sign in (-1, 1)}
    )
)
DATES = ("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "2099-12-31", "2999-12-31",
         "9999-12-31")  # fmt: skip
APART = 0.5  # of the width of the other values: so far is a placeholder from them


def outliers(look: Look) -> Iterator[Finding]:
    """Values far from all others, however long the tails are; placeholders have a finding of their own."""
    if not (look.is_number or look.is_time) or look.is_code or len(look.numbers) < ENOUGH:
        return
    far = _far(look.numbers)
    if far.any():
        far &= ~np.isin(_days_or_numbers(look), _placeholders(look))
    if far.any():
        sentence = f"{look.told(look.mask(far)).capitalize()} lie far from all others."
        yield Finding(Severity.WARNING, (look.name,), "outliers", sentence)


def _far(values: Array) -> Array:
    """(n,) the few values beyond a gap: more than ``FAR`` from the median, and far from the next one to it.

    How far the next one must be follows the others' tail: the longer that is, the wider gaps in it are by nature.
    """
    middle, spread = _robust(values)
    if spread == 0:
        return np.zeros(len(values), bool)
    scores = np.abs(values - middle) / spread
    ranked = np.sort(scores)
    first = len(ranked) - max(int(FEW * len(ranked)), 5)
    before, after = ranked[first - 1 : -1], ranked[first:]
    gap = after > np.maximum(before, 1e-9) * np.clip(before / LIGHT, *GAPS)
    cuts = after[gap & (after > FAR)]
    return scores >= cuts[0] if cuts.size else np.zeros(len(values), bool)


def _robust(values: Array) -> tuple[float, float]:
    """Median and scaled median deviation; where most values are one, of the others."""
    middle = float(np.median(values))
    spread = MAD * float(np.median(np.abs(values - middle)))
    others = values[values != middle]
    if spread == 0 and len(others) >= ENOUGH:
        centre = float(np.median(others))
        spread = MAD * float(np.median(np.abs(others - centre)))
        spread = max(spread, abs(centre - middle)) if spread else abs(centre - middle)
    return middle, spread


def placeholders(look: Look) -> Iterator[Finding]:
    """Numbers and days that stand for something missing: at an end of the column, apart from the others, and often."""
    if not (look.is_number or look.is_time) or len(look.numbers) < ENOUGH:
        return
    names = _candidates(look)
    for value in _placeholders(look):
        mask = look.mask(_days_or_numbers(look) == value)
        sentence = f"{look.told(mask)} are {names[value]}, apart from all others: a placeholder for missing?"
        yield Finding(Severity.WARNING, (look.name,), "placeholder", sentence)


def _candidates(look: Look) -> dict[float, str]:
    return {_seconds(day): day for day in DATES} if look.is_time else {value: f"{value:.0f}" for value in NUMBERS}


def _days_or_numbers(look: Look) -> Array:
    return np.floor(look.numbers / 86400) * 86400 if look.is_time else look.numbers


def _placeholders(look: Look) -> list[float]:
    """The candidates that are apart from all others and have enough rows to be spoken of."""
    values = _days_or_numbers(look)
    return [v for v in _at_ends(values, list(_candidates(look))) if look.supported(look.mask(values == v))]


def _seconds(day: str) -> float:
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def _at_ends(values: Array, candidates: Sequence[float]) -> list[float]:
    """The candidates that lie at an end of the values (n,), away from the rest."""
    rest = values[~np.isin(values, candidates)]
    if not rest.size:
        return []
    low, high = float(rest.min()), float(rest.max())
    inner = np.quantile(rest, (0.05, 0.95))
    width = float(inner[1] - inner[0]) or float(high - low) or 1.0
    there = np.intersect1d(values, candidates)
    return [float(v) for v in there if _below(v, low, width) or v - high > APART * width]


def _below(value: float, low: float, width: float) -> bool:
    """Below all others by much, or the only negative number of a column that has none."""
    return low - value > APART * width or (value < 0 <= low)


def nan_beside_null(look: Look) -> Iterator[Finding]:
    """Two ways of saying that nothing is known."""
    if not pt.is_floating(look.values.type):
        return
    nan = np.asarray(pc.fill_null(pc.is_nan(look.values), False))
    if nan.any() and look.values.null_count:
        sentence = f"{look.told(nan).capitalize()} are NaN and others null: two ways of saying that nothing is known."
        yield Finding(Severity.NOTE, (look.name,), "NaN and null", sentence)
