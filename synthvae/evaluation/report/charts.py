"""The charts of a report: Altair specifications over neutral fields, names and levels only ever as data.

Colours are the page's variables, so a chart follows light, dark and print. Text stands outside the view as marks of
its own: places and wording are decided here, not by an axis, and nothing depends on a locale or a time zone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import altair as alt
from markupsafe import Markup

from synthvae.evaluation.report.svg import FONT_SIZE, Spec, specification, svg
from synthvae.evaluation.report.words import fitted, wide

REAL, SYNTHETIC, HOLDOUT = "var(--real)", "var(--synthetic)", "var(--holdout)"
LINE, INK, HEAT = "var(--line)", "var(--ink)", "var(--heat)"
DOT_WIDTH, DOT_HEIGHT = 220, 22
WIDTH = 320  # of a chart with its text: what a phone shows unscaled
LABEL = 112  # of it for names on the left
ROW = 19
LEGIBLE = 6.8  # pixels between two names
MOST = 86  # pixels for a name beside a heat map
ROOM = 1.05  # over the highest step
SHADES = 25  # of a heat map; few, so that cells of one shade become one path


Text = tuple[float, str]
Anchor = Literal["left", "center", "right"]
Style = dict[str, Any]  # of marks of several kinds


ANCHORS: tuple[Anchor, ...] = ("left", "center", "right")
STEPPED: Literal["step-after"] = "step-after"


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart; None where a side has nothing to show."""

    name: str
    real: float | None = None
    synthetic: float | None = None
    holdout: float | None = None


@dataclass(frozen=True)
class Steps:
    """Shares (v,) over bins (v + 1 edges) of three sides, and the text under some of the edges (place, text)."""

    edges: Sequence[float]
    real: Sequence[float]
    synthetic: Sequence[float]
    holdout: Sequence[float]
    ticks: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Cells:
    """A heat map: values (rows, columns) of which ``full`` gets the full colour; None is left open.

    rows, columns: text beside and below, each at its place: n + 0.5 is the middle of the n-th from the top or left.
    Where ``signed``, positive values get the colour of the synthetic side and negative ones that of the real side.
    Text below stands upright unless ``flat``.
    """

    values: Sequence[Sequence[float | None]]
    rows: Sequence[Text]
    columns: Sequence[Text]
    full: float = 1.0
    signed: bool = False
    flat: bool = False


def _layer(data: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name=data))


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False, zero=False, padding=0))


def _y(field: str, downwards: bool = False) -> alt.Y:
    scale = alt.Scale(domain=[0, 1], nice=False, zero=False, padding=0, reverse=downwards)
    return alt.Y(f"{field}:Q", axis=None, scale=scale)


# --- scores -----------------------------------------------------------------------------------------------------------


def dot(value: float, low: float, high: float, reference: float | None, label: str) -> Markup:
    """A value as a dot on its interval, its reference as an upright line; all as places on the scale, 0 to 1."""
    marks = [] if reference is None else [{"at": reference}]
    score = {"value": value, "low": low, "high": high}
    return svg(_dot(), {"score": [score], "reference": marks, "scale": [{"a": 0.0, "b": 1.0}]}, label, (6, 0, 6, 0))


@lru_cache(maxsize=1)
def _dot() -> Spec:
    score, middle = _layer("score"), alt.value(DOT_HEIGHT / 2)
    line: Style = {"color": LINE, "strokeWidth": 1}
    band: Style = {"color": SYNTHETIC, "strokeWidth": 7, "opacity": 0.3}
    layers = [
        _layer("scale").mark_rule(**line).encode(x=_x("a"), x2="b:Q", y=middle),
        score.mark_rule(**band, strokeCap="round").encode(x=_x("low"), x2="high:Q", y=middle),
        _layer("reference").mark_tick(color=INK, thickness=2, size=18, opacity=1).encode(x=_x("at"), y=middle),
        score.mark_point(color=SYNTHETIC, filled=True, size=62, opacity=1).encode(x=_x("value"), y=middle),
    ]
    return specification(layers, DOT_WIDTH, DOT_HEIGHT)


def scale(start: float, texts: Sequence[str], label: str) -> Markup:
    """The scale over a column of dots: texts at equal steps from ``start`` to 1."""
    places = [index / (len(texts) - 1) for index in range(len(texts))]
    middle: list[Anchor] = ["center"] * (len(texts) - 2)
    data = {f"t{n}": [{"x": at, "text": text}] for n, (at, text) in enumerate(zip(places, texts, strict=True))}
    return svg(_scale(("left", *middle, "right")), data, label, (6, 0, 6, 0))


@lru_cache(maxsize=4)
def _scale(anchors: tuple[Anchor, ...]) -> Spec:
    layers = [
        _layer(f"t{n}").mark_text(align=anchor, baseline="bottom").encode(x=_x("x"), y=alt.value(12), text="text:N")
        for n, anchor in enumerate(anchors)
    ]
    return specification(layers, DOT_WIDTH, 14)


# --- bars and steps ---------------------------------------------------------------------------------------------------


def bars(rows: Sequence[Bar], text: Callable[[float], str], label: str, top: float | None = None) -> Markup:
    """Bars from 0 to ``top`` (the largest value): real broad and pale, synthetic slim on it, hold-out a tick."""
    high = top or max((v for bar in rows for v in (bar.real, bar.synthetic, bar.holdout) if v is not None), default=0.0)
    high = high or 1.0
    sides = {
        "real": [bar.real for bar in rows],
        "synthetic": [bar.synthetic for bar in rows],
        "holdout": [bar.holdout for bar in rows],
    }
    middles = [(place + 0.5) / len(rows) for place in range(len(rows))]
    data = {
        side: [{"x": value / high, "y": y} for y, value in zip(middles, values, strict=True) if value is not None]
        for side, values in sides.items()
    }
    names: list[Spec] = [{"y": y, "text": fitted(bar.name, LABEL - 10)} for y, bar in zip(middles, rows, strict=True)]
    grid: list[Spec] = [{"x": at / high, "text": text(at)} for at in nice(high) if at <= high * 1.001]
    return svg(_bars(len(rows)), {**data, "name": names, "grid": grid}, label, (LABEL, 2, 16, 18))


@lru_cache(maxsize=64)
def _bars(count: int) -> Spec:
    x, y, height = _x("x"), _y("y", downwards=True), ROW * count
    layers = [
        _layer("grid").mark_rule(color=LINE, strokeWidth=1).encode(x=x),
        _layer("grid").mark_text(baseline="top").encode(x=x, y=alt.value(height + 5), text="text:N"),
        _layer("name").mark_text(align="right").encode(x=alt.value(-8), y=y, text="text:N"),
        _layer("real").mark_bar(color=REAL, opacity=0.35, height=ROW - 6, orient="horizontal").encode(x=x, y=y),
        _layer("synthetic").mark_bar(color=SYNTHETIC, height=5, orient="horizontal").encode(x=x, y=y),
        _layer("holdout").mark_tick(color=HOLDOUT, thickness=2, size=ROW - 6, orient="vertical").encode(x=x, y=y),
    ]
    return specification(layers, WIDTH - LABEL - 16, height)


def steps(shares: Steps, text: Callable[[float], str], label: str) -> Markup:
    """Shares per bin as steps: real as an area, synthetic as a line, hold-out as a thin dashed line."""
    high = max((*shares.real, *shares.synthetic, *shares.holdout), default=0.0) or 1.0
    first, span = shares.edges[0], shares.edges[-1] - shares.edges[0]
    at = [(edge - first) / span for edge in shares.edges]
    sides = {"real": shares.real, "synthetic": shares.synthetic, "holdout": shares.holdout}
    data = {name: _corners(at, [value / high / ROOM for value in values]) for name, values in sides.items()}
    data["grid"] = [{"y": y / high / ROOM, "text": text(y)} for y in nice(high) if y <= high * ROOM]
    data |= {name: [] for name in ANCHORS}
    for place, said in shares.ticks:
        side: Anchor = "left" if place == 0 else "right" if place == len(at) - 1 else "center"
        data[side].append({"x": at[place], "text": said})
    return svg(_steps(), data, label, (40, 8, 10, 20))


def _corners(edges: Sequence[float], values: Sequence[float]) -> list[Spec]:
    """The steps' corners; the last share twice, to close its bin."""
    heights = [*values, *values[-1:]]
    return [{"x": at, "y": height} for at, height in zip(edges, heights, strict=False)]


@lru_cache(maxsize=1)
def _steps() -> Spec:
    height, stepped = 140, STEPPED
    x, y = _x("x"), _y("y")
    dashes: Style = {"strokeWidth": 1, "strokeDash": [3, 2]}
    layers = [
        _layer("grid").mark_rule(color=LINE, strokeWidth=1).encode(y=y),
        _layer("grid").mark_text(align="right").encode(x=alt.value(-6), y=y, text="text:N"),
        _layer("real").mark_area(color=REAL, opacity=0.28, interpolate=stepped).encode(x=x, y=y),
        _layer("real").mark_line(color=REAL, strokeWidth=1, interpolate=stepped).encode(x=x, y=y),
        _layer("holdout").mark_line(color=HOLDOUT, **dashes, interpolate=stepped).encode(x=x, y=y),
        _layer("synthetic").mark_line(color=SYNTHETIC, strokeWidth=1.8, interpolate=stepped).encode(x=x, y=y),
    ]
    below = alt.value(height + 6)
    layers += [
        _layer(side).mark_text(align=side, baseline="top").encode(x=x, y=below, text="text:N") for side in ANCHORS
    ]
    return specification(layers, WIDTH - 50, height)


def nice(high: float) -> list[float]:
    """Two to four round numbers from 0 to about ``high``."""
    power = 10 ** math.floor(math.log10(high / 2))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if high / (factor * power) < 4)
    return [step * index for index in range(math.floor(high / step + 1e-9) + 1)]


# --- heat maps --------------------------------------------------------------------------------------------------------


def cells(shown: Cells, width: float, height: float, label: str) -> Markup:
    """A heat map on a view of this size; the deeper the colour, the larger the value."""
    down, across = max(len(shown.values), 1), max(map(len, shown.values), default=1)
    steps = width / max(len(shown.columns), 1), height / max(len(shown.rows), 1)
    names = min(steps) >= LEGIBLE  # smaller than that nobody reads them
    data = {
        "cell": sorted(_shaded(shown, down, across), key=lambda cell: (cell["c"], cell["a"])),
        "row": [{"y": place / down, "text": fitted(name, MOST)} for place, name in shown.rows if names],
        "column": [{"x": place / across, "text": fitted(name, MOST)} for place, name in shown.columns if names],
        "frame": [{"x": 0, "x2": 1, "y": 0, "y2": 1}],
    }
    left, below = (_room(shown.rows), 20.0 if shown.flat else _room(shown.columns)) if names else (2.0, 2.0)
    spec = _cells(width, height, min(FONT_SIZE, min(steps) - 0.5), shown.flat)
    return svg(spec, data, label, (left, 6, 8, below))


def _room(names: Sequence[Text]) -> float:
    """Pixels for the longest name, up to a limit."""
    return 10 + min(MOST, max((wide(name) for _, name in names), default=0.0))


def _shaded(shown: Cells, down: int, across: int) -> list[Spec]:
    full = shown.full or 1.0
    found = []
    for row, values in enumerate(shown.values):
        for column, value in enumerate(values):
            if value:
                shade = max(1, round(min(abs(value) / full, 1.0) * SHADES)) / SHADES
                colour = HEAT if not shown.signed else SYNTHETIC if value > 0 else REAL
                x, x2, y, y2 = column / across, (column + 1) / across, row / down, (row + 1) / down
                found.append({"x": x, "x2": x2, "y": y, "y2": y2, "a": shade, "c": colour})
    return found


@lru_cache(maxsize=32)
def _cells(width: float, height: float, font: float, flat: bool) -> Spec:
    x, y = _x("x"), _y("y", downwards=True)
    box: Style = {"x": x, "x2": "x2:Q", "y": y, "y2": "y2:Q"}
    fill, shade = alt.Fill("c:N", scale=None, legend=None), alt.FillOpacity("a:Q", scale=None, legend=None)
    turned: Style = (
        {"align": "center", "baseline": "top"} if flat else {"align": "right", "baseline": "middle", "angle": 270}
    )
    layers = [
        _layer("frame").mark_rect(filled=False, stroke=LINE, strokeWidth=1).encode(**box),
        _layer("cell").mark_rect().encode(**box, fill=fill, fillOpacity=shade),
        _layer("row").mark_text(align="right", fontSize=font).encode(x=alt.value(-5), y=y, text="text:N"),
        _layer("column").mark_text(**turned, fontSize=font).encode(x=x, y=alt.value(height + 5), text="text:N"),
    ]
    return specification(layers, width, height)
