"""A model of hostile names and values, and a table with one strange row, for the tests of the explorer."""

from __future__ import annotations

import numpy as np
import pandas as pd

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = "<img src=x onerror=\"document.title='owned'\">"
SECRET = "told nobody"
WORDS = [f"{a}{b}re" for a in "bcdfgh" for b in "aeiou"]


def hostile(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Two hidden causes; names and levels that would run if they were parsed."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 3, (2, rows))
    return pd.DataFrame(
        {
            "key": [f"K-{i:06d}" for i in range(rows)],
            SCRIPT: np.array([IMAGE, "plain", "{{7*7}}"])[a],
            "size": a * 100.0 + rng.integers(0, 9, rows),
            "kind": np.array(["p", "q", "r"])[b],
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(b * 300 + rng.integers(0, 3, rows), "D"),
            "note": [" ".join(rng.permutation([SECRET, *rng.choice(WORDS, 3)])) for _ in range(rows)],
        }
    )


def planted(rows: int = 60) -> pd.DataFrame:
    """The same with a row 7 whose cells do not go together."""
    table = hostile(rows, seed=1)
    table.loc[7, ["size", SCRIPT, "kind"]] = [3.0, "{{7*7}}", "r"]
    table.loc[7, "day"] = pd.Timestamp("2020-01-05")
    return table
