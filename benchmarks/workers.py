"""How much faster parts are written by two processes than by one, and what each needs of memory.

    python benchmarks/workers.py --data DIR [--table adult] [--rows 200000] [--workers 1 2] [--engines local ray]

A model of the default size, fitted for two epochs (its speed does not depend on how well it learned), writes --rows
rows in parts. Each worker has a core to itself, so this needs Linux and as many cores as workers. As on a cluster each
opens the model and compiles by itself; so the same is timed for a twentieth of the rows, and the rate is that of the
rows between. Seconds are of the clock, with nothing else running. Figures go to benchmarks/results/workers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import synthvae as sv

HERE = Path(__file__).resolve().parent
PARTS = 8


def main() -> None:
    options = _options()
    model = sv.Synthesizer(epochs=2, random_state=0).fit(options.data / options.table / "train.parquet")
    lines = [measured(model, options.rows, engine, n) for engine in options.engines for n in options.workers]
    told = {"machine": f"{os.cpu_count()} cores, {platform.machine()}", "table": options.table, "rows": options.rows}
    print(json.dumps(told | {"calls": lines}, indent=1))
    options.json.write_text(json.dumps(told | {"calls": lines}, indent=1) + "\n")


def measured(model: sv.Synthesizer, rows: int, engine: str, workers: int) -> dict[str, Any]:
    """Rows a second of a call with so many workers, start and compiling aside."""
    os.sched_setaffinity(0, range(workers))
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    few = rows // 20
    short, long = (_seconds(model, n, engine, workers) for n in (few, rows))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    rate = (rows - few) / (long - short)
    return {"engine": engine, "workers": workers, "seconds": round(long, 1), "start": round(short - few / rate, 1),
            "rows per second": round(rate), "peak_mb of a worker so far": peak}  # fmt: skip


def _seconds(model: sv.Synthesizer, rows: int, engine: str, workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        model.write(Path(folder) / "rows", rows, engine=engine, workers=workers, parts=PARTS, random_state=0)
        return time.perf_counter() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--table", default="adult")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", default=["local"])
    parser.add_argument("--json", type=Path, default=HERE / "results" / "workers.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
