"""Measure TabularARGN (mostlyai-engine) on one table: fit with its defaults on the CPU, draw as many rows, time both.

    python benchmarks/peers/tabular_argn.py --data FOLDER --output fake.parquet --json timing.json [--seed 0]
                                            [--epsilon 3 --delta 1e-5]

FOLDER holds train.parquet; only that is seen. Runs in an environment of its own: `pip install mostlyai-engine`. With
--epsilon it trains under differential privacy, a quarter of epsilon for the ranges of values, all else by default.
"""

from __future__ import annotations

import pandas as pd
from _shared import Draw, measure, parser
from mostlyai.engine import TabularARGN
from mostlyai.engine.domain import DifferentialPrivacyConfig

PACKAGES = ("mostlyai-engine", "torch", "pandas", "numpy", "pyarrow")


def differential_privacy(epsilon: float | None, delta: float) -> DifferentialPrivacyConfig | None:
    """The engine's own budget; it takes the part for values off what training may have."""
    if epsilon is None:
        return None
    return DifferentialPrivacyConfig(max_epsilon=epsilon, delta=delta, value_protection_epsilon=epsilon / 4)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--epsilon", type=float)
    arguments.add_argument("--delta", type=float, default=1e-5)
    args = arguments.parse_args()
    budget = differential_privacy(args.epsilon, args.delta)
    with TabularARGN(random_state=args.seed, device="cpu", differential_privacy=budget) as model:

        def fit(train: pd.DataFrame) -> Draw:
            model.fit(train)
            return lambda rows: model.sample(n_samples=rows)

        measure(args, "TabularARGN", PACKAGES, fit)


if __name__ == "__main__":
    main()
