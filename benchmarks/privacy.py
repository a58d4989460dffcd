"""What differential privacy costs in quality: synthvae, and TabularARGN's own option, at several epsilons.

    python benchmarks/privacy.py --data DIR --referee FILE [--referee-python PY] [--tables adult] [--epsilons 1 3 8]
                                 [--seeds 0] [--peer-python PY] [--skip-model]

delta is rows ** -1.1. An outside referee judges, as in quality.py. Figures go to benchmarks/results/privacy.json,
beside those that are there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from _common import Result, referee_python, run_model, run_referee
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "privacy.json"
SHOWN = ("fit_seconds", "shape", "trend_same", "xgb", "xgb_auc", "mle_syn", "mle_real", "dcr")


def delta_of(folder: Path) -> float:
    """rows ** -1.1, as is usual: well below one row's share."""
    return float(pq.read_metadata(folder / "train.parquet").num_rows ** -1.1)


def runs(args: argparse.Namespace) -> Iterator[tuple[str, Path, float, int]]:
    """(interpreter, script, epsilon, seed) of every run that was asked for."""
    for epsilon in args.epsilons:
        for seed in args.seeds:
            if not args.skip_model:
                yield sys.executable, HERE / "ours.py", epsilon, seed
            if args.peer_python:
                yield str(args.peer_python), HERE / "peers" / "tabular_argn.py", epsilon, seed


def judged(python: str, script: Path, folder: Path, epsilon: float, seed: int, args: argparse.Namespace) -> Result:
    """Fit, sample and judge one model."""
    with tempfile.TemporaryDirectory() as scratch:
        output, delta = Path(scratch) / "synthetic.parquet", delta_of(folder)
        options = ("--seed", str(seed), "--epsilon", str(epsilon), "--delta", str(delta))
        timing = run_model(python, script, folder, output, *options)
        scores = run_referee(args.referee_python or referee_python(), args.referee, folder, output)
    return {"table": folder.name, "epsilon": epsilon, "delta": delta} | timing | scores


def known() -> list[dict[str, Any]]:
    return list(json.loads(RESULTS.read_text())["runs"]) if RESULTS.exists() else []


def keep(result: Result) -> None:
    """Add a run, in the place of an earlier one of the same question."""
    same = ("table", "model", "epsilon", "seed")
    rest = [run for run in known() if any(run[key] != result[key] for key in same)]
    RESULTS.write_text(json.dumps({"runs": [*rest, result]}, indent=1) + "\n")


def printed() -> Table:
    """All runs that are kept."""
    table = Table(title="xgb: 1 is best; shape, trend: % error; dcr: .5")
    for name in ("table", "model", "epsilon", *SHOWN):
        table.add_column(name)
    for run in sorted(known(), key=lambda run: (run["table"], run["model"], run["epsilon"])):
        figures = [f"{run[key]:.3f}" if key in run else "" for key in SHOWN]
        table.add_row(run["table"], run["model"], f"{run['epsilon']:g}", *figures)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of table folders")
    parser.add_argument("--referee", type=Path, required=True, help="the judging script")
    parser.add_argument("--referee-python", type=Path, help="its interpreter; made in the cache folder where left out")
    parser.add_argument("--tables", nargs="+", default=["adult"])
    parser.add_argument("--epsilons", nargs="+", type=float, default=[1.0, 3.0, 8.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--peer-python", type=Path, help="interpreter with mostlyai-engine")
    parser.add_argument("--skip-model", action="store_true", help="the peer only")
    args = parser.parse_args()
    for name in args.tables:
        for python, script, epsilon, seed in runs(args):
            keep(judged(python, script, args.data / name, epsilon, seed, args))
    Console(width=200).print(printed())


if __name__ == "__main__":
    main()
