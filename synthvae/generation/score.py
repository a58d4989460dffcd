"""How likely rows are: log p(row) under the model, in nats of the table as given.

log p(x) = log E_q(z | x) [ p(x | z) p(z) / q(z | x) ], estimated by CANDIDATES weighted draws (Burda, Grosse,
Salakhutdinov 2016: a lower bound that tightens with their number) for each of two orders of the columns, the table's
own and its reverse, which are mixed with equal shares. Inside a bin the mass of its tokens is spread evenly over its
values (whole numbers, ticks), or over its width where values have no grid; beyond all values that were learned it falls
off exponentially. The average over rows is a proper score: two models of one table are compared by it, however they cut
its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np
from keras import ops
from scipy.special import logsumexp

from synthvae import backend
from synthvae.generation.complete import block_table
from synthvae.generation.noise import LATENT, TILE, generator
from synthvae.generation.start import padded
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array, Layout
from synthvae.networks.vae import VAE

CANDIDATES = 8  # latents weighed for each row and order


class Scorer:
    """log p of the tokens of rows, whole or with holes."""

    def __init__(self, vae: VAE) -> None:
        self.vae = vae

    def log_prob(self, tokens: Array, seed: int, known: Array | None = None) -> Array:
        """Tokens (n, b) -> nats (n,) of the known ones (n, b); None: all are."""
        known = np.ones(tokens.shape, bool) if known is None else known
        tiles = [slice(start, start + TILE) for start in range(0, len(tokens), TILE)]
        parts = [self._tile(padded(tokens[rows]), padded(known[rows]), seed, t) for t, rows in enumerate(tiles)]
        return np.concatenate([np.zeros(0), *parts])[: len(tokens)]

    def _tile(self, tokens: Array, known: Array, seed: int, tile: int) -> Array:
        rng = generator(seed, LATENT, tile)
        shape = CANDIDATES, TILE, self.vae.settings.latent_dim
        logs = [
            self.log_weights(place, tokens, known, rng.standard_normal(shape, dtype=np.float32))
            for place in range(len(self._weighted))
        ]
        every = np.concatenate(logs)
        return np.asarray(logsumexp(every, axis=0) - np.log(len(every)))

    def log_weights(self, place: int, tokens: Array, known: Array, normals: Array) -> Array:
        """log p(known | z) p(z) / q(z | known) of c draws from q: (n, b), (n, b), (c, n, k) -> (c, n) in nats.

        place: of the order among ``orders`` in which p is multiplied up.
        """
        return np.stack([self._weighted[place](tokens, known, one) for one in normals]).astype(np.float64)

    @cached_property
    def _weighted(self) -> list[Callable[..., Array]]:
        """For each of ``orders`` what weighs one draw for each row, compiled."""
        return [backend.compiled(self.vae, partial(self._run, order)) for order in orders(self.vae.layout)]

    def _run(self, order: tuple[int, ...], tokens: Tensor, known: Tensor, normals: Tensor) -> Tensor:
        mean, log_std = self.vae.encoder(tokens, known)
        z = mean + ops.exp(log_std) * normals
        log_q = -0.5 * ops.sum(normals * normals + 2.0 * log_std + math.log(2.0 * math.pi), axis=1)
        return log_likelihood(self.vae, order, tokens, known, z) + self.vae.prior.log_prob(z) - log_q


def log_likelihood(vae: VAE, order: Sequence[int], tokens: Tensor, known: Tensor, z: Tensor) -> Tensor:
    """log p(known tokens | z), one after another in ``order``, in nats: (n,)."""
    walk = Walk.afresh(vae, z)
    total = ops.zeros_like(z[:, 0])
    layout = vae.layout
    for j in order:
        logits = walk.logits(j)
        if layout.compatible[j] is not None:
            logits = logits + walk.line(j, block_table(layout, j, np.zeros(1, "float32")))
        own = ops.take_along_axis(ops.log_softmax(logits, axis=1), tokens[:, j : j + 1], axis=1)[:, 0]
        total = total + ops.where(known[:, j], own, 0.0)
        walk.reveal(j, tokens[:, j], known[:, j])
    return total


def orders(layout: Layout) -> tuple[tuple[int, ...], ...]:
    """The blocks in the table's order and column by column in reverse, parents before children."""
    columns: list[list[int]] = []
    for j in range(layout.b):
        if layout.parents[j] >= 0:
            columns[-1].append(j)
        else:
            columns.append([j])
    return tuple(range(layout.b)), tuple(j for column in reversed(columns) for j in column)
