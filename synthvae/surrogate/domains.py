"""What one column holds, as far as it was paid for: leaves with noisy counts, and values to stand for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.privacy.private_table import Coding
from synthvae.schema.columns import Column

Array = np.ndarray[Any, Any]


class Domain(ABC):
    """The leaves of a column. Leaf 0 is null; the others are values, or ranges of values.

    counts: (l,) noisy rows of each leaf, not negative. ordered: whether neighbouring leaves are alike.
    """

    ordered: bool
    counts: Array

    @property
    @abstractmethod
    def column(self) -> Column:
        """The column as the private schema has it."""

    @abstractmethod
    def leaves(self, rows: pa.Table) -> Array:
        """The leaf of each row (n,); every value has one."""

    @abstractmethod
    def values(self, leaves: Array, rng: np.random.Generator) -> pa.Array:
        """Values (n,) of the column's Arrow type for leaves (n,)."""

    @property
    def coding(self) -> Coding:
        """The leaves as a question."""
        return Coding(len(self.counts), self.leaves)


def settled(counts: Array, rows: float, floor: float, nullable: bool) -> Array:
    """Noisy counts (l,), null first, without what noise alone may be: below ``floor`` is nothing; sums to ``rows``."""
    kept = np.where(counts > floor, counts, 0.0)
    if not nullable:
        kept[0] = 0.0
    if not kept.sum():
        kept[int(not nullable and len(kept) > 1) :] = 1.0
    return np.asarray(kept * (max(rows, 1.0) / kept.sum()))
