"""What the dimensions of a latent are about, as people read it: a table, a few lines of text, a page with drawings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import jinja2
import pandas as pd
import vl_convert

from synthvae.errors import ParameterError
from synthvae.files import write_text

SHOWN = 4  # columns named for each dimension in text
WORTH = 0.02  # nats; a column that says less of a dimension is not named
FEW = 12  # values of a column that get a colour each
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Latent report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #16191d; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-top: 1px solid #d9dde3; }
figure { margin: 1.5rem 0; overflow-x: auto; } p { max-width: 46rem; }
</style></head><body>
<h1>What the latent is about</h1>
<p>Told from rows that the model makes itself; no row of the training table is asked or shown.
Left out: {{ idle }} idle {{ "dimension" if idle == 1 else "dimensions" }}.</p>
<figure><img alt="Heat map of the table below" src="{{ heat }}">
<figcaption>Information that a column gives of a dimension, in nats.</figcaption></figure>
<figure><img alt="Map of rows" src="{{ map }}">
<figcaption>Rows of the model where their latent means spread most, coloured by
<bdi>{{ colour or "nothing" }}</bdi>.</figcaption></figure>
<table><thead><tr>{% for name in head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr>{% for cell in row %}<td><bdi>{{ cell }}</bdi></td>{% endfor %}</tr>
{% endfor %}</tbody></table>
</body></html>
"""


@dataclass(frozen=True, eq=False)
class LatentReport:
    """The active dimensions of a latent and the columns they move.

    table: a line for each dimension and column: ``dimension``, ``nats`` (what the dimension carries, per row),
    ``column``, ``information`` (what the column tells of the dimension, nats), ``low`` and ``high`` (its typical value
    where the dimension is lowest and highest). idle: how many dimensions carry nothing. map: rows of the model, ("map",
    "x" and "y") where they lie on a plane, ("row", column) their values.
    """

    table: pd.DataFrame
    idle: int
    map: pd.DataFrame

    def __str__(self) -> str:
        lines = [f"{self.table.dimension.nunique()} active dimensions, {self.idle} idle"]
        for name, part in self.table.groupby("dimension", sort=False):
            named = part[part.information >= WORTH].nlargest(SHOWN, "information")
            told = [f"{r.column} {r.low} to {r.high} ({r.information:.2f})" for r in named.itertuples()]
            lines.append(f"{name} ({part.nats.iloc[0]:.2f} nats): {'; '.join(told) or 'no single column'}")
        return "\n".join(lines)

    def heatmap(self) -> alt.Chart:
        """Dimensions against columns, coloured by information."""
        order = list(dict.fromkeys(self.table.dimension))
        data = self.table[["dimension", "column", "information"]]
        return (
            alt.Chart(data)
            .mark_rect()
            .encode(
                alt.X("column:N").sort(list(dict.fromkeys(data.column))).title(None),
                alt.Y("dimension:N").sort(order).title(None),
                alt.Color("information:Q").title("nats").scale(scheme="blues"),
            )
        )

    def scatter(self, column: str | None = None) -> alt.Chart:
        """The map, coloured by a column; None takes the one that says most. ParameterError where there is none such."""
        name = column or self.telling
        if name is None:
            return alt.Chart(self.map["map"]).mark_circle(size=16).encode(alt.X("x:Q"), alt.Y("y:Q"))
        if name not in self._shown:
            raise ParameterError(f"There is no column {name!r} on the map. There are: {', '.join(self._shown)}.")
        values = self.map["row"][name]
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if not number and not pd.api.types.is_datetime64_any_dtype(values):
            text = values.astype(object).where(values.notna(), "null").astype(str)
            values = text.where(text.isin(text.value_counts().index[:FEW]), "other")
        data = self.map["map"].assign(value=values.to_numpy())
        kind = "Q" if number else "T" if pd.api.types.is_datetime64_any_dtype(values) else "N"
        colour = alt.Color(f"value:{kind}").title(name)
        return alt.Chart(data).mark_circle(size=16).encode(alt.X("x:Q"), alt.Y("y:Q"), colour)

    @property
    def telling(self) -> str | None:
        """The column that tells most of all dimensions together; None where the model knows none."""
        if self.table.empty:
            return self._shown[0] if self._shown else None
        return str(self.table.groupby("column", sort=False).information.sum().idxmax())

    @property
    def _shown(self) -> list[str]:
        """The columns of the map's rows."""
        columns = self.map.columns
        return columns[columns.get_level_values(0) == "row"].get_level_values(1).tolist()

    def to_html(self, path: str | Path, column: str | None = None) -> None:
        """Write the report as one file that runs no script and asks for nothing; ``column`` colours the map."""
        drawn = self.scatter(column)
        figures = self.table.round({"nats": 2, "information": 3})
        page = jinja2.Environment(autoescape=True).from_string(PAGE)
        text = page.render(
            idle=self.idle,
            heat=_drawn(self.heatmap()),
            map=_drawn(drawn),
            colour=column or self.telling,
            head=list(figures.columns),
            rows=figures.to_numpy().tolist(),
        )
        write_text(path, text)


def _drawn(chart: alt.Chart) -> str:
    """A chart as the address of an image: what is inside an image can do nothing to the page."""
    with alt.data_transformers.enable("default"):  # whatever the session has switched on
        source = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return f"data:image/svg+xml;base64,{base64.b64encode(source.encode()).decode()}"
