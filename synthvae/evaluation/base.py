"""What a metric answers: a value in the metric's own words, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One metric on one column, one pair or (no ``columns``) the whole table.

    ``value`` is in [0, 1] with 1 best; None where the metric is not applicable, and then ``note`` says why.
    """

    name: str
    columns: tuple[str, ...]
    value: float | None
    note: str = ""


def mean(name: str, scores: Sequence[Score]) -> Score:
    """The mean over the applicable scores; ``note`` says how many were left out."""
    values = [score.value for score in scores if score.value is not None]
    left_out = len(scores) - len(values)
    note = f"{left_out} of {len(scores)} not applicable" if left_out else ""
    return Score(name, (), sum(values) / len(values) if values else None, note if scores else "nothing to compare")
