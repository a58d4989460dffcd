"""What the benchmarks share: scripts run in a process of their own, straw men, the referee's environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

REFEREE_PACKAGES = ("pandas<3", "pyarrow", "scikit-learn", "xgboost", "sdmetrics")

Result = dict[str, Any]


def run_script(python: str | Path, script: Path, *arguments: str | Path) -> None:
    """Run a script to its end; what it says on stderr is shown only if it fails."""
    command = [str(part) for part in (python, script, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-4000:]}")


def run_model(python: str | Path, script: Path, folder: Path, output: Path, *options: str) -> Result:
    """Fit and sample by a script that takes --data, --output and --json; returns what it measured."""
    timing = output.with_suffix(".timing.json")
    run_script(python, script, "--data", folder, "--output", output, "--json", timing, *options)
    return dict(json.loads(timing.read_text()))


def run_referee(python: str | Path, referee: Path, folder: Path, synthetic: Path) -> Result:
    """The referee's figures for one synthetic table."""
    scores = synthetic.with_suffix(".scores.json")
    run_script(python, referee, folder, synthetic, "--json", scores)
    return dict(json.loads(scores.read_text()))


def independent_columns(train: pa.Table, seed: int) -> pa.Table:
    """Every column shuffled apart: perfect margins, no dependence at all."""
    rng = np.random.default_rng(seed)
    columns = [column.take(pa.array(rng.permutation(len(train)))) for column in train.columns]
    return pa.table(columns, schema=train.schema)


def copied_rows(train: pa.Table, seed: int) -> pa.Table:
    """Training rows drawn with replacement: perfect fidelity, no privacy at all."""
    rows = np.random.default_rng(seed).integers(0, len(train), len(train))
    return train.take(pa.array(rows))


STRAW_MEN = {"independent columns": independent_columns, "copied training rows": copied_rows}


def write_straw_man(name: str, folder: Path, output: Path, seed: int = 0) -> None:
    """Write one of ``STRAW_MEN`` made from the folder's training table."""
    pq.write_table(STRAW_MEN[name](pq.read_table(folder / "train.parquet"), seed), output)


def cache_folder() -> Path:
    """Where this user's programs keep what can be made again."""
    homes = {"win32": os.environ.get("LOCALAPPDATA", ""), "darwin": str(Path.home() / "Library" / "Caches")}
    home = homes.get(sys.platform) or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "synthvae-benchmarks"


def referee_python() -> Path:
    """The interpreter of the referee's own environment, which is made on first use."""
    home = cache_folder() / "referee"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = home / "ready.txt"  # written last: a half-made environment is made again
    if not ready.exists():
        print(f"making the referee's environment in {home}", file=sys.stderr)
        venv.create(home, clear=True, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REFEREE_PACKAGES], check=True)
        ready.write_text("\n".join(REFEREE_PACKAGES) + "\n")
    return python


def installed(python: str | Path, *names: str) -> dict[str, str]:
    """Versions of the named packages in another environment."""
    code = "import json, sys, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    done = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))
