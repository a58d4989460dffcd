"""Measure TVAE or CTGAN on one table: fit with its defaults on the CPU, draw as many rows, time both.

    python benchmarks/peers/ctgan_nets.py --data FOLDER --output fake.parquet --json timing.json [--seed 0]
                                          [--model TVAE]

FOLDER holds train.parquet and meta.json. Runs in an environment of its own: `pip install ctgan pyarrow`. Nulls of
numbers, which neither model takes, become the median, those of categories a level.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import torch
from _shared import Draw, as_words, categories, measure, parser
from ctgan import CTGAN, TVAE

MODELS = {"TVAE": TVAE, "CTGAN": CTGAN}
PACKAGES = ("ctgan", "torch", "pandas", "numpy", "pyarrow")


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", choices=MODELS, default="TVAE")
    args = arguments.parse_args()
    names = categories(args.data)
    np.random.seed(args.seed)  # what the package draws from
    torch.manual_seed(args.seed)

    def fit(train: pd.DataFrame) -> Draw:
        net = MODELS[args.model](enable_gpu=False)
        columns = {name: as_words(train[name]) if name in names else _filled(train[name]) for name in train}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net.fit(pd.DataFrame(columns), discrete_columns=names)
        return net.sample

    measure(args, args.model, PACKAGES, fit)


def _filled(values: pd.Series) -> pd.Series:
    numbers = values.astype(float)
    return numbers.fillna(numbers.median())


if __name__ == "__main__":
    main()
