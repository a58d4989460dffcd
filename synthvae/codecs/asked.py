"""What can be asked of a table's columns: which tokens a wish allows, which rows meet it, which values there are.

A column that rules compute from others has no tokens of its own. Where it is part of a learned combination, a wish
about it is one about the combinations; any other wish about it can only be checked once the row is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs import CODECS
from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.table import TableCodec
from synthvae.errors import ConditionError, ParameterError
from synthvae.schema.conditions import Wish
from synthvae.tables import plain

Wishes = Mapping[str, Wish]


def split(codec: TableCodec, wishes: Wishes) -> tuple[dict[str, Wish], dict[str, Wish]]:
    """The wishes that say which tokens are allowed, and those that have to be checked (some are both)."""
    told = {name for name in wishes if name not in codec.rewritten or codec.rewriting.spelled(name)}
    sure = {name for name in told if name in codec.rewritten or codec.codecs[name].exact}
    return {n: w for n, w in wishes.items() if n in told}, {n: w for n, w in wishes.items() if n not in sure}


def allowed(codec: TableCodec, wishes: Wishes) -> dict[int, FloatArray]:
    """Block -> the share of each token's values that the wishes allow, (v,) or (v_parent, v) for a child.

    ConditionError lists every column whose wish cannot be met.
    """
    found: dict[int, FloatArray] = {}
    problems = []
    for name, wish in wishes.items():
        try:
            parts = list(_weights(codec, name, wish))
        except ConditionError as error:
            problems.append(str(error))
        else:
            for block, weights in parts:
                found[block] = found[block] * weights if block in found else weights
    if problems:
        raise ConditionError("The conditions cannot be met:", problems)
    return found


def _weights(codec: TableCodec, name: str, wish: Wish) -> Iterator[tuple[int, FloatArray]]:
    spelled = codec.rewriting.spelled(name)
    if spelled is None:
        yield from zip(codec.places(name), codec.codecs[name].allowed(wish), strict=True)
        return
    first, values = spelled
    blocks, tokens = codec.places(first), codec.level_tokens(first)
    tokens = tokens[_meeting(codec, name, pa.chunked_array([values]), wish)]
    coarse = np.zeros(codec.blocks[blocks[0]].size)
    coarse[tokens[:, 0]] = 1.0
    coarse = np.where(codec.blocks[blocks[0]].sampleable, coarse, 0.0)
    if not coarse.any():
        raise ConditionError(f"Column {name!r} cannot be as wished: no combination with the columns it goes with is.")
    yield blocks[0], coarse
    if len(blocks) > 1:
        fine = np.zeros((len(coarse), codec.blocks[blocks[1]].size))
        fine[tokens[:, 0], tokens[:, 1]] = 1.0
        yield blocks[1], fine


def meets(codec: TableCodec, table: pa.Table, wishes: Wishes) -> BoolArray:
    """(n,) which rows of a table are as wished; ConditionError where a wish is none for its column."""
    met = np.ones(table.num_rows, bool)
    for name, wish in wishes.items():
        met &= _meeting(codec, name, table[name], wish)
    return met


def _meeting(codec: TableCodec, name: str, values: pa.ChunkedArray, wish: Wish) -> BoolArray:
    column = codec.schema[name]
    return CODECS[column.kind].meets(column, values, wish)


def lawful(codec: TableCodec, wishes: Wishes) -> Callable[[pa.Table, IntArray], BoolArray] | None:
    """Which rows of a decoded table (and their numbers) may stand under the schema's rules and some wishes.

    None where all may.
    """
    if not (codec.schema.constraints or wishes):
        return None
    return lambda table, _: ~codec.broken(table) & meets(codec, table, wishes)


def is_listed(codec: TableCodec, name: str) -> bool:
    """Whether a column has a list of values."""
    return _listed(codec, name) is not None


def values_of(codec: TableCodec, name: str) -> list[Any]:
    """The values a column may have, null aside; ParameterError where they are not listed."""
    return _found(codec, name)[1]


def value_tokens(codec: TableCodec, name: str) -> tuple[int, IntArray]:
    """The block that tells a column's value, and of each of its tokens the place among ``values_of``, -1 for none."""
    first, values = _found(codec, name)
    listed = _listed(codec, name)
    assert listed is not None
    block = codec.places(first)[0]
    places = np.full(codec.blocks[block].size, -1)
    known = {value: place for place, value in enumerate(values)}
    places[1 : 1 + len(listed[1])] = [known.get(value, -1) for value in listed[1].to_pylist()]
    return block, places


def _found(codec: TableCodec, name: str) -> tuple[str, list[Any]]:
    listed = _listed(codec, name)
    if listed is None:
        raise ParameterError(
            f"Column {name!r} ({codec.schema[name].kind}) has no list of values. Ask for a column of few values, or "
            "use impute for a most likely value."
        )
    return listed[0], list(dict.fromkeys(value for value in listed[1].to_pylist() if value is not None))


def _listed(codec: TableCodec, name: str) -> tuple[str, pa.Array] | None:
    """The learned column whose tokens 1, 2, ... stand for one value of a column each, and these values."""
    if name in codec.rewritten:
        spelled = codec.rewriting.spelled(name)
        if spelled is None or len(codec.places(spelled[0])) > 1:
            return None
        return (spelled[0], plain(pa.chunked_array([spelled[1]])).combine_chunks())
    listed = codec.codecs[name].listed
    return None if listed is None else (name, listed)
