"""Measure synthvae on one table: fit with its defaults, draw as many rows, time both.

    python benchmarks/ours.py --data FOLDER --output fake.parquet --json timing.json [--seed 0]
                              [--parameters '{"effort": "high"}'] [--constants '{"networks.questions.ORDERED": 0.0}']
                              [--epsilon 3 --delta 1e-5]

FOLDER holds train.parquet; only that is seen. Under a budget the fit has no seed, only the sample. A process of its
own, so that time and peak memory are the model's, and constants changed for an ablation stay its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

import synthvae as sv

PACKAGES = ("synthvae", "tensorflow", "keras", "jax", "pandas", "numpy", "pyarrow")


def versions(names: tuple[str, ...]) -> dict[str, str]:
    """Installed versions; what is not installed is left out."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_megabytes() -> float:
    """Largest resident size of this process so far, in MB (Linux counts it in KiB, macOS in bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def change(constants: dict[str, float]) -> None:
    """Give constants of the library other values; a name that is none ends the run."""
    for name, value in constants.items():
        module, _, constant = f"synthvae.{name}".rpartition(".")
        home = import_module(module)
        if not isinstance(getattr(home, constant, None), (int, float)):
            raise SystemExit(f"Expected the name of a numeric constant; got {name!r}.")
        setattr(home, constant, value)


def measure(folder: Path, output: Path, seed: int, parameters: dict[str, Any]) -> dict[str, Any]:
    """Fit, draw n_train rows, write them; returns what it took."""
    train = pd.read_parquet(folder / "train.parquet")
    model = sv.Synthesizer(random_state=None if "budget" in parameters else seed, **parameters)
    start, worked = time.perf_counter(), time.process_time()
    model.fit(train)
    fitted, worked = time.perf_counter(), time.process_time() - worked
    drawn = model.sample(len(train), random_state=seed)
    sampled = time.perf_counter()
    drawn.to_parquet(output, index=False)
    return {
        "model": "synthvae",
        "rows": len(drawn),
        "seed": seed,
        "fit_seconds": round(fitted - start, 2),
        "fit_cpu_seconds": round(worked, 2),
        "sample_seconds": round(sampled - fitted, 2),
        "peak_mb": round(peak_megabytes()),
        "python": platform.python_version(),
        "versions": versions(PACKAGES),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.parquet")
    parser.add_argument("--output", type=Path, required=True, help="Parquet file for the drawn rows")
    parser.add_argument("--json", type=Path, required=True, help="file for the timings and versions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parameters", type=json.loads, default={}, help="of Synthesizer, as JSON")
    parser.add_argument("--constants", type=json.loads, default={}, help="of the library, as JSON")
    parser.add_argument("--epsilon", type=float)
    parser.add_argument("--delta", type=float, default=1e-5)
    args = parser.parse_args()
    change(args.constants)
    budget = {} if args.epsilon is None else {"budget": sv.Budget(args.epsilon, args.delta)}
    result = measure(args.data, args.output, args.seed, args.parameters | budget)
    args.json.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
