"""The four questions: their verdicts, and the tables of scores behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthvae.evaluation.base import Family, Score, Status
from synthvae.evaluation.report.scores import Group, groups
from synthvae.evaluation.report.words import BY, number, shown
from synthvae.evaluation.result import Evaluation

NAMED = 3  # scores named in a verdict
LISTED = 12  # scores of columns, pairs and triples listed per metric
QUESTIONS = (
    ("faithful", "Faithful?", "Does it look and behave like the real table?", (Family.FIDELITY, Family.DETECTION)),
    ("useful", "Useful?", "Do models trained on it work on real rows?", (Family.UTILITY,)),
    ("safe", "Safe?", "Does it give away the people in the real table?", (Family.DISCLOSURE,)),
    ("lawful", "Lawful?", "Does every value keep the rules of the schema?", (Family.VALIDITY,)),
)
WORST_FIRST = (Status.POOR, Status.FAIR, Status.GOOD, Status.NOT_APPLICABLE)


@dataclass(frozen=True)
class Listing:
    """The scores of one metric over columns, pairs or triples that are furthest from their yardstick."""

    title: str
    shown: int
    total: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Answer:
    """One of the four questions, its verdict, and the scores behind it."""

    key: str
    question: str
    asks: str
    status: Status
    sentence: str
    headlines: tuple[Group, ...]
    tables: tuple[Group, ...]
    listings: tuple[Listing, ...]


def answer(evaluation: Evaluation, key: str, question: str, asks: str, families: tuple[Family, ...]) -> Answer:
    statuses = [status for family, status, _ in evaluation.verdict() if family in families]
    status = worst_of(statuses)
    headlines = of_families(evaluation.headlines, *families)
    scores = of_families(evaluation.all_scores, *(family for family in families if family is not Family.DETECTION))
    whole = {score.metric.name for score in scores if not score.columns}
    table = [score for score in scores if not score.columns or score.metric.name not in whole]
    single = [score for score in scores if score.columns and score.metric.family is Family.DISCLOSURE]
    listed = listings(score for score in single if score.metric.name in whole)
    tables = groups(table, with_details=True)
    return Answer(key, question, asks, status, _sentence(headlines), groups(headlines), tables, listed)


def _sentence(headlines: Sequence[Score]) -> str:
    """How many headline scores fall short of their yardstick, and which by most."""
    told = [score for score in headlines if score.value is not None]
    short = sorted((s for s in told if s.status is not Status.GOOD), key=lambda score: -(score.gap or 0.0))
    silent = [score for score in headlines if score.value is None]
    if not told:
        return f"Not applicable: {headlines[0].note}." if headlines else "Nothing was asked."
    if not short and len(silent) > len(told):
        few = "; ".join(_beside(score) for score in told)
        return f"Not answered: {len(silent)} of {len(headlines)} headline scores, as {silent[0].note}. Good: {few}."
    if not short:
        several = f"All {len(told)} headline scores are"
        all_of = {1: "The headline score is", 2: "Both headline scores are"}.get(len(told), several)
        return f"{all_of} as good as the yardstick, close to it, or within chance of it.{_unanswered(silent)}"
    named = "; ".join(_beside(score) for score in short[:NAMED])
    if len(told) == 1:
        return f"The headline score falls short: {named}.{_unanswered(silent)}"
    verb = "fall" if len(short) > 1 else "falls"
    return f"{len(short)} of {len(told)} headline scores {verb} short: {named}.{_unanswered(silent)}"


def _unanswered(silent: Sequence[Score]) -> str:
    names = ", ".join(score.metric.name for score in silent)
    return f" Not applicable: {names}." if silent else ""


def _beside(score: Score) -> str:
    held = f" (hold-out {number(score.reference)})" if score.reference is not None else ""
    columns = f" {BY} ".join(map(shown, score.columns))
    return f"{score.metric.name} {columns}".rstrip() + f" {number(score.value)}{held}"


def listings(scores: Iterable[Score]) -> tuple[Listing, ...]:
    """Of each metric the scores that are furthest from their yardstick."""
    by_metric: dict[str, list[Score]] = {}
    for score in scores:
        if score.value is not None:
            by_metric.setdefault(score.metric.name, []).append(score)
    made = []
    for name, told in by_metric.items():
        worst = sorted(told, key=lambda score: -(score.gap or 0.0))[:LISTED]
        made.append(Listing(name, len(worst), len(told), groups(worst)))
    return tuple(made)


def of_families(scores: Iterable[Score], *families: Family) -> list[Score]:
    """The scores of some families."""
    return [score for score in scores if score.metric.family in families]


def worst_of(statuses: Iterable[Status]) -> Status:
    """The worst of several; not applicable where there is none."""
    found = set(statuses)
    return next((status for status in WORST_FIRST if status in found), Status.NOT_APPLICABLE)
