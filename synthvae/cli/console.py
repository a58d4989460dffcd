"""What every command shares: two consoles, progress bars, one clear message, files found unwritable before the work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console

from synthvae.errors import ParameterError, SchemaError, SynthvaeWarning

if TYPE_CHECKING:
    from synthvae.training.trainer import Progress

out, err = Console(), Console(stderr=True)

Table = Annotated[Path, typer.Argument(help="A .parquet or .csv file, or a folder of Parquet files.")]
ModelFile = Annotated[Path, typer.Argument(help="A model saved by 'synthvae fit'.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same result.", min=0)]


@contextmanager
def fit_progress() -> Iterator[Any]:
    """A bar over all epochs with losses and the time left."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    losses = TextColumn("loss {task.fields[loss]:.2f}  held out {task.fields[held_out]:.2f}")
    parts = (TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"), BarColumn(), TaskProgressColumn(), losses)
    with Bar(*parts, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=err) as bar:
        nan = float("nan")
        task = bar.add_task("fit", visible=False, total=1.0, epoch=0, epochs="?", loss=nan, held_out=nan)

        def report(p: Progress) -> None:
            bar.update(
                task,
                visible=True,
                completed=p.done,
                epoch=p.epoch + 1,
                epochs=p.epochs,
                loss=p.loss,
                held_out=p.held_out,
            )

        yield report


@contextmanager
def bar(what: str, total: int) -> Iterator[Any]:
    """A bar that appears with the first progress, so not where there is none because of an error."""
    from rich.progress import Progress

    with Progress(console=err) as shown:
        task = shown.add_task(what, total=total, visible=False)
        yield lambda count: shown.update(task, advance=count, visible=True)


def say(console: Console, text: str) -> None:
    """Text as it is: nothing in it is markup, and a pipe gets whole lines."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def load_schema(path: Path) -> Any:
    """The schema in a file; one that cannot be read is an unusable file."""
    from synthvae.schema.schema import Schema

    try:
        return Schema.load(path)
    except SchemaError as error:
        raise ParameterError(f"{str(path)!r} cannot be used as a schema. {error}") from error


def tell_estimate() -> None:
    """Show what the library logs before a fit: what it will cost."""
    from rich.logging import RichHandler

    log = logging.getLogger("synthvae")
    log.setLevel(logging.INFO)
    log.addHandler(RichHandler(console=err, show_time=False, show_level=False, show_path=False))


def writable(path: Path, endings: tuple[str, ...] = ()) -> None:
    """Find out before the work, not after it, that its result cannot be saved."""
    if endings and path.suffix.lower() not in endings:
        raise ParameterError(f"Expected a file name that ends in {' or '.join(endings)}; got {str(path)!r}.")
    if not path.parent.is_dir():
        raise ParameterError(f"The folder {str(path.parent)!r} does not exist; create it first.")
    if path.is_dir():
        raise ParameterError(f"{str(path)!r} is a folder; expected a file name.")


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Ours in one line; those of other libraries are not the user's business."""
    if issubclass(category, SynthvaeWarning):
        err.print("[yellow]Note:[/] ", end="")
        say(err, str(message))
