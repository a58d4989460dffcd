"""Panel 1: the map of rows, a slider for each active dimension, and the row that the latent tells where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from dash import ALL, Input, Output, Patch, ctx, dcc, html

from synthvae import tables
from synthvae.explorer.answers import Answers
from synthvae.explorer.cells import data, grid, learned, texts
from synthvae.explorer.plane import NOTHING, Chart, figure, ring
from synthvae.generation.latent_report import WORTH
from synthvae.synthesizer import Synthesizer

TITLE = "Latent space"
FURTHEST = 3.0  # standard deviations of the prior; 1 latent in 370 lies beyond in a dimension
STEP = 0.05
NAMED = 2  # columns that are named for a dimension
BUSY = 6  # dimensions in sight, the others are folded away
CONFIG = {"displayModeBar": False, "scrollZoom": True}
SHOWN = {"both": (True, True), "synthetic": (True, False), "own": (False, True)}


def layout(of: Chart) -> html.Div:
    """Map and sliders side by side, the row below them."""
    options = [{"label": name, "value": name} for name in (NOTHING, *of.rows.column_names)]
    telling = of.report.telling if of.report.telling in of.rows.column_names else NOTHING
    colours = dcc.Dropdown(options, telling, id="colour", clearable=False, searchable=len(options) > 12)
    picks = {"both": "both", "synthetic": "synthetic rows", "own": "rows of your table"}
    which = dcc.RadioItems(picks, "both" if of.own else "synthetic", id="shown", inline=True)
    chart = [
        html.H2("The map"),
        html.P(_lead(of), className="quiet"),
        html.Div([html.Label("Colour", htmlFor="colour"), colours], className="field"),
        html.Div(which, hidden=not of.own, className="field"),
        html.Div(dcc.Graph(id="map", config=CONFIG, responsive=True, style={"height": "100%"}), className="map"),
    ]
    first, rest = ([_slider(of, d) for d in part] for part in (of.dimensions[:BUSY], of.dimensions[BUSY:]))
    more = html.Details([html.Summary(f"{len(rest)} that carry less"), html.Div(rest, className="sliders")])
    turned = [
        html.H2("Turn the dimensions"),
        html.P(f"{len(of.dimensions)} active, {of.report.idle} idle and left out. Low end to high end, and the "
               "information that the dimension carries.", className="quiet"),
        html.Div([html.Button("A random row", id="random"), html.Button("The centre", id="centre")],
                 className="buttons"),
        html.Div([*first, *([more] if rest else [])], className="sliders"),
    ]  # fmt: skip
    told = [html.H2("The row it tells"), html.Div(id="row", **{"aria-live": "polite"})]
    anchor = dcc.Store("anchor", data=[0.0] * of.z.shape[1])
    seen = html.Div([html.Section(chart), html.Section(told, className="told")], className="seen")
    return html.Div([seen, html.Section(turned, className="turn"), anchor], className="latent")


def connect(answers: Answers, model: Synthesizer, of: Chart) -> None:
    """Clicks and buttons move the sliders; sliders move the ring and tell the row."""
    sliders = {"dimension": ALL}
    answers.connect(
        (Output(sliders, "value"), Output("anchor", "data")),
        (Input("map", "clickData"), Input("random", "n_clicks"), Input("centre", "n_clicks")),
        lambda clicked, tries, _: place(of, ctx.triggered_id, clicked, tries),
        prevent_initial_call=True,
    )
    answers.connect(
        (Output("map", "figure"), Output("row", "children")),
        (Input(sliders, "value"), Input("anchor", "data"), Input("colour", "value"), Input("shown", "value")),
        lambda *state: turned(model, of, ctx.triggered_id in ("colour", "shown", None), *state),
    )
    values = {"told": ALL}
    answers.connect((Output(values, "children"),), (Input(sliders, "value"),), lambda z: ([f"{v:+.2f}" for v in z],))


def place(of: Chart, asked: Any, clicked: Any, tries: int | None) -> tuple[list[float], list[float]]:
    """Where the sliders go (active,), and the whole latent there (k,)."""
    if asked == "map":
        z = of.z[int(clicked["points"][0]["customdata"])]
    elif asked == "random":
        z = of.z[np.random.default_rng(tries).integers(of.rows.num_rows)]
    else:
        z = np.zeros(of.z.shape[1])
    moved = np.clip(z[of.dimensions], -FURTHEST, FURTHEST).round(2)
    anchor = z.copy()
    anchor[of.dimensions] = moved
    return moved.tolist(), anchor.tolist()


def turned(
    model: Synthesizer,
    of: Chart,
    whole: bool,
    values: Sequence[float],
    anchor: Sequence[float],
    colour: str,
    shown: str,
) -> tuple[Any, Any]:
    """The map with the ring where the sliders stand, and the row there beside that of the anchor."""
    z = np.array([anchor, anchor], np.float64)
    z[0, of.dimensions] = values
    here = of.plane.project(z[:1])[0]
    made = tables.read(model.decode(z))[0].select(learned(model.schema_))
    if whole:
        return figure(of, colour, SHOWN[shown], here), row(made)
    patch = Patch()
    patch["data"][0] = ring(here)
    return patch, row(made)


def row(both: pa.Table) -> Any:
    """The first of two rows; cells that differ from the second say what they were."""
    lines = []
    for name in both.column_names:
        now, before = texts(both[name])
        cell = [data(now), html.Small([" was ", data(before)])] if now != before else [data(now)]
        lines.append((name, html.Span(cell, className="changed" if now != before else None)))
    return grid(("column", "most likely value"), lines, "The row")


def _lead(of: Chart) -> str:
    own = f" Of your table {of.own:,} rows are shown, as points and nothing else." if of.own else ""
    return f"{of.rows.num_rows:,} rows drawn from the model, where they lie apart most. Click one to go there.{own}"


def _slider(of: Chart, d: int) -> html.Div:
    """A dimension: its name, what it is about, and the slider."""
    part = of.report.table[of.report.table.dimension == f"z{d}"]
    named = part[(part.information >= WORTH) & (part.low != part.high)].nlargest(NAMED, "information")
    ends = [
        html.Div([data(str(r.column)), ": ", data(str(r.low)), " → ", data(str(r.high))]) for r in named.itertuples()
    ]
    facts = [html.B(f"z{d}"), html.Span(f"{part.nats.iloc[0]:.2f} nats", className="quiet"),
             html.Output("+0.00", id={"told": d})]  # fmt: skip
    slider = dcc.Slider(-FURTHEST, FURTHEST, STEP, value=0.0, marks=None, id={"dimension": d}, updatemode="drag",
                        allow_direct_input=False)  # fmt: skip
    about = html.Div(ends or "no single column", className="about")
    return html.Div([html.Div(facts, className="facts"), about, slider], role="group", **{"aria-label": f"z{d}"})
