"""The bins and levels of a drawn column as text, and which edges a chart names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from synthvae.evaluation.pictures import ColumnPicture
from synthvae.evaluation.report.words import shown

UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
DAY = 86400.0
EPOCH = datetime(1970, 1, 1)


def ticks(picture: ColumnPicture, wanted: int = 4) -> list[tuple[int, str]]:
    """About ``wanted`` edges of a continuous column's bins, round ones where they can be: (place, text)."""
    last = len(picture.edges) - 1
    places = [] if picture.temporal or not even(picture.edges) else _round_places(picture.edges, wanted)
    if len(places) < 2:
        places = sorted({round(step * last / (wanted - 1)) for step in range(wanted)})
    return [(place, edge(picture, place)) for place in places]


def _round_places(edges: Sequence[float], wanted: int) -> list[int]:
    """The edges that are multiples of a round number, of which about ``wanted`` fit in."""
    least = (edges[-1] - edges[0]) / wanted
    power = 10.0 ** math.floor(math.log10(least))
    for step in (factor * power for factor in (1, 2, 2.5, 5, 10, 20, 25)):
        places = [n for n, at in enumerate(edges) if abs(at / step - round(at / step)) < 1e-6]
        if step >= least and len(places) >= 2:
            return places
    return []


def edge(picture: ColumnPicture, place: int) -> str:
    """One edge of the bins as text, as precise as the bins are wide."""
    low, high, value = picture.edges[0], picture.edges[-1], picture.edges[place]
    if picture.temporal:
        return instant(value, high - low)
    bins = max(len(picture.edges) - 1, 1)
    return quantity(value, abs(high / bins - low / bins))  # high - low may be beyond the largest number


def quantity(value: float, step: float) -> str:
    """A number to about a tenth of ``step``, thousands as k, M, G, T.

    >>> quantity(12345.678, 500), quantity(0.12345, 0.01), quantity(17.0, 2.5), quantity(0.0, 1000)
    ('12.3k', '0.12', '17', '0')
    """
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-5:
        return f"{value:.2g}"
    unit, letter = next(((u, text) for u, text in UNITS if abs(value) >= u and step * 20 >= u), (1.0, ""))
    step = step / unit if step > 0 else 0.01
    digits = min(6, max(0, -math.floor(math.log10(step))))
    text = f"{value / unit:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + letter


def instant(seconds: float, span: float) -> str:
    """An instant as a date or a time, as fine as the span of its column asks."""
    try:
        moment = EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds:.3g} s"
    if span > 6 * 365 * DAY:
        return f"{moment.year}"
    if span > 90 * DAY:
        return f"{moment:%b} {moment.year}"
    return f"{moment:%d %b %H:%M}" if span <= 4 * DAY else f"{moment:%d %b} {moment.year}"


def labels(picture: ColumnPicture) -> tuple[str, ...]:
    """(v,) the levels of a column, or the ranges of its bins."""
    if not picture.edges:
        return tuple(shown(label) for label in picture.labels)
    return tuple(f"{edge(picture, place)} to {edge(picture, place + 1)}" for place in range(len(picture.edges) - 1))


def even(edges: Sequence[float]) -> bool:
    """Whether all bins are of one width, to a hundredth."""
    widths = [high - low for low, high in pairwise(edges)]
    return bool(widths) and max(widths) - min(widths) <= 0.01 * max(widths)
