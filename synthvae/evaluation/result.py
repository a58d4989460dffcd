"""What an evaluation hands back: the scores as a table, in short, and as files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from synthvae.evaluation.base import Family, Score, Status
from synthvae.evaluation.pictures import Pictures
from synthvae.files import write_text
from synthvae.schema.schema import Schema

SENTENCES: dict[Family, dict[Status, str]] = {
    Family.FIDELITY: {
        Status.GOOD: "It looks like the real table",
        Status.FAIR: "It looks almost like the real table",
        Status.POOR: "It differs clearly from the real table",
    },
    Family.DETECTION: {
        Status.GOOD: "A trained classifier hardly tells it from real rows",
        Status.FAIR: "A trained classifier tells some of it from real rows",
        Status.POOR: "A trained classifier tells it from real rows",
    },
    Family.UTILITY: {
        Status.GOOD: "Models learn from it as well as from real rows",
        Status.FAIR: "Models learn from it a little less than from real rows",
        Status.POOR: "Models learn from it clearly less than from real rows",
    },
    Family.DISCLOSURE: {
        Status.GOOD: "No attack that was tried finds the people of the real table in it",
        Status.FAIR: "An attack finds a little more of the real table in it than it should",
        Status.POOR: "It gives away rows or people of the real table",
    },
    Family.VALIDITY: {
        Status.GOOD: "It keeps the rules of the schema",
        Status.FAIR: "It breaks a few rules of the schema",
        Status.POOR: "It breaks rules of the schema",
    },
}


@dataclass(frozen=True)
class Evaluation:
    """Everything that was asked of two tables, and the answers."""

    all_scores: tuple[Score, ...]
    facts: dict[str, Any]
    pictures: Pictures
    schema: Schema

    @property
    def scores(self) -> pd.DataFrame:
        """One row per score, with the columns of ``FIELDS``."""
        return _frame(self.all_scores)

    @property
    def headlines(self) -> tuple[Score, ...]:
        """The scores for the top of a report: of each headline metric the one for the whole table, or else each."""
        told = [score for score in self.all_scores if score.metric.headline]
        whole = {score.metric.name for score in told if not score.columns}
        return tuple(score for score in told if not score.columns or score.metric.name not in whole)

    def summary(self) -> pd.DataFrame:
        """The headline scores, as in ``scores``."""
        return _frame(self.headlines)

    def verdict(self) -> tuple[tuple[Family, Status, str], ...]:
        """Of each family its worst headline status and a sentence about it."""
        families = [family for family in Family if any(s.metric.family is family for s in self.all_scores)]
        return tuple(_verdict(family, [s for s in self.headlines if s.metric.family is family]) for family in families)

    def to_json(self, path: str | Path) -> None:
        """Write facts, verdict and scores as JSON; OutputError where that fails."""
        verdict = [{"family": f, "status": s, "sentence": text} for f, s, text in self.verdict()]
        told = {"facts": self.facts, "verdict": verdict, "scores": [_row(s) | _more(s) for s in self.all_scores]}
        write_text(path, json.dumps(told, indent=2, allow_nan=False) + "\n")

    def to_html(self, path: str | Path) -> None:
        """Write the report as one HTML file that needs nothing else; OutputError where that fails."""
        import_module("synthvae.evaluation.report.page").write(self, path)

    def to_markdown(self) -> str:
        """A summary for a pull request."""
        text: str = import_module("synthvae.evaluation.report.markdown").markdown(self)
        return text


FIELDS = ("metric", "family", "columns", "value", "low", "high", "reference", "best", "worst", "meaning", "status",
          "note")  # fmt: skip


def _row(score: Score) -> dict[str, Any]:
    metric = score.metric
    asked = (metric.name, str(metric.family), list(score.columns))
    found = (score.value, score.low, score.high, score.reference)
    about = (metric.best, metric.worst, metric.meaning, str(score.status), score.note)
    return dict(zip(FIELDS, asked + found + about, strict=True))


def _more(score: Score) -> dict[str, Any]:
    return {"details": dict(score.details)} if score.details else {}


def _frame(scores: Iterable[Score]) -> pd.DataFrame:
    frame = pd.DataFrame([_row(score) for score in scores], columns=list(FIELDS))
    frame["columns"] = frame["columns"].map(tuple)
    numbers = ["value", "low", "high", "reference", "best", "worst"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


_WORST_FIRST = (Status.POOR, Status.FAIR, Status.GOOD)


def _verdict(family: Family, scores: list[Score]) -> tuple[Family, Status, str]:
    asked = [score for score in scores if score.status is not Status.NOT_APPLICABLE]
    if not asked:
        why = next((score.note for score in scores if score.note), "nothing was asked")
        return family, Status.NOT_APPLICABLE, f"Not applicable: {why}."
    status = next(wanted for wanted in _WORST_FIRST if any(score.status is wanted for score in asked))
    named = ", ".join(f"{score.metric.name} {score.value:.3f}" for score in asked if score.status is status)
    silent = len(scores) - len(asked)
    if status is Status.GOOD and silent > len(asked):  # what was not asked about is not good
        why = next(score.note for score in scores if score.value is None)
        return family, Status.NOT_APPLICABLE, f"Not answered: {silent} of {len(scores)} questions ({why}); {named}."
    beside = f"; {silent} of {len(scores)} questions could not be asked" if silent else ""
    return family, status, f"{SENTENCES[family][status]}: {named}{beside}."
