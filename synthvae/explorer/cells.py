"""Values as text, and the few page elements that all panels share."""

from __future__ import annotations

import html as markup
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from dash import html

from synthvae.schema.columns import Scale
from synthvae.schema.schema import Schema

LONGEST = 60  # characters of a value that are shown
NULL = "null"


def text(value: Any) -> str:
    """A cell as people read it."""
    if value is None:
        return NULL
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def texts(column: pa.ChunkedArray) -> list[str]:
    """A column as people read it: (n,)."""
    return [text(value) for value in column.to_pylist()]


def escaped(value: str) -> str:
    """Text for a figure, which takes some HTML for what it is."""
    return markup.escape(value)


def learned(schema: Schema) -> list[str]:
    """The columns whose values mean something: not keys, free text or data of a person."""
    return [column.name for column in schema if column.scale is not Scale.OPAQUE]


def data(value: str, **more: Any) -> html.Bdi:
    """A name or value, whatever is in it."""
    return html.Bdi(value, className="null" if value == NULL else "data", **more)


def grid(head: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> html.Div:
    """A table that scrolls by itself where it is too wide; cells are text or elements."""
    top = html.Tr([html.Th(data(part), scope="col") for part in head])
    body = [html.Tr([_cell(cell) for cell in row]) for row in rows]
    table = html.Table([html.Thead(top), html.Tbody(body)])
    return html.Div(table, className="wrap", tabIndex=0, role="region", **{"aria-label": name})


def _cell(value: Any) -> html.Td:
    """Text is a cell's own child: a page of some thousand elements is slow to build."""
    return html.Td(value, className="null" if value == NULL else "data" if isinstance(value, str) else None)


def problem(error: Exception) -> html.Pre:
    """What went wrong, in the words of the library."""
    return html.Pre(str(error), className="problem", role="alert")


def notes(messages: Iterable[str]) -> list[html.P]:
    """What the reader should know besides."""
    return [html.P(message, className="note", role="status") for message in dict.fromkeys(messages)]
