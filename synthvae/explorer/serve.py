"""The explorer as a server of this machine; ``explore`` is what the command line calls."""

from __future__ import annotations

import importlib.util
import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthvae.errors import ParameterError

HOST = "127.0.0.1"  # and no other: the page is for who sits at this machine
NEEDED = ("dash", "waitress")


def explore(path: str | Path, table: str | Path | None, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C. port: 0 takes any that is free; browser: whether to open one.

    Raises BundleError, TableError or SchemaError where model or table cannot be used, ParameterError where the extra
    is not installed or the port is taken.
    """
    check_installed()
    from synthvae import tables
    from synthvae.explorer.app import build
    from synthvae.explorer.guard import address
    from synthvae.synthesizer import load

    model, own = load(path), None if table is None else tables.read(table)[0]
    listening, hidden = listen(port), address()
    say("Asking the model for its map; some seconds.")
    app = build(model, Path(path).name, own, None if table is None else Path(table).name, hidden)
    server = server_of(app.server, listening)
    url = f"http://{HOST}:{listening.getsockname()[1]}{hidden}"
    say(f"The explorer is at {url} for this machine alone. Ctrl-C ends it.")
    if browser:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    server.run()


def check_installed() -> None:
    """ParameterError that says what to install."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ParameterError(
            f"The explorer needs {' and '.join(missing)}, not installed here: pip install 'synthvae[explore]'."
        )


def listen(port: int) -> socket.socket:
    """A socket of this machine; ParameterError where another program has the port."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ParameterError(
            f"Port {port} cannot be used ({error.strerror}). Choose another, or 0 for any that is free."
        ) from error


def server_of(app: Any, listening: socket.socket) -> Any:
    """A WSGI server on that socket; ``run`` serves until it is interrupted."""
    import waitress

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # answers wait for one another; nobody need hear of it
    return waitress.create_server(app, sockets=[listening], threads=8, ident=None)
