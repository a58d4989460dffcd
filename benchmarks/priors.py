"""What a learned prior is worth: log p of test rows under it and, of the same networks, under N(0, I).

    python benchmarks/priors.py --data DIR [--tables adult default shoppers] [--latent-nats 4] [--rows 4000] [--seed 0]

DIR holds a folder per table: train.parquet, test.parquet. *gain* is the mean difference of ``log_prob`` over --rows
test rows in nats of the table, *error* its standard error; *told* is the gain that the fit saw on its own held-out
rows, 0 where it kept N(0, I). Figures go to results/priors.json.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ours import versions

import synthvae as sv
from synthvae.networks.priors import StandardNormal

RESULTS = Path(__file__).parent / "results" / "priors.json"
PACKAGES = ("synthvae", "tensorflow", "keras", "scikit-learn", "numpy")
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=["adult", "default", "shoppers"])
    parser.add_argument("--latent-nats", type=float, default=4.0)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--epochs", type=int, help="fewer epochs than the defaults, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = {name: of_table(args.data / name, args) for name in args.tables}
    print(json.dumps(found, indent=1))
    facts = {"seed": args.seed, "latent_nats": args.latent_nats, "epochs": args.epochs, "rows": args.rows}
    made = {"python": platform.python_version(), "versions": versions(PACKAGES), "tables": found}
    RESULTS.write_text(json.dumps(facts | made, indent=1) + "\n")


def of_table(folder: Path, args: argparse.Namespace) -> Result:
    """The gain on one table."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    model = sv.Synthesizer(epochs=args.epochs, latent_nats=args.latent_nats, random_state=args.seed).fit(train)
    plain = copy.deepcopy(model)  # nothing of a copy is compiled yet, so it asks the prior it is given
    plain.vae_.prior = StandardNormal()
    asked = test.head(args.rows)
    gains = model.log_prob(asked).to_numpy() - plain.log_prob(asked).to_numpy()
    return {
        "prior": model.card_["prior"],
        "gain": round(float(gains.mean()), 3),
        "error": round(float(gains.std() / np.sqrt(len(gains))), 3),
        "told": round(model.card_["prior_gain_nats"], 3),
        "latent": round(model.card_["latent_nats"], 2),
        "active": model.card_["active_dimensions"],
    }


if __name__ == "__main__":
    main()
