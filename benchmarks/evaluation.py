"""How long an evaluation takes on large tables, beside SDMetrics' QualityReport on the same ones.

    python benchmarks/evaluation.py [--rows 1000000] [--peer-python PY]

The tables are drawn here: 20 columns (ten numbers, six categories, two dates, two booleans) that depend on four hidden
ones, with nulls; real and synthetic of --rows rows, a hold-out of a quarter of them. synthvae asks everything
(fidelity on all rows; detection, utility, neighbours and attacks on the subsamples that the result names); the peer
asks shapes and pair trends, so fidelity alone is timed, too. Figures go to benchmarks/results/evaluation.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _common import Result, run_script

HERE = Path(__file__).resolve().parent
HIDDEN = 4
LEVELS = (2, 4, 8, 16, 40, 120)  # of the categories
KINDS = {"n": "numerical", "c": "categorical", "d": "datetime", "b": "boolean"}


def drawn(rows: int, seed: int) -> pa.Table:
    """20 columns that depend on four hidden normal ones; a twentieth of some is null."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(HIDDEN, rows))
    columns = {f"n{i}": _number(hidden[i % HIDDEN], i, rng) for i in range(10)}
    columns |= {f"c{i}": _category(hidden[i % HIDDEN], size, rng) for i, size in enumerate(LEVELS)}
    columns |= {f"d{i}": _day(hidden[i], rng) for i in range(2)}
    columns |= {f"b{i}": pa.array(hidden[i] + rng.normal(size=rows) > 0.5, mask=_holes(rows, rng)) for i in range(2)}
    return pa.table(columns)


def _holes(rows: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return rng.random(rows) < 0.05


def _number(x: np.ndarray[tuple[int], np.dtype[np.float64]], place: int, rng: np.random.Generator) -> pa.Array:
    """In turn amounts in cents, some missing, and whole numbers."""
    values = x + rng.normal(size=len(x))
    if place % 2:
        return pa.array(np.round(np.exp(values + 5), 2), mask=_holes(len(x), rng))
    return pa.array(np.round(50 * values).astype(np.int64))


def _category(x: np.ndarray[tuple[int], np.dtype[np.float64]], size: int, rng: np.random.Generator) -> pa.Array:
    codes = np.clip(np.abs(x + rng.normal(size=len(x))) * size / 4, 0, size - 1).astype(np.int32)
    return pa.DictionaryArray.from_arrays(codes, pa.array([f"level {i}" for i in range(size)])).cast(pa.string())


def _day(x: np.ndarray[tuple[int], np.dtype[np.float64]], rng: np.random.Generator) -> pa.Array:
    seconds = 1_600_000_000 + (86_400 * np.round(400 * x + 50 * rng.normal(size=len(x)))).astype(np.int64)
    return pa.array(seconds).cast(pa.timestamp("s"))


def write_tables(folder: Path, rows: int) -> None:
    """real, synthetic and hold-out as Parquet, and the kinds that the peer asks for."""
    for seed, (name, size) in enumerate({"real": rows, "synthetic": rows, "holdout": rows // 4}.items()):
        table = drawn(size, seed)
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "kinds.json").write_text(json.dumps({name: KINDS[name[0]] for name in table.column_names}))


def measured(python: str, script: Path, folder: Path, *options: str) -> Result:
    """What a script says of the tables in the folder."""
    found = folder / "found.json"
    run_script(python, script, "--data", folder, "--json", found, *options)
    return dict(json.loads(found.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the real and of the synthetic table")
    parser.add_argument("--peer-python", help="an interpreter that has sdmetrics")
    parser.add_argument("--python", default="python", help="an interpreter that has synthvae")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "evaluation.json")
    args = parser.parse_args()
    told: Result = {"machine": {"cores": os.cpu_count(), "system": platform.platform(terse=True)}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder, args.rows)
        told["synthvae"] = measured(args.python, HERE / "judge.py", folder, "--target", "b0")
        if args.peer_python:
            told["peer"] = measured(args.peer_python, HERE / "peers" / "sdmetrics_report.py", folder)
            told["times as fast: fidelity"] = round(told["peer"]["seconds"] / told["synthvae"]["fidelity_seconds"], 1)
            told["times as fast: everything"] = round(told["peer"]["seconds"] / told["synthvae"]["seconds"], 1)
    args.output.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
