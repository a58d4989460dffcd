"""Panel 2: rows under conditions, drawn as ``sample(where=...)`` draws them, and how likely the conditions are."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from dash import Input, Output, State, dcc, html

from synthvae import tables
from synthvae.errors import ConditionError, ParameterError, SynthvaeError, SynthvaeWarning
from synthvae.explorer.answers import Answers
from synthvae.explorer.cells import data, grid, notes, problem, text, texts
from synthvae.generation.conditional import Odds
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Numeric
from synthvae.synthesizer import Synthesizer

TITLE = "Ask for rows"
MOST, SHOWN = 10_000, 50  # rows drawn at once, rows on the page
LEVELS = 12  # of a category that are listed


@dataclass(frozen=True, eq=False)
class Drawn:
    """rows: as an Arrow table; odds: of the condition, None where there is none or it is not known beforehand."""

    rows: pa.Table
    odds: Odds | None
    notes: tuple[str, ...]


def draw(model: Synthesizer, where: str | None, n: Any, seed: Any) -> Drawn:
    """``n`` rows that meet a condition in the words of ``sample``; what the library warns of becomes a note."""
    if not isinstance(n, int) or not 1 <= n <= MOST:
        raise ParameterError(f"Expected a whole number of rows from 1 to {MOST:,}; got {n!r}. The command line and "
                             "Python draw as many as you like.")  # fmt: skip
    wanted, said = (where or "").strip() or None, []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SynthvaeWarning)
        rows = tables.read(model.sample(n, wanted, random_state=seed))[0]
        try:
            odds = model.odds(wanted, random_state=seed) if wanted else None
        except ConditionError as error:  # of columns that rules compute: rows can be drawn, odds not told
            odds, said = None, [str(error)]
    said += [str(warning.message) for warning in caught if issubclass(warning.category, SynthvaeWarning)]
    return Drawn(rows, odds, tuple(said))


def layout(model: Synthesizer) -> html.Div:
    """A line for the condition, what came of it, and what can be asked for."""
    known = [(column.name, *_described(column)) for column in model.schema_]
    fields = [
        ("Every row must be", dcc.Input(id="where", type="text", placeholder=example(model), debounce=False)),
        ("Rows", dcc.Input(id="rows", type="number", min=1, max=MOST, step=1, value=20)),
        ("Seed", dcc.Input(id="seed", type="number", min=0, step=1, value=0)),
    ]
    form = [html.Div([html.Label(name, htmlFor=field.id), field], className="field") for name, field in fields]
    return html.Div(
        [
            html.H2(TITLE),
            html.P("Nothing is drawn and thrown away until it fits: the condition is met first, the rest of each row "
                   "is drawn to go with it.", className="quiet"),
            html.Div([*form, html.Button("Draw", id="draw", className="main")], className="form"),
            html.Details([html.Summary("What can be asked for"), grid(("column", "kind", "values"), known, "Columns"),
                          html.P(_words(), className="quiet")]),
            dcc.Loading(html.Div(id="drawn", **{"aria-live": "polite"}), delay_show=300),
            html.Button("Save these rows as CSV", id="save", hidden=True),
            dcc.Store("asked"), dcc.Download("file"),
        ],
        className="ask",
    )  # fmt: skip


def connect(answers: Answers, model: Synthesizer) -> None:
    """The button, and Enter in the line, draw; what was drawn can be saved."""
    asked = State("where", "value"), State("rows", "value"), State("seed", "value")
    answers.connect(
        (Output("drawn", "children"), Output("asked", "data"), Output("save", "hidden")),
        (Input("draw", "n_clicks"), Input("where", "n_submit"), *asked),
        lambda _, __, *what: answer(model, *what),
        prevent_initial_call=True,
    )
    answers.connect(
        (Output("file", "data"),),
        (Input("save", "n_clicks"), State("asked", "data")),
        lambda _, what: (csv(model, *what),),
        prevent_initial_call=True,
    )


def answer(model: Synthesizer, where: str | None, n: Any, seed: Any) -> tuple[Any, Any, bool]:
    """What the page shows, what was asked, and whether there is nothing to save."""
    try:
        found = draw(model, where, n, seed)
    except SynthvaeError as error:
        return problem(error), None, True
    rows = found.rows.slice(0, SHOWN)
    cells = zip(*(texts(column) for column in rows.columns), strict=True)
    count = f"The first {SHOWN} of {n:,} rows" if n > SHOWN else f"{n:,} rows" if n > 1 else "1 row"
    shown = [html.H3(count), grid(rows.column_names, cells, "Rows drawn")]
    return [*notes(found.notes), *_told(found.odds), *shown], [where, n, seed], False


def csv(model: Synthesizer, where: str | None, n: int, seed: int) -> dict[str, str]:
    """The rows once more, as a file."""
    frame: pd.DataFrame = draw(model, where, n, seed).rows.to_pandas()
    return {"content": frame.to_csv(index=False), "filename": "synthetic.csv", "type": "text/csv"}


def example(model: Synthesizer) -> str:
    """A condition that this model understands."""
    for column in model.schema_:
        if isinstance(column, Categorical) and column.levels:
            return f"{quoted(column.name)} == {column.levels[0]!r}"
    return next((f"{quoted(c.name)} is not null" for c in model.schema_), "")


def quoted(name: str) -> str:
    """A column as a condition names it."""
    return name if name.isidentifier() else f"`{name}`"


def _told(odds: Odds | None) -> list[Any]:
    """How likely the condition is."""
    if odds is None:
        return []
    facts = [
        html.Div([html.Dt("probability of the condition"), html.Dd(share(odds.probability))]),
        html.Div([html.Dt("effective sample size"), html.Dd(f"{odds.effective:,.0f} latents")]),
    ]
    alone = [(name, share(p)) for name, p in odds.alone.items()] if len(odds.alone) > 1 else []
    return [html.Dl(facts)] + ([grid(("column", "probability alone"), alone, "Each condition alone")] if alone else [])


def share(p: float) -> str:
    """A probability as people read it."""
    return f"{p:.3g} (1 in {1 / p:,.0f})" if 0 < p < 0.1 else f"{p:.3g}"


def _described(column: Column) -> tuple[str, Any]:
    """The kind of a column and what it may be."""
    if isinstance(column, Categorical):
        more = f" and {len(column.levels) - LEVELS:,} more" if len(column.levels) > LEVELS else ""
        parts = [part for level in column.levels[:LEVELS] for part in (html.Span(", "), data(repr(level)))]
        return column.kind, html.Span([*parts[1:], more])
    if isinstance(column, (Numeric, Datetime)):
        return column.kind, f"{text(column.lower)} to {text(column.upper)}"
    return column.kind, "true, false" if isinstance(column, Boolean) else "null or not"


def _words() -> str:
    return ("Comparisons (==, !=, <, <=, >, >=), in (…), not in (…), is null, is not null, joined by and. Text stands "
            "in quotes, a name with spaces or signs in backticks.")  # fmt: skip
