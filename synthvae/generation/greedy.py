"""Rows as they would most likely be: a walk that draws nothing and takes the middle of every distribution.

Block by block the most likely token of names is taken, the median of what has an order (the mode of a number of many
tokens is a matter of how it was cut), always given the cells before it. So a row is told by its latent alone, and a
small step of the latent changes few cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from synthvae import backend
from synthvae.generation.complete import block_table, narrowed
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array, Layout
from synthvae.networks.vae import VAE

Choice = Callable[[int, Tensor], Tensor]  # block j and its logits (n, v) -> tokens (n,)


def follow(walk: Walk, order: Sequence[int], tables: Sequence[Array], choose: Choice) -> Tensor:
    """Complete the rows of a walk in ``order``; tables: what is added to each block's logits, (v,) or (v_parent, v).

    Returns tokens (n, b).
    """
    for j in order:
        walk.reveal(j, choose(j, walk.logits(j) + walk.line(j, tables[j])))
    return walk.row_tokens()


def greedy(vae: VAE, shifts: Sequence[Array], ranks: Sequence[Array | None]) -> Callable[..., Array]:
    """A compiled call: tokens (n, b), known (n, b), z (n, k) -> tokens (n, b) with every unknown cell at its middle.

    ranks: per block (v,) the order of its tokens, below 0 for what is no value, or None where they are names.
    """
    tables = [block_table(vae.layout, j, shift) for j, shift in enumerate(shifts)]

    def run(tokens: Tensor, known: Tensor, z: Tensor) -> Tensor:
        walk = Walk(vae, tokens, known, z)
        return follow(walk, range(vae.layout.b), tables, lambda j, logits: middle(logits, ranks[j]))

    return backend.compiled(vae, run)


def middle(logits: Tensor, ranks: Array | None) -> Tensor:
    """The token of each row (n, v) that stands for its distribution: (n,) int32.

    The mode of names. Of what has ranks, the median of the values, unless null and NaN (ranks below 0) together have
    more than half of the mass: then the likelier of them.
    """
    if ranks is None:
        return ops.cast(ops.argmax(logits, axis=1), "int32")
    shares = ops.softmax(ops.cast(logits, "float32"), axis=1)
    order = np.argsort(ranks, kind="stable").astype("int32")
    values = (ranks >= 0).astype("float32")
    sums = ops.cumsum(ops.take(shares * values, order, axis=1), axis=1)
    place = ops.sum(ops.cast(sums < 0.5 * sums[:, -1:], "int32"), axis=1)
    median = ops.take(order, ops.minimum(place, len(order) - 1))
    none = shares * (1.0 - values)
    likelier = ops.cast(ops.argmax(none, axis=1), "int32")
    return ops.where(ops.sum(none, axis=1) > 0.5, likelier, median)


def wished_tables(layout: Layout, shifts: Sequence[Array], allowed: dict[int, Array]) -> list[Array]:
    """What is added to each block's logits so that tokens count by the share of them that a wish allows."""
    tables = [block_table(layout, j, shift) for j, shift in enumerate(shifts)]
    return [narrowed(table, allowed[j]) if j in allowed else table for j, table in enumerate(tables)]
