"""Commands about tables: evaluate two of them, check one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.cli import requirements
from synthvae.cli.console import Table, err, load_schema, out, say, writable

if TYPE_CHECKING:
    from synthvae.evaluation.base import Score
    from synthvae.evaluation.expectations import Check
    from synthvae.evaluation.profile import Profile
    from synthvae.evaluation.result import Evaluation

ROOMY = 56  # characters in which a table of scores has room for intervals
COLOURS = {"good": "green", "fair": "yellow", "poor": "red",
           "problem": "red", "warning": "yellow", "note": "dim", "broken": "red", "not judged": "yellow"}  # fmt: skip
Html = Annotated[Path | None, typer.Option("--output", "-o", help="HTML report to write: one file, works offline.")]
Json = Annotated[Path | None, typer.Option("--json", help="The same as JSON, to write.")]
SchemaFile = Annotated[Path | None, typer.Option("--schema", help="A schema from 'synthvae infer', edited or not.")]
REQUIRE = (
    "A score that must hold, such as 'shape>=0.95' or 'copies<=0.01' (>=, <=, >, <; spaces, '_' and '-' are alike); "
    "exit 1 where it does not. Repeatable. Names and values are those of the table printed and of --json: all scores "
    "are best at 1, but for 'copies' and 'copied people', which are shares and best at 0. A score that is not "
    "applicable meets no requirement; of one that is told per target, the worst counts."
)


def evaluate(
    real: Annotated[Path, typer.Argument(help="The real table: .parquet, .csv, or a folder of Parquet files.")],
    synthetic: Annotated[Path, typer.Argument(help="The table to judge, made by any tool.")],
    holdout: Annotated[Path | None, typer.Option(help="Real rows that nobody trained on: the yardstick.")] = None,
    schema: SchemaFile = None,
    target: Annotated[list[str] | None, typer.Option(help="A column somebody would predict. Repeatable.")] = None,
    output: Html = None,
    json_file: Json = None,
    markdown: Annotated[Path | None, typer.Option(help="A summary for a pull request, to write.")] = None,
    require: Annotated[list[str] | None, typer.Option(metavar="SCORE>=NUMBER", help=REQUIRE)] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same scores.", min=0)] = 0,
) -> None:
    """Judge a synthetic table: is it faithful, useful, safe and lawful."""
    for path in (output, json_file, markdown):
        if path:
            writable(path)
    meant = load_schema(schema) if schema else None
    asked = _requirements(require or [])

    from synthvae.evaluation.evaluate import evaluate as judge

    with _families() as progress:
        judged = judge(
            real, synthetic, holdout=holdout, schema=meant, target=target or None, seed=seed, progress=progress
        )
    _print_scores(judged)
    if output:
        judged.to_html(output)
    if json_file:
        judged.to_json(json_file)
    if markdown:
        from synthvae.files import write_text

        write_text(markdown, judged.to_markdown())
    _tell_written(output, json_file, markdown)
    if not _requirements_met(asked, judged):
        raise typer.Exit(1)


def check(
    table: Table,
    schema: SchemaFile = None,
    output: Html = None,
    json_file: Json = None,
) -> None:
    """Say whether a table keeps a schema's rules, or, without a schema, what in it deserves a look.

    Exit 0 where it is lawful, 1 where it is not (also for a missing, extra or wrongly typed column), 2 where a file or
    a flag cannot be used. Without a schema nothing can be unlawful.
    """
    for path in (output, json_file):
        if path:
            writable(path)
    meant = load_schema(schema) if schema else None
    lawful = _check_rules(table, meant, output, json_file) if meant else _look(table, output, json_file)
    _tell_written(output, json_file)
    if not lawful:
        raise typer.Exit(1)


def _check_rules(table: Path, schema: Any, output: Path | None, json_file: Path | None) -> bool:
    """Judge a table by its schema's rules; with a report, everything else about it too."""
    if output:
        from synthvae.evaluation.profile import profile

        with err.status("Looking at the table"):
            told = profile(table, schema)
        told.to_html(output)
        found = told.check
        assert found is not None
    else:
        from synthvae.evaluation.expectations import check as judge

        with err.status("Checking the table"):
            found = judge(table, schema)
    if json_file:
        found.to_json(json_file)
    _print_check(found)
    return found.lawful


def _look(table: Path, output: Path | None, json_file: Path | None) -> bool:
    from synthvae.evaluation.profile import profile

    with err.status("Looking at the table"):
        told = profile(table)
    if output:
        told.to_html(output)
    if json_file:
        told.to_json(json_file)
    _print_profile(told)
    return True


# --- evaluate ---------------------------------------------------------------------------------------------------------


@contextmanager
def _families() -> Iterator[Any]:
    """A bar over the families of scores."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    parts = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*parts, console=err, transient=True) as bar:
        task = bar.add_task("reading", visible=False, total=1.0)
        yield lambda what, done: bar.update(task, visible=True, description=str(what), completed=done)


def _print_scores(judged: Evaluation) -> None:
    """Headline scores with interval, yardstick and status, family by family."""
    from rich.markup import escape

    rows = judged.facts["rows"]
    told = ", ".join(f"{count:,} {side}" for side, count in rows.items() if count is not None)
    say(out, f"{told} rows of {judged.facts['columns']} columns")
    held, roomy = rows.get("hold-out") is not None, out.width >= ROOMY
    grid = _grid("score", "value", *(["95 % interval"] if roomy else []), *(["hold-out"] if held else []), "status")
    for score in (one for one in judged.headlines if one.value is not None):
        beside = [*([_interval(score)] if roomy else []), *([_number(score.reference)] if held else [])]
        grid.add_row(escape(_named(score)), _number(score.value), *beside, _coloured(str(score.status)))
    out.print(grid)
    for note in _reasons(judged.headlines):
        say(out, note)


def _named(score: Score) -> str:
    """The metric, its columns, and its best where that is not 1."""
    best = " (best 0)" if score.metric.best == 0 else ""
    return " ".join([score.metric.name, *score.columns]) + best


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(score: Score) -> str:
    return "" if score.low is None or score.high is None else f"{score.low:.3f} - {score.high:.3f}"


def _reasons(scores: Sequence[Score]) -> Iterator[str]:
    """Why some scores are not applicable, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for score in scores:
        if score.value is None:
            by_reason.setdefault(score.note, []).append(_named(score))
    for reason, names in by_reason.items():
        why = "" if not reason or reason.endswith("not applicable") else f", {reason}"
        yield f"Not applicable{why}: {', '.join(names)}"


def _requirements(texts: Sequence[str]) -> list[requirements.Requirement]:
    """Read before the work, so that a misspelt name costs nothing."""
    if not texts:
        return []
    from synthvae.evaluation.catalogue import metrics

    return requirements.parsed(texts, [metric.name for metric in metrics()])


def _requirements_met(asked: Sequence[requirements.Requirement], judged: Evaluation) -> bool:
    answers = [requirements.answer(one, judged.all_scores) for one in asked]
    for one in answers:
        value = one.why if one.value is None else f"it is {one.value:.4g}"
        verdict = "[green]met[/]    " if one.met else "[red]not met[/]"
        out.print(f"{verdict} ", end="")
        say(out, f"{one.requirement}: {value}")
    return all(one.met for one in answers)


# --- check ------------------------------------------------------------------------------------------------------------


def _print_check(found: Check) -> None:
    """The verdict, every rule that is broken, and those that could not be asked without another saying why."""
    from rich.markup import escape

    from synthvae.evaluation.expectations.judge import ERROR

    kept = sum(outcome.verdict == "met" for outcome in found.outcomes)
    verdict = "[bold green]lawful[/]" if found.lawful else "[bold red]not lawful[/]"
    out.print(f"{verdict}: {kept} of {len(found.outcomes)} rules kept, {found.rows:,} rows", highlight=False)
    if found.lawful:
        return
    grid = _grid("", "column", "rule")
    for outcome in (*found.broken, *(one for one in found.undecided if one.note == ERROR)):
        column = "(the table)" if outcome.rule.name == "columns" else outcome.rule.column
        rows = f"broken by {outcome.broken:,} of {outcome.rows:,}" if outcome.broken and outcome.rows else outcome.note
        grid.add_row(_coloured(str(outcome.verdict)), escape(column), escape(f"{outcome.rule.says}; {rows}"))
    out.print(grid)
    if found.undecided:
        say(out, f"{len(found.undecided)} rules could not be asked: {_why(found)}")


def _why(found: Check) -> str:
    return "; ".join(sorted({outcome.note for outcome in found.undecided}))


def _print_profile(told: Profile) -> None:
    """What deserves a look, the worst first."""
    from rich.markup import escape

    facts = told.facts
    say(out, f"{facts['rows']:,} rows of {facts['columns']} columns; no schema was given, so no rule was asked")
    if not told.findings:
        say(out, "Nothing in this table calls for a look.")
        return
    grid = _grid("", "column", "finding")
    for finding in told.findings:
        names = " x ".join(finding.columns) or "(the table)"
        grid.add_row(_coloured(str(finding.severity)), escape(names), escape(finding.sentence))
    out.print(grid)


# --- both -------------------------------------------------------------------------------------------------------------


def _grid(*headings: str) -> Any:
    from rich import box
    from rich.table import Table as Grid

    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, highlight=False)
    for heading in headings:
        number = heading in ("value", "95 % interval", "hold-out")
        whole = number or heading in ("status", "", "verdict")
        grid.add_column(heading, justify="right" if number else "left", no_wrap=whole, overflow="fold")
    return grid


def _coloured(status: str) -> str:
    return f"[{COLOURS.get(status, 'none')}]{status}[/]"


def _tell_written(*paths: Path | None) -> None:
    for path in paths:
        if path:
            say(err, f"Written: {path}")
