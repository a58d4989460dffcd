"""An evaluation as one HTML file; ``render`` fills the templates of this package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from synthvae.evaluation.report import view, words
from synthvae.evaluation.result import Evaluation
from synthvae.files import write_text

TEMPLATES = Path(__file__).parent / "templates"


def write(evaluation: Evaluation, path: str | Path) -> None:
    """Write the report; OutputError where that fails."""
    write_text(path, html(evaluation))


def html(evaluation: Evaluation) -> str:
    """The report as the text of one HTML file that needs nothing else."""
    return render("evaluation.html.j2", view.context(evaluation))


def render(template: str, context: Mapping[str, object]) -> str:
    """A template of this package with its context as HTML; everything in the context but Markup is escaped."""
    return environment().get_template(template).render(context) + "\n"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Autoescape on, undefined names an error, invisible characters made visible."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clear,
    )
    made.filters["count"] = words.count
    made.globals["style"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    return made


def _clear(value: object) -> object:
    return words.cleared(value) if isinstance(value, str) and not isinstance(value, Markup) else value
