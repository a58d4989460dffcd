"""What the latent carries beside a strong decoder, and what carrying more costs in fidelity.

    python benchmarks/carried.py --data DIR --referee FILE [--referee-python PY] [--tables adult shoppers]
                                 [--latent-nats 4 8 16] [--rows 4000] [--effort default] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet, meta.json (categorical, numerical, target). Asked about
--rows test rows:

* closed: the share of the gap between the most frequent value (the median of numbers) and perfect that ``reconstruct``
  closes, told by latent means alone; accuracy of categories, absolute error of numbers, mean over columns.
* through z: by how many nats p(row | z) is higher with the row's own z than with that of another row;
  net: what is left of that after paying for z, KL(q(z | row) || N(0, I)).
* probe: AUC of a logistic regression on the latent means for the target, which the encoder is not shown (its cells are
  holes), beside as many principal components of one-hot categories and scaled numbers.

Figures, and those of the referee, go to benchmarks/results/carried.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _common import referee_python, run_referee
from keras import ops
from ours import versions
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import synthvae as sv
from synthvae import backend
from synthvae.generation.score import log_likelihood

RESULTS = Path(__file__).parent / "results" / "carried.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "pandas", "numpy")
JUDGED = ("xgb", "shape", "trend_same", "mle_syn", "dcr")
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--referee", type=Path, required=True, help="the judging script")
    parser.add_argument("--referee-python", type=Path, help="its interpreter; made in the cache folder where left out")
    parser.add_argument("--tables", nargs="+", default=["adult", "shoppers"])
    parser.add_argument("--latent-nats", type=float, nargs="+", default=[4.0, 8.0, 16.0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--effort", default="default")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    facts = {"seed": args.seed, "effort": args.effort, "rows": args.rows}
    facts |= {"python": platform.python_version(), "versions": versions(PACKAGES)}
    tables: dict[str, dict[str, Result]] = {}
    for name in args.tables:
        for nats in args.latent_nats:
            tables.setdefault(name, {})[f"{nats:g} nats"] = made = of_rate(args.data / name, nats, args)
            print(name, nats, json.dumps(made), flush=True)
            RESULTS.write_text(json.dumps(facts | {"tables": tables}, indent=1) + "\n")


def of_rate(folder: Path, nats: float, args: argparse.Namespace) -> Result:
    """All figures of one table at one rate."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    meta = json.loads((folder / "meta.json").read_text())
    start = time.perf_counter()
    model = sv.Synthesizer(latent_nats=nats, effort=args.effort, random_state=args.seed).fit(train)
    seconds = time.perf_counter() - start
    few, asked = (part.sample(min(args.rows, len(part)), random_state=args.seed) for part in (train, test))
    through, net = told(model, asked, args.seed)
    return {
        "fit seconds": round(seconds),
        "held-out log p": round(float(model.log_prob(asked).mean()), 2),
        "closed": round(closed(model, train, asked, meta), 3),
        "through z": round(through, 2),
        "net": round(net, 2),
        "active": model.card_["active_dimensions"],
        "probe": probes(model, few, asked, meta),
    } | judged(model, len(train), folder, args)


def closed(model: sv.Synthesizer, train: pd.DataFrame, asked: pd.DataFrame, meta: Result) -> float:
    """Mean over columns of 1 - error of the reconstruction / error of the commonest value."""
    back, shares = model.reconstruct(asked), []
    for name in meta["categorical"]:
        usual = (asked[name].astype(str) != str(train[name].mode()[0])).mean()
        if usual:
            shares.append(1 - (asked[name].astype(str) != back[name].astype(str)).mean() / usual)
    for name in meta["numerical"]:
        value = asked[name].astype(float)
        usual = (value - float(train[name].median())).abs().mean()
        if usual:
            shares.append(1 - (value - back[name].astype(float)).abs().mean() / usual)
    return float(np.mean(shares))


def told(model: sv.Synthesizer, asked: pd.DataFrame, seed: int) -> tuple[float, float]:
    """Nats that a row's own z adds over another row's, before and after paying for it."""
    vae, codec = model.vae_, model.codec_
    tokens = codec.encode(model.schema_.check(asked)).astype("int32")
    known = np.ones(tokens.shape, bool)

    def likelihood(tokens: Any, known: Any, z: Any) -> Any:
        return log_likelihood(vae, range(vae.layout.b), tokens, known, z)[:, None]

    mean, log_std = (ops.convert_to_numpy(part) for part in vae.encoder(tokens, known))
    z = mean + np.exp(log_std) * np.random.default_rng(seed).standard_normal(mean.shape, dtype="float32")
    call = backend.compiled(vae, likelihood)
    through = float((call(tokens, known, z) - call(tokens, known, np.roll(z, 1, axis=0))).mean())
    rate = float((0.5 * (mean**2 + np.exp(2 * log_std) - 1) - log_std).sum(axis=1).mean())
    return through, through - rate


def probes(model: sv.Synthesizer, few: pd.DataFrame, asked: pd.DataFrame, meta: Result) -> Result:
    """AUC of the target from latent means that do not know it, and from principal components."""
    target, k = meta["target"], model.vae_.settings.latent_dim
    names = [name for name in meta["categorical"] if name != target]
    numerical = [name for name in meta["numerical"] if name != target]
    plain = [part.assign(**{name: part[name].astype(str) for name in names}) for part in (few, asked)]
    one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    components = make_pipeline(
        ColumnTransformer([("numbers", numbers, numerical), ("names", one_hot, names)]), PCA(k, random_state=0)
    ).fit(plain[0])
    latents = [model.encode(part.drop(columns=target)) for part in (few, asked)]
    ways = {"latent": latents, "PCA": [components.transform(part) for part in plain]}
    made: Result = {"dimensions": k}
    for name, (learn, judge) in ways.items():
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        classifier.fit(learn, few[target].astype(str))
        odds = classifier.predict_proba(judge)
        made[name] = round(float(roc_auc_score(asked[target].astype(str), odds[:, 1])), 4)
    return made


def judged(model: sv.Synthesizer, rows: int, folder: Path, args: argparse.Namespace) -> Result:
    """What the referee says of as many rows as were learned."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "synthetic.parquet"
        model.write(output, rows, random_state=args.seed)
        found = run_referee(args.referee_python or referee_python(), args.referee, folder, output)
    return {name: found[name] for name in JUDGED}


if __name__ == "__main__":
    main()
