"""Rows for learning and rows for judging."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SHARE = 0.05  # of the rows are held out ...
AT_LEAST, AT_MOST = 200, 4096  # ... within these counts, but never more than a tenth of a small table


def split(table: pa.Table, group: str | None, seed: int) -> tuple[pa.Table, pa.Table]:
    """(rows to learn from, rows held out); whole groups go to one side."""
    rng = np.random.default_rng([seed, 3])
    rows = table.num_rows
    wanted = int(max(1, min(rows // 10, max(rows * SHARE, AT_LEAST), AT_MOST)))
    if group is None:
        order = rng.permutation(rows)
        return table.take(np.sort(order[wanted:])), table.take(np.sort(order[:wanted]))
    codes = pc.fill_null(table[group].combine_chunks().dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    names, place = np.unique(codes, return_inverse=True)
    out = np.isin(place, rng.permutation(len(names))[: max(1, round(len(names) * wanted / rows))])
    return table.filter(pa.array(~out)), table.filter(pa.array(out))
