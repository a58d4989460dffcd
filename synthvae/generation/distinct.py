"""Rows of which no two may agree in some columns: the first that comes keeps its values, a later one is drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae.networks.layout import Array
from synthvae.tables import plain


class Distinct:
    """What the rows of one call hold so far, as 64-bit hashes. columns: each tuple of them is to differ between rows.

    A row with a null in one of the columns agrees with no other.
    """

    def __init__(self, columns: Sequence[tuple[str, ...]]) -> None:
        self.columns = tuple(columns)
        self._seen: list[set[int]] = [set() for _ in self.columns]

    def admitted(self, table: pa.Table, wanted: Array) -> Array:
        """(n,) the ``wanted`` rows that agree with none admitted before; they are admitted."""
        if not self.columns:
            return wanted
        keys = [_keys(table, names) for names in self.columns]
        good = wanted.copy()
        for row in np.flatnonzero(wanted).tolist():
            own = [int(key[row]) if known[row] else None for key, known in keys]
            if any(key is not None and key in seen for key, seen in zip(own, self._seen, strict=True)):
                good[row] = False
                continue
            for key, seen in zip(own, self._seen, strict=True):
                if key is not None:
                    seen.add(key)
        return good


def _keys(table: pa.Table, names: Sequence[str]) -> tuple[Array, Array]:
    """(n,) a hash of the values, and where none of them is null."""
    frame = pd.DataFrame({name: plain(table[name]).to_pandas() for name in names})
    return pd.util.hash_pandas_object(frame, index=False).to_numpy(), frame.notna().all(axis=1).to_numpy()
