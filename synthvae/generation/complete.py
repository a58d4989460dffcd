"""One tile of rows, completed block by block: each unknown cell is drawn given z and all cells known by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from synthvae import backend
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array, Layout
from synthvae.networks.vae import VAE

NEVER = -1e9  # added to the logit of a token that may not be drawn


def sampler(vae: VAE, order: Sequence[int], shifts: Sequence[Array]) -> Callable[..., Array]:
    """A compiled call: tokens (n, b), known (n, b), normals (n, k), uniforms (n, b) -> completed tokens (n, b).

    order: the blocks as they are drawn, parents before children; shifts: what ``calibrate`` adds to their logits.
    """
    tables = [block_table(vae.layout, j, shift) for j, shift in enumerate(shifts)]

    def added(j: int, _: Tensor, parent: Tensor) -> Tensor:
        table = ops.convert_to_tensor(tables[j])
        return table if vae.layout.parents[j] < 0 else ops.take(table, parent, axis=0)

    def run(tokens: Tensor, known: Tensor, normals: Tensor, uniforms: Tensor) -> Tensor:
        return complete(vae, order, added, tokens, known, vae.prior.sample(normals), uniforms)

    return backend.compiled(vae, run)


def complete(
    vae: VAE,
    order: Sequence[int],
    added: Callable[[int, Tensor, Tensor], Tensor],
    tokens: Tensor,
    known: Tensor,
    z: Tensor,
    uniforms: Tensor,
) -> Tensor:
    """Draw the unknown cells in ``order``. Shapes as in ``sampler``; z (n, k).

    ``added``: block j, its logits (n, v), its parent's tokens (n,) -> what to add to the logits, (v,) or (n, v).
    """
    decoder, layout, copies = vae.decoder, vae.layout, vae.decoder.copies
    stems = decoder.stems(tokens, known, z)
    candidates = copies.tokens(tokens, known) if copies.e else None
    agreement = copies.agreement(tokens, known, candidates) if copies.e else None
    columns, is_known = ([x[:, j] for j in range(layout.b)] for x in (tokens, known))
    for j in order:
        parent = columns[max(layout.parents[j], 0)]
        logits = decoder.block_logits(j, stems, candidates)
        drawn = inverse_cdf(logits + added(j, logits, parent), uniforms[:, j])
        columns[j] = ops.where(is_known[j], columns[j], drawn)
        gained = [ops.where(is_known[j][:, None], 0.0, gain) for gain in decoder.reveal(j, columns[j], parent)]
        is_known[j] = ops.ones_like(is_known[j])
        if copies.involves(j):
            before, now = agreement, (ops.stack(columns, axis=1), ops.stack(is_known, axis=1))
            candidates = copies.tokens(*now)
            agreement = copies.agreement(*now, candidates)
            gained += decoder.agree(before, agreement)
        stems = [stem + sum(gained[i :: len(stems)]) for i, stem in enumerate(stems)]
    return ops.stack(columns, axis=1)


def block_table(layout: Layout, j: int, shift: Array) -> Array:
    """What is added to the logits of block j: ``shift`` where a token may be drawn, NEVER where not.

    (v,), or (v_parent, v) for a child.
    """
    compatible = layout.compatible[j]
    may = layout.sampleable[j] if compatible is None else layout.sampleable[j] & compatible
    return np.where(may, shift, NEVER).astype("float32")


def inverse_cdf(logits: Tensor, u: Tensor) -> Tensor:
    """The token at which the cumulative probability passes u: (n, v), (n,) -> (n,) int32."""
    cumulative = ops.cumsum(ops.exp(logits - ops.max(logits, axis=1, keepdims=True)), axis=1)
    # a shade under u * total: rounding may not carry the target past the last token that has probability
    target = (u * (1.0 - 1e-6))[:, None] * cumulative[:, -1:]
    return ops.sum(ops.cast(cumulative <= target, "int32"), axis=1)
