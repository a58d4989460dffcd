"""Who may ask the page, and what the page may do.

It listens on this machine only, below an address nobody can guess, so neither other machines nor other users of this
one reach it. A web site that the browser has open does not either: a foreign name that points here (DNS rebinding) is
no trusted host, a request that another page sends names that page as its origin, and no site may frame this one. There
is no websocket. The page itself runs its own scripts only, and may send nothing anywhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import flask

HOSTS = ("127.0.0.1", "localhost")
LARGEST = 256 << 20  # bytes of a request: an uploaded table of 190 MB, as base64


def address() -> str:
    """The first part of every path of this run: 128 random bits."""
    return f"/{secrets.token_urlsafe(16)}/"


def guard(server: flask.Flask, scripts: Sequence[str]) -> None:
    """Refuse what is foreign, forbid the page everything but itself. scripts: hashes of its inline scripts."""
    server.config["TRUSTED_HOSTS"] = list(HOSTS)
    server.config["MAX_CONTENT_LENGTH"] = LARGEST
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *scripts]),
        "style-src": "'self' 'unsafe-inline'",  # plots and sliders place themselves by style attributes
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    server.before_request(_own_origin)
    server.after_request(lambda response: _with(response, headers))


def _own_origin() -> None:
    """Only pages of this server may send anything."""
    origin = flask.request.headers.get("Origin")
    if origin not in (None, f"http://{flask.request.host}"):
        flask.abort(403, "Expected a request from the explorer's own page.")


def _with(response: flask.Response, headers: dict[str, str]) -> flask.Response:
    response.headers.update(headers)
    return response
