"""The command line: a thin coat over the library. Exit 0 done, 1 it did not work out, 2 unusable file or flag.

    console.py       what all commands share: consoles, progress, messages, files
    models.py        demo, infer, fit, sample, impute, inspect
    judging.py       evaluate, check
    exploring.py     explore
    requirements.py  what a pipeline asks of an evaluation: 'shape>=0.95'

To add a command: a function with its docstring as help, listed in ``COMMANDS``. Nothing heavy is imported before a
command runs, so that help comes at once.
"""

from __future__ import annotations

import sys
import warnings
from importlib.metadata import version
from typing import Annotated

import typer

from synthvae.cli import exploring, judging, models
from synthvae.cli.console import err, out, say, show_warning
from synthvae.errors import BundleError, ParameterError, SynthvaeError, TableError

UNUSABLE = (TableError, BundleError, ParameterError)  # exit 2: what was handed in cannot be used at all
COMMANDS = (
    models.demo,
    models.infer,
    models.fit,
    models.sample,
    models.impute,
    judging.evaluate,
    judging.check,
    models.inspect,
    exploring.explore,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:
    if asked:
        out.print(f"synthvae {version('synthvae')}", highlight=False)
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say it and end.")] = False,
) -> None:
    """Learn a real table, make a synthetic one, judge any synthetic table."""


for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; a user's mistake is one clear message, never a traceback."""
    warnings.showwarning = show_warning
    try:
        app(prog_name="synthvae")
    except SynthvaeError as error:
        err.print("[bold red]Error:[/] ", end="")
        say(err, str(error))
        sys.exit(2 if isinstance(error, UNUSABLE) else 1)
    except KeyboardInterrupt:
        err.print("Interrupted; nothing is left half-written.")
        sys.exit(1)
