"""What each choice of the model is worth: one constant or parameter changed at a time, judged by an outside referee.

    python benchmarks/ablation.py --data DIR --referee FILE [--referee-python PY] [--tables adult shoppers]
                                  [--seeds 0 1] [--only "any order" "no echoes"] [--effort fast]

Every fit runs in a process of its own (``ours.py``) with one line of ``ABLATIONS`` changed. Printed are the figures and
the seconds beside those of the model as it is; both go to benchmarks/results/ablation.json after every fit.

What was tried and is in the library no more, so that no line can show it: Gaussian bumps over rank added to the heads
of numbers (likelihood unchanged at 1.5 times the time); one trunk for all columns (the conditional of targets was
learned by heart from the fine steps of numbers).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from _common import Result, referee_python, run_model, run_referee
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
COLUMNS = ("xgb", "shape", "trend_same", "mle_syn", "dcr", "fit_seconds", "sample_seconds")


@dataclass(frozen=True)
class Ablation:
    """What is changed: parameters of Synthesizer, constants of the library."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)


ABLATIONS = MappingProxyType(
    {
        "as it is": Ablation(),
        "any order": Ablation(constants={"networks.questions.ORDERED": 0.0}),
        "half in order": Ablation(constants={"networks.questions.ORDERED": 0.5}),
        "no conditions asked": Ablation(constants={"networks.questions.CONDITIONED": 0.0}),
        "all blocks alike": Ablation(constants={"networks.questions.NEXT": 0.0}),
        "no atoms": Ablation(constants={"codecs.binning.ATOM_SHARE": 2.0, "codecs.binning.FEW_VALUES": 0}),
        "64 bins": Ablation(constants={"codecs.binning.MOST_BINS": 64, "codecs.binning.MOST_STEPS_IN_BIN": 1}),
        "coarser bins": Ablation(constants={"codecs.binning.ROWS_PER_STEP": 100}),
        "finer bins": Ablation(constants={"codecs.binning.ROWS_PER_STEP": 10}),
        "no echoes": Ablation(constants={"codecs.echoes.SHARE": 2.0}),
        "no calibration": Ablation(constants={"generation.calibrate.LIMIT": 0.0}),
        "no dropout": Ablation(constants={"networks.vae.DROPOUT": 0.0}),
        "twice the dropout": Ablation(constants={"networks.vae.DROPOUT": 0.3}),
        "no slow end": Ablation(constants={"training.schedules.ANNEAL": 0.05}),
        "strict early stop": Ablation(constants={"training.trainer.TOLERANCE": 0.0}),
        "4 latent dimensions": Ablation(parameters={"latent_dim": 4}),
        "small batches": Ablation(parameters={"batch_size": 128}),
        "large batches": Ablation(parameters={"batch_size": 2048}),
        "fast": Ablation(parameters={"effort": "fast"}),
        "high": Ablation(parameters={"effort": "high"}),
    }
)


@dataclass(frozen=True)
class Bench:
    """Where the tables and the referee are, and how every fit is made."""

    data: Path
    python: Path
    referee: Path
    effort: str

    def run(self, ablation: Ablation, table: str, seed: int) -> Result:
        """Fit, sample and judge once."""
        parameters = {"effort": self.effort, **ablation.parameters}
        options = "--parameters", json.dumps(parameters), "--constants", json.dumps(dict(ablation.constants))
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "synthetic.parquet"
            folder = self.data / table
            took = run_model(sys.executable, HERE / "ours.py", folder, output, "--seed", str(seed), *options)
            return took | run_referee(self.python, self.referee, folder, output)


def printed(runs: dict[str, dict[str, list[Result]]]) -> Table:
    """Means over seeds, a line per table and ablation."""
    grid = Table("table", "changed", *(name.replace("_seconds", " s") for name in COLUMNS))
    for table, lines in runs.items():
        for name, results in lines.items():
            means = [statistics.fmean(result[column] for result in results) for column in COLUMNS]
            grid.add_row(table, name, *(f"{mean:.3f}" if abs(mean) < 10 else f"{mean:.0f}" for mean in means))
        grid.add_section()
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of table folders")
    parser.add_argument("--referee", type=Path, required=True, help="the judging script")
    parser.add_argument("--referee-python", type=Path, help="its interpreter; made in the cache folder where left out")
    parser.add_argument("--tables", nargs="+", default=["adult", "shoppers", "default"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--only", nargs="+", choices=ABLATIONS, default=list(ABLATIONS))
    parser.add_argument("--effort", default="default", help="of all fits but those that change it")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "ablation.json")
    args = parser.parse_args()
    bench = Bench(args.data, args.referee_python or referee_python(), args.referee, args.effort)
    runs: dict[str, dict[str, list[Result]]] = {}
    for table in args.tables:
        for name in args.only:
            runs.setdefault(table, {})[name] = [bench.run(ABLATIONS[name], table, seed) for seed in args.seeds]
            content = {"effort": args.effort, "seeds": args.seeds, "tables": runs}
            args.output.write_text(json.dumps(content, indent=1) + "\n")
    Console(width=160).print(printed(runs))


if __name__ == "__main__":
    main()
