"""Does the promise hold? One person is in the table or not; how well can one tell from what the fit gives away?

    python benchmarks/privacy_audit.py [--counts 20000] [--draws 2000] [--models 0] [--epsilons 1 4]

The person alone has the third of three levels in each of several columns, so adds to one cell of every count. An
attacker who knows all other rows looks at a single count that took the whole budget (--counts of them), counts these
levels in the rows made from noisy counts (--draws fits up to there; all later steps of a fit without noisy training see
nothing else), or asks whole models for the log-likelihood of the person (--models fits, some seconds each, with and
without a budget). The last two hide the person in much more, so their bounds are low. A threshold chosen on one half of
the fits and judged on the other gives a lower bound of epsilon that holds with 95 % confidence (Jagielski, Ullman,
Oprea 2020; Clopper, Pearson 1934). It must not exceed the epsilon that was asked for; few fits cannot show much more
than 1 of whatever is there. Figures go to benchmarks/results/privacy_audit.json.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta

import synthvae as sv
from synthvae import private_fitting, tables
from synthvae.privacy.accountant import gaussian_mu
from synthvae.privacy.ledger import Ledger, Spend
from synthvae.privacy.mechanisms import Noise
from synthvae.privacy.private_table import PrivateTable
from synthvae.schema.schema import Schema

RESULTS = Path(__file__).resolve().parent / "results" / "privacy_audit.json"
DELTA, ROWS, COLUMNS = 1e-5, 200, 5
Array = np.ndarray[Any, Any]


def people(target: bool) -> pd.DataFrame:
    """A table of two levels in each column, with the one person, of a third, or without."""
    rng = np.random.default_rng(0)
    made = pd.DataFrame({f"c{i}": rng.choice(["a", "b"], ROWS, p=[0.6, 0.4]) for i in range(COLUMNS)})
    return pd.concat([made, person()], ignore_index=True) if target else made


def person() -> pd.DataFrame:
    return pd.DataFrame({f"c{i}": ["z"] for i in range(COLUMNS)})


def schema() -> Schema:
    """What everybody knows: three levels."""
    known = sv.infer_schema(pd.DataFrame({f"c{i}": ["a", "b", "z"] * 10 for i in range(COLUMNS)}), rules=False)
    return Schema(tuple(known.columns), min_count=1)


def in_count(target: bool, budget: sv.Budget) -> float:
    """A noisy number of rows, for the whole budget."""
    rows = PrivateTable(BASE[target], Ledger(budget), Noise())
    return rows.size(Spend("rows", 1.0, 1.0001 / gaussian_mu(budget.epsilon, budget.delta)))


def in_rows(target: bool, budget: sv.Budget) -> float:
    """How often the person's levels are in rows made from noisy counts."""
    made = private_fitting.bought(BASE[target], schema(), budget, 0).made
    return float(sum((made.table[f"c{i}"].to_pandas() == "z").sum() for i in range(COLUMNS)))


def in_model(target: bool, budget: sv.Budget | None) -> float:
    """The log-likelihood of the person under a whole model."""
    model = sv.Synthesizer(schema(), epochs=30, budget=budget).fit(people(target))
    return float(np.asarray(model.log_prob(person()))[0])


BASE = {target: tables.read(people(target))[0] for target in (True, False)}


def lower_bound(inside: Array, outside: Array, confidence: float = 0.95) -> float:
    """A lower bound of epsilon from the statistics of fits with (m,) and without (m,) the person."""
    half = len(inside) // 2
    choices = np.unique(np.concatenate([inside[:half], outside[:half]]))
    told = [_bound(inside[:half] >= t, outside[:half] >= t, confidence) for t in choices]
    chosen = choices[int(np.argmax(told))]
    return _bound(inside[half:] >= chosen, outside[half:] >= chosen, confidence)


def _bound(hits: Array, alarms: Array, confidence: float) -> float:
    """log((true positive rate - delta) / false positive rate), both at the careful end of their intervals."""
    tail = (1 - confidence) / 2
    low = beta.ppf(tail, hits.sum(), len(hits) - hits.sum() + 1) if hits.any() else 0.0
    high = beta.ppf(1 - tail, alarms.sum() + 1, len(alarms) - alarms.sum()) if not alarms.all() else 1.0
    return float(max(np.log(max(low - DELTA, 1e-12) / high), 0.0))


def audited(what: Callable[[bool, Any], float], budget: sv.Budget | None, fits: int) -> dict[str, Any]:
    """The bound from so many fits, half of them with the person."""
    inside, outside = (np.array([what(target, budget) for _ in range(fits // 2)]) for target in (True, False))
    return {
        "looked_at": what.__doc__,
        "asked_epsilon": budget.epsilon if budget else None,
        "fits": fits,
        "epsilon_at_least": round(lower_bound(inside, outside), 3),
        "mean_with": round(float(inside.mean()), 3),
        "mean_without": round(float(outside.mean()), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, default=20_000, help="single counts")
    parser.add_argument("--draws", type=int, default=2000, help="fits up to the rows made from noisy counts")
    parser.add_argument("--models", type=int, default=0, help="whole models")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[1.0, 4.0])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    budgets = [sv.Budget(epsilon, DELTA) for epsilon in args.epsilons]
    found = [audited(in_count, budget, args.counts) for budget in budgets if args.counts]
    found += [audited(in_rows, budget, args.draws) for budget in budgets if args.draws]
    found += [audited(in_model, budget, args.models) for budget in (*budgets, None) if args.models]
    RESULTS.write_text(json.dumps({"delta": DELTA, "rows": ROWS, "columns": COLUMNS, "found": found}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
