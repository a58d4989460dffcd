"""Panel 3: the strangest rows of a table of the user's, and which of their cells are strange.

The table is read in this process and forgotten with the answer; an uploaded one passes a folder that is removed again.
Cells of keys, of free text and of personal data are never sent to the page.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from dash import MATCH, Input, Output, State, ctx, dcc, html

from synthvae import tables
from synthvae.errors import SynthvaeError, TableError
from synthvae.explorer.answers import Answers
from synthvae.explorer.cells import data, grid, learned, problem, texts
from synthvae.explorer.guard import LARGEST
from synthvae.synthesizer import Synthesizer

TITLE = "Strange rows"
LOOKED_AT = 10_000  # rows; cells are judged one by one, so a larger table is looked at in part
LISTED = 50
FILES = (".parquet", ".pq", ".csv")
CELLS = ("column", "value", "strangeness", "most likely instead")


@dataclass(frozen=True)
class Cell:
    """One cell. strangeness: what it adds to its row's; value, expected: as people read them, None where the column is
    not shown."""

    column: str
    strangeness: float
    value: str | None
    expected: str | None


@dataclass(frozen=True)
class Row:
    """A row: its number in the table from 0, how strange it is, its cells from strange to ordinary."""

    number: int
    strangeness: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Found:
    """The strangest rows, the number of rows looked at and of those in the table, and their usual strangeness."""

    rows: tuple[Row, ...]
    seen: int
    total: int
    median: float


def strangest(model: Synthesizer, table: pa.Table) -> Found:
    """Judge every row and the cells of those that stand out."""
    part = table.slice(0, LOOKED_AT)
    scores = model.anomaly_score(part)
    order = np.argsort(-scores["score"].to_numpy(), kind="stable")[:LISTED]
    asked = part.take(pa.array(order))
    likely = tables.read(model.expected(asked))[0]
    shown = [name for name in learned(model.schema_) if name in part.column_names]
    said = {name: (texts(asked[name]), texts(likely[name])) for name in shown}
    each = {name: scores[f"{name} (cell)" if name == "score" else name].to_numpy() for name in part.column_names}
    rows = []
    for i, place in enumerate(order):
        cells = [_cell(name, parts[place], said.get(name), i) for name, parts in each.items()]
        ranked = sorted((c for c in cells if np.isfinite(c.strangeness)), key=lambda c: -c.strangeness)
        rows.append(Row(int(place), float(scores["score"].iloc[place]), tuple(ranked)))
    return Found(tuple(rows), part.num_rows, table.num_rows, float(scores["score"].median()))


def _cell(name: str, strangeness: float, said: tuple[list[str], list[str]] | None, i: int) -> Cell:
    return Cell(name, float(strangeness), *((said[0][i], said[1][i]) if said else (None, None)))


def uploaded(name: str, content: str) -> pa.Table:
    """A table as the browser sends it: a data URL with base64 text. TableError where it cannot be read."""
    ending = PurePosixPath(name).suffix.lower()
    if ending not in FILES:
        raise TableError(f"Expected a .parquet or .csv file. Received: {name}.")
    try:
        raw = base64.b64decode(content.partition(",")[2], validate=True)
    except binascii.Error:
        raise TableError(f"{name} came damaged; choose it once more.") from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{ending}"
        path.write_bytes(raw)
        try:
            return tables.read(path)[0]
        except TableError as error:
            raise TableError(str(error).replace(str(path), name)) from None


def layout(name: str | None) -> html.Div:
    """A table to choose. name: of the one given at the start."""
    given = [html.Button(["Look at ", data(name)], id="look", className="main")] if name else [html.Span(id="look")]
    choose = dcc.Upload(
        [html.Span("Choose a table"), " or drop one here"],
        id="upload",
        className="upload",
        className_active="upload active",
        accept=",".join(FILES),
        max_size=LARGEST * 3 // 4,
    )
    return html.Div(
        [
            html.H2(TITLE),
            html.P("Which rows are strange, for cells that do not go with the others or are rare by themselves. The "
                   "table stays on this machine; keys, free text and personal data are not shown.", className="quiet"),
            html.Div([*given, choose], className="form"),
            dcc.Loading(html.Div(id="strange", **{"aria-live": "polite"}), delay_show=300),
        ],
        className="strange",
    )  # fmt: skip


def connect(answers: Answers, model: Synthesizer, own: pa.Table | None) -> None:
    """A table is judged as soon as it is chosen."""
    answers.connect(
        (Output("strange", "children"),),
        (Input("look", "n_clicks"), Input("upload", "contents"), State("upload", "filename")),
        lambda _, content, name: (answer(model, own, name, content if ctx.triggered_id == "upload" else None),),
        prevent_initial_call=True,
    )
    answers.connect(
        (Output({"part": "cells", "row": MATCH}, "children"),),
        (Input({"part": "summary", "row": MATCH}, "n_clicks"), State({"part": "kept", "row": MATCH}, "data")),
        lambda _, kept: (cells(kept),),
        prevent_initial_call=True,
    )


def answer(model: Synthesizer, own: pa.Table | None, name: str | None, content: str | None) -> Any:
    """What the page shows of a table: the uploaded one, or else the one given at the start."""
    try:
        table = own if content is None else uploaded(name or "", content)
        return None if table is None else page(strangest(model, table))
    except SynthvaeError as error:
        return problem(error)


def page(found: Found) -> list[Any]:
    """The rows, strangest first; opened, each tells its cells."""
    part = "" if found.seen == found.total else f" (the first of {found.total:,})"
    lead = f"{found.seen:,} rows{part}; half of them stay below {found.median:.1f}. The {len(found.rows)} strangest:"
    said = "Each with its strangest cell: 2 is two standard deviations off, 8 is four. Open a row to see all."
    return [
        html.P(lead),
        html.P(said, className="quiet"),
        html.Div([_row(row) for row in found.rows], className="rows"),
    ]


def _row(row: Row) -> html.Details:
    """A line; its cells wait in a store until they are looked at, for a page of all of them is slow to build."""
    top = row.cells[0] if row.cells else None
    why = [data(top.column), ": ", _value(top.value), *_instead(top)] if top else ["nothing known"]
    summary = [html.B(f"row {row.number:,}"), html.Span(f"{row.strangeness:.1f}"), html.Span(why)]
    kept = dcc.Store({"part": "kept", "row": row.number}, data=[dataclasses.astuple(cell) for cell in row.cells])
    inside = html.Div(id={"part": "cells", "row": row.number})
    return html.Details([html.Summary(summary, id={"part": "summary", "row": row.number}), kept, inside])


def cells(kept: list[tuple[str, float, str | None, str | None]]) -> html.Div:
    """The cells of a row as a table."""
    found = [Cell(*cell) for cell in kept]
    most = max((cell.strangeness for cell in found), default=0.0)
    lines = [(c.column, _value(c.value), _bar(c.strangeness, most), _value(c.expected)) for c in found]
    return grid(CELLS, lines, "Cells of the row")


def _instead(cell: Cell) -> list[Any]:
    return (
        []
        if cell.expected in (None, cell.value)
        else [html.Span([", most likely ", data(str(cell.expected))], className="quiet")]
    )


def _value(value: str | None) -> Any:
    return html.Span("not shown", className="quiet") if value is None else data(value)


def _bar(number: float, most: float) -> html.Div:
    """A number and its bar."""
    width = 100 * number / most if most > 0 else 0.0
    return html.Div([html.Span(f"{number:.1f}"), html.I(style={"width": f"{width:.0f}%"})], className="bar")
