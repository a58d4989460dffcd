"""The command line: a thin coat over the library. Exit 0 done, 1 it did not work out, 2 unusable file or flag."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console

from synthvae.errors import BundleError, ParameterError, SchemaError, SynthvaeError, SynthvaeWarning, TableError

if TYPE_CHECKING:
    from synthvae.training.trainer import Progress

app = typer.Typer(
    help="Learn a real table, make a synthetic one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
out, err = Console(), Console(stderr=True)
UNUSABLE = (TableError, BundleError, ParameterError)  # exit 2: what was handed in cannot be used at all

Table = Annotated[Path, typer.Argument(help="A .parquet or .csv file, or a folder of Parquet files.")]
ModelFile = Annotated[Path, typer.Argument(help="A model saved by 'synthvae fit'.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same result.", min=0)]


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", help="Where the files are left.")] = Path("synthvae-demo"),
    epochs: Annotated[int | None, typer.Option(help="Passes over the table; more is closer.", min=1)] = None,
    seed: Seed = 0,
) -> None:
    """Fit the bundled census table, sample from it, and show how close the sample is."""
    from synthvae.demo import run

    run.demo(folder, epochs, seed, out, fit_progress)


@app.command()
def infer(
    table: Table,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Schema file (JSON) to write.")] = None,
    exact: Annotated[bool, typer.Option(help="Write true bounds and every level, however rare.")] = False,
) -> None:
    """Say what each column of a table means."""
    from synthvae.schema.infer import infer_schema

    if output:
        _writable(output)
    schema = infer_schema(table, exact=exact)
    _say(out, str(schema))
    if output:
        schema.save(output)
        _say(err, f"Schema written to {output}")


@app.command()
def fit(
    table: Table,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    schema: Annotated[Path | None, typer.Option(help="A schema from 'synthvae infer', edited or not.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the table; the default follows its size.", min=1)
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Where a killed fit resumes from.")] = None,
    seed: Seed = None,
) -> None:
    """Learn a table and save the model."""
    from synthvae.synthesizer import Synthesizer

    _writable(output)
    if checkpoint:
        _writable(checkpoint)
    _tell_estimate()
    model = Synthesizer(_schema(schema) if schema else None, epochs=epochs, random_state=seed)
    with fit_progress() as progress:
        model.fit(table, progress=progress, checkpoint=checkpoint)
    model.save(output)
    _card(model)
    _say(err, f"Model written to {output}")


@app.command()
def sample(
    model: ModelFile,
    rows: Annotated[int, typer.Argument(help="How many rows.", min=0)],
    output: Annotated[Path, typer.Option("--output", "-o", help=".parquet or .csv file to write.")],
    seed: Seed = None,
) -> None:
    """Write synthetic rows."""
    from synthvae.synthesizer import load

    _writable(output, (".parquet", ".pq", ".csv"))
    fitted = load(model)
    with _bar("sampling", rows) as advance:
        fitted.write(output, rows, random_state=seed, progress=advance)
    _say(err, f"{rows:,} rows written to {output}")


@app.command()
def inspect(
    model: ModelFile,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Say what a saved model is: its table, its fit, what was folded away."""
    from synthvae.synthesizer import load

    fitted = load(model)
    if as_json:
        facts = {"card": fitted.card_, "schema": json.loads(fitted.schema_.to_json())}
        print(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    _say(out, str(fitted.schema_))
    _card(fitted)


def main() -> None:
    """Run the command line; a user's mistake is one clear message, never a traceback."""
    warnings.showwarning = _show_warning
    try:
        app(prog_name="synthvae")
    except SynthvaeError as error:
        err.print("[bold red]Error:[/] ", end="")
        _say(err, str(error))
        sys.exit(2 if isinstance(error, UNUSABLE) else 1)
    except KeyboardInterrupt:
        err.print("Interrupted; nothing was written.")
        sys.exit(1)


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
def _bar(what: str, total: int) -> Iterator[Any]:
    from rich.progress import Progress

    with Progress(console=err) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.update(task, advance=count)


def _card(model: Any) -> None:
    """The model card as a table of facts."""
    from rich.table import Table as Grid

    card = model.card_
    grid = Grid.grid(padding=(0, 2))
    facts = {
        "table": f"{card['rows']:,} rows x {card['columns']} columns",
        "network": f"{card['parameters']:,} parameters, {card['tokens']:,} tokens in {card['blocks']} blocks",
        "fit": f"{card['epochs']} of {card['planned_epochs']} epochs in {card['seconds']:.0f} s, {card['ended']}; "
        f"kept {card['kept_epoch']}",
        "held-out loss": f"{card['held_out_nats']:.2f} nats per row",
        "latent": f"{card['latent_nats']:.2f} nats per row in {card['active_dimensions']} active dimensions",
        "seed": str(card["seed"]),
    }
    for name, value in facts.items():
        grid.add_row(f"[bold]{name}[/]", value)
    for column, report in card["folded"].items():
        for note in report["notes"]:
            from rich.text import Text

            grid.add_row(Text(column, style="yellow"), Text(note))
    out.print(grid)


def _say(console: Console, text: str) -> None:
    """Text as it is: nothing in it is markup, and a pipe gets whole lines."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _schema(path: Path) -> Any:
    """The schema in a file; one that cannot be read is an unusable file."""
    from synthvae.schema.schema import Schema

    try:
        return Schema.load(path)
    except SchemaError as error:
        raise ParameterError(f"{str(path)!r} cannot be used as a schema. {error}") from error


def _tell_estimate() -> None:
    """Show what the library logs before a fit: what it will cost."""
    from rich.logging import RichHandler

    log = logging.getLogger("synthvae")
    log.setLevel(logging.INFO)
    log.addHandler(RichHandler(console=err, show_time=False, show_level=False, show_path=False))


def _writable(path: Path, endings: tuple[str, ...] = ()) -> None:
    """Find out before the work, not after it, that its result cannot be saved."""
    if endings and path.suffix.lower() not in endings:
        raise ParameterError(f"Expected a file name that ends in {' or '.join(endings)}; got {str(path)!r}.")
    if not path.parent.is_dir():
        raise ParameterError(f"The folder {str(path.parent)!r} does not exist; create it first.")
    if path.is_dir():
        raise ParameterError(f"{str(path)!r} is a folder; expected a file name.")


def _show_warning(
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
        _say(err, str(message))


if __name__ == "__main__":
    main()
