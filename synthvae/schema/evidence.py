"""What the rules of inference look at: one column and whose rows it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import tables
from synthvae.schema.support import Array, Support, share

MIN_KEY_ROWS = 20  # fewer distinct values may be distinct by chance


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules look at: one column (n rows), in layouts every kernel knows."""

    name: str
    raw: pa.ChunkedArray
    pandas: str | None
    everyone: Support
    exact: bool
    is_group: bool

    @cached_property
    def present(self) -> Array:
        """(n,) rows with a value."""
        return np.asarray(pc.is_valid(self.raw).to_numpy(zero_copy_only=False))

    @cached_property
    def values(self) -> pa.ChunkedArray:
        """The values that are not null."""
        return tables.plain(self.raw).drop_null()

    @cached_property
    def support(self) -> Support:
        """The support of ``values``."""
        return self.everyone.where(self.present)

    @property
    def type(self) -> pa.DataType:
        return self.values.type

    @cached_property
    def whole(self) -> Array:
        """``values`` as int64, for integer columns."""
        return np.asarray(self.values.cast(pa.int64()).to_numpy())

    def facts(self) -> dict[str, Any]:
        """The fields every column has."""
        return {
            "name": self.name,
            "arrow": str(self.raw.type),
            "pandas": self.pandas,
            "nullable": bool(self.raw.null_count),
        }

    def open_share(self, outside: int) -> float | None:
        """The share of values outside, or None where the schema says all there is."""
        return None if self.exact else share(outside, len(self.values))

    def meaning(self, values: pa.Array) -> Evidence:
        """The same rows with what their values (those not null) mean in place of their text."""
        place = np.full(len(self.raw), -1)
        place[self.present] = np.arange(len(values))
        meant = values.take(pa.array(place, mask=~self.present))
        return replace(self, raw=pa.chunked_array([meant]), pandas=None)

    def is_key(self) -> bool:
        """Whether every row has a value of its own, in rows enough for that to say something."""
        n = len(self.raw)
        return n >= MIN_KEY_ROWS and not self.raw.null_count and len(pc.unique(self.values)) == n
