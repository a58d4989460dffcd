"""Writes the golden bundle: ``python -m tests.make_golden``, once for each bundle format.

Every later version must open it and draw the rows recorded beside it. Its weights are rounded to eight significant
bits, so that the file is small.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import synthvae as sv
from synthvae import backend, bundle
from tests.conftest import mixed_table

DATA = Path(__file__).parent / "data"
GOLDEN = DATA / f"golden_v{bundle.VERSION}.synthvae"
ROWS, SEED = 5, 0


def rounded(weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 with the lower sixteen bits rounded away."""
    bits = weights.astype("<f4").view("<u4")
    return ((bits + 0x8000) & 0xFFFF0000).view("<f4")


def record(model: sv.Synthesizer) -> dict[str, Any]:
    """What a test compares: types, the first rows as text, and means of a larger sample."""
    made, many = model.sample(ROWS, random_state=SEED), model.sample(2000, random_state=SEED)
    return {
        "dtypes": {name: str(dtype) for name, dtype in made.dtypes.items()},
        "categories": list(made["job"].cat.categories),
        "rows": json.loads(made.to_json(orient="records", date_format="iso", double_precision=10)),
        "means": {name: float(many[name].mean()) for name in ("age", "income", "bonus")},
        "nulls": {name: float(share) for name, share in many.isna().mean().items()},
        "shares": {name: float(share) for name, share in many["job"].value_counts(normalize=True).items()},
    }


def main() -> None:
    """Fit, round, save, record."""
    DATA.mkdir(exist_ok=True)
    model = sv.Synthesizer(epochs=4, random_state=SEED).fit(mixed_table(2500))
    variables = model.vae_.trainable_variables
    backend.assign(variables, [rounded(weights) for weights in backend.arrays(variables)])
    model.save(GOLDEN)
    facts = json.dumps(record(sv.load(GOLDEN)), indent=1, ensure_ascii=False)
    GOLDEN.with_suffix(".json").write_text(facts + "\n", encoding="utf-8")
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
