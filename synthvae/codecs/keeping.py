"""What an earlier table's codecs are still good for: which of them a later table can keep, and which tokens agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import pyarrow as pa

from synthvae.codecs.base import Codec, IntArray
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.gridded import AxisCodec
from synthvae.codecs.table import TableCodec
from synthvae.codecs.text import TextCodec
from synthvae.schema.columns import Categorical, Column
from synthvae.schema.schema import Schema

BEYOND = 0.02  # share of the values that may lie outside what the bins know before they are learned anew


@dataclass(frozen=True, eq=False)
class Kept:
    """What of an earlier table's tokens lives on.

    blocks: per new block the old one and, (v,), the old token of each of its tokens (-1: there was none), or None where
    the block is new. echoes: per new echo the old one, or -1.
    """

    blocks: tuple[tuple[int, IntArray] | None, ...]
    echoes: tuple[int, ...]


def kept_codecs(earlier: TableCodec, schema: Schema, table: pa.Table) -> dict[str, Codec]:
    """The codecs of ``earlier`` that still fit their columns in a later table, by name."""
    kept = {}
    for column in schema.columns:
        old = None if column.name in earlier.rewritten else earlier.codecs.get(column.name)
        if old is not None and _still_good(old, column, earlier.schema[column.name], table[column.name]):
            kept[column.name] = type(old).from_state(column, old.state())
    return kept


def agreement(earlier: TableCodec, later: TableCodec, kept: Mapping[str, Codec]) -> Kept:
    """Which blocks and tokens of ``later`` mean what some of ``earlier`` did; kept: the codecs taken over whole."""
    blocks: list[tuple[int, IntArray] | None] = []
    for name, codec in later.codecs.items():
        old = earlier.codecs.get(name)
        first = earlier.places(name).start if old is not None and old.blocks else 0
        if old is not None and name in kept and name not in later.rewritten:
            blocks += [(first + i, np.arange(block.size)) for i, block in enumerate(codec.blocks)]
        elif _of_levels(old) and _of_levels(codec):
            blocks.append((first, _same_levels(old, codec)))
        else:
            blocks += [None] * len(codec.blocks)
    if not any(codec.blocks for codec in later.codecs.values()):
        blocks = [None]
    return Kept(tuple(blocks), tuple(_echo(earlier, later, i) for i in range(len(later.echoes))))


def _still_good(codec: Codec, column: Column, before: Column, values: pa.ChunkedArray) -> bool:
    if type(column) is not type(before) or column.arrow != before.arrow:
        return False
    if isinstance(codec, AxisCodec):
        return _within(codec, column, values)
    if isinstance(column, Categorical) and isinstance(before, Categorical):
        return column.levels == before.levels and (column.open_share is None) == (before.open_share is None)
    return isinstance(codec, (CategoricalCodec, TextCodec))


def _within(codec: AxisCodec, column: Column, values: pa.ChunkedArray) -> bool:
    """Whether the bins know the grid, and all but a few of the values; NaN must have its token."""
    if type(codec).grid(column).axis != type(codec).grid(codec.column).axis:
        return False
    ends, units = codec.bins.representatives, codec.in_bins(values)
    number = units.number[~(units.null | units.nan)]
    if units.nan.any() and not codec.bins.nan:
        return False
    if not len(number) or not len(ends):
        return not len(number)
    return float(((number < ends.min()) | (number > ends.max())).mean()) <= BEYOND


def _of_levels(codec: Codec | None) -> TypeGuard[CategoricalCodec]:
    """Whether each token is a level."""
    return isinstance(codec, CategoricalCodec) and len(codec.blocks) == 1


def _same_levels(old: CategoricalCodec, new: CategoricalCodec) -> IntArray:
    """(v,) the old token of null, each level and the rare one; -1 where there was none."""
    sizes = [codec.blocks[0].size for codec in (old, new)]
    known = {level: 1 + place for place, level in enumerate(old.levels.to_pylist())}
    made = np.full(sizes[1], -1)
    made[0] = 0
    levels = new.levels.to_pylist()
    made[1 : 1 + len(levels)] = [known.get(level, -1) for level in levels]
    if sizes[1] > 1 + len(levels) and sizes[0] > 1 + len(known):
        made[-1] = sizes[0] - 1
    return made


def _echo(earlier: TableCodec, later: TableCodec, place: int) -> int:
    """The earlier echo between the same two columns, or -1."""
    before, after = list(earlier.codecs), list(later.codecs)
    ends = [(before[e.source], before[e.target]) for e in earlier.echoes]
    echo = later.echoes[place]
    pair = after[echo.source], after[echo.target]
    return ends.index(pair) if pair in ends else -1
