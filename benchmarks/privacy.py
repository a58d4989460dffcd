"""What differential privacy costs in quality: synthvae, TabularARGN's own option, MST and AIM, at several epsilons.

    python benchmarks/privacy.py --data DIR --referee FILE [--referee-python PY] [--tables adult] [--epsilons 1 3 8]
                                 [--seeds 0] [--peer-python PY] [--marginals-python PY] [--skip-model]

delta is rows ** -1.1. An outside referee judges, as in quality.py. Figures go to benchmarks/results/privacy.json,
beside those that are there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
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


@dataclass(frozen=True)
class Contender:
    """A model: its interpreter, its script, and what the script is told besides the budget."""

    python: str
    script: Path
    options: tuple[str, ...] = ()


def contenders(args: argparse.Namespace) -> Iterator[Contender]:
    """Every model that was asked for."""
    peers = HERE / "peers"
    if not args.skip_model:
        yield Contender(sys.executable, HERE / "ours.py")
    if args.peer_python:
        yield Contender(str(args.peer_python), peers / "tabular_argn.py")
    if args.marginals_python:
        for model in args.marginals:
            yield Contender(str(args.marginals_python), peers / "marginals.py", ("--model", model))


def judged(model: Contender, folder: Path, epsilon: float, seed: int, args: argparse.Namespace) -> Result:
    """Fit, sample and judge one model."""
    with tempfile.TemporaryDirectory() as scratch:
        output, delta = Path(scratch) / "synthetic.parquet", delta_of(folder)
        options = ("--seed", str(seed), "--epsilon", str(epsilon), "--delta", str(delta), *model.options)
        timing = run_model(model.python, model.script, folder, output, *options)
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
    parser.add_argument("--marginals-python", type=Path, help="interpreter with dpmm")
    parser.add_argument("--marginals", nargs="+", default=["MST", "AIM"], help="which of its models")
    parser.add_argument("--skip-model", action="store_true", help="the peers only")
    args = parser.parse_args()
    for name in args.tables:
        for epsilon, seed, model in product(args.epsilons, args.seeds, contenders(args)):
            keep(judged(model, args.data / name, epsilon, seed, args))
    Console(width=200).print(printed())


if __name__ == "__main__":
    main()
