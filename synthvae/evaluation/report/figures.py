"""What is drawn of two tables, each chart with its caption and its numbers as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from synthvae.evaluation.pictures import ColumnPicture, MatrixPicture, PairPicture
from synthvae.evaluation.report import charts
from synthvae.evaluation.report.bins import even, labels, ticks
from synthvae.evaluation.report.words import BY, number, share, shown, tick

REAL, SYNTHETIC, HOLDOUT = "real", "synthetic", "hold-out"
MOST_BARS = 10  # levels drawn; the table of numbers has more
MOST_ROWS = 60  # of a table of numbers
MATRIX, BROAD = 270, 620  # pixels of an association heat map, and of one with many columns
MANY = 24  # columns from which a matrix takes the full width, so that names can still be read
NAMELESS = 90  # columns from which their names would be too small to read
PAIR = 262, 150  # pixels of the view of a pair, across and down
ROOT = 0.4  # of a cell's share is its shade, so that rare cells are seen beside common ones
WORST = 12  # pairs listed under the heat maps
Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Chart:
    """One drawing and the line above it."""

    title: str
    svg: Markup


@dataclass(frozen=True)
class Figure:
    """Charts that belong together, what they show, and their numbers: a head and rows of text."""

    charts: tuple[Chart, ...]
    caption: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    wide: bool = False


def side(values: Mapping[str, tuple[float, ...]], name: str) -> tuple[float, ...]:
    """The shares of one side; none where it is not there."""
    return values.get(name, ())


# --- one column -------------------------------------------------------------------------------------------------------


def column(picture: ColumnPicture) -> Figure | None:
    """Shares of levels as bars, of bins as steps; None for a column of which nothing is shown."""
    if not picture.shares.get(REAL):
        return None
    rows = _table(labels(picture), picture.shares)
    head = ("values", *picture.shares)
    if picture.edges:
        return Figure((Chart("", _steps(picture)),), _bins_caption(picture), head, rows)
    return Figure((Chart("", _bars(picture)),), "", head, rows)


def _table(names: Sequence[str], shares: Mapping[str, Sequence[float]]) -> tuple[tuple[str, ...], ...]:
    every = [(name, *map(share, values)) for name, *values in zip(names, *shares.values(), strict=True)]
    left_out = len(every) - MOST_ROWS
    return (*every[:MOST_ROWS], *([(f"and {left_out} more",)] if left_out > 0 else []))


def _bins_caption(picture: ColumnPicture) -> str:
    ends = "The end bins hold all values beyond."
    return ends if even(picture.edges) else f"Bins of unequal width are drawn equally wide. {ends}"


def _steps(picture: ColumnPicture) -> Markup:
    edges = picture.edges if even(picture.edges) else tuple(float(place) for place in range(len(picture.edges)))
    real, synthetic, holdout = (side(picture.shares, name) for name in (REAL, SYNTHETIC, HOLDOUT))
    drawn = charts.Steps(edges, real, synthetic, holdout, ticks(picture))
    return charts.steps(drawn, tick, _told(picture))


def _bars(picture: ColumnPicture) -> Markup:
    names = labels(picture)
    rows = [
        charts.Bar(name, *(_at(picture.shares, s, i) for s in (REAL, SYNTHETIC, HOLDOUT)))
        for i, name in enumerate(names)
    ]
    if len(rows) > MOST_BARS:
        rest = rows[MOST_BARS - 1 :]
        rows = [*rows[: MOST_BARS - 1], _together(rest)]
    return charts.bars(rows, tick, _told(picture))


def _together(rest: Sequence[charts.Bar]) -> charts.Bar:
    def total(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    sums = (total(bar.real for bar in rest), total(bar.synthetic for bar in rest), total(bar.holdout for bar in rest))
    return charts.Bar(f"{len(rest)} more", *sums)


def _at(shares: Mapping[str, tuple[float, ...]], name: str, place: int) -> float | None:
    return shares[name][place] if name in shares else None


def _told(picture: ColumnPicture) -> str:
    """The chart in words: its largest difference."""
    name, names = shown(picture.column), labels(picture)
    real, synthetic = side(picture.shares, REAL), side(picture.shares, SYNTHETIC)
    if not synthetic:
        return f"Shares of {len(names)} values of {name}."
    worst = max(range(len(names)), key=lambda place: abs(real[place] - synthetic[place]))
    return (
        f"Shares of {len(names)} values of {name}, real beside synthetic. Largest difference: {names[worst]}, "
        f"{share(real[worst])} of real and {share(synthetic[worst])} of synthetic rows."
    )


# --- nulls ------------------------------------------------------------------------------------------------------------


def nulls(pictures: Sequence[ColumnPicture]) -> Figure | None:
    """The share of nulls of every column that has any; None where none has."""
    told = [picture for picture in pictures if any(picture.nulls.values())]
    if not told:
        return None
    rows = [charts.Bar(shown(p.column), *(p.nulls.get(s) for s in (REAL, SYNTHETIC, HOLDOUT))) for p in told]
    rows.sort(key=lambda bar: -max(bar.real or 0.0, bar.synthetic or 0.0))
    label = f"Share of missing values of {len(rows)} columns, real beside synthetic."
    parts = [rows[at : at + MOST_BARS] for at in range(0, len(rows), MOST_BARS)]
    top = max(value for bar in rows for value in (bar.real, bar.synthetic, bar.holdout) if value is not None)
    sides = [s for s in (REAL, SYNTHETIC, HOLDOUT) if s in told[0].nulls]
    table = tuple((shown(p.column), *(share(p.nulls.get(s, 0.0)) for s in sides)) for p in told)
    return Figure(
        tuple(Chart("", charts.bars(part, tick, label, top)) for part in parts), "", ("column", *sides), table
    )


# --- associations -----------------------------------------------------------------------------------------------------


def matrix(picture: MatrixPicture) -> Figure:
    """Every pair of columns on both sides, and the difference, whose full colour is the largest there is."""
    names = tuple(shown(name) for name in picture.columns)
    real, synthetic = picture.values[REAL], picture.values[SYNTHETIC]
    change = tuple(tuple(_minus(b, a) for a, b in zip(x, y, strict=True)) for x, y in zip(real, synthetic, strict=True))
    largest = max((abs(value) for row in change for value in row if value is not None), default=0.0)
    full = max(largest, 0.1)  # a table without differences shall look like one
    size = MATRIX if len(names) <= MANY else BROAD
    placed = tuple((place + 0.5, name) for place, name in enumerate(names))

    def drawn(title: str, values: Matrix, full: float = 1.0, signed: bool = False) -> Chart:
        cells = charts.Cells(values, placed, placed, full, signed)
        label = f"{title}: association of every pair of {len(names)} columns."
        return Chart(title, charts.cells(cells, size, size, label))

    parts = (drawn("Real", real), drawn("Synthetic", synthetic), drawn("Difference", change, full, signed=True))
    caption = (
        f"{picture.title}. In the difference, the synthetic colour marks pairs that go together more strongly in the "
        f"synthetic table, the real colour those that do so less. Full colour is {full:.2f}; the largest difference is "
        f"{largest:.2f}." + (" Columns stand in the order of the schema." if len(names) > NAMELESS else "")
    )
    head = ("pair", REAL, SYNTHETIC, "difference")
    return Figure(parts, caption, head, _changed(names, real, synthetic, change), wide=len(names) > MANY)


def _minus(synthetic: float | None, real: float | None) -> float | None:
    return None if synthetic is None or real is None else synthetic - real


def _changed(names: Sequence[str], real: Matrix, synthetic: Matrix, change: Matrix) -> tuple[tuple[str, ...], ...]:
    """The pairs whose association differs most."""
    found = [(change[i][j] or 0.0, i, j) for i in range(len(names)) for j in range(i) if change[i][j] is not None]
    found.sort(key=lambda pair: -abs(pair[0]))
    return tuple(
        (f"{names[j]} {BY} {names[i]}", number(real[i][j]), number(synthetic[i][j]), f"{by:+.3f}")
        for by, i, j in found[:WORST]
    )


# --- pairs ------------------------------------------------------------------------------------------------------------


def pair(picture: PairPicture) -> Figure:
    """The joint shares of two columns on both sides, and the difference."""
    names_x, names_y = labels(picture.x), labels(picture.y)
    real, synthetic = (_upright(picture.shares[name], picture.y) for name in (REAL, SYNTHETIC))
    change = [[b - a for a, b in zip(x, y, strict=True)] for x, y in zip(real, synthetic, strict=True)]
    darkest = max(max(map(max, real)), max(map(max, synthetic)))
    largest = max(abs(value) for row in change for value in row)
    upwards = len(names_y) if picture.y.edges else 0  # numbers grow upwards, places downwards
    rows = [(abs(upwards - place), name) for place, name in _ticked(picture.y, names_y)]
    columns = _ticked(picture.x, names_x)
    what = f"shares of rows by {shown(picture.x.column)} (across) and {shown(picture.y.column)} (down)"

    def drawn(title: str, values: Sequence[Sequence[float]], full: float, signed: bool = False) -> Chart:
        cells = charts.Cells(values, rows, columns, full, signed, flat=bool(picture.x.edges))
        return Chart(title, charts.cells(cells, *PAIR, f"{title}: {what}."))

    roots = [[[value**ROOT for value in row] for row in values] for values in (real, synthetic)]
    parts = (
        drawn("Real", roots[0], darkest**ROOT),
        drawn("Synthetic", roots[1], darkest**ROOT),
        drawn("Difference", change, largest, signed=True),
    )
    caption = f"The strongest colour is {share(darkest)} of rows; in the difference {share(largest)} of rows."
    order = names_y[:: -1 if picture.y.edges else 1]
    return Figure(parts, caption, ("cell", REAL, SYNTHETIC), _moved(names_x, order, real, synthetic))


def _upright(shares: Sequence[Sequence[float]], down: ColumnPicture) -> list[list[float]]:
    """(v_x, v_y) shares as rows from top to bottom: levels in their order, numbers upwards."""
    rows = [list(row) for row in zip(*shares, strict=True)]
    return rows[::-1] if down.edges else rows


def _ticked(picture: ColumnPicture, names: Sequence[str]) -> list[tuple[float, str]]:
    """The middle of every level with its name, or some edges of the bins."""
    return [*ticks(picture)] if picture.edges else [(place + 0.5, name) for place, name in enumerate(names)]


def _moved(
    across: Sequence[str], down: Sequence[str], real: Sequence[Sequence[float]], synthetic: Sequence[Sequence[float]]
) -> tuple[tuple[str, ...], ...]:
    """The cells that differ most."""
    found = [
        (abs(synthetic[j][i] - real[j][i]), f"{across[i]} · {down[j]}", real[j][i], synthetic[j][i])
        for i in range(len(across))
        for j in range(len(down))
    ]
    found.sort(key=lambda cell: -cell[0])
    return tuple((name, share(a), share(b)) for _, name, a, b in found[:WORST])
