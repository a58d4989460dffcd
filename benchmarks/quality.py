"""How close synthvae comes to real tables, judged by an outside referee, beside published figures and straw men.

    python benchmarks/quality.py --data DIR --referee FILE [--referee-python PY] [--tables adult default]
                                 [--seeds 0 1 2] [--efforts default high]
                                 [--peer-python PY] [--ctgan-python PY]

DIR holds one folder per table: train.parquet, test.parquet, meta.json. The model sees train.parquet only. With
--peer-python (an interpreter that has mostlyai-engine) TabularARGN runs in the same run, with --ctgan-python (one that
has ctgan) TVAE and CTGAN, and the ratios of the times are printed. Fit is given in wall and in processor seconds; the
latter a busy machine does not stretch. Figures and versions go to benchmarks/results/quality.json after every table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from _common import STRAW_MEN, Result, installed, referee_python, run_model, run_referee, write_straw_man
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
WIDTH = 400  # the table takes what it needs; a narrower limit would break its figures
TIMES = ("fit_seconds", "fit_cpu_seconds", "sample_seconds", "peak_mb")
SCORES = ("xgb", "xgb_auc", "lr", "shape", "trend", "trend_same", "mle_syn", "dcr", "null_err", "copies")


@dataclass(frozen=True)
class Judge:
    """The referee: its interpreter and its script."""

    python: Path
    script: Path


@dataclass(frozen=True)
class Line:
    """One model on one table: a dict of figures per seed; published ones have a single dict."""

    model: str
    runs: tuple[Result, ...]
    published: bool = False

    def values(self, key: str) -> list[float]:
        return [run[key] for run in self.runs if isinstance(run.get(key), (int, float))]


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    data: Path
    judge: Judge
    tables: tuple[str, ...]
    seeds: tuple[int, ...]
    peer_python: Path | None
    ctgan_python: Path | None
    efforts: tuple[str, ...]
    output: Path
    published: dict[str, dict[str, Result]] = field(repr=False)


def measured_line(model: str, python: str | Path, script: Path, folder: Path, options: Options, *more: str) -> Line:
    """Fit, sample and judge one model once per seed."""
    runs = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "synthetic.parquet"
            timing = run_model(python, script, folder, output, "--seed", str(seed), *more)
            runs.append(timing | run_referee(options.judge.python, options.judge.script, folder, output))
    return Line(model, tuple(runs))


def straw_line(name: str, folder: Path, options: Options) -> Line:
    """Judge a straw man."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "synthetic.parquet"
        write_straw_man(name, folder, output)
        return Line(name, (run_referee(options.judge.python, options.judge.script, folder, output),))


def lines_of(folder: Path, options: Options) -> Iterator[Line]:
    """Every model on one table, the slow ones first."""
    for effort in options.efforts:
        name = "synthvae" if effort == "default" else f"synthvae, {effort}"
        chosen = "--parameters", json.dumps({"effort": effort})
        yield measured_line(name, sys.executable, HERE / "ours.py", folder, options, *chosen)
    if options.peer_python is not None:
        script = HERE / "peers" / "tabular_argn.py"
        yield measured_line("TabularARGN", options.peer_python, script, folder, options)
    if options.ctgan_python is not None:
        for model in ("TVAE", "CTGAN"):
            script = HERE / "peers" / "ctgan_nets.py"
            yield measured_line(model, options.ctgan_python, script, folder, options, "--model", model)
    for name in STRAW_MEN:
        yield straw_line(name, folder, options)
    for name, figures in options.published.get(folder.name, {}).items():
        yield Line(name, (figures,), published=True)


def cell(values: list[float], digits: int) -> str:
    """Mean, and the standard deviation between seeds where there are several."""
    if not values:
        return ""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ±{statistics.stdev(values):.{digits}f}"


def digits_of(key: str) -> int:
    """Decimals a figure is worth printing with: whole seconds and MB, per cent with two, shares with three."""
    return 0 if key in TIMES else 2 if key in {"shape", "trend", "trend_same", "null_err", "copies"} else 3


def printed(results: dict[str, list[Line]]) -> Table:
    """All tables and models under each other."""
    table = Table(title="Published figures are dim. xgb, lr: 1 is best; xgb_auc, dcr: .5; shape, trend: % error")
    table.add_column("table")
    table.add_column("model")
    for key in (*TIMES, *SCORES):
        table.add_column(key.replace("_seconds", " s").replace("_", " "), justify="right")
    for name, lines in results.items():
        for line in lines:
            cells = [cell(line.values(key), digits_of(key)) for key in (*TIMES, *SCORES)]
            table.add_row(name, line.model, *cells, style="dim" if line.published else None)
        table.add_section()
    return table


def seconds(line: Line) -> float:
    """Fit and sample together, mean over seeds."""
    return statistics.fmean(line.values("fit_seconds")) + statistics.fmean(line.values("sample_seconds"))


def time_ratios(results: dict[str, list[Line]]) -> Iterator[str]:
    """A sentence per table and peer beside which the model ran."""
    for name, lines in results.items():
        by_model = {line.model: line for line in lines if line.values("fit_seconds")}
        for peer in [model for model in by_model if not model.startswith("synthvae") and "synthvae" in by_model]:
            ours, theirs = seconds(by_model["synthvae"]), seconds(by_model[peer])
            yield f"{name}: fit + sample {ours:.0f} s, {peer} {theirs:.0f} s, ratio {ours / theirs:.2f}"


def measured_runs(lines: Iterable[Line]) -> dict[str, tuple[Result, ...]]:
    """The runs of every model that was measured here."""
    return {line.model: line.runs for line in lines if not line.published}


def write_results(results: dict[str, list[Line]], options: Options) -> None:
    """Everything measured, with what is needed to measure it again."""
    content = {
        "python": platform.python_version(),
        "machine": {"architecture": platform.machine(), "system": platform.system(), "cores": os.cpu_count()},
        "seeds": list(options.seeds),
        "referee": installed(options.judge.python, "pandas", "scikit-learn", "xgboost", "sdmetrics"),
        "tables": {name: measured_runs(lines) for name, lines in results.items()},
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=1) + "\n")


def folders(options: Options) -> Iterable[Path]:
    """The asked-for tables that are in the published split form."""
    found = {path.parent.name: path.parent for path in sorted(options.data.glob("*/meta.json"))}
    unknown = [name for name in options.tables if name not in found]
    if unknown or not found:
        raise SystemExit(f"no meta.json for {unknown or 'any table'} in {options.data}; found {sorted(found)}")
    return [found[name] for name in options.tables or found]


def options_from(arguments: list[str] | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of table folders")
    parser.add_argument("--referee", type=Path, required=True, help="the judging script")
    parser.add_argument("--referee-python", type=Path, help="its interpreter; made in the cache folder where left out")
    parser.add_argument("--tables", nargs="+", default=[], help="all tables where left out")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--peer-python", type=Path, help="interpreter with mostlyai-engine")
    parser.add_argument("--ctgan-python", type=Path, help="interpreter with ctgan")
    parser.add_argument("--efforts", nargs="*", default=["default"], help="none: straw men (and the peer) only")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "quality.json")
    args = parser.parse_args(arguments)
    return Options(
        data=args.data,
        judge=Judge(args.referee_python or referee_python(), args.referee),
        tables=tuple(args.tables),
        seeds=tuple(args.seeds),
        peer_python=args.peer_python,
        ctgan_python=args.ctgan_python,
        efforts=tuple(args.efforts),
        output=args.output,
        published=json.loads((HERE / "published.json").read_text())["tables"],
    )


def main(arguments: list[str] | None = None) -> None:
    options = options_from(arguments)
    results: dict[str, list[Line]] = {}
    for folder in folders(options):
        results[folder.name] = list(lines_of(folder, options))
        write_results(results, options)
    console = Console(width=WIDTH)
    console.print(printed(results))
    for sentence in time_ratios(results):
        console.print(sentence)


if __name__ == "__main__":
    main()
