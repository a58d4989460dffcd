"""What columns are that nothing declares, in CSV files and columns of Python objects: how most rows are written.

Each row votes by itself; the votes are counted with noise, and rows that are written otherwise become null.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from synthvae import tables
from synthvae.privacy.ledger import Spend
from synthvae.privacy.mechanisms import Array
from synthvae.privacy.private_table import Coding, PrivateTable

STRAY, PART = 0.05, 0.001  # share of rows that may be null for it where text becomes numbers, and numbers whole
SURE, FEW = 4.0, 0.2  # standard deviations of the noise, share of rows: fewer than both may be noise alone
_NAMES = tuple(tables.SPELLINGS)
# A spelling, and the narrower ones that can be read as it.
_FAMILIES = (("number", "whole number"), ("truth",), ("instant", "date"))


def elected(private: PrivateTable, names: Sequence[str], spend: Spend) -> dict[str, pa.DataType]:
    """The type of each column. spend: of as many histograms as there are names."""
    codings = [Coding(tables.NULL + 1, lambda rows, name=name: _cells(rows, name)) for name in names]  # type: ignore[misc]
    counted = private.histograms(codings, spend)
    return {name: _most(counts, spend.sigma) for name, counts in zip(names, counted, strict=True)}


def _cells(rows: pa.Table, name: str) -> Array:
    return np.asarray(tables.spellings(rows[name]).combine_chunks().to_numpy(zero_copy_only=False))


def _most(counts: Array, sigma: float) -> pa.DataType:
    """The family of spellings of most rows; its narrowest member that loses hardly a row."""
    votes = {family: sum(counts[_NAMES.index(name)] for name in family) for family in _FAMILIES}
    family = max(votes, key=lambda each: votes[each])
    all_, text = float(counts[: tables.NULL].sum()), counts[tables.TEXT]
    others = all_ - votes[family]
    if votes[family] <= text or others > max(STRAY * all_, SURE * sigma * (tables.NULL - len(family)) ** 0.5):
        return pa.string()
    wide, *narrow = family
    for name in narrow:
        if counts[_NAMES.index(wide)] <= max(PART * all_, min(SURE * sigma, FEW * all_)):
            return tables.SPELLINGS[name][1]
    return tables.SPELLINGS[wide][1]
