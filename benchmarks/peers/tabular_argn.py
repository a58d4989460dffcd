"""Measure TabularARGN (mostlyai-engine) on one table: fit with its defaults on the CPU, draw as many rows, time both.

    python benchmarks/peers/tabular_argn.py --data FOLDER --output fake.parquet --json timing.json [--seed 0]
                                            [--epsilon 3 --delta 1e-5]

FOLDER holds train.parquet. Runs in an environment of its own: `pip install mostlyai-engine`. Only the training table is
seen. With --epsilon it trains under differential privacy, a quarter of epsilon for the ranges of values, all else by
default. The drawn table is written with the Arrow schema of the training table.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from mostlyai.engine import TabularARGN
from mostlyai.engine.domain import DifferentialPrivacyConfig

PACKAGES = ("mostlyai-engine", "torch", "pandas", "numpy", "pyarrow")


def peak_megabytes() -> float:
    """Largest resident size of this process so far, in MB (Linux counts it in KiB, macOS in bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def as_trained(values: pd.Series, field: pa.Field) -> pa.ChunkedArray:
    """A drawn column in the Arrow type of the training column; whole numbers are rounded, not cut."""
    array = pa.chunked_array(pa.array(values, from_pandas=True))
    if pa.types.is_integer(field.type) and pa.types.is_floating(array.type):
        array = pc.round(array)
    return array.cast(field.type)


def with_schema(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """The drawn table with the fields, in the order, of the training table."""
    return pa.table([as_trained(frame[field.name], field) for field in schema], schema=schema)


def differential_privacy(epsilon: float | None, delta: float) -> DifferentialPrivacyConfig | None:
    """The engine's own budget; it takes the part for values off what training may have."""
    if epsilon is None:
        return None
    return DifferentialPrivacyConfig(max_epsilon=epsilon, delta=delta, value_protection_epsilon=epsilon / 4)


def measure(folder: Path, output: Path, seed: int, budget: DifferentialPrivacyConfig | None = None) -> dict[str, Any]:
    """Fit, draw n_train rows, write them; returns what it took."""
    train, schema = pd.read_parquet(folder / "train.parquet"), pq.read_schema(folder / "train.parquet")
    with TabularARGN(random_state=seed, device="cpu", differential_privacy=budget) as model:
        start, worked = time.perf_counter(), time.process_time()
        model.fit(train)
        fitted, worked = time.perf_counter(), time.process_time() - worked
        drawn = model.sample(n_samples=len(train))
        sampled = time.perf_counter()
    pq.write_table(with_schema(drawn, schema), output)
    return {
        "model": "TabularARGN",
        "rows": len(drawn),
        "seed": seed,
        "fit_seconds": round(fitted - start, 2),
        "fit_cpu_seconds": round(worked, 2),
        "sample_seconds": round(sampled - fitted, 2),
        "peak_mb": round(peak_megabytes()),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.parquet")
    parser.add_argument("--output", type=Path, required=True, help="Parquet file for the drawn rows")
    parser.add_argument("--json", type=Path, required=True, help="file for the timings and versions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epsilon", type=float)
    parser.add_argument("--delta", type=float, default=1e-5)
    args = parser.parse_args()
    result = measure(args.data, args.output, args.seed, differential_privacy(args.epsilon, args.delta))
    args.json.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
