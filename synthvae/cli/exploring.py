"""The command that opens the explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthvae.cli.console import ModelFile, err, say


def explore(
    model: ModelFile,
    table: Annotated[
        Path | None, typer.Argument(help="A table of yours to put on the map and to search for strange rows.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes any that is free.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Turn a model over in the browser: map, sliders, rows under conditions, strange rows. For this machine alone."""
    from synthvae.explorer.serve import explore as serve

    serve(model, table, port, browser, lambda text: say(err, text))
