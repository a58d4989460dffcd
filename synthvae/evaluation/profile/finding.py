"""What deserves a look, in one sentence that gives nobody away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it matters."""

    PROBLEM = "problem"  # a rule of the schema is broken
    WARNING = "warning"  # likely a mistake in the data
    NOTE = "note"  # worth knowing


@dataclass(frozen=True)
class Finding:
    """One thing about some columns (none: the whole table). what: its kind in a word or two."""

    severity: Severity
    columns: tuple[str, ...]
    what: str
    sentence: str


def percent(part: float) -> str:
    """A share as a percentage, with more digits where it is small."""
    if part < 0.0001:
        return "< 0.01 %" if part else "0 %"
    shown = f"{100 * part:.{0 if part >= 0.1 else 1 if part >= 0.01 else 2}f}"
    return "< 100 %" if shown == "100" and part < 1 else f"{shown} %"


def counted(count: int, rows: int, min_count: int, what: str = "values", units: int | None = None) -> str:
    """A number of rows and their share; too few of them (or of their ``units``, who they belong to) are "fewer than".

    >>> counted(1200, 48000, 5), counted(3, 48000, 5, "rows")
    ('1,200 values (2.5 %)', 'fewer than 5 rows')
    """
    if (count if units is None else units) < min_count:
        return f"fewer than {min_count} {what}"
    return f"{count:,} {what} ({percent(count / rows)})"
