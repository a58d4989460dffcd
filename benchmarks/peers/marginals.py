"""Measure a marginal-based private model (MST or AIM, as dpmm has them): fit under a budget, draw, time both.

    python benchmarks/peers/marginals.py --data FOLDER --output fake.parquet --json timing.json --epsilon 3 --delta 1e-5
                                         [--model MST] [--seed 0]

FOLDER holds train.parquet and meta.json. Runs in an environment of its own: `pip install dpmm 'pyarrow<22'`. A tenth of
epsilon goes to the ranges and bins of columns, the rest to the model (McKenna, Miklau, Sheldon 2021; McKenna et al.
2022); all else is the package's default, so it reads the lists of levels outside of the budget, and says so. Its bins
fail on a column most of whose values are one unless it knows the bounds, so they are given to it, free of charge. A
null of a category is a level; numbers must have none.
"""

from __future__ import annotations

import pandas as pd
from _shared import Draw, as_words, categories, measure, parser
from dpmm.pipelines.aim import AIMPipeline
from dpmm.pipelines.mst import MSTPipeline

PIPELINES = {"MST": MSTPipeline, "AIM": AIMPipeline}
PACKAGES = ("dpmm", "pandas", "numpy", "pyarrow")
RANGES = 0.1  # of epsilon


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--epsilon", type=float, required=True)
    arguments.add_argument("--delta", type=float, default=1e-5)
    arguments.add_argument("--model", choices=PIPELINES, default="MST")
    args = arguments.parse_args()
    names, model = categories(args.data), (1 - RANGES) * args.epsilon
    pipeline = PIPELINES[args.model](epsilon=model, delta=args.delta, proc_epsilon=RANGES * args.epsilon)

    def fit(train: pd.DataFrame) -> Draw:
        words = {name: as_words(train[name]).astype("category") for name in names}
        numbers = train[[name for name in train if name not in names]].agg(["min", "max"])
        bounds = {name: {"lower": low, "upper": high} for name, (low, high) in numbers.items()}
        pipeline.fit(train.assign(**words), domain=bounds, random_state=args.seed)
        return lambda rows: pipeline.generate(n_records=rows, random_state=args.seed)

    measure(args, args.model, PACKAGES, fit)


if __name__ == "__main__":
    main()
