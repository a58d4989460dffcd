"""A small table of a world that a model knows: fine-tuned beside fitted anew.

    python benchmarks/transfer.py --data DIR [--models DIR] [--tables adult default] [--rows 200 1000 5000] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, target). A model is fitted on the
first half of the training rows (or taken from --models, NAME.synthvae, fitted on such a half), then goes on with the
first --rows of the other half, from which the last category column is gone. Beside it, a fresh model of the same rows.
What is compared is the AUC of the target by ``predict_proba`` on test rows, and seconds; the first line is the known
model as it was. Figures go to results/transfer.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import pandas as pd
from ours import versions
from sklearn.metrics import roc_auc_score

import synthvae as sv

RESULTS = Path(__file__).parent / "results" / "transfer.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
ASKED = 4000  # test rows
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--tables", nargs="+", default=["adult", "default"])
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 5000])
    parser.add_argument("--epochs", type=int, help="fewer epochs than the defaults, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = {name: of_table(args.data / name, args) for name in args.tables}
    print(json.dumps(found, indent=1))
    facts = {"seed": args.seed, "python": platform.python_version(), "versions": versions(PACKAGES)}
    RESULTS.write_text(json.dumps(facts | {"tables": found}, indent=1) + "\n")


def of_table(folder: Path, args: argparse.Namespace) -> Result:
    """Both ways for each number of rows."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    target = meta["target"]
    train = train.sample(frac=1, random_state=args.seed).reset_index(drop=True)
    half = len(train) // 2
    if args.models:
        known = sv.load(args.models / f"{folder.name}.synthvae")
    else:
        known = sv.Synthesizer(epochs=args.epochs, random_state=args.seed).fit(train.head(half))
    gone = next(name for name in reversed(meta["categorical"]) if name != target)
    test = test.dropna(subset=[target]).sample(frac=1, random_state=args.seed).head(ASKED).drop(columns=gone)
    made: Result = {"as it was": {"auc": _auc(known, test, target)}}
    for rows in args.rows:
        few = train.iloc[half : half + rows].drop(columns=gone).reset_index(drop=True)
        start = time.perf_counter()
        tuned = known.finetune(few, epochs=args.epochs, random_state=args.seed)
        middle = time.perf_counter()
        fresh = sv.Synthesizer(epochs=args.epochs, random_state=args.seed).fit(few)
        end = time.perf_counter()
        made[f"{rows} rows"] = {
            "fine-tuned": {"auc": _auc(tuned, test, target), "seconds": round(middle - start, 1)},
            "fitted anew": {"auc": _auc(fresh, test, target), "seconds": round(end - middle, 1)},
        }
    return made


def _auc(model: sv.Synthesizer, test: pd.DataFrame, target: str) -> float:
    """Of the target's last value."""
    odds = model.predict_proba(test.drop(columns=target), target)
    positive = odds.columns[-1]
    return round(float(roc_auc_score(test[target] == positive, odds[positive])), 4)


if __name__ == "__main__":
    main()
