"""Judge two tables with SDMetrics' QualityReport: column shapes and column pair trends, timed.

    python benchmarks/peers/sdmetrics_report.py --data FOLDER --json result.json

FOLDER holds real.parquet, synthetic.parquet and kinds.json (column name -> sdtype). Runs in an environment of its own:
`pip install sdmetrics 'pandas<3' pyarrow`.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

warnings.filterwarnings("ignore", category=FutureWarning)  # the report moves to another module in a later version

from sdmetrics.reports.single_table import QualityReport  # noqa: E402

PACKAGES = ("sdmetrics", "pandas", "numpy", "pyarrow")


def measure(folder: Path) -> dict[str, Any]:
    """Seconds and peak memory of the report, reading included."""
    start, worked = time.perf_counter(), time.process_time()
    real, synthetic = (pd.read_parquet(folder / f"{name}.parquet") for name in ("real", "synthetic"))
    kinds = json.loads((folder / "kinds.json").read_text())
    report = QualityReport()
    report.generate(
        real, synthetic, {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}, verbose=False
    )
    judged, worked = time.perf_counter(), time.process_time() - worked
    found = report.get_properties().set_index("Property")["Score"]
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "tool": "SDMetrics QualityReport",
        "rows": {"real": len(real), "synthetic": len(synthetic)},
        "columns": len(kinds),
        "seconds": round(judged - start, 1),
        "cpu_seconds": round(worked, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6),
        "shape": round(float(found["Column Shapes"]), 4),
        "pair trends": round(float(found["Column Pair Trends"]), 4),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with real.parquet, synthetic.parquet, kinds.json"
    )
    parser.add_argument("--json", type=Path, required=True, help="file for what was measured")
    args = parser.parse_args()
    args.json.write_text(json.dumps(measure(args.data), indent=1) + "\n")


if __name__ == "__main__":
    main()
