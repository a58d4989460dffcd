"""Judge two tables with synthvae: everything it asks, then fidelity alone, both timed.

    python benchmarks/judge.py --data FOLDER --json result.json

FOLDER holds real.parquet, synthetic.parquet and holdout.parquet. A process of its own, so that time and peak memory are
the evaluation's.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from ours import peak_megabytes, versions

from synthvae.evaluation import fidelity
from synthvae.evaluation.evaluate import evaluate
from synthvae.evaluation.sides import Sides

PACKAGES = ("synthvae", "numpy", "pyarrow", "scipy", "scikit-learn", "great-expectations")


def measure(folder: Path, target: str) -> dict[str, Any]:
    """Seconds and peak memory of the whole evaluation, reading included, and seconds of fidelity without a hold-out."""
    real, synthetic, holdout = (folder / f"{name}.parquet" for name in ("real", "synthetic", "holdout"))
    start, worked = time.perf_counter(), time.process_time()
    found = evaluate(real, synthetic, holdout=holdout, target=target)
    judged, worked = time.perf_counter(), time.process_time() - worked
    peak = peak_megabytes()
    pair = Sides.of(pq.read_table(real), pq.read_table(synthetic), found.schema)
    again = time.perf_counter()
    fidelity.scores(pair)
    return {
        "tool": "synthvae",
        "rows": found.facts["rows"],
        "columns": found.facts["columns"],
        "scores": len(found.all_scores),
        "seconds": round(judged - start, 1),
        "cpu_seconds": round(worked, 1),
        "family_seconds": {family: round(spent, 1) for family, spent in found.facts["seconds"].items()},
        "subsamples": found.facts["subsamples"],
        "fidelity_seconds": round(time.perf_counter() - again, 1),
        "peak_mb": round(peak),
        "python": platform.python_version(),
        "versions": versions(PACKAGES),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with real, synthetic and holdout.parquet")
    parser.add_argument("--json", type=Path, required=True, help="file for what was measured")
    parser.add_argument("--target", required=True, help="column to predict")
    args = parser.parse_args()
    args.json.write_text(json.dumps(measure(args.data, args.target), indent=1) + "\n")


if __name__ == "__main__":
    main()
