"""Tables with holes: drawn to completeness, filled with what is most likely, or asked for one column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs import asked
from synthvae.codecs.table import TableCodec
from synthvae.generation.settle import Holes, allowed, settled
from synthvae.generation.start import Partial
from synthvae.generation.stream import Completer, RowStream, put
from synthvae.networks.layout import Array
from synthvae.schema.arithmetic import computed
from synthvae.schema.constraints import Derived, Sum
from synthvae.tables import plain


def cells(codec: TableCodec, table: pa.Table, holes: Holes) -> tuple[Array, Array]:
    """Tokens (n, b) of a table and which of them are known: those of no hole. holes: column -> (n,)."""
    tokens = codec.encode(table)
    known = np.ones(tokens.shape, bool)
    for j, sources in enumerate(codec.block_sources):
        for name in sources & holes.keys():
            known[:, j] &= ~holes[name]
    return tokens, known


def nulls(table: pa.Table) -> Holes:
    """(n,) where a column is null, of the columns that have nulls."""
    return {
        name: np.asarray(pc.is_null(table[name]).to_numpy()) for name in table.column_names if table[name].null_count
    }


def drawn(completer: Completer, table: pa.Table, holes: Holes, seed: int, nulls: bool = True) -> pa.Table:
    """The table with its holes drawn given what is known; nulls: whether a hole may become null."""
    codec = completer.codec
    table, holes = deduced(codec, table, holes)
    tokens, known = cells(codec, table, holes)

    def lawful(made: pa.Table, rows: Array) -> Array:
        given = table.take(pa.array(rows))
        own = {name: mask[rows] for name, mask in holes.items()}
        return ~codec.broken(_kept(given, own, made)) | codec.broken(given)  # what was broken already cannot be mended

    tokens, known = settled(completer, table, holes, tokens, known, seed, likely=False)
    start, rules = Partial(completer.posterior, tokens, known), codec.schema.constraints
    stream = RowStream(completer, start, lawful=lawful if rules else None, nulls=nulls, lenient=True)
    return _kept(table, holes, stream.table(seed, 0, table.num_rows))


def most_likely(completer: Completer, table: pa.Table, holes: Holes, seed: int) -> pa.Table:
    """The table with each hole filled by itself: the mode of names, the median of what has an order.

    Rows in which such guesses break a rule are drawn instead.
    """
    codec = completer.codec
    table, holes = deduced(codec, table, holes)
    tokens, known = cells(codec, table, holes)
    tokens, known = settled(completer, table, holes, tokens, known, seed, likely=True)
    rows = np.flatnonzero(~known.all(axis=1))
    tokens[rows] = completer.predictor.typical(tokens[rows], known[rows], seed)
    made = codec.decode(tokens, np.arange(table.num_rows, dtype=np.int64), seed, middle=True)
    filled = _kept(table, holes, made)
    broken = codec.broken(filled) & ~codec.broken(table) if codec.schema.constraints else np.zeros(len(tokens), bool)
    bad = rows[broken[rows]]
    if not len(bad):
        return filled
    own = {name: mask[bad] for name, mask in holes.items()}
    return put(filled, bad, drawn(completer, table.take(pa.array(bad)), own, seed, nulls=False))


def deduced(codec: TableCodec, table: pa.Table, holes: Holes) -> tuple[pa.Table, Holes]:
    """The table with every hole filled that a sum or a formula decides, and the holes that are left."""
    columns = {column.name: column for column in codec.schema.columns}
    left = dict(holes)
    for rule in codec.schema.constraints:
        if not isinstance(rule, (Sum, Derived)):
            continue
        for name in rule.names if isinstance(rule, Sum) else (rule.column,):
            if name not in left or not left[name].any():
                continue
            values, bound = computed(rule, name, table, columns)
            found = left[name] & bound
            old = plain(table[name]).combine_chunks()
            filled = pc.if_else(pa.array(found), values.cast(old.type, safe=False), old)
            table = table.set_column(table.column_names.index(name), name, filled.cast(table.schema.field(name).type))
            left[name] = left[name] & ~found
    return table, left


def _kept(table: pa.Table, holes: Holes, made: pa.Table) -> pa.Table:
    """What is known as it was, what was a hole as it was made; levels as plain values."""
    columns = {}
    for name in made.column_names:
        old, new = plain(table[name]), plain(made[name])
        if name not in holes:
            columns[name] = old
        elif holes[name].all():
            columns[name] = new
        else:
            columns[name] = pc.if_else(pa.array(holes[name]), new.combine_chunks(), old.combine_chunks())
    return pa.table(columns)


def target_odds(completer: Completer, table: pa.Table, target: str, seed: int) -> Array:
    """p of each listed value of ``target`` given the other cells: (n, number of values), rows summing to 1.

    Null is a value that other columns may have, unless they had none in training: then it is a hole.
    """
    codec = completer.codec
    everywhere = np.ones(table.num_rows, bool)
    holes = {name: mask for name, mask in nulls(table).items() if not codec.schema[name].nullable}
    holes |= {target: everywhere}
    tokens, known = cells(codec, table, holes)
    block, places = asked.value_tokens(codec, target)
    parts = [part[0] for part in completer.predictor.probabilities(tokens, known, [block], seed)]
    shares = np.concatenate([np.zeros((0, len(places))), *parts])
    may = allowed(codec, table, holes, block)
    shares = shares if may is None else np.maximum(shares, 1e-30) * may
    of_value = np.arange(places.max() + 1)[None, :] == places[:, None]  # (v, values)
    shares = shares @ of_value
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-30))
