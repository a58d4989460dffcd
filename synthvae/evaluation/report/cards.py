"""The cards of a report: each column drawn, with its scores and its nulls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthvae.evaluation.base import Family, Score, Status
from synthvae.evaluation.pictures import ColumnPicture
from synthvae.evaluation.report import figures
from synthvae.evaluation.report.figures import Figure
from synthvae.evaluation.report.verdict import of_families, worst_of
from synthvae.evaluation.report.words import interval, number, share, shown


@dataclass(frozen=True)
class Line:
    """One score of a column in text."""

    name: str
    value: str
    interval: str
    reference: str
    has_reference: bool
    status: Status


@dataclass(frozen=True)
class Card:
    """One column: its drawing, its scores, its nulls."""

    key: str
    name: str
    kind: str
    figure: Figure | None
    nulls: tuple[tuple[str, str], ...]
    note: str
    status: Status
    lines: tuple[Line, ...]


def cards(pictures: Sequence[ColumnPicture], scores: Iterable[Score]) -> list[Card]:
    """The columns, those that are furthest from their reference first, those that are not drawn last."""
    by_column: dict[str, list[Score]] = {}
    for score in of_families(scores, Family.FIDELITY, Family.DETECTION):
        if len(score.columns) == 1:
            by_column.setdefault(score.columns[0], []).append(score)
    found = [(picture, by_column.get(picture.column, []), place) for place, picture in enumerate(pictures)]
    found.sort(key=lambda item: (not item[0].shares, -max((score.gap or 0.0 for score in item[1]), default=0.0)))
    return [_card(*item) for item in found]


def _card(picture: ColumnPicture, scores: Sequence[Score], place: int) -> Card:
    told = [score for score in scores if score.value is not None]
    statuses = [score.status for score in told]
    lines = tuple(_line(score) for score in told)
    nulls = tuple((side, share(rate)) for side, rate in picture.nulls.items()) if any(picture.nulls.values()) else ()
    status = worst_of(statuses)
    figure = figures.column(picture)
    return Card(f"column-{place}", shown(picture.column), picture.kind, figure, nulls, picture.note, status, lines)


def _line(score: Score) -> Line:
    held = number(score.reference)
    return Line(
        score.metric.name, number(score.value), interval(score), held, score.reference is not None, score.status
    )
