"""Levels: a token each in the schema's order, one more for what is too rare to be written down."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.arrow import as_array, null_mask, value_type
from synthvae.codecs.base import Block, BoolArray, Codec, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.level_blocks import LevelTokens, level_blocks
from synthvae.codecs.levels import listed, may_be
from synthvae.errors import ConditionError
from synthvae.schema.columns import Boolean, Categorical, Column
from synthvae.schema.conditions import Wish
from synthvae.tables import arrow_type, plain


class CategoricalCodec(Codec):
    """Levels, or False and True <-> null, the levels, and the rare one where the column is open.

    One block, or a group of levels and the place in it where they are very many (``level_blocks``). An unknown level is
    the rare one, or null where the column is closed; null and the rare token come back as null.
    Numbers and ordered levels show the network their rank and value as well.
    """

    def __init__(self, column: Column, tokens: LevelTokens, shares: FloatArray, report: FitReport) -> None:
        self.column = column
        self.levels = _levels(column)
        self._tokens = tokens
        self._shares = shares
        self._report = report
        self._blocks = level_blocks(column, tokens, shares)

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        levels = _levels(column)
        places = _places(values, levels, _is_open(column))
        counts = np.bincount(places + 1, minlength=2 + len(levels))
        kept, rare = counts[1:-1], int(counts[-1])
        notes = (f"rows with levels too rare to be kept: {rare}; they count as one level that is never drawn",)
        report = FitReport(rare, notes if rare else ())
        return cls(column, LevelTokens.of(len(levels), _is_open(column)), kept / max(kept.sum(), 1), report)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self._blocks

    @property
    def report(self) -> FitReport:
        return self._report

    def encode(self, values: pa.ChunkedArray) -> IntArray:
        return self._tokens.tokens(_places(values, self.levels, self._tokens.rare))

    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        places = self._tokens.places(tokens)
        indices = pa.array(np.maximum(places, 0).astype(np.int32), mask=places < 0)
        type_ = arrow_type(self.column.arrow)
        if not pa.types.is_dictionary(type_):
            return self.levels.take(indices).cast(type_)
        return pa.DictionaryArray.from_arrays(
            indices.cast(type_.index_type), self.levels.cast(type_.value_type), ordered=type_.ordered
        )

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        may = may_be(wish, self.levels.to_pylist(), self.column)
        tokens = self._tokens.tokens(np.flatnonzero(may))
        coarse = np.zeros(self._blocks[0].size)
        coarse[0] = wish.null
        coarse[tokens[:, 0]] = 1.0
        coarse = np.where(self._blocks[0].sampleable, coarse, 0.0)
        if not coarse.any():
            said = "cannot be null" if wish.null and not wish.values else "has no such level"
            raise ConditionError(f"Column {self.column.name!r} {said}; it has {listed(self.levels.to_pylist())}.")
        if len(self._blocks) == 1:
            return (coarse,)
        fine = np.zeros((self._blocks[0].size, self._blocks[1].size))
        fine[0, 0] = 1.0
        fine[tokens[:, 0], tokens[:, 1]] = 1.0
        return coarse, fine

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        levels = _levels(column)
        may = np.concatenate([may_be(wish, levels.to_pylist(), column), [False, wish.null]])
        array = as_array(values)
        places = pc.index_in(array, levels).fill_null(len(levels)).to_numpy()
        return np.asarray(may[np.where(null_mask(array), len(levels) + 1, places)])

    @property
    def listed(self) -> pa.Array | None:
        return self.levels if len(self._blocks) == 1 else None

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        return np.zeros(len(values))

    def state(self) -> State:
        facts: dict[str, Any] = {"folded_rows": self._report.folded_rows, "notes": list(self._report.notes)}
        facts |= {"group": self._tokens.group} if self._tokens.group else {}
        return facts, {"shares": self._shares}

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        facts, arrays = state
        tokens = LevelTokens(len(_levels(column)), int(facts.get("group", 0)), _is_open(column))
        return cls(column, tokens, arrays["shares"], FitReport(facts["folded_rows"], tuple(facts["notes"])))


def _levels(column: Column) -> pa.Array:
    """The levels in the layout every kernel knows."""
    if isinstance(column, Boolean):
        return pa.array([False, True])
    assert isinstance(column, Categorical)
    inside = value_type(column.arrow)
    return pa.array(list(column.levels)).cast(plain(pa.chunked_array([], inside)).type, safe=False)


def _is_open(column: Column) -> bool:
    """Whether there is a token for levels too rare to be written down."""
    return column.open_share is not None and not isinstance(column, Boolean)


def _places(values: pa.ChunkedArray, levels: pa.Array, rare: bool) -> IntArray:
    """Values (n,) -> their places among the levels; -1 null, and an unknown level the place after the last if ``rare``.

    A dictionary is looked up level by level.
    """
    if values.null_count == len(values):
        return np.full(len(values), -1)
    coded = _as_dictionary(values)
    own = as_array(pa.chunked_array([coded.dictionary]))
    found = np.asarray(pc.index_in(own, levels).fill_null(len(levels) if rare else -1)).astype(np.int64)
    found = np.append(np.where(null_mask(own), -1, found), -1)  # (k + 1,) the last one for null
    places: IntArray = np.asarray(coded.indices.cast(pa.int32()).fill_null(len(found) - 1))
    return np.asarray(found[places])


def _as_dictionary(values: pa.ChunkedArray) -> pa.DictionaryArray:
    if pa.types.is_dictionary(values.type) and values.num_chunks == 1:
        return values.chunk(0)
    return as_array(values).dictionary_encode()
