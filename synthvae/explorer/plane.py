"""The map: rows of the model, and of the user's own table where there is one, on a plane through the latent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae import tables
from synthvae.explorer.cells import escaped, learned, text, texts
from synthvae.generation.latent_report import FEW, LatentReport
from synthvae.generation.plane import Plane
from synthvae.networks.layout import Array
from synthvae.synthesizer import Synthesizer

MAPPED, OWN_MAPPED = 1500, 500  # points; more hide one another
NOTHING = "(nothing)"  # what the points may be coloured by, besides columns
# Colours with a contrast of 3 and more on white and on near-black; a scale for numbers, from low to high.
SERIES = ("#2f7fc1", "#d2691e", "#1f9d78", "#b5518f", "#8a7d1f", "#6f6bd1", "#c9504a", "#3a93a8", "#9b6a3c", "#7a8a99")
RAMP = ((0.0, "#2f7fc1"), (0.35, "#7d70c4"), (0.65, "#c65a8e"), (1.0, "#d97a1e"))
OWN, QUIET, HERE = "#1f9d78", "#7a8a99", "#d4267a"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"  # as the page's own
MEASURED = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_temporal)
HIDDEN = {"visible": False, "fixedrange": False}


@dataclass(frozen=True, eq=False)
class Chart:
    """What the map shows. rows: of the model, of columns that mean something; z: (n, k) their latent means, below them
    those of the own table (m, k), of which nothing else is kept.
    """

    report: LatentReport
    plane: Plane
    rows: pa.Table
    z: Array

    @property
    def own(self) -> int:
        """How many points of the own table there are."""
        return len(self.z) - self.rows.num_rows

    @property
    def dimensions(self) -> list[int]:
        """The active dimensions, the busiest first."""
        return [int(name[1:]) for name in dict.fromkeys(self.report.table.dimension)]


def chart(model: Synthesizer, own: pa.Table | None, seed: int) -> Chart:
    """Ask the model for the map. own: a table of the user's, of which a part is shown where it is large."""
    made = model.sample(MAPPED, random_state=seed)
    parts = [model.encode(made).to_numpy()]
    if own is not None:
        places = np.random.default_rng(seed).permutation(own.num_rows)[:OWN_MAPPED]
        parts.append(model.encode(own.take(pa.array(np.sort(places)))).to_numpy())
    rows = tables.read(made)[0].select(learned(model.schema_))
    return Chart(model.latent_report(random_state=seed), Plane.through(parts[0]), rows, np.concatenate(parts))


def figure(of: Chart, column: str, shown: tuple[bool, bool], here: Array) -> dict[str, Any]:
    """The map as Plotly draws it. column: what colours the model's rows; shown: whether they are, and whether the own
    ones are; here: (2,) the place to ring.
    """
    places = of.plane.project(of.z)
    count = of.rows.num_rows
    traces = _coloured(of, column, places[:count], bool(of.own and shown[1])) if shown[0] else []
    if of.own and shown[1]:
        marker = {"color": OWN, "size": 6, "symbol": "diamond-open", "line": {"width": 1.5}}
        traces.append(_points("your table", places[count:], count + np.arange(of.own), marker, None))
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "xaxis": HIDDEN,
        "yaxis": HIDDEN,
        "dragmode": "pan",
        "hovermode": "closest",
        "uirevision": "map",
        "legend": {"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "itemsizing": "constant"},
        "font": {"family": FONT},
    }
    return {"data": [ring(here), *traces], "layout": layout}


def ring(here: Array) -> dict[str, Any]:
    """The mark of where the sliders stand, above all points."""
    marker = {"color": HERE, "size": 18, "symbol": "circle-open", "line": {"width": 3}, "opacity": 1.0}
    return _points("here", here[None], np.zeros(0), marker, None) | {
        "zorder": 1,
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _coloured(of: Chart, column: str, places: Array, quiet: bool) -> list[dict[str, Any]]:
    """The model's rows, in the colours of a column; without a hue where others lie among them."""
    numbers = np.arange(len(places))
    if column not in of.rows.column_names:
        return [_points("synthetic", places, numbers, {"color": QUIET if quiet else SERIES[0], "size": 6}, None)]
    values = tables.plain(of.rows[column])
    said = [f"{escaped(column)}: {escaped(value)}" for value in texts(values)]
    if any(is_it(values.type) for is_it in MEASURED):
        return [_points("synthetic", places, numbers, _shaded(values, column), said)]
    names = np.array(texts(values))
    often = pd.Series(names).value_counts().index[: min(FEW, len(SERIES) - 1)].tolist()
    groups = [(name, names == name) for name in often] + [("other", ~np.isin(names, often))]
    return [
        _points(
            name, places[own], numbers[own], {"color": SERIES[i], "size": 6}, [said[j] for j in np.flatnonzero(own)]
        )
        for i, (name, own) in enumerate(groups)
        if own.any()
    ]


def _shaded(values: pa.ChunkedArray, column: str) -> dict[str, Any]:
    """Points in the colours of a number or date, by rank: few large values would leave one colour to the others."""
    order = pd.Series(values.to_pandas()).rank(pct=True)
    ticks = [0.05, 0.5, 0.95]
    known = sorted(value for value in values.to_pylist() if value is not None)
    ends = [known[int(tick * (len(known) - 1))] for tick in ticks if known]
    bar = {"thickness": 10, "title": {"text": escaped(column)}, "tickvals": ticks, "ticktext": [text(v) for v in ends]}
    colours = [None if np.isnan(rank) else float(rank) for rank in order]
    return {
        "color": colours,
        "colorscale": [list(stop) for stop in RAMP],
        "cmin": 0,
        "cmax": 1,
        "colorbar": bar,
        "size": 6,
    }


def _points(name: str, places: Array, numbers: Array, marker: dict[str, Any], said: list[str] | None) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escaped(name),
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "customdata": numbers.tolist(),
        "marker": {"opacity": 0.8} | marker,
        "text": said,
        "hoverinfo": "text" if said else "name",
    }
