"""Few labels and many rows: the target is null on all but a few rows, what is learned of the others helps.

    python benchmarks/labels.py --data DIR [--tables adult default] [--shares 0.01 0.05 0.1] [--rows 4000] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, numerical, target). synthvae is
fitted on all training rows, the target of most of them null, and asked by ``predict_proba`` (null is a hole there). The
peers: HistGradientBoostingClassifier on the labelled rows alone, LabelSpreading on labelled and --rows unlabelled ones
(it compares every pair). AUC on the test rows goes to results/labels.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ours import versions
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.semi_supervised import LabelSpreading

import synthvae as sv

RESULTS = Path(__file__).parent / "results" / "labels.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=["adult", "default"])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.05, 0.1])
    parser.add_argument("--rows", type=int, default=4000, help="test rows, and unlabelled rows of LabelSpreading")
    parser.add_argument("--epochs", type=int, help="fewer epochs than the defaults, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = {
        name: {str(share): of_share(args.data / name, share, args) for share in args.shares} for name in args.tables
    }
    print(json.dumps(found, indent=1))
    facts = {"seed": args.seed, "python": platform.python_version(), "versions": versions(PACKAGES)}
    RESULTS.write_text(json.dumps(facts | {"tables": found}, indent=1) + "\n")


def of_share(folder: Path, share: float, args: argparse.Namespace) -> Result:
    """AUC of the target where so many training rows have one."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    target, seed = meta["target"], args.seed
    test = test.dropna(subset=[target]).sample(frac=1, random_state=seed).head(args.rows)
    labelled = np.random.default_rng(seed).random(len(train)) < share
    truth = test[target].astype(str)
    start = time.perf_counter()
    hidden = train.assign(**{target: train[target].astype(str).where(labelled, None)})
    model = sv.Synthesizer(epochs=args.epochs, random_state=seed).fit(hidden)
    odds = model.predict_proba(test.drop(columns=target), target)
    made = {"synthvae": _figures(truth, odds.to_numpy(), list(odds.columns), start)}
    learn = train[labelled & train[target].notna()]
    start = time.perf_counter()
    trees = make_pipeline(_ordinal(meta, target), HistGradientBoostingClassifier(random_state=seed))
    trees.fit(learn.drop(columns=target), learn[target].astype(str))
    made["HistGradientBoosting"] = _figures(
        truth, trees.predict_proba(test.drop(columns=target)), list(trees.classes_), start
    )
    made["LabelSpreading"] = _spread(train, learn, test, meta, args)
    return made | {"labelled rows": len(learn)}


def _spread(
    train: pd.DataFrame, learn: pd.DataFrame, test: pd.DataFrame, meta: Result, args: argparse.Namespace
) -> Result:
    target = meta["target"]
    start = time.perf_counter()
    others = train.drop(index=learn.index).sample(frac=1, random_state=args.seed).head(args.rows)
    few = learn.sample(frac=1, random_state=args.seed).head(args.rows)
    told = [str(value) for value in few[str(target)].to_list()]
    levels = sorted(set(told))
    codes = np.concatenate([[levels.index(value) for value in told], np.full(len(others), -1)])
    rows = pd.concat([few, others]).drop(columns=[target])
    model = make_pipeline(_one_hot(meta, target), LabelSpreading(kernel="knn", n_neighbors=15))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows that no label reaches
        model.fit(rows, codes)
        odds = np.nan_to_num(model.predict_proba(test.drop(columns=target)), nan=1 / len(levels))
    return _figures(test[target].astype(str), odds, levels, start)


def _columns(meta: Result, target: str) -> tuple[list[str], list[str]]:
    numerical, categorical = ([n for n in meta[kind] if n != target] for kind in ("numerical", "categorical"))
    return numerical, categorical


def _ordinal(meta: Result, target: str) -> ColumnTransformer:
    numerical, categorical = _columns(meta, target)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    return ColumnTransformer([("numbers", "passthrough", numerical), ("names", codes, categorical)])


def _one_hot(meta: Result, target: str) -> ColumnTransformer:
    numerical, categorical = _columns(meta, target)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    names = OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False)
    return ColumnTransformer([("numbers", numbers, numerical), ("names", names, categorical)])


def _figures(truth: pd.Series[Any], odds: Any, levels: list[Any], start: float) -> Result:
    """AUC of the last level against the others, and seconds."""
    last = sorted(map(str, levels))[-1]
    place = [str(level) for level in levels].index(last)
    auc = roc_auc_score((truth == last).to_numpy(), odds[:, place])
    return {"auc": round(float(auc), 4), "seconds": round(time.perf_counter() - start, 1)}


if __name__ == "__main__":
    main()
