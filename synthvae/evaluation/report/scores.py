"""Scores as the rows of a table: dot and interval on a scale that better is always to the right of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from synthvae.evaluation.base import Metric, Score, Status
from synthvae.evaluation.report import charts
from synthvae.evaluation.report.words import NOTHING, cleared, in_words, interval, number, shown

STARTS = (0.9, 0.8, 0.5, 0.0)  # where a scale may begin, as shares of the way from worst to best
MOST = 24  # rows of a list of details
NAMED = 3  # of them in a chart's text
EMPTY = Markup("")
LISTED = {"give-away"}  # numbers by name that are a list of their own, not an aside
ESTIMATE = {"share", "low", "high"}


@dataclass(frozen=True)
class Row:
    """One score in text, and drawn where it has a value."""

    name: str
    columns: tuple[str, ...]
    meaning: str
    value: str
    interval: str
    reference: str
    has_reference: bool
    words: str
    status: Status
    dot: Markup
    note: str = ""
    aside: str = ""
    more: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Group:
    """Rows of one scale, and that scale; no scale where no row has a value."""

    scale: Markup
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Block:
    """Records among the details of a score: a table, and bars where they are numbers by name."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    chart: Markup = EMPTY


def groups(scores: Sequence[Score], with_details: bool = False) -> tuple[Group, ...]:
    """Scores in their order, those of one scale together."""
    scales: dict[tuple[float, float], list[Score]] = {}
    for score in scores:
        scales.setdefault((score.metric.worst, score.metric.best), []).append(score)
    return tuple(_group(part, with_details) for part in scales.values())


def _group(scores: Sequence[Score], with_details: bool) -> Group:
    start = _start(scores)
    drawn = any(score.value is not None for score in scores)
    rows = tuple(row(score, start, with_details) for score in scores)
    return Group(_scale(scores[0].metric, start) if drawn else Markup(""), rows)


def _way(metric: Metric, value: float) -> float:
    """A value as its share of the way from worst to best."""
    return (value - metric.worst) / (metric.best - metric.worst)


def _start(scores: Iterable[Score]) -> float:
    """The latest beginning of the scale that leaves nothing out."""
    ends = [(s.metric, end) for s in scores for end in (s.value, s.low, s.high, s.reference) if end is not None]
    ways = [_way(metric, end) for metric, end in ends]
    return next(start for start in STARTS if start < min(ways, default=0.0) - 0.01 or start == 0.0)


def _scale(metric: Metric, start: float) -> Markup:
    places = [start + (1 - start) * step for step in (0.0, 0.5, 1.0)]
    texts = [f"{metric.worst + place * (metric.best - metric.worst):.4g}" for place in places]
    return charts.scale(start, texts, f"scale from {texts[0]} to {texts[-1]}, better to the right")


def row(score: Score, start: float, with_details: bool = False) -> Row:
    """A score in text, drawn on a scale that begins at ``start``."""
    metric = score.metric
    return Row(
        metric.name,
        tuple(shown(name) for name in score.columns),
        cleared(metric.meaning),
        number(score.value),
        interval(score),
        number(score.reference),
        score.reference is not None,
        in_words(score),
        score.status,
        _dot(score, start),
        cleared(score.note) if score.value is not None else "",
        aside(score.details) if with_details else "",
        tuple(blocks(score.details)) if with_details else (),
    )


def _dot(score: Score, start: float) -> Markup:
    if score.value is None:
        return Markup("")

    def place(at: float | None) -> float | None:
        """On the scale that begins at ``start``."""
        return None if at is None else min(max((_way(score.metric, at) - start) / (1 - start), 0.0), 1.0)

    value, low, high, reference = (place(at) for at in (score.value, score.low, score.high, score.reference))
    assert value is not None
    ends = [value if end is None else end for end in (low, high)]
    held = "" if reference is None else f"; hold-out {number(score.reference)}"
    label = f"{number(score.value)}{', 95 % interval ' + interval(score) if interval(score) else ''}{held}"
    return charts.dot(value, min(ends), max(ends), reference, label)


# --- details ----------------------------------------------------------------------------------------------------------


TITLES = {"give-away": "columns that gave it away, by their share of the blame", "over": "mean over"}


def aside(details: Mapping[str, Any]) -> str:
    """The details that fit in one line: all but lists of records."""
    told = [(key, value) for key, value in details.items() if not _is_listed(key, value) and value not in ([], (), {})]
    return " · ".join(f"{_title(key)} {_text(value)}" for key, value in told)


def blocks(details: Mapping[str, Any]) -> list[Block]:
    """The lists of records, as bars where a record is a name and a number, as tables where it is more."""
    return [_block(key, value) for key, value in details.items() if _is_listed(key, value)]


def _is_listed(key: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return key in LISTED and bool(value)
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _block(key: str, value: Any) -> Block:
    pairs = [{"": name, "share": part} for name, part in value.items()] if isinstance(value, Mapping) else value
    return _records(_title(key), pairs)


def _title(key: object) -> str:
    return TITLES.get(str(key), cleared(str(key)).replace("_", " "))


def _records(title: str, records: Sequence[Mapping[str, Any]]) -> Block:
    keys = tuple(dict.fromkeys(str(key) for record in records for key in record))
    rows = tuple(tuple(_text(record.get(key, "")) for key in keys) for record in records[:MOST])
    head = tuple(map(_title, keys))
    if len(keys) != 2 or not all(_is_number(record.get(keys[1])) for record in records):
        return Block(title, head, rows)
    bars = [charts.Bar(row[0], synthetic=float(record[keys[1]])) for row, record in zip(rows, records, strict=False)]
    told = "; ".join(f"{name} {value}" for name, value in rows[:NAMED])
    return Block(title, head, rows, charts.bars(bars, _tick, f"{title}: {told}"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tick(value: float) -> str:
    return f"{value:.3g}"


def _text(value: Any) -> str:
    """A detail as text; an estimate, which has a share and its interval, as such."""
    if isinstance(value, bool) or value is None:
        return NOTHING if value is None else "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value[:MOST]))
    if isinstance(value, Mapping) and value.keys() >= ESTIMATE:
        return f"{_text(value['share'])} ({_text(value['low'])} to {_text(value['high'])})"
    if isinstance(value, Mapping):
        return ", ".join(f"{shown(key)} {_text(item)}" for key, item in value.items())
    return f"{value:,}" if isinstance(value, int) else shown(value)
