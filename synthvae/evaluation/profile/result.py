"""What a profile hands back: facts about the columns, findings, and files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from synthvae.evaluation.expectations import Check
from synthvae.evaluation.pictures import ColumnPicture
from synthvae.evaluation.profile.finding import Finding, Severity
from synthvae.evaluation.profile.pairs import Association
from synthvae.evaluation.profile.rows import NullPattern
from synthvae.files import write_text
from synthvae.schema.schema import Schema

FIELDS = ("column", "kind", "type", "nulls", "distinct", "commonest", "values", "findings")


@dataclass(frozen=True)
class ColumnFacts:
    """One column in numbers. nulls, commonest: shares of the rows, None where too few rows are behind them.

    distinct: how many different values there are. values: what they may be, in words, as the schema would say.
    """

    column: str
    kind: str
    type: str
    nulls: float | None
    distinct: int
    commonest: float | None
    values: str


@dataclass(frozen=True)
class Profile:
    """A table described, and everything in it that deserves a look, the worst first.

    schema: what the columns mean, read off the table; check: what came of the rules, where a schema was given.
    matrix: (b, b) the strength of every association between ``matrix_columns``.
    """

    columns: tuple[ColumnFacts, ...]
    findings: tuple[Finding, ...]
    patterns: tuple[NullPattern, ...]
    associations: tuple[Association, ...]
    matrix_columns: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    pictures: tuple[ColumnPicture, ...]
    schema: Schema
    check: Check | None
    facts: dict[str, Any]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.facts["rows"])

    def of(self, column: str) -> tuple[Finding, ...]:
        """The findings about one column."""
        return tuple(finding for finding in self.findings if column in finding.columns)

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def summary(self) -> pd.DataFrame:
        """One row per column: column, kind, type, nulls, distinct, commonest, values, findings (their number)."""
        rows = [asdict(facts) | {"findings": len(self.of(facts.column))} for facts in self.columns]
        frame = pd.DataFrame(rows, columns=list(FIELDS))
        return frame.astype({"nulls": "float64", "commonest": "float64"})

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures as JSON-able facts."""
        return {
            "facts": self.facts,
            "findings": [asdict(finding) for finding in self.findings],
            "columns": [asdict(facts) for facts in self.columns],
            "null patterns": [asdict(pattern) for pattern in self.patterns],
            "associations": [asdict(pair) for pair in self.associations],
            "rules": None if self.check is None else self.check.to_dict(self.schema.min_count),
            "schema": json.loads(self.schema.to_json()),
        }

    def to_json(self, path: str | Path) -> None:
        """Write the same as JSON; OutputError where that fails."""
        write_text(path, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    def to_html(self, path: str | Path) -> None:
        """Write a report as one HTML file that needs nothing else; OutputError where that fails."""
        import_module("synthvae.evaluation.profile.page").write(self, path)
