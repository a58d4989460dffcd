"""Levels: one token each in the schema's order, one more for what is too rare to be written down."""

from __future__ import annotations

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.arrow import as_array, null_mask, value_type
from synthvae.codecs.base import Block, BoolArray, Codec, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.features import COARSE_TURNS, Scaling, number_features, width
from synthvae.codecs.levels import listed, may_be
from synthvae.errors import ConditionError
from synthvae.schema.columns import Boolean, Categorical, Column
from synthvae.schema.conditions import Wish
from synthvae.tables import arrow_type, plain


class CategoricalCodec(Codec):
    """Levels, or False and True <-> one block: null, the levels, and the rare one where the column is open.

    An unknown level is the rare one, or null where the column is closed; null and the rare token come back as null.
    Numbers and ordered levels show the network their rank and value as well.
    """

    def __init__(self, column: Column, shares: FloatArray, report: FitReport) -> None:
        self.column = column
        self.levels = _levels(column)
        self._rare = column.open_share is not None and not isinstance(column, Boolean)
        self._shares = shares
        self._report = report
        size = 1 + len(self.levels) + int(self._rare)
        features, ranks = _features(column, shares, size)
        self._block = Block(size, _sampleable(size, len(self.levels), column.nullable), features, ranks=ranks)

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        blank = cls(column, np.zeros(len(_levels(column))), FitReport())
        counts = np.bincount(blank.encode(values)[:, 0], minlength=blank.blocks[0].size)
        kept, rare = counts[1 : 1 + len(blank.levels)], int(counts[1 + len(blank.levels) :].sum())
        notes = (f"rows with levels too rare to be kept: {rare}; they count as one level that is never drawn",)
        return cls(column, kept / max(kept.sum(), 1), FitReport(rare, notes if rare else ()))

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (self._block,)

    @property
    def report(self) -> FitReport:
        return self._report

    def encode(self, values: pa.ChunkedArray) -> IntArray:
        if values.null_count == len(values):
            return np.zeros((len(values), 1), np.int32)
        coded = _as_dictionary(values)
        tokens = np.append(self._tokens_of(coded.dictionary), 0).astype(np.int32)  # (k + 1,) the last one for null
        places: IntArray = np.asarray(coded.indices.cast(pa.int32()).fill_null(len(tokens) - 1))
        return np.asarray(tokens[places][:, None])

    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        known = (tokens[:, 0] > 0) & (tokens[:, 0] <= len(self.levels))
        indices = pa.array(np.where(known, tokens[:, 0] - 1, 0).astype(np.int32), mask=~known)
        type_ = arrow_type(self.column.arrow)
        if not pa.types.is_dictionary(type_):
            return self.levels.take(indices).cast(type_)
        return pa.DictionaryArray.from_arrays(
            indices.cast(type_.index_type), self.levels.cast(type_.value_type), ordered=type_.ordered
        )

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        weights = np.zeros(self._block.size)
        weights[0] = wish.null
        weights[1 : 1 + len(self.levels)] = may_be(wish, self.levels.to_pylist(), self.column)
        weights = np.where(self._block.sampleable, weights, 0.0)
        if not weights.any():
            said = "cannot be null" if wish.null and not wish.values else "has no such level"
            raise ConditionError(f"Column {self.column.name!r} {said}; it has {listed(self.levels.to_pylist())}.")
        return (weights,)

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        levels = _levels(column)
        may = np.concatenate([may_be(wish, levels.to_pylist(), column), [False, wish.null]])
        array = as_array(values)
        places = pc.index_in(array, levels).fill_null(len(levels)).to_numpy()
        return np.asarray(may[np.where(null_mask(array), len(levels) + 1, places)])

    @property
    def listed(self) -> pa.Array | None:
        return self.levels

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        return np.zeros(len(values))

    def state(self) -> State:
        facts = {"folded_rows": self._report.folded_rows, "notes": list(self._report.notes)}
        return facts, {"shares": self._shares}

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        facts, arrays = state
        return cls(column, arrays["shares"], FitReport(facts["folded_rows"], tuple(facts["notes"])))

    def _tokens_of(self, dictionary: pa.Array) -> IntArray:
        """Values (k,) -> tokens (k,)."""
        values = as_array(pa.chunked_array([dictionary]))
        places = pc.index_in(values, self.levels)  # null where unknown
        unknown = self._block.size - 1 if self._rare else 0
        return np.where(null_mask(values), 0, np.asarray(pc.add(places, 1).fill_null(unknown)))


def _levels(column: Column) -> pa.Array:
    """The levels in the layout every kernel knows."""
    if isinstance(column, Boolean):
        return pa.array([False, True])
    assert isinstance(column, Categorical)
    inside = value_type(column.arrow)
    return pa.array(list(column.levels)).cast(plain(pa.chunked_array([], inside)).type, safe=False)


def _as_dictionary(values: pa.ChunkedArray) -> pa.DictionaryArray:
    if pa.types.is_dictionary(values.type) and values.num_chunks == 1:
        return values.chunk(0)
    return as_array(values).dictionary_encode()


def _sampleable(size: int, levels: int, nullable: bool) -> BoolArray:
    """Null where the column has nulls, every level, never the rare token; null where nothing else is left."""
    drawn = np.ones(size, bool)
    drawn[0] = nullable or not levels
    drawn[1 + levels :] = False
    return drawn


def _features(column: Column, shares: FloatArray, size: int) -> tuple[FloatArray, FloatArray | None]:
    """(v, f) and the ranks (v,) for numbers and ordered levels; (v, 0) and None for names."""
    if not isinstance(column, Categorical) or not column.levels:
        return np.zeros((size, 0), np.float32), None
    numbers = not any(isinstance(level, str) for level in column.levels)
    if not (numbers or column.ordered):
        return np.zeros((size, 0), np.float32), None
    values = np.asarray(column.levels if numbers else range(len(column.levels)), np.float64)
    order = np.arange(len(values)) if column.ordered else np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.cumsum(shares[order]) - shares[order] / 2
    scaling = Scaling.of(values, shares, float(np.abs(values).mean()))
    table = np.zeros((size, width(COARSE_TURNS)), np.float32)
    exact = np.ones(len(values), bool)
    table[1 : 1 + len(values)] = number_features(values, ranks, exact, scaling, COARSE_TURNS)
    return table, np.concatenate([[-1.0], ranks, np.full(size - 1 - len(ranks), -1.0)])
