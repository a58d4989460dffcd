"""A chart's specification as slim inline SVG that takes its colours from the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import altair as alt
import vl_convert
from markupsafe import Markup, escape

Spec = dict[str, Any]
Sides = tuple[float, float, float, float]

# What is kept of a rendered chart; anything else (roles, classes, styles, links, fonts) is dropped, whatever it is.
TAGS = {"g", "path", "line", "rect", "text", "tspan"}
ATTRIBUTES = {
    *("d", "transform", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "width", "height", "opacity"),
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap"),
    *("text-anchor", "font-weight"),
}
IDLE = {("transform", "translate(0,0)"), ("opacity", "1"), ("fill-opacity", "1"), ("fill", "var(--quiet)")}
TEXT_COLOUR = "var(--quiet)"  # of all text in charts, set once by the style sheet
FONT_SIZE = 11
CONFIG = {
    "background": None,
    "font": "Arial",  # to measure with; the page's own font replaces it
    "view": {"stroke": None},
    "text": {"fontSize": FONT_SIZE, "color": TEXT_COLOUR},
    "padding": 0,
}
FRACTION = re.compile(r"-?\d*\.\d{2,}(?:e-?\d+)?")


def specification(layers: Sequence[alt.Chart], width: float, height: float) -> Spec:
    """Layers over one another as a Vega-Lite specification; their data is named and comes with ``svg``."""
    with alt.data_transformers.enable("default"):  # whatever the session has switched on
        return alt.layer(*layers).properties(width=width, height=height).to_dict(validate=False)


def svg(spec: Spec, data: Mapping[str, Sequence[Spec]], label: str, padding: Sides = (0, 0, 0, 0)) -> Markup:
    """A specification with its data as inline SVG.

    data: rows of neutral fields by the name its layers use. label: what is to be seen, for those who cannot see it.
    padding: pixels left, top, right and bottom of the view, for text marks outside of it.
    """
    around = dict(zip(("left", "top", "right", "bottom"), padding, strict=True))
    full = spec | {"config": CONFIG, "datasets": dict(data), "autosize": "none", "padding": around}
    return inline(vl_convert.vegalite_to_svg(full, allowed_base_urls=[]), label)


def inline(source: str, label: str) -> Markup:
    """A rendered chart with nothing left in it but shapes and text."""
    root = ElementTree.fromstring(source)
    width, height = (float(root.get(side, "0")) for side in ("width", "height"))
    drawn = "".join(_text(part) for child in root for part in _slim(child))
    size = Markup('viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}"').format(width, height)
    return Markup('<svg class="chart" {} role="img" aria-label="{}">{}</svg>').format(size, label, Markup(drawn))


def _slim(node: ElementTree.Element) -> list[ElementTree.Element]:
    """The node without what is not kept, a group that says nothing replaced by its children."""
    name = node.tag.rpartition("}")[2]
    if name not in TAGS or node.get("display") == "none" or node.get("class") in ("background", "foreground"):
        return []
    if name == "rect" and node.get("fill") == "white":
        return []
    kept = {key: _short(value) for key, value in node.attrib.items() if key in ATTRIBUTES}
    bare = ElementTree.Element(name, {key: value for key, value in kept.items() if (key, value) not in IDLE})
    bare.text = node.text
    bare.extend(_merged(part for child in node for part in _slim(child)))
    if name == "g" and (not bare.attrib or not len(bare)):
        return list(bare)
    return [bare]


def _merged(nodes: Iterable[ElementTree.Element]) -> list[ElementTree.Element]:
    """Neighbouring paths of one look as one path: a heat map of thousands of cells shrinks to its few shades."""
    merged: list[ElementTree.Element] = []
    for node in nodes:
        last = merged[-1] if merged else None
        if last is not None and node.tag == last.tag == "path" and _look(node) == _look(last):
            last.set("d", last.get("d", "") + node.get("d", ""))
        else:
            merged.append(node)
    return merged


def _look(node: ElementTree.Element) -> dict[str, str] | float:
    """All of a path but its course; never equal where the path is placed by itself."""
    return float("nan") if "transform" in node.attrib else {key: node.attrib[key] for key in node.attrib if key != "d"}


def _short(text: str) -> str:
    """Numbers to a tenth of a pixel, shades to a hundredth."""
    return FRACTION.sub(lambda found: f"{round(float(found[0]), 2):g}", text)


def _text(node: ElementTree.Element) -> str:
    """The node as HTML: attributes and text escaped, no namespaces."""
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in node.attrib.items())
    inner = escape(node.text or "") + Markup("".join(_text(child) for child in node))
    return f"<{node.tag}{attributes}>{inner}</{node.tag}>" if inner else f"<{node.tag}{attributes}/>"
