"""Ways through the latent space: from one row to another, and along one dimension.

Between two rows the latent turns on a great circle while its length changes evenly (White 2016): under a standard
normal prior a straight line would cut through the thinly populated middle. Every step is the row that its latent tells
(``greedy.py``), given the cells that the two ends share and whatever is wished; the ends are the rows themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from synthvae.codecs import asked
from synthvae.errors import ConditionError
from synthvae.generation.fill import most_likely
from synthvae.generation.greedy import follow, middle, wished_tables
from synthvae.generation.latent import Latents, moments
from synthvae.generation.walk import Walk
from synthvae.networks.layout import Array
from synthvae.schema.conditions import Wish
from synthvae.tables import plain

PARALLEL = 1e-6  # radians; two directions nearer than this are one


def path(
    latents: Latents, ends: pa.Table, holes: Mapping[str, Array], steps: int, wishes: Mapping[str, Wish]
) -> pa.Table:
    """``steps`` rows from the first to the second of two rows, whose holes are filled with what is most likely.

    ConditionError where an end is not as wished: the path could then not hold the wish.
    """
    completer, codec = latents.completer, latents.codec
    mean, _ = moments(latents, ends, holes)
    whole = most_likely(completer, ends, dict(holes), 0) if holes else ends
    _check_ends(latents, whole, wishes)
    z = great_circle(mean[0], mean[1], np.linspace(0.0, 1.0, steps)[1:-1])
    if not len(z):
        return whole
    between = _between(latents, codec.encode(whole), z, wishes)
    rows = np.arange(1, len(z) + 1, dtype=np.int64)
    made = codec.decode(between, rows, 0, {n: w for n, w in wishes.items() if n in codec.codecs}, middle=True)
    return _joined(whole, made)


def _between(latents: Latents, ends: Array, z: Array, wishes: Mapping[str, Wish]) -> Array:
    """Tokens (n, b) of the rows that latents (n, k) tell, given what both ends (2, b) share and the wishes."""
    vae, codec = latents.vae, latents.codec
    shared = dict.fromkeys(codec.block_columns, True)
    for j, name in enumerate(codec.block_columns):
        shared[name] &= bool(ends[0, j] == ends[1, j])
    known = np.array([shared[name] for name in codec.block_columns])
    allowed = asked.allowed(codec, asked.split(codec, wishes)[0])
    wished = sorted(j for j in allowed if not known[j])
    order = [*wished, *(j for j in range(vae.layout.b) if j not in wished)]
    tokens, ranks = np.tile(ends[:1], (len(z), 1)), [block.ranks for block in codec.blocks]
    walk = Walk(vae, np.where(known, tokens, 0).astype("int32"), np.tile(known, (len(z), 1)), z.astype("float32"))
    tables = wished_tables(vae.layout, latents.completer.shifts, allowed)
    return np.asarray(follow(walk, order, tables, lambda j, logits: middle(logits, ranks[j])))


def _joined(ends: pa.Table, between: pa.Table) -> pa.Table:
    """The rows between their ends; a value that both ends share stays as it is."""
    columns = {}
    for name in between.column_names:
        own = plain(ends[name]).combine_chunks()
        first, last = own.slice(0, 1), own.slice(1, 1)
        inside = plain(between[name]).combine_chunks().cast(own.type)
        if first.equals(last):
            inside = pa.concat_arrays([first] * between.num_rows)
        columns[name] = pa.concat_arrays([first, inside, last])
    return pa.table(columns)


def _check_ends(latents: Latents, ends: pa.Table, wishes: Mapping[str, Wish]) -> None:
    problems = []
    for name, wish in wishes.items():
        met = asked.meets(latents.codec, ends, {name: wish})
        problems += [f"row_{'ab'[i]} is not as wished in column {name!r}" for i in np.flatnonzero(~met)]
    if problems:
        raise ConditionError("A path holds the conditions that both its rows meet:", problems)


def great_circle(start: Array, end: Array, shares: Array) -> Array:
    """Points (s, k) at the given shares (s,) of the way from ``start`` (k,) to ``end`` (k,).

    The direction turns evenly, the length changes evenly; a straight line where a direction is missing or both are one.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    straight = start + shares[:, None] * (end - start)
    if min(lengths) < PARALLEL:
        return np.asarray(straight)
    a, b = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(a @ b, -1.0, 1.0))
    if not PARALLEL < angle < np.pi - PARALLEL:
        return np.asarray(straight)
    turn = (np.sin((1 - shares) * angle)[:, None] * a + np.sin(shares * angle)[:, None] * b) / np.sin(angle)
    return np.asarray(turn * (lengths[0] + shares * (lengths[1] - lengths[0]))[:, None])
