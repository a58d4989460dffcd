"""What came of a table's rules: counts and words, never a value of the table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from synthvae.evaluation.expectations.rule import Rule
from synthvae.files import write_text

FIELDS = ("column", "rule", "promise", "verdict", "rows", "broken", "share", "allowed", "note")


class Verdict(StrEnum):
    """How a rule fared."""

    MET = "met"
    BROKEN = "broken"
    UNDECIDED = "not judged"  # it could not be asked: the column is missing, of another type, or asking failed


@dataclass(frozen=True)
class Outcome:
    """One rule and what came of it. rows: those it was asked of; broken: those of them that break it."""

    rule: Rule
    verdict: Verdict
    rows: int | None = None
    broken: int | None = None
    note: str = ""

    @property
    def share(self) -> float | None:
        """The share of the rows that break the rule."""
        return self.broken / self.rows if self.rows and self.broken is not None else None


@dataclass(frozen=True)
class Check:
    """Every rule of a schema asked of one table of ``rows`` rows."""

    outcomes: tuple[Outcome, ...]
    rows: int

    @property
    def lawful(self) -> bool:
        """Whether every rule was asked and met."""
        return all(outcome.verdict is Verdict.MET for outcome in self.outcomes)

    @property
    def broken(self) -> tuple[Outcome, ...]:
        """The rules that are broken."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict is Verdict.BROKEN)

    @property
    def undecided(self) -> tuple[Outcome, ...]:
        """The rules that could not be asked."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict is Verdict.UNDECIDED)

    def of(self, column: str) -> tuple[Outcome, ...]:
        """The rules of one column; "" those of the whole table."""
        return tuple(outcome for outcome in self.outcomes if _about(outcome) == (column or None))

    def summary(self) -> pd.DataFrame:
        """One row per rule: column, rule, promise, verdict, rows, broken, share, allowed, note."""
        frame = pd.DataFrame(_rows(self.outcomes), columns=list(FIELDS))
        return frame.astype({"rows": "Int64", "broken": "Int64", "share": "float64", "allowed": "float64"})

    def to_dict(self, min_count: int = 1) -> dict[str, Any]:
        """The same as JSON-able facts; what fewer than ``min_count`` rows break is told without their number."""
        rules = list(_rows(self.outcomes))
        for told in rules:
            if told["broken"] is not None and 0 < told["broken"] < min_count:
                told["broken"] = told["share"] = None
        return {"lawful": self.lawful, "rows": self.rows, "rules": rules}

    def to_json(self, path: str | Path) -> None:
        """Write the facts as JSON; OutputError where that fails."""
        write_text(path, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")


def _about(outcome: Outcome) -> str | None:
    return None if outcome.rule.whole_table else outcome.rule.column


def _rows(outcomes: Iterable[Outcome]) -> Iterable[dict[str, Any]]:
    for outcome in outcomes:
        rule = outcome.rule
        told = (rule.column, rule.name, rule.says, str(outcome.verdict), outcome.rows, outcome.broken)
        yield dict(zip(FIELDS, (*told, outcome.share, rule.allowed, outcome.note), strict=True))
