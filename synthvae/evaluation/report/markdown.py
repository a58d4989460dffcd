"""An evaluation as a short Markdown summary, for a pull request or a job's summary page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from synthvae.evaluation.base import Score, Status
from synthvae.evaluation.report.words import BY, cleared, count, interval, number, shown
from synthvae.evaluation.result import Evaluation

SIGNS = {Status.GOOD: "✅", Status.FAIR: "🟡", Status.POOR: "❌", Status.NOT_APPLICABLE: "➖"}  # noqa: RUF001
WORST = 10  # columns and pairs named
MARKUP = re.compile(r"[\\`*_{}\[\]<>()#+!|~@$:&\"'-]")


def markdown(evaluation: Evaluation) -> str:
    """Verdict, headline scores and the columns that fall short; names cannot become markup, links or mentions."""
    parts = [
        "## Evaluation of a synthetic table",
        _rows(evaluation),
        _verdict(evaluation),
        _table(evaluation.headlines),
    ]
    short = _short(evaluation.all_scores)
    if short:
        parts.append(
            f"<details><summary>{len(short)} other scores fall short</summary>\n\n{_table(short[:WORST])}\n\n</details>"
        )
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(evaluation: Evaluation) -> str:
    facts = evaluation.facts
    rows = ", ".join(f"{side} {count(n)}" for side, n in facts["rows"].items() if n is not None)
    return f"Rows: {rows}. Columns: {facts['columns']}. Seed: {facts['seed']}."


def _verdict(evaluation: Evaluation) -> str:
    return "\n".join(f"- {SIGNS[status]} {_escaped(sentence)}" for _, status, sentence in evaluation.verdict())


def _short(scores: Iterable[Score]) -> list[Score]:
    """Scores that are no headline and stand worse than fair or good, the furthest from their yardstick first."""
    told = [s for s in scores if s.status in (Status.POOR, Status.FAIR) and (s.columns or not s.metric.headline)]
    return sorted(told, key=lambda score: -(score.gap or 0.0))


def _table(scores: Iterable[Score]) -> str:
    rows = [_row(score) for score in scores]
    head = ["| | score | value | 95 % interval | hold-out |", "|---|---|--:|---|--:|"]
    return "\n".join([*head, *rows]) if rows else ""


def _row(score: Score) -> str:
    columns = f" {BY} ".join(map(_code, score.columns))
    name = f"{_escaped(score.metric.name)} {columns}".rstrip()
    value = number(score.value) if score.value is not None else _escaped(score.note)
    return f"| {SIGNS[score.status]} | {name} | {value} | {interval(score)} | {number(score.reference)} |"


def _code(name: str) -> str:
    """A name as code: there nothing is turned into a link, a mention or a picture."""
    return f"<code>{_escaped(shown(name))}</code>"


def _escaped(text: str) -> str:
    """A text in which no character is markup: each that could be stands as its number."""
    return MARKUP.sub(lambda found: f"&#{ord(found[0])};", cleared(text))
