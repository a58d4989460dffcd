"""Tables with holes: drawn to completeness, filled with what is most likely, or asked for one column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.table import TableCodec
from synthvae.generation.start import Partial
from synthvae.generation.stream import Completer, RowStream
from synthvae.networks.layout import Array
from synthvae.tables import plain


def cells(codec: TableCodec, table: pa.Table, holes: dict[str, Array]) -> tuple[Array, Array]:
    """Tokens (n, b) of a table and which of them are known: those of no hole. holes: column -> (n,)."""
    tokens = codec.encode(table)
    known = np.ones(tokens.shape, bool)
    for j, name in enumerate(codec.block_columns):
        if name in holes:
            known[:, j] = ~holes[name]
    return tokens, known


def nulls(table: pa.Table) -> dict[str, Array]:
    """(n,) where a column is null, of the columns that have nulls."""
    return {
        name: np.asarray(pc.is_null(table[name]).to_numpy()) for name in table.column_names if table[name].null_count
    }


def drawn(completer: Completer, table: pa.Table, holes: dict[str, Array], seed: int, nulls: bool = True) -> pa.Table:
    """The table with its holes drawn given what is known; nulls: whether a hole may become null."""
    tokens, known = cells(completer.codec, table, holes)
    stream = RowStream(completer, Partial(completer.posterior, tokens, known), nulls=nulls)
    return _kept(table, holes, stream.table(seed, 0, table.num_rows))


def most_likely(completer: Completer, table: pa.Table, holes: dict[str, Array], seed: int) -> pa.Table:
    """The table with each hole filled by itself: the mode of names, the median of what has an order."""
    tokens, known = cells(completer.codec, table, holes)
    rows = np.flatnonzero(~known.all(axis=1))
    tokens[rows] = completer.predictor.typical(tokens[rows], known[rows], seed)
    numbers = np.arange(table.num_rows, dtype=np.int64)
    return _kept(table, holes, completer.codec.decode(tokens, numbers, seed, middle=True))


def _kept(table: pa.Table, holes: dict[str, Array], made: pa.Table) -> pa.Table:
    """What is known as it was, what was a hole as it was made."""
    columns = {}
    for name in made.column_names:
        if name not in holes:
            columns[name] = table[name]
        elif holes[name].all():
            columns[name] = made[name]
        else:
            old, new = plain(table[name]), plain(made[name])
            columns[name] = pc.if_else(pa.array(holes[name]), new.combine_chunks(), old.combine_chunks())
    return pa.table(columns)


def target_odds(completer: Completer, table: pa.Table, target: str, seed: int) -> Array:
    """p of each listed value of ``target`` given the other cells: (n, number of values), rows summing to 1.

    Null is a value that other columns may have, unless they had none in training: then it is a hole.
    """
    codec = completer.codec
    everywhere = np.ones(table.num_rows, bool)
    holes = {name: mask for name, mask in nulls(table).items() if not codec.schema[name].nullable}
    tokens, known = cells(codec, table, holes | {target: everywhere})
    block = codec.block_columns.index(target)
    parts = [part[0] for part in completer.predictor.probabilities(tokens, known, [block], seed)]
    count = len(codec.values_of(codec.schema[target]))
    shares = np.concatenate([np.zeros((0, completer.vae.layout.sizes[block])), *parts])[:, 1 : 1 + count]
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-30))
