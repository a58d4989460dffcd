"""The first thing a newcomer runs: fit, sample and save on a real table, then judge the sample and write a report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table as Grid

from synthvae import tables
from synthvae.errors import OutputError
from synthvae.evaluation.base import Score
from synthvae.evaluation.evaluate import evaluate
from synthvae.evaluation.result import Evaluation
from synthvae.synthesizer import Synthesizer

HOLD_OUT = 0.3  # of the census rows play the real rows nobody trained on
TARGET = "income"
EPOCHS = 36  # well under three minutes on two cores; the default of a fit is longer and closer


def load_adult() -> pa.Table:
    """The UCI Adult census table: 48,842 rows, 15 columns (Becker and Kohavi 1996, CC BY 4.0)."""
    with as_file(files("synthvae.demo") / "adult.parquet") as path:
        return pq.read_table(path)


def demo(
    folder: Path,
    epochs: int | None,
    seed: int | None,
    out: Console,
    progress: Callable[[], AbstractContextManager[Any]],
) -> None:
    """Leave train, hold-out and synthetic rows, the model and a report in ``folder``; print the scores in short."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {str(folder)!r} cannot be made: {error.strerror}.") from error
    train, hold_out = _split(load_adult())
    out.print(f"[bold]Adult[/]: {train.num_rows:,} census rows to learn from, {hold_out.num_rows:,} held out")
    model = Synthesizer(epochs=epochs or EPOCHS, random_state=seed)
    with progress() as report:
        model.fit(train, progress=report)
    for name, part in (("train", train), ("holdout", hold_out)):
        tables.write(part.to_batches(), folder / f"{name}.parquet", part.schema, {})
    model.save(folder / "adult.synthvae")
    model.write(folder / "synthetic.parquet", hold_out.num_rows, random_state=seed)
    synthetic = pq.read_table(folder / "synthetic.parquet")
    with out.status("Judging the synthetic rows"):
        judged = evaluate(train, synthetic, holdout=hold_out, schema=model.schema_, target=TARGET, seed=seed or 0)
    out.print(headlines(judged))
    judged.to_html(folder / "report.html")
    out.print(f"Left in [bold]{folder}/[/]: train.parquet, holdout.parquet, synthetic.parquet, adult.synthvae")
    out.print(f"Next: [bold]synthvae sample {folder}/adult.synthvae 100000 -o more.parquet[/]")
    out.print(f"The report: [bold]{folder}/report.html[/]")


def headlines(judged: Evaluation) -> Grid:
    """The scores in short: the synthetic table beside real rows the model never saw."""
    grid = Grid(title="The synthetic table beside real rows held out")
    for heading in ("score", "synthetic", "real hold-out", "best", "status"):
        grid.add_column(heading, justify="left" if heading in ("score", "status") else "right")
    for score in judged.headlines:
        grid.add_row(_named(score), *(_number(x) for x in (score.value, score.reference)), f"{score.metric.best:g}",
                     str(score.status))  # fmt: skip
    return grid


def _named(score: Score) -> str:
    return " ".join([score.metric.name, *(f"({name})" for name in score.columns)])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _split(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    held = np.zeros(table.num_rows, bool)
    held[np.random.default_rng(0).permutation(table.num_rows)[: int(HOLD_OUT * table.num_rows)]] = True
    return table.filter(pa.array(~held)), table.filter(pa.array(held))
