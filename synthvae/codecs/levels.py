"""Which levels a wish allows, and what to say where it names one that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from synthvae.codecs import exact
from synthvae.codecs.base import BoolArray
from synthvae.errors import ConditionError
from synthvae.schema.columns import Column, Scale
from synthvae.schema.conditions import Wish

SHOWN = 12  # levels named in a message


def may_be(wish: Wish, levels: Sequence[Any], column: Column) -> BoolArray:
    """(l,) whether each level is allowed; ConditionError where the wish names an unknown one or asks for an order."""
    if not wish.values:
        return np.zeros(len(levels), bool)
    named = [value for value in (*(wish.among or ()), *wish.without) if value not in levels]
    if named:
        raise _unknown(named, levels, column)
    may = np.ones(len(levels), bool)
    if wish.among is not None:
        may &= np.array([level in wish.among for level in levels], bool)
    may &= np.array([level not in wish.without for level in levels], bool)
    if wish.lower or wish.upper:
        places, ends = _places(wish, levels, column)
        for bound in wish.lower:
            may &= (places >= ends[bound.value]) if bound.closed else (places > ends[bound.value])
        for bound in wish.upper:
            may &= (places <= ends[bound.value]) if bound.closed else (places < ends[bound.value])
    return may


def listed(levels: Sequence[Any]) -> str:
    """The levels as a message names them."""
    more = f" and {len(levels) - SHOWN:,} more" if len(levels) > SHOWN else ""
    return f"{', '.join(map(repr, levels[:SHOWN]))}{more}" if len(levels) else "no levels"


def _places(wish: Wish, levels: Sequence[Any], column: Column) -> tuple[np.ndarray[Any, Any], dict[Any, Any]]:
    """Where the levels (l,) and the ends of the wish stand: by value for numbers, else in the order of the levels."""
    ends = [bound.value for bound in (*wish.lower, *wish.upper)]
    if levels and all(isinstance(level, (int, float)) and not isinstance(level, bool) for level in levels):
        try:
            return np.array([exact.number(level) for level in levels]), {end: exact.number(end) for end in ends}
        except ValueError as error:
            raise ConditionError(f"Column {column.name!r} holds numbers: {error}.") from error
    if column.scale is not Scale.ORDINAL:
        raise ConditionError(f"Column {column.name!r} has no order, so no range; name its levels: {listed(levels)}.")
    if any(end not in levels for end in ends):
        raise _unknown([end for end in ends if end not in levels], levels, column)
    return np.arange(len(levels)), {end: levels.index(end) for end in ends}


def _unknown(named: Sequence[Any], levels: Sequence[Any], column: Column) -> ConditionError:
    text = [str(level) for level in levels]
    near = [repr(match) for value in named for match in get_close_matches(str(value), text, n=1)]
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    said = ", ".join(map(repr, named))
    return ConditionError(f"Column {column.name!r} has no level {said}.{hint} It has {listed(levels)}.")
