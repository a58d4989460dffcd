"""Weights from an earlier model to a later one: what still means the same is copied, what is new starts as nothing.

Before its first step the new model *is* the old one, asked in the new words: a column that is gone is one that is never
known, so what its unknown cell added to the first layers goes into their bias; a column that is new is told by its
frequencies alone and says nothing yet to the others (its rows of the first layers are zero); a new level of an old
column looks like the average of its known levels, and is as frequent as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthvae import backend
from synthvae.networks.decoder import Trunk
from synthvae.networks.layers import TokenVectors
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE
from synthvae.training.trainer import GATE


@dataclass(frozen=True, eq=False)
class Match:
    """Which blocks, tokens and echoes of a new layout mean what old ones did.

    blocks: per new block (old block, old token of each token (v,), -1 where new), or None; echoes: per new echo the old
    one or -1; counts: per new block (v,) its training counts.
    """

    blocks: Sequence[tuple[int, Array] | None]
    echoes: Sequence[int]
    counts: Sequence[Array]


def transfer(old: VAE, new: VAE, match: Match) -> None:
    """Give ``new`` the weights of ``old``; both have the same latent and the same widths where they share a part."""
    _vectors(old.encoder.vectors, new.encoder.vectors, match)
    _vectors(old.decoder.vectors, new.decoder.vectors, match)
    _first(old.encoder.first, new.encoder.first, old.encoder.vectors, new.encoder.vectors, match)
    for name in ("second", "out"):
        _copy(getattr(old.encoder, name), getattr(new.encoder, name))
    before = {trunk.name: trunk for trunk in old.decoder.trunks}
    for trunk in new.decoder.trunks:
        if trunk.name in before and _alike(before[trunk.name], trunk):
            _trunk(old, new, before[trunk.name], trunk, match)
        else:
            _head(None, old, new, trunk, match)


def _trunk(old: VAE, new: VAE, before: Trunk, trunk: Trunk, match: Match) -> None:
    _first(before.first, trunk.first, old.decoder.vectors, new.decoder.vectors, match)
    _copy(before.latent, trunk.latent)
    for a, b in zip([*before.blocks, before.norm], [*trunk.blocks, trunk.norm], strict=True):
        _copy(a, b)
    _head(before, old, new, trunk, match)


def _alike(before: Trunk, trunk: Trunk) -> bool:
    shapes = [[tuple(v.shape) for v in t.latent.variables] + [len(t.blocks)] for t in (before, trunk)]
    return shapes[0] == shapes[1]


def _vectors(old: TokenVectors, new: TokenVectors, match: Match) -> None:
    """Embeddings, token by token; a new token of an old block is the average of the others, by their counts."""
    table, before = np.asarray(new.embedding).copy(), np.asarray(old.embedding)
    for j, found in enumerate(match.blocks):
        if found is None:
            continue
        i, tokens = found
        own = before[old.offsets[i] : old.offsets[i] + old.sizes[i] + 1]
        known = tokens >= 0
        rows = table[new.offsets[j] : new.offsets[j] + new.sizes[j] + 1]
        rows[:-1][known] = own[tokens[known]]
        rows[:-1][~known] = _weights(match.counts[j], known) @ own[np.maximum(tokens, 0)]
        rows[-1] = own[-1]
    new.embedding.assign(table)


def _first(layer: Any, into: Any, old: TokenVectors, new: TokenVectors, match: Match) -> None:
    """A first layer: rows of its kernel block by block, the unknown cell of blocks that are gone into the bias."""
    source, kernel = np.asarray(layer.kernel), np.zeros(into.kernel.shape, "float32")
    bias = np.asarray(layer.bias).copy()
    kept = set()
    for j, found in enumerate(match.blocks):
        if found is None:
            continue
        kept.add(found[0])
        for (a, a_end), (b, b_end) in zip(old.spans(found[0]), new.spans(j), strict=False):
            length = max(min(a_end, len(source), a + b_end - b, a + len(kernel) - b) - a, 0)
            kernel[b : b + length] = source[a : a + length]
    for i in set(range(old.layout.b)) - kept:
        a, a_end = old.spans(i)[0]  # the embedding; an unknown cell has no features
        if a_end <= len(source):
            bias += np.asarray(old.embedding)[old.offsets[i] + old.sizes[i]] @ source[a:a_end]
    e_old, e_new = old.copies.e, new.copies.e
    for place, found_echo in enumerate(match.echoes):
        for half in (0, 1):
            if found_echo >= 0:
                kernel[new.agreed + half * e_new + place] = source[old.agreed + half * e_old + found_echo]
    into.kernel.assign(kernel)
    into.bias.assign(bias)


def _head(before: Trunk | None, old: VAE, new: VAE, trunk: Trunk, match: Match) -> None:
    """Columns of a head, token by token; what is new has no more than its frequency."""
    kernel, bias = np.zeros(trunk.head.kernel.shape, "float32"), np.asarray(trunk.head.bias).copy()
    numbers = trunk is new.decoder.trunks[-1]
    for j in range(new.layout.b):
        if (j in new.layout.refined) != (trunk.name == "numbers"):
            continue
        begin = int(new.layout.offsets[j]) - (new.decoder.told if trunk.name == "numbers" else 0)
        span = slice(begin, begin + new.layout.sizes[j])
        logs = np.log(match.counts[j] + 0.5)
        found = match.blocks[j]
        if found is None or before is None:
            bias[span] = logs - logs.max()
            continue
        i, tokens = found
        known, at = tokens >= 0, np.maximum(tokens, 0)
        first = int(old.layout.offsets[i]) - (old.decoder.told if before.name == "numbers" else 0)
        source, level = np.asarray(before.head.kernel)[:, first + at], np.asarray(before.head.bias)[first + at]
        weights = _weights(match.counts[j], known)
        kernel[:, span] = np.where(known, source, (source @ weights)[:, None])
        bias[span] = np.where(known, level, weights @ (level - logs) + logs)
    if numbers and new.decoder.copies.e:
        _gates(before, old, new, trunk, match, kernel, bias)
    trunk.head.kernel.assign(kernel)
    trunk.head.bias.assign(bias)


def _gates(before: Trunk | None, old: VAE, new: VAE, trunk: Trunk, match: Match, kernel: Array, bias: Array) -> None:
    """The columns of the copies' gates, which stand last; a new gate is shut as at the start of a fit."""
    e_old, e_new = old.decoder.copies.e, new.decoder.copies.e
    for place, found in enumerate(match.echoes):
        for half in (0, 1):
            into = kernel.shape[1] - 2 * e_new + half * e_new + place
            bias[into] = GATE
            if found >= 0 and before is not None:
                at = before.head.kernel.shape[1] - 2 * e_old + half * e_old + found
                kernel[:, into], bias[into] = np.asarray(before.head.kernel)[:, at], float(before.head.bias[at])


def _weights(counts: Array, known: Array) -> Array:
    """(v,) the shares of the known tokens, summing to 1."""
    shares = np.where(known, counts + 0.5, 0.0)
    return shares / shares.sum()


def _copy(old: Any, new: Any) -> None:
    """Copies, for a backend may give a trained model's memory away."""
    backend.assign(new.variables, backend.arrays(old.variables))
