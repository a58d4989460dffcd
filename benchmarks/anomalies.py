"""How well strange rows and cells are found, beside what scikit-learn offers.

    python benchmarks/anomalies.py [--data DIR] [--models DIR] [--tables adult default] [--rows 2000] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, numerical). A model is fitted on
train.parquet with the defaults, or taken from --models (NAME.synthvae). In a twentieth of --rows test rows one cell is
exchanged for that of another test row: a value as common as any, out of context. The row's AUC says how well the
exchanged rows are ranked, ``cell found`` how often the exchanged cell is the strangest of its row's, beside one in so
many columns by chance.
scikit-learn's breast-cancer table comes besides: learned on half of the benign rows, malignant ones among the rest are
to be found. Peers: IsolationForest, LocalOutlierFactor and GaussianMixture on one-hot and standardised columns. Figures
go to results/anomalies.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ours import versions
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import synthvae as sv

RESULTS = Path(__file__).parent / "results" / "anomalies.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
PLANTED = 0.05
LEARNED = 10_000  # rows that the peers learn from, at most: LocalOutlierFactor compares every pair
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--tables", nargs="+", default=["adult", "default"])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, help="fewer epochs than the defaults, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = {"breast cancer": breast_cancer(args.epochs, args.seed)}
    for name in args.tables if args.data else ():
        model = sv.load(args.models / f"{name}.synthvae") if args.models else None
        found[name] = planted(args.data / name, model, args.rows, args.epochs, args.seed)
    print(json.dumps(found, indent=1))
    facts = {"seed": args.seed, "python": platform.python_version(), "versions": versions(PACKAGES)}
    RESULTS.write_text(json.dumps(facts | {"tables": found}, indent=1) + "\n")


def breast_cancer(epochs: int | None, seed: int) -> Result:
    """Malignant among benign rows, learned from benign ones alone."""
    bunch = load_breast_cancer(as_frame=True)
    table, strange = bunch.data, (bunch.target == 0).to_numpy()
    benign = np.random.default_rng(seed).permutation(np.flatnonzero(~strange))
    learn, rest = benign[: len(benign) // 2], np.concatenate([benign[len(benign) // 2 :], np.flatnonzero(strange)])
    train, test = table.iloc[learn].reset_index(drop=True), table.iloc[rest].reset_index(drop=True)
    start = time.perf_counter()
    model = sv.Synthesizer(epochs=epochs, random_state=seed).fit(train)
    scored = model.anomaly_score(test)
    ours = {"auc": _auc(strange[rest], scored["score"]), "seconds": round(time.perf_counter() - start, 1)}
    return {"synthvae": ours} | peers(train, test, strange[rest], [], list(train), seed)


def planted(folder: Path, model: sv.Synthesizer | None, rows: int, epochs: int | None, seed: int) -> Result:
    """Exchanged cells among test rows."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    rng = np.random.default_rng(seed)
    test = test.sample(min(rows, len(test)), random_state=seed).reset_index(drop=True)
    swapped, cells = exchange(test, rng)
    strange = np.isin(np.arange(len(test)), list(cells))
    model = model or sv.Synthesizer(epochs=epochs, random_state=seed).fit(train)
    start = time.perf_counter()
    scored = model.anomaly_score(swapped)
    ours = {"auc": _auc(strange, scored["score"]), "seconds": round(time.perf_counter() - start, 1)}
    each = scored.drop(columns="score").to_numpy()
    ours["auc of the strangest cell"] = _auc(strange, each.max(axis=1))
    hits = [int(each[row].argmax()) == place for row, place in cells.items()]
    ours |= {"cell found": round(float(np.mean(hits)), 4), "by chance": round(1 / each.shape[1], 4)}
    return {"synthvae": ours} | peers(train, swapped, strange, meta["categorical"], meta["numerical"], seed)


def exchange(table: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[int, int]]:
    """The table with one cell of a share of its rows taken from another row where it differs, and row -> column."""
    values, cells = {name: table[name].to_list() for name in table}, {}
    names = list(table)
    for row in rng.choice(len(table), int(PLANTED * len(table)), replace=False).tolist():
        place, other = int(rng.integers(table.shape[1])), int(rng.integers(len(table)))
        own = values[names[place]]
        if str(own[row]) != str(own[other]):
            own[row] = own[other]
            cells[row] = place
    return pd.DataFrame(values).astype(table.dtypes.to_dict()), cells


def peers(
    train: pd.DataFrame, test: pd.DataFrame, strange: Any, categorical: list[str], numerical: list[str], seed: int
) -> dict[str, Result]:
    """The same rows ranked by scikit-learn."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    names = OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False)
    columns = ColumnTransformer([("numbers", numbers, numerical), ("names", names, categorical)])
    learn = train.sample(min(len(train), LEARNED), random_state=seed)
    told, asked = columns.fit_transform(_plain(learn, categorical)), columns.transform(_plain(test, categorical))
    found = {}
    for name, model in (
        ("IsolationForest", IsolationForest(random_state=seed)),
        ("LocalOutlierFactor", LocalOutlierFactor(novelty=True)),
        ("GaussianMixture", GaussianMixture(8, reg_covar=1e-3, random_state=seed)),
    ):
        start = time.perf_counter()
        score = -model.fit(told).score_samples(asked)
        found[name] = {"auc": _auc(strange, score), "seconds": round(time.perf_counter() - start, 1)}
    return found


def _plain(table: pd.DataFrame, categorical: list[str]) -> pd.DataFrame:
    return table.assign(**{name: table[name].astype(str) for name in categorical})


def _auc(strange: Any, score: Any) -> float:
    return round(float(roc_auc_score(strange, score)), 4)


if __name__ == "__main__":
    main()
