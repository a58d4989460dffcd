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


def sampler(vae: VAE, order: Sequence[int]) -> Callable[..., Array]:
    """A compiled call: tokens (n, b), known (n, b), normals (n, k), uniforms (n, b) -> completed tokens (n, b)."""

    def run(tokens: Tensor, known: Tensor, normals: Tensor, uniforms: Tensor) -> Tensor:
        return complete(vae, order, tokens, known, vae.prior.sample(normals), uniforms)

    return backend.compiled(vae, run)


def complete(
    vae: VAE, order: Sequence[int], tokens: Tensor, known: Tensor, z: Tensor, uniforms: Tensor
) -> Tensor:
    """Draw the unknown cells in ``order`` (parents before children). Shapes as in ``sampler``; z (n, k)."""
    decoder, layout = vae.decoder, vae.layout
    columns = [tokens[:, j] for j in range(layout.b)]
    stem = decoder.stem(tokens, known, z)
    for j in order:
        parent = columns[max(layout.parents[j], 0)]
        logits = decoder.block_logits(j, decoder.trunk(stem)) + allowed(layout, j, parent)
        drawn = inverse_cdf(logits, uniforms[:, j])
        columns[j] = ops.where(known[:, j], columns[j], drawn)
        gain = decoder.reveal(j, columns[j], parent)
        stem = stem + ops.where(known[:, j : j + 1], 0.0, gain)
    return ops.stack(columns, axis=1)


def allowed(layout: Layout, j: int, parent: Tensor) -> Tensor:
    """0 where a token of block j may be drawn, NEVER where not: (v,) or (n, v)."""
    may = layout.sampleable[j]
    table = layout.compatible[j]
    if table is None:
        return ops.convert_to_tensor(np.where(may, 0.0, NEVER).astype("float32"))
    penalty = np.where(table & may, 0.0, NEVER).astype("float32")
    return ops.take(ops.convert_to_tensor(penalty), parent, axis=0)


def inverse_cdf(logits: Tensor, u: Tensor) -> Tensor:
    """The token at which the cumulative probability passes u: (n, v), (n,) -> (n,) int32."""
    cumulative = ops.cumsum(ops.exp(logits - ops.max(logits, axis=1, keepdims=True)), axis=1)
    # a shade under u * total: rounding may not carry the target past the last token that has probability
    target = (u * (1.0 - 1e-6))[:, None] * cumulative[:, -1:]
    return ops.sum(ops.cast(cumulative <= target, "int32"), axis=1)
