"""Columns whose values are minted, not learned: of them only the gaps are, where there are any."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.arrow import PRESENCE, as_type, presence, without
from synthvae.codecs.base import (
    Block,
    BoolArray,
    Codec,
    Draw,
    FloatArray,
    IntArray,
    State,
    presence_weights,
    present,
)
from synthvae.errors import ConditionError
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish


class MintedCodec(Codec):
    """Abstract: no block, or whether there is a value where some are missing; a kind fills in how values are made."""

    def __init__(self, column: Any, gaps: bool = False) -> None:
        self.column = column
        self._gaps = gaps

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        return cls(column, column.nullable)

    @abstractmethod
    def minted(self, draw: Draw) -> pa.Array:
        """A value for each row (n,)."""

    @property
    @abstractmethod
    def room(self) -> int | None:
        """How many rows there can be; None where there is no end to them."""

    @abstractmethod
    def check_room(self, rows: int) -> None:
        """ParameterError where there are no ``rows`` different values and there must be."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (PRESENCE,) if self._gaps else ()

    def encode(self, values: pa.ChunkedArray) -> IntArray:
        return presence(values) if self._gaps else np.zeros((len(values), 0), np.int32)

    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        self.check_room(int(draw.rows.max(initial=-1)) + 1)
        missing = tokens[:, 0] == 0 if self._gaps else np.zeros(len(draw.rows), bool)
        return as_type(without(self.minted(draw), missing), self.column.arrow)

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        if self._gaps:
            return (presence_weights(wish, self.column, PRESENCE),)
        if not (wish.values and wish.any_value):
            raise ConditionError(
                f"Column {self.column.name!r} is minted ({self.column.kind}): there is nothing to ask."
            )
        return ()

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        return present(column, values, wish)

    @property
    def listed(self) -> pa.Array | None:
        return None

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        return np.zeros(len(values))

    def state(self) -> State:
        return {"gaps": True} if self._gaps else {}, {}

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        return cls(column, bool(state[0].get("gaps", False)))
