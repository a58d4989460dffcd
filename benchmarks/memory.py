"""How much memory a fit from files and a write to parts take, and for how long, as the table grows.

    python benchmarks/memory.py [--rows 1100000 3000000 10000000]

A table of ten columns (four whole and two broken numbers, three categories, a date, nulls in some) is drawn here batch
by batch to a folder of Parquet files, fitted, and --written rows are written by one process. Every size runs in a
process of its own; its peak is the resident set the kernel has seen (ru_maxrss), read after the fit and after the
write. Windows are of --window rows and the rows seen in training two of them (a real fit sees more, in the same
memory), so that the figures are about the passes over the table. Times are seconds of the processor, all threads
together, so that other work on the machine does not count. ``projection`` is for a thousand million rows: the
time of the passes by the slope between the smallest and the largest table, of training and writing by their rates.
Figures go to benchmarks/results/memory.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _common import run_script

HERE = Path(__file__).resolve().parent
FILE_ROWS = 1_000_000
FAR = 1_000_000_000


def main() -> None:
    options = _options()
    if options.one:
        found = measured(options.folder, options.one, options.window, options.written)
        options.json.write_text(json.dumps(found))
        return
    sizes: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        for rows in options.rows:
            folder, told = Path(scratch) / str(rows), Path(scratch) / f"{rows}.json"
            draw(folder, rows)
            arguments = ("--one", str(rows), "--folder", folder, "--json", told)
            more = ("--window", str(options.window), "--written", str(options.written))
            run_script(sys.executable, Path(__file__), *arguments, *more)
            sizes.append(json.loads(told.read_text()))
            print(sizes[-1], flush=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    facts = {"machine": machine, "window": options.window, "sizes": sizes, "projection": projection(sizes)}
    options.json.write_text(json.dumps(facts, indent=1) + "\n")


def draw(folder: Path, rows: int) -> None:
    """A table whose columns depend on one another, file by file."""
    folder.mkdir()
    for place in range(-(-rows // FILE_ROWS)):
        count = min(FILE_ROWS, rows - place * FILE_ROWS)
        pq.write_table(_rows(count, np.random.default_rng([0, place])), folder / f"{place:05d}.parquet")


def _rows(n: int, rng: np.random.Generator) -> pa.Table:
    hidden = rng.standard_normal((3, n))
    noise = rng.standard_normal((6, n))
    day = (18_000 + 400 * hidden[2] + 50 * noise[5]).astype(np.int32)
    return pa.table(
        {
            "age": np.clip(45 + 15 * hidden[0] + 3 * noise[0], 18, 95).astype(np.int64),
            "income": pa.array(np.rint(np.exp(10 + 0.8 * hidden[0] + 0.3 * noise[1])), mask=rng.random(n) < 0.05),
            "hours": np.clip(np.rint(38 + 8 * hidden[1]), 1, 99).astype(np.int64),
            "visits": rng.poisson(np.exp(np.clip(1 + 0.5 * hidden[2], -3, 3))).astype(np.int64),
            "score": np.round(hidden[0] + hidden[1] + 0.2 * noise[2], 3),
            "weight": np.round(70 + 12 * hidden[2] + 4 * noise[3], 1),
            "job": pa.array([f"job {i}" for i in range(30)]).take(pa.array(_level(hidden[0] + noise[4], 30))),
            "town": pa.array([f"town {i}" for i in range(200)]).take(pa.array(_level(hidden[1], 200))),
            "member": hidden[2] + noise[0] > 0.5,
            "since": pa.array(day).cast(pa.date32()),
        }
    )


def _level(values: np.ndarray[Any, Any], levels: int) -> np.ndarray[Any, Any]:
    return np.clip((values + 3) / 6 * levels, 0, levels - 1).astype(np.int32)


def measured(folder: Path, rows: int, window: int, written: int) -> dict[str, Any]:
    """Fit and write in this process."""
    import synthvae as sv
    from synthvae.training import schedules

    schedules.WINDOW_ROWS, schedules.VISITS, schedules.FEWEST_STEPS = window, 0, 2 * window // 512
    marks: list[float] = []  # the clock after each run of training steps
    began = time.process_time()
    model = sv.Synthesizer(random_state=0).fit(folder, progress=lambda _: marks.append(time.process_time()))
    fit_peak, run = peak(), (marks[-1] - marks[0]) / (len(marks) - 1)
    fitted = time.process_time()
    model.write(folder.parent / f"made {rows}", written, rows_per_part=FILE_ROWS, random_state=0)
    seen = model.card_["steps"] * model.card_["batch_size"]
    return {
        "rows": rows,
        "table_bytes": sum(path.stat().st_size for path in folder.glob("*.parquet")),
        "passes": round(marks[0] - run - began, 1),
        "training": round(run * len(marks), 1),
        "rows_seen": seen,
        "fit_peak_mb": fit_peak,
        "writing": round(time.process_time() - fitted, 1),
        "rows_written": written,
        "peak_mb": peak(),
    }


def peak() -> int:
    """The most memory this process ever held, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def projection(found: list[dict[str, Any]]) -> dict[str, Any]:
    """What a thousand million rows would take, from the slope of the passes over the table."""
    first, last = found[0], found[-1]
    slope = (last["passes"] - first["passes"]) / max(last["rows"] - first["rows"], 1)
    return {
        "rows": FAR,
        "core hours of passes": round((first["passes"] + slope * (FAR - first["rows"])) / 3600, 2),
        "core hours of training per 100 million rows": round(last["training"] / last["rows_seen"] * 1e8 / 3600, 2),
        "core hours of writing": round(last["writing"] / last["rows_written"] * FAR / 3600, 2),
        "peak_mb": max(each["peak_mb"] for each in found),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_100_000, 3_000_000, 10_000_000])
    parser.add_argument("--window", type=int, default=1 << 18)
    parser.add_argument("--written", type=int, default=300_000)
    parser.add_argument("--scratch", type=Path, help="where the tables lie meanwhile")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "memory.json")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
