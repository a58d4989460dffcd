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

from synthvae.errors import ConditionError
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish

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
    ranks: (v,) where each token stands in the order of values (null and NaN before all), None for mere names.
    """

    size: int
    sampleable: BoolArray
    features: FloatArray
    child: bool = False
    compatible: BoolArray | None = None
    ranks: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Draw:
    """The randomness and the place of the rows to decode.

    rows: (n,) int64 row numbers; uniforms: (n,) float64 in [0, 1), one per cell;
    key: the seed of identifier permutations; person: the seed of what the columns of a row have in common; wish: what
    the column's values must be, where the tokens were drawn under one.
    """

    rows: IntArray
    uniforms: FloatArray
    key: int
    person: int = 0
    wish: Wish | None = None


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
    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        """What share of a token's values the wish allows: per block (v,), or (v_parent, v) for a child.

        ConditionError where the wish is none for this kind of column, or leaves nothing; it names what is possible.
        """

    @classmethod
    @abstractmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        """(n,) which values of a column are as wished; ConditionError where the wish is none for this kind."""

    @property
    def exact(self) -> bool:
        """Whether values drawn from tokens under a wish are as wished; else they are to be checked, and drawn again."""
        return True

    @property
    @abstractmethod
    def listed(self) -> pa.Array | None:
        """(m,) the values its tokens 1..m stand for; None where a token may be more than one value."""

    @abstractmethod
    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        """log p(value | its tokens) in nats, (n,): minus the log of how many values, or how much width, share them."""

    def beyond(self, values: pa.ChunkedArray) -> FloatArray:
        """How far values lie beyond all that were learned, in interquartile ranges, (n,); 0 where there is no range."""
        return np.zeros(len(values))

    @abstractmethod
    def state(self) -> State:
        """Everything learned, as JSON and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, column: Column, state: State) -> Self:
        """The inverse of ``state``."""


def presence_weights(wish: Wish, column: Column, block: Block) -> FloatArray:
    """(v,) the weights of a column that can only be asked whether there is a value; ConditionError for any more."""
    only_presence(wish, column)
    weights = np.full(block.size, float(wish.values))
    weights[0] = wish.null
    weights = np.where(block.sampleable, weights, 0.0)
    if not weights.any():
        raise ConditionError(f"Column {column.name!r} {'has no nulls' if wish.null else 'is always null'}.")
    return weights


def present(column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
    """(n,) which values are as wished where all one can ask is whether there is one."""
    only_presence(wish, column)
    null = np.asarray(values.is_null().to_numpy())
    return np.where(null, wish.null, wish.values)


def only_presence(wish: Wish, column: Column) -> None:
    """ConditionError where a wish asks for more than whether there is a value."""
    if wish.values and not wish.any_value:
        raise ConditionError(
            f"Column {column.name!r} is {column.kind}: its content is not learned, so it cannot be asked for. It can "
            "be null or not null."
        )
