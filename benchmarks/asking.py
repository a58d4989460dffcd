"""What a model answers beside what others answer: conditions, imputation, prediction, augmentation.

    python benchmarks/asking.py --data DIR [--models DIR] [--tables adult default] [--rows 4000] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, numerical, target). A model is fitted
on train.parquet with the defaults, or taken from --models (NAME.synthvae). Figures go to results/asking.json.

* conditions: for levels held by about 10 %, 1 % and 0.1 % of the rows, seconds of 10,000 rows under the condition over
  those of 10,000 free rows (both compiled before, medians of three in turn), and the mean shape error of the other
  columns (KS or total variation, per cent) against the held-out rows that meet it, beside the error of real training
  rows that meet it, and of those of 20,000 free rows that happen to: ten draws of each, as many rows as are held out
  (or as there are).
* imputation: a fifth of the cells of the test rows hidden at random; accuracy of categories, mean absolute and root
  mean squared error of numbers in standard deviations, beside median and mode, and scikit-learn's IterativeImputer.
* prediction: AUC of the target on the test rows, beside HistGradientBoostingClassifier learned from the same rows.
* augmentation: what boosted trees gain on the test rows by rows that balance the target.
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
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder

import synthvae as sv

RESULTS = Path(__file__).parent / "results" / "asking.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
HIDDEN = 0.2
DRAWS, REPEATS = 10, 3
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--tables", nargs="+", default=["adult", "default"])
    parser.add_argument("--rows", type=int, default=4000, help="test rows to impute and predict, at most")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = {name: of_table(args.data / name, args.models, args.rows, args.seed) for name in args.tables}
    facts = {"seed": args.seed, "python": platform.python_version(), "versions": versions(PACKAGES)}
    RESULTS.write_text(json.dumps(facts | {"tables": found}, indent=1) + "\n")


def of_table(folder: Path, models: Path | None, rows: int, seed: int) -> Result:
    """All figures of one table."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    model = sv.load(models / f"{folder.name}.synthvae") if models else sv.Synthesizer(random_state=seed).fit(train)
    held_out, test = test, test.sample(min(rows, len(test)), random_state=seed)
    made: Result = {}
    for name, figure in (
        ("conditions", lambda: conditions(model, train, held_out, meta, seed)),
        ("imputation", lambda: imputation(model, train, test, meta, seed)),
        ("prediction", lambda: prediction(model, train, test, meta)),
        ("augmentation", lambda: augmentation(model, train, test, meta, seed)),
    ):
        made[name] = figure()
        print(folder.name, name, json.dumps(made[name], indent=1), flush=True)
    return made


# --- conditions -------------------------------------------------------------------------------------------------------


def conditions(
    model: sv.Synthesizer, train: pd.DataFrame, held_out: pd.DataFrame, meta: Result, seed: int
) -> list[Result]:
    free = model.sample(20_000, random_state=seed)
    return [_condition(model, train, held_out, free, meta, seed, *level) for level in _levels(train, meta)]


def _levels(train: pd.DataFrame, meta: Result) -> list[tuple[str, Any]]:
    """The two levels nearest to each of three shares, of columns other than one another's."""
    shares = [
        (name, level, share)
        for name in meta["categorical"]
        for level, share in train[name].value_counts(normalize=True).items()
    ]
    found: list[tuple[str, Any]] = []
    for wanted in (0.1, 0.01, 0.001):
        near = sorted(shares, key=lambda one: abs(np.log(one[2] / wanted)))
        found += [(name, level) for name, level, _ in near if name not in {other for other, _ in found}][:2]
    return found


def _condition(
    model: sv.Synthesizer,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    free: pd.DataFrame,
    meta: Result,
    seed: int,
    name: str,
    level: Any,
) -> Result:
    level = level.item() if isinstance(level, np.generic) else level
    made = model.sample(10_000, where={name: level}, random_state=seed)  # compiles
    seconds: dict[str, list[float]] = {"free": [], "asked": []}
    for kind, where in (("free", None), ("asked", {name: level})) * REPEATS:
        start = time.perf_counter()
        model.sample(10_000, where=where, random_state=seed)
        seconds[kind].append(time.perf_counter() - start)
    odds = model.odds({name: level}, random_state=seed)
    real, aim, happen = (table[table[name] == level] for table in (train, held_out, free))
    others = [str(column) for column in train if column != name]
    rows = min(len(aim), len(real), len(happen))
    ours, floor, met = (
        [_shape(aim, other.sample(rows, random_state=draw), others, meta) for draw in range(DRAWS)]
        for other in (made, real, happen)
    )
    return {
        "condition": f"{name} == {level!r}",
        "real share": round(len(real) / len(train), 5),
        "probability": round(odds.probability, 5),
        "effective latents": round(odds.effective),
        "time over free rows": round(float(np.median(seconds["asked"]) / np.median(seconds["free"])), 2),
        "shape error": round(float(np.mean(ours)), 2),
        "shape error of training rows": round(float(np.mean(floor)), 2),
        "shape error of free rows that meet it": round(float(np.mean(met)), 2),
        "spread of a draw": round(float(np.std(floor)), 2),
        "rows compared": rows,
    }


def _shape(real: pd.DataFrame, other: pd.DataFrame, columns: list[str], meta: Result) -> float:
    """Mean over columns of KS or total variation, per cent."""
    found = []
    for name in columns:
        if name in meta["numerical"]:
            found.append(ks_2samp(real[name].dropna(), other[name].dropna(), method="asymp").statistic)
        else:
            a, b = (part[name].astype(str).value_counts(normalize=True) for part in (real, other))
            found.append(a.sub(b, fill_value=0).abs().sum() / 2)
    return 100 * float(np.mean(found))


# --- holes ------------------------------------------------------------------------------------------------------------


def imputation(
    model: sv.Synthesizer, train: pd.DataFrame, test: pd.DataFrame, meta: Result, seed: int
) -> dict[str, Result]:
    hidden = np.random.default_rng(seed).random(test.shape) < HIDDEN
    hidden &= test.notna().to_numpy()
    holed = test.astype(object).mask(hidden)
    holed = holed.astype({name: "Int64" if test[name].dtype.kind in "iu" else test[name].dtype for name in test})
    start = time.perf_counter()
    ours = model.impute(holed, random_state=seed)
    spent = time.perf_counter() - start
    coded = _Coded.of(train, meta)
    start = time.perf_counter()
    theirs = coded.imputed(holed, seed)
    seconds = {"synthvae": spent, "IterativeImputer": time.perf_counter() - start, "median and mode": 0.0}
    simple = holed.copy()
    for name in test:
        value = train[name].mode()[0] if name in meta["categorical"] else train[name].median()
        simple[name] = simple[name].astype(object).where(simple[name].notna(), value)
    filled = {"synthvae": ours, "IterativeImputer": theirs, "median and mode": simple}
    return {
        tool: _errors(train, test, table, hidden, meta) | {"seconds": round(seconds[tool], 1)}
        for tool, table in filled.items()
    }


class _Coded:
    """A table as floats for IterativeImputer: categories by number, imputed numbers rounded to the nearest."""

    def __init__(self, encoder: OrdinalEncoder, imputer: IterativeImputer, train: pd.DataFrame, meta: Result) -> None:
        self.encoder, self.imputer, self.columns, self.meta = encoder, imputer, list(train), meta

    @classmethod
    def of(cls, train: pd.DataFrame, meta: Result) -> _Coded:
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        encoder.fit(train[meta["categorical"]].astype(object))
        made = cls(encoder, IterativeImputer(max_iter=10, random_state=0), train, meta)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.imputer.fit(made.floats(train.sample(min(len(train), 20_000), random_state=0)))
        return made

    def floats(self, table: pd.DataFrame) -> np.ndarray[Any, Any]:
        made = table.copy()
        values = table[self.meta["categorical"]].astype(object)
        made[self.meta["categorical"]] = self.encoder.transform(values.where(values.notna(), np.nan))
        return made[self.columns].astype("float64").to_numpy()

    def imputed(self, table: pd.DataFrame, seed: int) -> pd.DataFrame:
        made = pd.DataFrame(self.imputer.transform(self.floats(table)), columns=self.columns, index=table.index)
        categories = made[self.meta["categorical"]].round()
        for levels, name in zip(self.encoder.categories_, self.meta["categorical"], strict=True):
            categories[name] = categories[name].clip(0, len(levels) - 1)
        values = pd.DataFrame(self.encoder.inverse_transform(categories), columns=categories.columns, index=made.index)
        return made.astype(object).assign(**{str(name): values[name] for name in categories})


def _errors(
    train: pd.DataFrame, test: pd.DataFrame, filled: pd.DataFrame, hidden: np.ndarray[Any, Any], meta: Result
) -> Result:
    """Accuracy of categories, errors of numbers in standard deviations, each averaged over columns."""
    right, absolute, squared = [], [], []
    for place, name in enumerate(test):
        rows = hidden[:, place]
        if not rows.any():
            continue
        if name in meta["categorical"]:
            right.append(float((filled[name][rows].astype(str) == test[name][rows].astype(str)).mean()))
        else:
            off = (filled[name][rows].astype(float) - test[name][rows].astype(float)) / train[name].std()
            absolute.append(float(off.abs().mean()))
            squared.append(float((off**2).mean() ** 0.5))
    means = {"accuracy": right, "absolute error": absolute, "squared error": squared}
    return {what: round(float(np.mean(parts)), 4) for what, parts in means.items() if parts}


def prediction(model: sv.Synthesizer, train: pd.DataFrame, test: pd.DataFrame, meta: Result) -> dict[str, Result]:
    target = meta["target"]
    start = time.perf_counter()
    ours = model.predict_proba(test, target)
    spent = time.perf_counter() - start
    positive = ours.columns[-1]
    known = test[target].notna()
    y = (test[target] == positive)[known]
    start = time.perf_counter()
    x: pd.DataFrame = train.drop(columns=target)
    x_test: pd.DataFrame = test.drop(columns=target)
    for name in meta["categorical"]:
        if name != target:
            levels = train[name].astype(str).value_counts().index[:250]
            x[name] = pd.Categorical(train[name].astype(str), levels)
            x_test[name] = pd.Categorical(test[name].astype(str), levels)
    trees = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    trees.fit(x, train[target] == positive)
    theirs = trees.predict_proba(x_test)[:, 1]
    return {
        "synthvae": {"auc": round(float(roc_auc_score(y, ours[positive][known])), 4), "seconds": round(spent, 1)},
        "HistGradientBoosting": {
            "auc": round(float(roc_auc_score(y, theirs[known])), 4),
            "seconds": round(time.perf_counter() - start, 1),
        },
    }


def augmentation(model: sv.Synthesizer, train: pd.DataFrame, test: pd.DataFrame, meta: Result, seed: int) -> Result:
    got = model.augment(train, meta["target"], holdout=test, random_state=seed)
    lift = got.lift
    return {
        "rows added": got.added,
        "lift": None if lift.value is None else round(lift.value, 4),
        "interval": None if lift.low is None or lift.high is None else [round(lift.low, 4), round(lift.high, 4)],
        "measure": lift.measure,
        "note": lift.note,
    }


if __name__ == "__main__":
    main()
