"""Do the defaults suit tables of other sizes: few rows, many columns, many levels?

    python benchmarks/sizes.py --data DIR [--only "300 rows" "65 columns"] [--effort default]

DIR holds a folder per table with train.parquet, as for quality.py. Rows of Adult and Shoppers, few of them; the 65
columns of scikit-learn's digits (1,797 images of 64 brightnesses, and what is meant); and a table of 20,000 rows whose
town is one of thousands of levels with long tails, which a region and a price depend on. Each is cut in two by chance:
the model sees one half, the other is the hold-out of ``sv.evaluate``, which judges. Figures go to
benchmarks/results/sizes.json, beside those of other tables that are there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import synthvae as sv

RESULTS = Path(__file__).resolve().parent / "results" / "sizes.json"
SEED = 0


def main() -> None:
    args = _options()
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in args.only:
        found[name] = measured(TABLES[name](args.data), args.effort)
        print(name, json.dumps(found[name]), flush=True)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def rows_of(table: str, rows: int) -> Callable[[Path], pd.DataFrame]:
    """Twice so many rows of a table: a half to learn from, a half to judge by."""
    return lambda data: pd.read_parquet(data / table / "train.parquet").sample(2 * rows, random_state=SEED)


def digits(_: Path) -> pd.DataFrame:
    """Brightnesses 0 to 16 of 8 x 8 images, and the digit."""
    images = load_digits()
    table = pd.DataFrame(images.data.astype("int64"), columns=images.feature_names)
    return table.assign(digit=[str(target) for target in images.target])


def towns(_: Path) -> pd.DataFrame:
    """A level of thousands, and what depends on it."""
    rng = np.random.default_rng(SEED)
    rows, levels = 40_000, 6_000
    share = 1.0 / (10.0 + np.arange(levels))
    town = rng.choice(levels, rows, p=share / share.sum())
    region, dear = rng.integers(0, 12, levels), rng.normal(size=levels)
    return pd.DataFrame(
        {
            "town": np.array([f"town {i}" for i in range(levels)])[town],
            "region": np.array([f"region {i}" for i in range(12)])[region[town]],
            "price": np.exp(11 + 0.4 * dear[town] + 0.2 * rng.normal(size=rows)).round(-2),
            "rooms": rng.poisson(np.exp(1 + 0.2 * dear[town])) + 1,
        }
    )


TABLES = MappingProxyType(
    {
        "300 rows": rows_of("adult", 300),
        "1,000 rows": rows_of("adult", 1_000),
        "1,000 rows, mostly numbers": rows_of("shoppers", 1_000),
        "65 columns": digits,
        "6,000 levels": towns,
    }
)


def measured(table: pd.DataFrame, effort: str) -> dict[str, Any]:
    """Fit one half, draw as many rows, and judge."""
    place = np.random.default_rng(SEED).permutation(len(table))
    learned, held_out = (table.iloc[np.sort(part)].reset_index(drop=True) for part in np.array_split(place, 2))
    began = time.process_time()
    model = sv.Synthesizer(effort=effort, random_state=SEED).fit(learned)
    fitted = time.process_time()
    fake = model.sample(len(learned), random_state=SEED)
    judged = sv.evaluate(learned, fake, holdout=held_out, schema=model.schema_)
    scores = {
        line.metric: {"value": _rounded(line.value), "reference": _rounded(line.reference), "status": line.status}
        for line in judged.summary().itertuples()
    }
    facts = {"rows": len(learned), "columns": table.shape[1], "fit cpu seconds": round(fitted - began)}
    kept, epochs = model.card_["kept_epoch"], model.card_["epochs"]
    return facts | {"kept epoch": kept, "epochs": epochs, "scores": scores}


def _rounded(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of table folders")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--effort", default="default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
