"""What the peers' scripts share: time and memory of a fit and a draw, nulls as values, rows written as they came.

Runs in the peers' own environments: pandas and pyarrow are all it needs.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

NULL = "(null)"
Draw = Callable[[int], pd.DataFrame]


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that every peer takes."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="folder with train.parquet and meta.json")
    made.add_argument("--output", type=Path, required=True, help="Parquet file for the drawn rows")
    made.add_argument("--json", type=Path, required=True, help="file for the timings and versions")
    made.add_argument("--seed", type=int, default=0)
    return made


def measure(args: argparse.Namespace, model: str, packages: Sequence[str], fit: Callable[[pd.DataFrame], Draw]) -> None:
    """Fit, draw as many rows as there are to learn from, write them; what it took goes to --json."""
    train, schema = pd.read_parquet(args.data / "train.parquet"), pq.read_schema(args.data / "train.parquet")
    start, worked = time.perf_counter(), time.process_time()
    draw = fit(train)
    fitted, worked = time.perf_counter(), time.process_time() - worked
    drawn = draw(len(train))
    sampled = time.perf_counter()
    columns = [_restored(drawn[field.name], field) for field in schema]
    pq.write_table(pa.table(columns, schema=schema), args.output)
    result: dict[str, Any] = {
        "model": model,
        "rows": len(drawn),
        "seed": args.seed,
        "fit_seconds": round(fitted - start, 2),
        "fit_cpu_seconds": round(worked, 2),
        "sample_seconds": round(sampled - fitted, 2),
        "peak_mb": round(_peak_megabytes()),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }
    args.json.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def categories(folder: Path) -> list[str]:
    """The names of the columns that are categories."""
    return list(json.loads((folder / "meta.json").read_text())["categorical"])


def as_words(values: pd.Series) -> pd.Series:
    """A category as text, null a value like the others."""
    return values.astype(object).where(values.notna(), NULL).astype(str)


def _restored(values: pd.Series, field: pa.Field) -> pa.ChunkedArray:
    """A drawn column in the Arrow type of the training column; whole numbers are rounded, not cut."""
    if values.dtype == object or isinstance(values.dtype, (pd.CategoricalDtype, pd.StringDtype)):
        words = values.astype(object)
        array = pa.chunked_array([pa.array(words.where(words != NULL, None), from_pandas=True)])
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        return array.cast(plain).cast(field.type)
    array = pa.chunked_array([pa.array(values, from_pandas=True)])
    if pa.types.is_integer(field.type) and pa.types.is_floating(array.type):
        array = pc.round(array)
    return array.cast(field.type)


def _peak_megabytes() -> float:
    """Largest resident size of this process so far, in MB (Linux counts it in KiB, macOS in bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
