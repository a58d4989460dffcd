"""What every codec is: the tokens of one column, there and back.

A codec turns the Arrow values of a column into one or two *blocks* of tokens (small integers, 0 is null) and draws
values back from tokens. Abstract or final: a codec fills in every verb and overrides nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.schema.columns import Column

IntArray = np.ndarray[Any, np.dtype[np.integer[Any]]]
FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

# A codec's state: numbers and text in the JSON part, everything long in arrays.
State = tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]


@dataclass(frozen=True, eq=False)
class Block:
    """One token slot of a row.

    size: v, the number of tokens, null included.
    sampleable: (v,) which tokens may be drawn (the folded rare levels may not, nor null where there is none).
    features: (v, f), or (v_parent, v, f) where the block has a parent: what the network sees of a token as a number.
    child: whether the block refines the one before it; then ``compatible`` (v_parent, v) says which tokens may follow
        which, and a row fixes exactly one where the parent leaves no choice.
    """

    size: int
    sampleable: BoolArray
    features: FloatArray
    child: bool = False
    compatible: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class Draw:
    """The randomness and the place of the rows to decode.

    rows: (n,) int64 row numbers; uniforms: (n,) float64 in [0, 1), one per cell;
    key: the seed of identifier permutations; person: the seed of what the columns of a row have in common.
    """

    rows: IntArray
    uniforms: FloatArray
    key: int
    person: int = 0


@dataclass(frozen=True)
class FitReport:
    """What a codec folded away: how many rows, and a sentence without any value in it."""

    folded_rows: int = 0
    notes: tuple[str, ...] = field(default=())


class Codec(ABC):
    """Column <-> tokens."""

    @classmethod
    @abstractmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        """Learn the tokens of a column from its values; ``min_count`` rows must stand behind every number kept."""

    @property
    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """The column's token slots: none (identifiers), one, or a coarse and a fine one."""

    @property
    @abstractmethod
    def report(self) -> FitReport:
        """What was folded at fit."""

    @abstractmethod
    def encode(self, values: pa.ChunkedArray) -> IntArray:
        """Values -> tokens (n, number of blocks) int32."""

    @abstractmethod
    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        """Tokens (n, number of blocks) -> values of the column's Arrow type."""

    @abstractmethod
    def state(self) -> State:
        """Everything learned, as JSON and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, column: Column, state: State) -> Self:
        """The inverse of ``state``."""
