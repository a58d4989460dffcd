"""Commands about models: demo, infer, fit, sample, inspect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synthvae.cli.console import (
    ModelFile,
    Seed,
    Table,
    bar,
    err,
    fit_progress,
    load_schema,
    out,
    say,
    tell_estimate,
    writable,
)

WHERE = (
    "What every row must be, such as \"age >= 65 and sex in ('F', 'X') and job is not null\"; names with spaces or "
    "hyphens in backticks."
)
SCHEMA = (
    "What the columns mean: a schema from 'synthvae infer', edited or not. Under --epsilon one that you wrote without "
    "looking at these rows: what it says is not paid for."
)
ENGINE = "Who makes the parts of a folder: local (processes of this machine), ray or spark; the rows are the same."
TARGET = "A share of rows, such as 'income=>50K:0.5'; other values keep their proportions. Repeatable."


def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", help="Where the files are left.")] = Path("synthvae-demo"),
    epochs: Annotated[int | None, typer.Option(help="Passes over the table; more is closer.", min=1)] = None,
    seed: Seed = 0,
) -> None:
    """Fit the bundled census table, sample from it, and show how close the sample is."""
    from synthvae.demo import run

    run.demo(folder, epochs, seed, out, fit_progress)


def infer(
    table: Table,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Schema file (JSON) to write.")] = None,
    exact: Annotated[bool, typer.Option(help="Write true bounds and every level, however rare.")] = False,
) -> None:
    """Say what each column of a table means."""
    from synthvae.schema.infer import infer_schema

    if output:
        writable(output)
    schema = infer_schema(table, exact=exact)
    say(out, str(schema))
    if output:
        schema.save(output)
        say(err, f"Schema written to {output}")


def fit(
    table: Table,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    schema: Annotated[Path | None, typer.Option(help=SCHEMA)] = None,
    effort: Annotated[str, typer.Option(help="How much time it may take: fast, default or high.")] = "default",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the table; the default follows its size.", min=1)
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Where a killed fit resumes from.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="Keep differential privacy of this epsilon: 1 to 10.")] = None,
    delta: Annotated[float | None, typer.Option(help="With --epsilon: well below 1 / number of rows.")] = None,
    unit: Annotated[str | None, typer.Option(help="With --epsilon: the column that says whose a row is.")] = None,
    rows_per_unit: Annotated[int, typer.Option(help="With --epsilon: rows of a unit that are used.", min=1)] = 1,
    seed: Seed = None,
) -> None:
    """Learn a table and save the model."""
    from synthvae.synthesizer import Synthesizer

    budget = _budget(epsilon, delta, unit, rows_per_unit)
    writable(output)
    if checkpoint:
        writable(checkpoint)
    tell_estimate()
    known = load_schema(schema) if schema else None
    model = Synthesizer(known, effort=effort, epochs=epochs, budget=budget, random_state=seed)
    with fit_progress() as progress:
        model.fit(table, progress=progress, checkpoint=checkpoint)
    model.save(output)
    _card(model)
    say(err, f"Model written to {output}")


def sample(
    model: ModelFile,
    rows: Annotated[int, typer.Argument(help="How many rows.", min=0)],
    output: Annotated[str, typer.Option("--output", "-o", help=".parquet or .csv file to write, or a folder.")],
    where: Annotated[str | None, typer.Option(help=WHERE)] = None,
    target: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE:SHARE", help=TARGET)] = None,
    seed: Seed = None,
    engine: Annotated[str | None, typer.Option(help=ENGINE)] = None,
    parts: Annotated[int | None, typer.Option(help="Write a folder of so many Parquet parts.", min=1)] = None,
    rows_per_part: Annotated[int | None, typer.Option(help="The same by the rows of a part.", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="How many workers at once.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a folder that a killed call left.")] = False,
) -> None:
    """Write synthetic rows, under conditions if you like, into one file or a folder of parts."""
    from synthvae.synthesizer import load

    folder = resume or any(option is not None for option in (engine, parts, rows_per_part, workers))
    if not folder:
        writable(Path(output), (".parquet", ".pq", ".csv"))
    fitted = load(model)
    targets = _targets(target or [], fitted)
    if where:
        tell_estimate()
    with bar("sampling", rows) as advance:
        fitted.write(
            output,
            rows,
            where,
            targets,
            engine=engine,
            parts=parts,
            rows_per_part=rows_per_part,
            workers=workers,
            resume=resume,
            random_state=seed,
            progress=advance,
        )
    say(err, f"{rows:,} rows written to {output}")


def impute(
    model: ModelFile,
    table: Table,
    output: Annotated[Path, typer.Option("--output", "-o", help=".parquet or .csv file to write.")],
    draw: Annotated[bool, typer.Option(help="Draw each missing cell instead of writing what is most likely.")] = False,
    seed: Seed = None,
) -> None:
    """Fill the missing cells of a table."""
    from synthvae import tables
    from synthvae.synthesizer import load

    writable(output, (".parquet", ".pq", ".csv"))
    fitted = load(model)
    given, _ = tables.read(table)
    with err.status("Filling"):
        filled = (
            fitted.impute(given, draws=1, random_state=seed)[0] if draw else fitted.impute(given, random_state=seed)
        )
    tables.write(iter(filled.to_batches()), output, filled.schema, {"imputed": "true"})
    say(err, f"{filled.num_rows:,} rows written to {output}")


def _targets(texts: list[str], fitted: Any) -> dict[str, dict[Any, float]] | None:
    """Shares from the command line: 'income=>50K:0.5'."""
    from synthvae.errors import ParameterError

    found: dict[str, dict[Any, float]] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        value, colon, share = rest.rpartition(":")
        try:
            if not (equals and colon):
                raise ValueError
            number = float(share)
        except ValueError:
            raise ParameterError(f"Expected a target such as 'income=>50K:0.5'. Received: {text!r}.") from None
        listed = {str(level): level for level in fitted.values(name)}
        found.setdefault(name, {})[listed.get(value, value)] = number
    return found or None


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
    say(out, str(fitted.schema_))
    _card(fitted, folded=True)


def _budget(epsilon: float | None, delta: float | None, unit: str | None, rows_per_unit: int) -> Any:
    """The budget that the flags speak of, or None."""
    from synthvae.errors import ParameterError
    from synthvae.privacy.budget import Budget

    if epsilon is None and delta is None and unit is None and rows_per_unit == 1:
        return None
    if epsilon is None or delta is None:
        raise ParameterError("A budget is --epsilon and --delta together, such as --epsilon 3 --delta 1e-6.")
    return Budget(epsilon, delta, unit, rows_per_unit)


def _card(model: Any, folded: bool = False) -> None:
    """The model card as a table of facts, then what is promised to the people in the table.

    folded: what will not come back too; a fit says so as it goes.
    """
    from rich.table import Table as Grid
    from rich.text import Text

    from synthvae.privacy.words import told

    card, privacy = model.card_, model.card_.get("privacy", {})
    made = ", of rows made from noisy counts" if privacy.get("promise") else ""
    grid = Grid.grid(padding=(0, 2))
    facts = {
        "table": f"{'about ' if made else ''}{card['rows']:,} rows x {card['columns']} columns",
        "network": f"{card['parameters']:,} parameters, {card['tokens']:,} tokens in {card['blocks']} blocks",
        "fit": f"{card['epochs']} of {card['planned_epochs']} epochs in {card['seconds']:.0f} s, {card['ended']}; "
        f"kept {card['kept_epoch']}",
        "held-out loss": f"{card['held_out_nats']:.2f} nats per row{made}",
        "latent": f"{card['latent_nats']:.2f} nats per row in {card['active_dimensions']} active dimensions",
        "seed": str(card["seed"]),
    }
    for name, value in facts.items():
        grid.add_row(f"[bold]{name}[/]", value)
    for column, report in card["folded"].items() if folded else ():
        for note in report["notes"]:
            grid.add_row(Text(column, style="yellow"), Text(note))
    out.print(grid)
    for line in told(privacy):
        say(out, line)
