"""One tile of rows, completed block by block: each unknown cell is drawn given z and all cells known by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from synthvae import backend
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array, Layout
from synthvae.networks.vae import VAE

NEVER = -1e9  # added to the logit of a token that may not be drawn


def sampler(vae: VAE, order: Sequence[int], shifts: Sequence[Array], nulls: bool = True) -> Callable[..., Array]:
    """A compiled call: tokens (n, b), known (n, b), z (n, k), uniforms (n, b) -> completed tokens (n, b).

    order: the blocks as they are drawn, parents before children; shifts: what ``calibrate`` adds to their logits;
    nulls: whether null may be drawn (it is where a block knows nothing else).
    """
    tables = [block_table(vae.layout, j, shift) for j, shift in enumerate(shifts)]
    if not nulls:
        tables = [without_null(vae.layout, j, table) for j, table in enumerate(tables)]

    def added(j: int, _: Tensor, parent: Tensor) -> Tensor:
        table = ops.convert_to_tensor(tables[j])
        return table if vae.layout.parents[j] < 0 else ops.take(table, parent, axis=0)

    def run(tokens: Tensor, known: Tensor, z: Tensor, uniforms: Tensor) -> Tensor:
        return complete(Walk(vae, tokens, known, z), order, added, uniforms)

    return backend.compiled(vae, run)


def complete(
    walk: Walk, order: Sequence[int], added: Callable[[int, Tensor, Tensor], Tensor], uniforms: Tensor
) -> Tensor:
    """Draw the unknown cells of the blocks in ``order`` by uniforms (n, b); returns tokens (n, b).

    ``added``: block j, its logits (n, v), its parent's tokens (n,) -> what to add to the logits, (v,) or (n, v).
    """
    for j in order:
        logits = walk.logits(j)
        walk.reveal(j, inverse_cdf(logits + added(j, logits, walk.parent(j)), uniforms[:, j]))
    return walk.row_tokens()


def block_table(layout: Layout, j: int, shift: Array) -> Array:
    """What is added to the logits of block j: ``shift`` where a token may be drawn, NEVER where not.

    (v,), or (v_parent, v) for a child.
    """
    compatible = layout.compatible[j]
    may = layout.sampleable[j] if compatible is None else layout.sampleable[j] & compatible
    return np.where(may, shift, NEVER).astype("float32")


def narrowed(table: Array, share: Array) -> Array:
    """``table`` so that tokens count by the share of them that is allowed: NEVER where that is none."""
    with np.errstate(divide="ignore"):
        return np.maximum(table + np.log(share), NEVER).astype("float32")


def without_null(layout: Layout, j: int, table: Array) -> Array:
    """``table`` of block j with null forbidden, unless nothing else is allowed; a child follows its parent."""
    if layout.parents[j] >= 0 or not (table[1:] > NEVER / 2).any():
        return table
    return np.concatenate([np.full(1, NEVER, table.dtype), table[1:]])


def inverse_cdf(logits: Tensor, u: Tensor) -> Tensor:
    """The token at which the cumulative probability passes u: (n, v), (n,) -> (n,) int32."""
    cumulative = ops.cumsum(ops.exp(logits - ops.max(logits, axis=1, keepdims=True)), axis=1)
    # a shade under u * total: rounding may not carry the target past the last token that has probability
    target = (u * (1.0 - 1e-6))[:, None] * cumulative[:, -1:]
    return ops.sum(ops.cast(cumulative <= target, "int32"), axis=1)
