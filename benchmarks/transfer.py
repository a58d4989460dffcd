"""A new population of a table that a model knows: few rows of it, fine-tuned beside fitted anew.

    python benchmarks/transfer.py --data DIR [--tables adult default shoppers] [--rows 500] [--seeds 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, numerical, target). The new
population are the rows of one level of a category (that of a share nearest to a tenth; not the target's); a model is
fitted on all other training rows, then goes on with --rows of the new ones. Beside it a fresh model of the same rows.
Both are judged by the other rows of the population, of train and test. *log p*: their mean, nats of the table. *c2st*:
1 when boosted trees cannot tell as many drawn rows from them, 0 when they always can (1 - max(0, 2 AUC - 1),
cross-validated); *real halves*: of one half of them from the other. *auc*: of the target by ``predict_proba``. Figures
go to results/transfer.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ours import versions
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import OrdinalEncoder

import synthvae as sv

RESULTS = Path(__file__).parent / "results" / "transfer.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
SHARE = 0.1  # of the new population, about
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=["adult", "default", "shoppers"])
    parser.add_argument("--rows", type=int, nargs="+", default=[500])
    parser.add_argument("--epochs", type=int, help="fewer epochs than the defaults, to try the script")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    args = parser.parse_args()
    found: dict[str, Result] = {}
    facts = {"seeds": args.seeds, "python": platform.python_version(), "versions": versions(PACKAGES)}
    for name in args.tables:
        found[name] = of_table(args.data / name, args)
        print(name, json.dumps(found[name], indent=1), flush=True)
        RESULTS.write_text(json.dumps(facts | {"tables": found}, indent=1) + "\n")


def of_table(folder: Path, args: argparse.Namespace) -> Result:
    """Both ways for each number of rows and each seed, beside the model as it was."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    column, level = population(train, meta)
    known = model_of(train[train[column] != level], args.epochs, 0)
    made: Result = {"population": f"{column} == {level!r}"}
    for rows in args.rows:
        for seed in args.seeds:
            new = train[train[column] == level].sample(frac=1, random_state=seed).reset_index(drop=True)
            few, asked = new.head(rows), pd.concat([new.iloc[rows:], test[test[column] == level]], ignore_index=True)
            ways: dict[str, Callable[[pd.DataFrame], sv.Synthesizer]] = {
                "fine-tuned": partial(known.finetune, epochs=args.epochs, random_state=seed),
                "fitted anew": partial(model_of, epochs=args.epochs, seed=seed),
            }
            figures = {name: of_way(fit, few, asked, meta["target"], seed) for name, fit in ways.items()}
            halves = asked.sample(frac=1, random_state=seed)
            half = len(halves) // 2
            figures["real halves"] = {"c2st": c2st(halves.head(half), halves.tail(half), seed), "rows": half}
            made[f"{rows} rows, seed {seed}"] = figures
    return made


def model_of(table: pd.DataFrame, epochs: int | None, seed: int) -> sv.Synthesizer:
    """A fresh model; no rules, which hold in few rows by chance."""
    return sv.Synthesizer(sv.infer_schema(table, rules=False), epochs=epochs, random_state=seed).fit(table)


def population(train: pd.DataFrame, meta: Result) -> tuple[str, Any]:
    """The column and level whose rows are new."""
    shares = {
        (name, level): share
        for name in meta["categorical"]
        if name != meta["target"]
        for level, share in train[name].value_counts(normalize=True).items()
    }
    return min(shares, key=lambda one: abs(np.log(shares[one] / SHARE)))


def of_way(
    fit: Callable[[pd.DataFrame], sv.Synthesizer], few: pd.DataFrame, asked: pd.DataFrame, target: str, seed: int
) -> Result:
    """One model of the new population, and what it is worth."""
    start = time.perf_counter()
    model = fit(few)
    seconds = time.perf_counter() - start
    odds = model.predict_proba(asked.drop(columns=target), target)
    positive = odds.columns[-1]
    return {
        "log p": round(float(model.log_prob(asked).mean()), 2),
        "c2st": c2st(asked, model.sample(len(asked), random_state=seed), seed),
        "auc": round(float(roc_auc_score(asked[target] == positive, odds[positive])), 4),
        "seconds": round(seconds, 1),
    }


def c2st(real: pd.DataFrame, other: pd.DataFrame, seed: int) -> float:
    """How hard boosted trees find it to tell two tables of one kind apart."""
    both = pd.concat([real, other], ignore_index=True)
    words = both.select_dtypes(exclude="number").columns
    both[words] = OrdinalEncoder().fit_transform(both[words].astype(str))
    truth = np.arange(len(both)) < len(real)
    trees = HistGradientBoostingClassifier(random_state=seed)
    odds = cross_val_predict(trees, both.astype(float), truth, cv=5, method="predict_proba")[:, 1]
    return round(float(1 - max(0.0, 2 * roc_auc_score(truth, odds) - 1)), 3)


if __name__ == "__main__":
    main()
