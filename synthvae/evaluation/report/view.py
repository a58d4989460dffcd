"""An evaluation as what its template prints: verdict, sections, cards, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from synthvae.evaluation.base import Family, Score
from synthvae.evaluation.report import charts, figures
from synthvae.evaluation.report.cards import cards
from synthvae.evaluation.report.figures import Figure
from synthvae.evaluation.report.scores import aside, groups
from synthvae.evaluation.report.verdict import QUESTIONS, answer, listings, of_families
from synthvae.evaluation.report.words import BY, cleared, described, number, share, shown
from synthvae.evaluation.result import Evaluation
from synthvae.schema.schema import Schema

OPEN_CARDS = 24  # column cards that are open at once; the others unfold
MAX_JSON = 100_000  # characters of a schema that a page carries
TOLD = ("versions", "seed", "rows", "columns", "targets", "subsamples", "seconds", "created")  # facts with a place


@dataclass(frozen=True)
class Pair:
    """Two columns that go together differently."""

    names: tuple[str, str]
    score: str
    figure: Figure


@dataclass(frozen=True)
class Rules:
    """The rules of the schema side by side: a head, the rows of broken rules, and those of all."""

    head: tuple[str, ...]
    broken: tuple[tuple[str, ...], ...]
    every: tuple[tuple[str, ...], ...]


def context(evaluation: Evaluation) -> dict[str, object]:
    """Everything the template of an evaluation prints."""
    pictures, facts = evaluation.pictures, evaluation.facts
    scores = evaluation.all_scores
    return {
        "title": "Evaluation of a synthetic table",
        "facts": facts,
        "answers": {entry[0]: answer(evaluation, *entry) for entry in QUESTIONS},
        "detection": groups([s for s in of_families(scores, Family.DETECTION) if not s.columns], with_details=True),
        "cards": cards(pictures.columns, scores),
        "open_cards": OPEN_CARDS,
        "nulls": figures.nulls(pictures.columns),
        "matrix": figures.matrix(pictures.matrix) if pictures.matrix else None,
        "pairs": tuple(
            Pair((shown(pair.x.column), shown(pair.y.column)), number(pair.score), figures.pair(pair))
            for pair in pictures.pairs
        ),
        "listings": {
            "fidelity": listings([s for s in of_families(scores, Family.FIDELITY) if len(s.columns) > 1]),
            "detection": listings([s for s in of_families(scores, Family.DETECTION) if s.columns]),
        },
        "utility": _utility(scores),
        "rules": _rules(scores),
        "schema": schema_rows(evaluation.schema),
        "schema_json": schema_json(evaluation.schema),
        "min_count": evaluation.schema.min_count,
        "other_facts": [aside({key: value}) for key, value in facts.items() if key not in TOLD and value],
        "call": call(facts),
    }


def _utility(scores: Iterable[Score]) -> Figure | None:
    """The utility scores that have a reference, beside it."""
    told = [
        s
        for s in of_families(scores, Family.UTILITY)
        if s.value is not None and s.reference is not None and s.value >= 0
    ]
    if not told:
        return None
    names = [" · ".join([score.metric.name, *map(shown, score.columns)]) for score in told]
    pairs = list(zip(names, told, strict=True))
    rows = [charts.Bar(name, real=score.reference, synthetic=score.value) for name, score in pairs]
    table = tuple((name, number(score.reference), number(score.value)) for name, score in pairs)
    label = "Models trained on real and on synthetic rows, both tested on real rows."
    drawn = charts.bars(rows, lambda value: f"{value:.3g}", label)
    return Figure((figures.Chart("", drawn),), "", ("score", "real", "synthetic"), table)


def _rules(scores: Iterable[Score]) -> Rules | None:
    """Every rule the validity scores tell of, by column; None where they tell of none."""
    asked = of_families(scores, Family.VALIDITY)
    told = [(shown(f" {BY} ".join(s.columns)), rule) for s in asked for rule in s.details.get("rules", ())]
    if not told:
        return None
    sides = tuple(told[0][1]["met"])
    rows = [(column, cleared(rule["promise"]), *(_kept(rule, side) for side in sides)) for column, rule in told]
    broken = [row for row, (_, rule) in zip(rows, told, strict=True) if not all(rule["met"].values())]
    return Rules(("column", "each value", *sides), tuple(broken), tuple(rows))


def _kept(rule: Mapping[str, Any], side: str) -> str:
    """Whether a side keeps a rule, and the share of its rows that do not."""
    by = rule["share"].get(side)
    return ("✓ kept" if rule["met"][side] else "✕ broken") + (f", not by {share(by)}" if by else "")


def schema_rows(schema: Schema) -> tuple[tuple[str, str, str, str, str, str], ...]:
    """Name, kind, type, whether nulls may be, share of values left open, values of every column."""
    return tuple(
        (
            shown(column.name),
            column.kind,
            column.arrow,
            "yes" if column.nullable else "no",
            "closed" if column.open_share is None else share(column.open_share),
            described(column),
        )
        for column in schema
    )


def schema_json(schema: Schema) -> Markup:
    """The schema as it would be saved, ready for a preformatted block; empty where it is too long for a page."""
    text = schema.to_json()
    return Markup.escape(text) if len(text) <= MAX_JSON else Markup("")


def call(facts: dict[str, Any]) -> Markup:
    """The lines that would make this evaluation again, ready for a preformatted block."""
    holdout = 'holdout="holdout.parquet", ' if facts.get("rows", {}).get("hold-out") is not None else ""
    targets = facts.get("targets") or []
    target = f"target={targets!r}, " if targets else ""
    lines = (
        "import synthvae as sv",
        "",
        'schema = sv.Schema.load("schema.json")  # the one below',
        f'sv.evaluate("real.parquet", "synthetic.parquet", {holdout}schema=schema, {target}seed={facts["seed"]!r})',
    )
    return Markup.escape("\n".join(lines))
