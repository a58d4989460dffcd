"""What latent means are worth as features, beside PCA and FAMD of as many dimensions.

    python benchmarks/latents.py --data DIR [--tables adult default] [--latent 16] [--rows 5000] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, numerical, target). The latent
(``LatentTransformer``) is learned without the target. *probe*: AUC of a logistic regression on the target, learned from
--rows training rows, tested on as many test rows; *trees*: the same by HistGradientBoostingClassifier. *clusters*: the
adjusted Rand index of k-means with the target, as many clusters as it has classes; adjusted mutual information of
10-means with each category (mean), which are part of what all representations are made of. PCA: of standardised numbers
and one-hot names; FAMD: names divided by the square root of their share besides (Pages 2004).
Figures go to results/latents.json.
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
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import synthvae as sv

RESULTS = Path(__file__).parent / "results" / "latents.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
CLUSTERS = 10
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=["adult", "default"])
    parser.add_argument("--latent", type=int, default=16)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--epochs", type=int, help="fewer epochs than the defaults, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = {name: of_table(args.data / name, args) for name in args.tables}
    print(json.dumps(found, indent=1))
    facts = {"seed": args.seed, "python": platform.python_version(), "versions": versions(PACKAGES)}
    RESULTS.write_text(json.dumps(facts | {"latent": args.latent, "tables": found}, indent=1) + "\n")


def of_table(folder: Path, args: argparse.Namespace) -> Result:
    """Both representations of one table."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    target, seed = meta["target"], args.seed
    train, test = (part.dropna(subset=[target]).reset_index(drop=True) for part in (train, test))
    x, few = train.drop(columns=target), train.sample(min(args.rows, len(train)), random_state=seed)
    test = test.sample(min(args.rows, len(test)), random_state=seed)
    names = [name for name in meta["categorical"] if name != target]
    start = time.perf_counter()
    ours = sv.LatentTransformer(latent_dim=args.latent, epochs=args.epochs, random_state=seed).fit(x)
    seconds = {"synthvae": time.perf_counter() - start}
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False)
    numerical = [name for name in meta["numerical"] if name != target]
    balanced = make_pipeline(one_hot, _Balanced())
    tools: dict[str, Callable[[pd.DataFrame], Any]] = {"synthvae": ours.transform}
    for tool, encoded in (("PCA", one_hot), ("FAMD", balanced)):
        columns = ColumnTransformer([("numbers", numbers, numerical), ("names", encoded, names)])
        start = time.perf_counter()
        theirs = make_pipeline(columns, PCA(args.latent, random_state=seed)).fit(_plain(x, names))
        tools[tool] = partial(_transformed, theirs, names)
        seconds[tool] = time.perf_counter() - start
    made: Result = {}
    for tool, of in tools.items():
        learn, asked = (of(part.drop(columns=target)) for part in (few, test))
        made[tool] = figures(learn, asked, few, test, target, names, seed) | {"seconds": round(seconds[tool], 1)}
    return made


class _Balanced(TransformerMixin, BaseEstimator):
    """Indicators (n, m) divided by the square root of their share in the fit."""

    def fit(self, x: Any, y: Any = None) -> _Balanced:
        self.scale_ = np.sqrt(np.maximum(x.mean(axis=0), 1e-9))
        return self

    def transform(self, x: Any) -> Any:
        return x / self.scale_


def figures(
    learn: Any, asked: Any, few: pd.DataFrame, test: pd.DataFrame, target: str, names: list[str], seed: int
) -> Result:
    """Probe and clusters of one representation."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(learn, few[target].astype(str))
    odds, truth = probe.predict_proba(asked), test[target].astype(str)
    grown = HistGradientBoostingClassifier(random_state=seed).fit(learn, few[target].astype(str)).predict_proba(asked)
    linear, trees = (
        roc_auc_score(truth, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr", labels=probe.classes_)
        for p in (odds, grown)
    )
    two, ten = (
        KMeans(k, random_state=seed, n_init=4).fit(learn).predict(asked) for k in (len(probe.classes_), CLUSTERS)
    )
    shared = [adjusted_mutual_info_score(_words(test[name]), ten) for name in names]
    return {
        "probe auc": round(float(linear), 4),
        "trees auc": round(float(trees), 4),
        "rand index of clusters and target": round(float(adjusted_rand_score(truth, two)), 4),
        "clusters and categories": round(float(np.mean(shared)), 4) if shared else None,
    }


def _words(values: pd.Series[Any]) -> Any:
    return values.astype(object).where(values.notna(), "null").astype(str)


def _transformed(pipeline: Any, names: list[str], table: pd.DataFrame) -> Any:
    return pipeline.transform(_plain(table, names))


def _plain(table: pd.DataFrame, categorical: list[str]) -> pd.DataFrame:
    return table.assign(**{name: table[name].astype(str) for name in categorical})


if __name__ == "__main__":
    main()
