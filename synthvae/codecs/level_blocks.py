"""The blocks of a column of levels: one, or a group of levels and the place in it where they are very many.

A head with a logit per level would outgrow the network: 100,000 levels become two blocks of about 317 tokens. Groups
are runs of the schema's levels, which are sorted unless somebody ordered them: codes that begin alike, or numbers that
are near, share a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

from synthvae.codecs.base import Block, BoolArray, FloatArray, IntArray
from synthvae.codecs.features import COARSE_TURNS, FINE_TURNS, Scaling, number_features, width
from synthvae.schema.columns import Categorical, Column

MOST_IN_ONE = 512  # levels of one block


@dataclass(frozen=True)
class LevelTokens:
    """Which tokens the levels have. levels: how many; group: levels in a group, 0 where there is one block.

    Coarse (or only) block: 0 null, then the levels or groups, then the rare level where ``rare``. Fine block: 0 where
    there is no group, then the places in it.
    """

    levels: int
    group: int
    rare: bool

    @classmethod
    def of(cls, levels: int, rare: bool) -> LevelTokens:
        """One block while that is small enough, else two of about the same size."""
        return cls(levels, isqrt(levels - 1) + 1 if levels > MOST_IN_ONE else 0, rare)

    @property
    def named(self) -> int:
        """How many tokens of the coarse block are levels or groups."""
        return -(-self.levels // self.group) if self.group else self.levels

    @property
    def size(self) -> int:
        """Tokens of the coarse block."""
        return 1 + self.named + int(self.rare)

    @property
    def width(self) -> int:
        """The number of blocks."""
        return 2 if self.group else 1

    def tokens(self, places: IntArray) -> IntArray:
        """Places of levels (n,), -1 null and ``levels`` the rare one -> tokens (n, b) int32."""
        if not self.group:
            return np.asarray(places + 1, np.int32)[:, None]
        known = (places >= 0) & (places < self.levels)
        coarse = np.where(known, places // self.group + 1, np.where(places < 0, 0, self.size - 1))
        fine = np.where(known, places % self.group + 1, 0)
        return np.stack([coarse, fine], axis=1).astype(np.int32)

    def places(self, tokens: IntArray) -> IntArray:
        """The inverse; null and the rare level are -1."""
        if not self.group:
            every = np.arange(self.size)
            return np.take(np.where(every <= self.named, every - 1, -1), tokens[:, 0])
        coarse = tokens[:, 0].astype(np.int64)
        known = (coarse > 0) & (coarse <= self.named)
        fine = np.clip(tokens[:, 1].astype(np.int64), 1, self.group) - 1
        return np.where(known, np.minimum((coarse - 1) * self.group + fine, self.levels - 1), -1)

    @property
    def compatible(self) -> BoolArray:
        """(v, v_fine) which places a group has."""
        allowed = np.zeros((self.size, self.group + 1), bool)
        allowed[0, 0] = True
        allowed[1 + self.named :, 0] = True
        full = np.arange(self.levels)
        allowed[full // self.group + 1, full % self.group + 1] = True
        return allowed


def level_blocks(column: Column, tokens: LevelTokens, shares: FloatArray) -> tuple[Block, ...]:
    """The blocks of a column whose levels have the shares (k,)."""
    told = _told(column, shares)
    if not tokens.group:
        table = _table(told, COARSE_TURNS, tokens.size)
        return (Block(tokens.size, _sampleable(tokens, column.nullable), table, ranks=_ranks(told, tokens.size)),)
    fine_features = np.zeros((tokens.size, tokens.group + 1, width(FINE_TURNS) if told else 0), np.float32)
    if told:
        every = np.arange(tokens.levels)
        own = number_features(told.values, told.ranks, np.ones(len(every), bool), told.scaling, FINE_TURNS)
        fine_features[every // tokens.group + 1, every % tokens.group + 1] = own
        told = _grouped(told, shares, tokens)
    ranks = _ranks(told, tokens.size)
    coarse = Block(
        tokens.size, _sampleable(tokens, column.nullable), _table(told, COARSE_TURNS, tokens.size), ranks=ranks
    )
    size = tokens.group + 1
    places = None if ranks is None else np.arange(size, dtype=np.float64)
    return coarse, Block(size, np.ones(size, bool), fine_features, True, tokens.compatible, places)


@dataclass(frozen=True, eq=False)
class _Told:
    """What numbers and ordered levels tell of themselves: values, mid-ranks (k,)."""

    values: FloatArray
    ranks: FloatArray
    scaling: Scaling


def _told(column: Column, shares: FloatArray) -> _Told | None:
    """None for names, which tell nothing."""
    if not isinstance(column, Categorical) or not column.levels:
        return None
    numbers = not any(isinstance(level, str) for level in column.levels)
    if not (numbers or column.ordered):
        return None
    values = np.asarray(column.levels if numbers else range(len(column.levels)), np.float64)
    order = np.arange(len(values)) if column.ordered else np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.cumsum(shares[order]) - shares[order] / 2
    return _Told(values, ranks, Scaling.of(values, shares, float(np.abs(values).mean())))


def _grouped(told: _Told, shares: FloatArray, tokens: LevelTokens) -> _Told:
    """The means over the levels of each group."""
    group = np.arange(tokens.levels) // tokens.group
    weights = np.maximum(shares, 1e-12)
    total = np.bincount(group, weights)
    values, ranks = (np.bincount(group, weights * part) / total for part in (told.values, told.ranks))
    return _Told(values, ranks, told.scaling)


def _table(told: _Told | None, turns: tuple[int, ...], size: int) -> FloatArray:
    """(v, f): features of the tokens that are levels or groups; (v, 0) for names."""
    if told is None:
        return np.zeros((size, 0), np.float32)
    table = np.zeros((size, width(turns)), np.float32)
    exact = np.ones(len(told.values), bool)
    table[1 : 1 + len(told.values)] = number_features(told.values, told.ranks, exact, told.scaling, turns)
    return table


def _ranks(told: _Told | None, size: int) -> FloatArray | None:
    """(v,) the order of the tokens that are levels or groups, the others before all; None for names."""
    if told is None:
        return None
    return np.concatenate([[-1.0], told.ranks, np.full(size - 1 - len(told.ranks), -1.0)])


def _sampleable(tokens: LevelTokens, nullable: bool) -> BoolArray:
    """Null where the column has nulls, every level, never the rare token; null where nothing else is left."""
    drawn = np.ones(tokens.size, bool)
    drawn[0] = nullable or not tokens.levels
    drawn[1 + tokens.named :] = False
    return drawn
