"""Margins made right: after the fit, each head is shifted until what is drawn has the training frequencies.

A decoder that draws column after column drifts: every conditional is a little off, and the errors add up in the
margins. One pass over a batch of drawn rows repairs them in the order of drawing. Where block j is about to be drawn,
the mean of its probabilities over the rows is compared with the training frequencies, and log(target / mean) is added
to its logits until the two agree (iterative proportional fitting of one margin); then the block is drawn with the
shifted logits, so later blocks are repaired for the rows that will really precede them. A child block is repaired for
each token of its parent apart. The dependence between columns, which lives in the logits, is left as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthvae.generation.complete import NEVER, block_table, complete
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array, Layout
from synthvae.networks.vae import VAE

LEAST, MOST = 1024, 32768  # rows drawn, as many as the table has between them: the noise of a mean is then small
ROUNDS = 4  # of proportional fitting: the error shrinks several-fold in each
PSEUDO = 4.0  # rows added to both sides: what few rows say about a rare token is taken with caution
LIMIT = 1.0  # nats by which a logit may be shifted


def shift_shapes(layout: Layout) -> list[tuple[int, ...]]:
    """Per block (v,), or (v_parent, v) for a child."""
    sizes, parents = layout.sizes, layout.parents
    return [(v,) if parent < 0 else (sizes[parent], v) for v, parent in zip(sizes, parents, strict=True)]


def frequencies(layout: Layout, tokens: Array, weights: Array | None = None) -> list[Array]:
    """Training counts per block, weighted by rows where there are ``weights`` (n,): (v,), or (v_parent, v) for a
    child."""
    counts = []
    for j, (parent, shape) in enumerate(zip(layout.parents, shift_shapes(layout), strict=True)):
        flat = tokens[:, j].astype(np.int64) + (0 if parent < 0 else tokens[:, parent].astype(np.int64) * shape[-1])
        counts.append(np.bincount(flat, weights, minlength=int(np.prod(shape))).reshape(shape))
    return counts


def calibrate(vae: VAE, order: Sequence[int], counts: Sequence[Array], min_count: int, seed: int) -> list[Array]:
    """What to add to each block's logits, (v,) or (v_parent, v) for a child, so that drawn tokens have ``counts``.

    Tokens with fewer than ``min_count`` training rows are left alone: no number kept tells of fewer.
    """
    layout = vae.layout
    rng = np.random.default_rng([seed, 4])
    rows = int(np.clip(counts[0].sum(), LEAST, MOST))
    shifts: list[Array] = [np.zeros(0)] * layout.b

    def added(j: int, logits: Tensor, parent: Tensor) -> Array:
        tokens = np.asarray(parent)
        shifts[j] = _shift(layout, j, np.asarray(logits), tokens, np.where(counts[j] < min_count, 0, counts[j]))
        table = block_table(layout, j, shifts[j])
        return table if table.ndim == 1 else table[tokens]

    z = vae.prior.sample(rng.standard_normal((rows, vae.settings.latent_dim)).astype("float32"))
    uniforms = rng.random((rows, layout.b), dtype=np.float32)
    complete(Walk.afresh(vae, z), order, added, uniforms)
    return shifts


def _shift(layout: Layout, j: int, logits: Array, parent: Array, counts: Array) -> Array:
    """The shift of one block; for a child one row for each parent token."""
    allowed = block_table(layout, j, np.zeros(counts.shape, "float32"))
    if counts.ndim == 1:
        return _fit(logits + allowed, counts, allowed > NEVER / 2)
    shifts = np.zeros(counts.shape, "float32")
    for token in np.unique(parent):
        shifts[token] = _fit(logits[parent == token] + allowed[token], counts[token], allowed[token] > NEVER / 2)
    return shifts


def _fit(logits: Array, counts: Array, allowed: Array) -> Array:
    """The shift (v,) under which the mean of softmax(logits + shift) has the shares of ``counts`` where allowed."""
    shift = np.zeros(logits.shape[1], "float32")
    moved = allowed & (counts > 0)
    if moved.sum() < 2:
        return shift
    target = counts / counts[moved].sum() * len(logits)
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    for _ in range(ROUNDS):
        weighted = exps * np.exp(shift)
        mean = (weighted / weighted.sum(axis=1, keepdims=True)).sum(axis=0)
        step = np.log((target + PSEUDO) / (mean + PSEUDO))
        shift = np.clip(shift + np.where(moved, step, 0.0), -LIMIT, LIMIT).astype("float32")
    return shift
