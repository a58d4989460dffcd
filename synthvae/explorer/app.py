"""The page put together."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from dash import Dash, dcc, html

from synthvae.explorer import asking, latent, strange
from synthvae.explorer.answers import Answers
from synthvae.explorer.cells import data
from synthvae.explorer.guard import guard
from synthvae.explorer.plane import chart
from synthvae.synthesizer import Synthesizer

INDEX = """<!doctype html>
<html lang="en">
<head>{%metas%}<meta name="color-scheme" content="light dark"><title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def build(
    model: Synthesizer, name: str, own: pa.Table | None, own_name: str | None, address: str, seed: int = 0
) -> Dash:
    """The page as a WSGI application (``.server``) below ``address``.

    name: of the model; own: a table of the user's, lawful under the model's schema, and its name. SchemaError where it
    is not.
    """
    shown = chart(model, own, seed)
    app = Dash(
        __name__,
        assets_folder=str(Path(__file__).parent / "assets"),
        url_base_pathname=address,
        index_string=INDEX,
        title="synthvae explorer",
        update_title="",
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        serve_locally=True,
        use_pages=False,
        enable_mcp=False,
        add_log_handler=False,
    )
    panels = {
        latent.TITLE: latent.layout(shown),
        asking.TITLE: asking.layout(model),
        strange.TITLE: strange.layout(own_name),
    }
    tabs = [
        dcc.Tab(part, label=title, value=title, className="tab", selected_className="tab chosen")
        for title, part in panels.items()
    ]
    rows = f"{model.card_['rows']:,} rows"
    lead = ["What a model of ", rows, " learned. It holds none of them: every row shown is drawn from the model",
            ", or of the table you give." if own is None else f", or of {own_name}."]  # fmt: skip
    app.layout = html.Div(
        [
            html.Header([html.H1(data(name)), html.P(lead, className="quiet")]),
            dcc.Tabs(tabs, value=latent.TITLE, parent_className="tabs", className="strip", content_className="panel",
                     mobile_breakpoint=0),
        ],
        className="page",
    )  # fmt: skip
    answers = Answers(app)
    latent.connect(answers, model, shown)
    asking.connect(answers, model)
    strange.connect(answers, model, own)
    guard(app.server, app.csp_hashes())
    return app
