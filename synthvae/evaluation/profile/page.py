"""A profile as one HTML file, in the style of the evaluation's report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from synthvae.evaluation.expectations import Check, Verdict
from synthvae.evaluation.pictures import ColumnPicture
from synthvae.evaluation.profile.finding import Finding, Severity, counted, percent
from synthvae.evaluation.profile.result import ColumnFacts, Profile
from synthvae.evaluation.report import charts, figures, page
from synthvae.evaluation.report.figures import Chart, Figure
from synthvae.evaluation.report.view import schema_json, schema_rows
from synthvae.evaluation.report.words import shown
from synthvae.files import write_text

STYLES = {Severity.PROBLEM: "poor", Severity.WARNING: "fair", Severity.NOTE: "none"}
OPEN_CARDS = 24
MATRIX = 420  # pixels
MOST_COLUMNS = 60  # in a heat map


@dataclass(frozen=True)
class Line:
    """One finding as text."""

    style: str
    severity: str
    names: tuple[str, ...]
    what: str
    sentence: str


@dataclass(frozen=True)
class Tile:
    """One question at the top and its answer."""

    style: str
    question: str
    key: str
    sentence: str


@dataclass(frozen=True)
class Card:
    """One column: its drawing, its facts, its findings."""

    key: str
    name: str
    kind: str
    figure: Figure | None
    note: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Line, ...]


def write(profile: Profile, path: str | Path) -> None:
    """Write the page; OutputError where that fails."""
    write_text(path, html(profile))


def html(profile: Profile) -> str:
    """The page as the text of one HTML file that needs nothing else."""
    return page.render("profile.html.j2", context(profile))


def context(profile: Profile) -> dict[str, object]:
    """Everything the template prints."""
    drawn = {picture.column: picture for picture in profile.pictures}
    cards = [_card(profile, facts, drawn[facts.column], place) for place, facts in enumerate(profile.columns)]
    cards.sort(key=lambda card: -len(card.findings))
    return {
        "title": "Data quality of a table",
        "facts": profile.facts,
        "tiles": tuple(_tiles(profile)),
        "findings": tuple(map(_line, profile.findings)),
        "cards": cards,
        "open_cards": OPEN_CARDS,
        "patterns": [(_named(p.columns) or "nothing", f"{p.rows:,}", percent(p.share)) for p in profile.patterns],
        "matrix": _matrix(profile),
        "rules": _rules(profile.check, profile.schema.min_count) if profile.check else (),
        "schema": schema_rows(profile.schema),
        "schema_json": schema_json(profile.schema),
        "min_count": profile.schema.min_count,
    }


def _named(columns: Sequence[str]) -> str:
    return ", ".join(map(shown, columns))


def _line(finding: Finding) -> Line:
    names = tuple(map(shown, finding.columns))
    return Line(STYLES[finding.severity], str(finding.severity), names, finding.what, finding.sentence)


# --- at the top -------------------------------------------------------------------------------------------------------


def _tiles(profile: Profile) -> Iterator[Tile]:
    yield _lawful(profile.check)
    warnings = profile.count(Severity.WARNING)
    said = f"{warnings} warning{'' if warnings == 1 else 's'} and {profile.count(Severity.NOTE)} notes."
    yield Tile("fair" if warnings else "good", "Plausible?", "findings", said)
    gaps = [facts for facts in profile.columns if facts.nulls is None or facts.nulls > 0]
    share = sum(facts.nulls or 0.0 for facts in profile.columns) / max(len(profile.columns), 1)
    said = f"{percent(share)} of all cells are missing, in {len(gaps)} of {len(profile.columns)} columns."
    yield Tile("none", "Complete?", "missing", said if gaps else "No cell is missing.")
    copied = [finding.sentence for finding in profile.findings if finding.what == "copied rows"]
    yield Tile("none" if copied else "good", "Distinct?", "findings", " ".join(copied) or "No row comes twice.")


def _lawful(check: Check | None) -> Tile:
    if check is None:
        return Tile("none", "Lawful?", "findings", "No schema was given, so no rule was asked.")
    kept = sum(outcome.verdict is Verdict.MET for outcome in check.outcomes)
    undecided = f" {len(check.undecided)} could not be judged." if check.undecided else ""
    said = f"{kept} of {len(check.outcomes)} rules of the schema are kept.{undecided}"
    return Tile("good" if check.lawful else "poor", "Lawful?", "rules", said)


# --- columns ----------------------------------------------------------------------------------------------------------


def _card(profile: Profile, facts: ColumnFacts, picture: ColumnPicture, place: int) -> Card:
    figure = figures.column(picture)
    figure = None if figure is None else replace(figure, head=("values", "share of rows"))
    few = f"fewer than {profile.schema.min_count} rows"
    told = (
        ("missing", few if facts.nulls is None else percent(facts.nulls)),
        ("different values", f"{facts.distinct:,}"),
        ("the commonest", few if facts.commonest is None else f"{percent(facts.commonest)} of rows"),
    )
    found = tuple(map(_line, profile.of(facts.column)))
    return Card(f"column-{place}", shown(facts.column), facts.kind, figure, picture.note, told, found)


def _matrix(profile: Profile) -> Figure | None:
    """The associations of all pairs as a heat map, with the strongest as numbers."""
    if len(profile.matrix_columns) < 2:
        return None
    listed = tuple((" \u00d7 ".join(map(shown, pair.columns)), f"{pair.strength:.2f}") for pair in profile.associations)
    head = ("pair", "association")
    matrix = profile.matrix[:MOST_COLUMNS]
    placed = tuple((place + 0.5, shown(name)) for place, name in enumerate(profile.matrix_columns[:MOST_COLUMNS]))
    cells = charts.Cells([row[:MOST_COLUMNS] for row in matrix], placed, placed)
    svg = charts.cells(cells, MATRIX, MATRIX, f"Association of every pair of {len(placed)} columns.")
    return Figure((Chart("", svg),), "0 is none, 1 is that one column gives the other away.", head, listed)


# --- rules ------------------------------------------------------------------------------------------------------------


def _rules(check: Check, min_count: int) -> tuple[tuple[str, str, str, str, str], ...]:
    """Column, rule, promise, verdict and how many rows break it; the broken first."""
    order = (Verdict.BROKEN, Verdict.UNDECIDED, Verdict.MET)
    return tuple(
        (
            shown(outcome.rule.column) if outcome.rule.name != "columns" else "the table",
            outcome.rule.name,
            outcome.rule.says,
            f"{outcome.verdict}{': ' + outcome.note if outcome.note else ''}",
            counted(outcome.broken, outcome.rows, min_count) if outcome.broken and outcome.rows else "",
        )
        for outcome in sorted(check.outcomes, key=lambda outcome: order.index(outcome.verdict))
    )
