"""Combinations of which a row knows some columns: settled among those that agree before anything else is filled.

Columns whose combinations are facts (``codecs.combined``) are one category to the model, which a row knows whole or not
at all. A row that knows a brand but not the model of a car gets one of the brand's models, by p(combination | all else
that is known) restricted to those that agree; where only one does, it follows without asking.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthvae.codecs.combined import CombinedStep
from synthvae.codecs.table import TableCodec
from synthvae.generation.noise import SETTLE, generator
from synthvae.generation.stream import Completer
from synthvae.networks.layout import Array

Holes = dict[str, Array]  # column -> where (n,) its cells are to be filled
ROWS = 8192  # looked at together: a row has as many entries as there are combinations


def settled(
    completer: Completer, table: pa.Table, holes: Holes, tokens: Array, known: Array, seed: int, likely: bool
) -> tuple[Array, Array]:
    """Tokens (n, b) and known cells (n, b) of a table with holes, combinations known in part filled in.

    likely: the most likely one that agrees; else one is drawn. Rows that agree with none stay as they are.
    """
    tokens, known = tokens.copy(), known.copy()
    for place, (first, step) in enumerate(completer.codec.rewriting.together.items()):
        rows = partly(step, holes, len(tokens))
        uniforms = generator(seed, SETTLE, place).random((len(tokens), len(completer.codec.places(first))))
        for part in np.split(rows, range(ROWS, len(rows), ROWS)):
            agree = agreeing(step, table, holes, part)
            part, agree = part[agree.any(axis=1)], agree[agree.any(axis=1)]
            one = None if likely else uniforms[part]
            tokens[part], known[part] = _told(completer, first, agree, tokens[part], known[part], seed, one)
    return tokens, known


def partly(step: CombinedStep, holes: Holes, rows: int) -> Array:
    """The rows (m,) of ``rows`` that know some of a combination's columns, not all."""
    missing = np.stack([holes.get(name, np.zeros(rows, bool)) for name in step.act.columns])
    return np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))


def agreeing(step: CombinedStep, table: pa.Table, holes: Holes, rows: Array) -> Array:
    """(m, k) the combinations that have what rows (m,) of a table know of them."""
    own = {name: holes[name][rows] for name in step.act.columns if name in holes}
    return step.agreeing(table.select(step.act.columns).take(pa.array(rows)), own)


def allowed(codec: TableCodec, table: pa.Table, holes: Holes, block: int) -> Array | None:
    """(n, v) the tokens of a combination's one block that agree with what each row knows; None: no such block."""
    for first, step in codec.rewriting.together.items():
        if list(codec.places(first)) == [block]:
            rows = partly(step, holes, table.num_rows)
            may = np.ones((table.num_rows, codec.blocks[block].size), bool)
            agree = agreeing(step, table, holes, rows)
            may[np.ix_(rows, codec.level_tokens(first)[:, 0])] = agree | ~agree.any(axis=1, keepdims=True)
            return may
    return None


def _told(
    completer: Completer, first: str, agree: Array, tokens: Array, known: Array, seed: int, uniforms: Array | None
) -> tuple[Array, Array]:
    """The rows with a combination (m, k) that agrees made known, block by block."""
    codec = completer.codec
    levels = codec.level_tokens(first)  # (k, blocks)
    for place, j in enumerate(codec.places(first)):
        may = np.zeros((len(tokens), codec.blocks[j].size))
        rows, combinations = np.nonzero(agree)
        may[rows, levels[combinations, place]] = 1.0
        open_ = np.flatnonzero(may.sum(axis=1) > 1)
        if len(open_):
            asked = completer.predictor.probabilities(tokens[open_], known[open_], [j], seed)
            shares = np.concatenate([part[0] for part in asked])
            may[open_] *= np.maximum(shares, 1e-30)
        tokens[:, j] = may.argmax(axis=1) if uniforms is None else _picked(may, uniforms[:, place])
        known[:, j] = True
        agree = agree & (levels[:, place] == tokens[:, j][:, None])
    return tokens, known


def _picked(weights: Array, uniforms: Array) -> Array:
    """A place of each row (m, v) by its weights, never one without weight."""
    sums = np.cumsum(weights, axis=1)
    places = (sums <= uniforms[:, None] * sums[:, -1:]).sum(axis=1)
    last = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
    return np.minimum(places, last)
