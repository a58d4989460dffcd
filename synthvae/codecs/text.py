"""Free text: whether it is there and how long it is; what it says is never learned, how it looks only on request."""

from __future__ import annotations

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.arrow import as_array, as_type, null_mask, without
from synthvae.codecs.base import (
    Block,
    BoolArray,
    Codec,
    Draw,
    FitReport,
    FloatArray,
    IntArray,
    State,
    presence_weights,
    present,
)
from synthvae.codecs.bin_blocks import Ranks, bin_blocks
from synthvae.codecs.binning import cut, robust_bounds, smoothed_quantiles
from synthvae.codecs.bins import Bins
from synthvae.codecs.characters import Characters
from synthvae.codecs.features import Scaling
from synthvae.codecs.grid import Units, WholeGrid
from synthvae.schema.columns import Column, Text
from synthvae.schema.conditions import Wish

# Enough to tell a note from a letter.
MOST_BINS = 16
FILLER = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna "
    "aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat "
)


class TextCodec(Codec):
    """Lengths in characters <-> one block of up to 16 bins; decoding fills the drawn length with filler words, or with
    characters."""

    def __init__(self, column: Text, bins: Bins, ranks: Ranks, characters: Characters | None = None) -> None:
        self.column = column
        self._characters = characters
        self.bins = bins
        self._ranks = ranks
        self._blocks = bin_blocks(bins, ranks, _scaling(bins, ranks), column.nullable)

    @classmethod
    def fit(cls, column: Column, values: pa.ChunkedArray, min_count: int) -> Self:
        assert isinstance(column, Text)
        units = _lengths(values)
        lengths = np.sort(units.number[~units.null])
        bins = _bins(*_length_bins(lengths, column, min_count))
        wanted = column.content == "characters"
        characters = Characters.learn(pc.unique(as_array(values)).drop_null(), min_count) if wanted else None
        return cls(column, bins, Ranks.of(bins, lengths), characters)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self._blocks

    @property
    def report(self) -> FitReport:
        filler = "filler" if self._characters is None else "characters drawn by their frequencies,"
        return FitReport(notes=(f"free text is replaced by {filler} of a like length",))

    def encode(self, values: pa.ChunkedArray) -> IntArray:
        return self.bins.encode(_lengths(values))

    def decode(self, tokens: IntArray, draw: Draw) -> pa.Array:
        units = self.bins.decode(tokens, draw.uniforms)
        if self._characters is not None:
            spelt = self._characters.spelt(units.number, draw.rows, draw.key)
            return as_type(without(spelt, units.null), self.column.arrow)
        lengths, inverse = np.unique(units.number, return_inverse=True)
        text = pa.array([_filler(length) for length in lengths.tolist()], pa.large_string())
        return as_type(text.take(pa.array(inverse, mask=units.null)), self.column.arrow)

    def allowed(self, wish: Wish) -> tuple[FloatArray, ...]:
        return (presence_weights(wish, self.column, self._blocks[0]),)

    @classmethod
    def meets(cls, column: Column, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
        return present(column, values, wish)

    @property
    def listed(self) -> pa.Array | None:
        return None

    def log_density(self, values: pa.ChunkedArray) -> FloatArray:
        return self.bins.log_density(self.bins.encode(_lengths(values)))

    def state(self) -> State:
        facts, arrays = ({}, {}) if self._characters is None else self._characters.state()
        return facts, arrays | {"edges": self.bins.edges, "ranks": self._ranks.edges}

    @classmethod
    def from_state(cls, column: Column, state: State) -> Self:
        assert isinstance(column, Text)
        edges, ranks = state[1]["edges"], state[1]["ranks"]
        characters = Characters.from_state(*state) if "signs" in state[0] else None
        return cls(column, _bins(edges, np.arange(max(len(edges), 1))), Ranks(np.zeros(0), ranks), characters)


def _lengths(values: pa.ChunkedArray) -> Units:
    array = as_array(values)
    number = pc.utf8_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return Units.of(number, null_mask(array))


def _length_bins(lengths: IntArray, column: Text, min_count: int) -> tuple[IntArray, IntArray]:
    """Edges and first steps of the length bins: quantiles, or the schema's lengths where there are too few rows."""
    none = np.zeros(0, np.int64)
    if not len(lengths):
        return none, np.zeros(1, np.int64)
    if len(lengths) < 2 * min_count:
        return cut(np.asarray([column.min_length]), max(column.min_length, column.max_length), none, 1)
    allowed = WholeGrid(pa.int64(), column.min_length, column.max_length or None, 1)
    low, high = robust_bounds(lengths, allowed, min_count)
    bins = min(MOST_BINS, len(lengths) // (2 * min_count))
    interior = smoothed_quantiles(lengths, np.arange(1, bins) * len(lengths) // bins, min_count)
    return cut(np.clip(np.append(np.asarray([low]), interior), low, high), high, none, 1)


def _bins(edges: IntArray, first: IntArray) -> Bins:
    return Bins(np.zeros(0, np.int64), edges, first, False)


def _scaling(bins: Bins, ranks: Ranks) -> Scaling:
    middles = (bins.edges[:-1] + bins.edges[1:]) / 2
    return Scaling.of(middles, np.diff(ranks.edges), float(middles.mean())) if bins.bins else Scaling()


def _filler(length: int) -> str:
    text = (FILLER * (length // len(FILLER) + 1))[:length]
    return text[:-1] + "." if text.endswith(" ") else text
