"""How likely rows are: log p(row) under the model, in nats of the table as given.

log p(x) = log E_q(z | x) [ p(x | z) p(z) / q(z | x) ], estimated by CANDIDATES weighted draws (Burda, Grosse,
Salakhutdinov 2016: a lower bound that tightens with their number) for each of two orders of the columns, the table's
own and its reverse, which are mixed with equal shares. Inside a bin the mass of its tokens is spread evenly over its
values (whole numbers, ticks), or over its width where values have no grid; beyond all values that were learned it falls
off exponentially. The average over rows is a proper score: two models of one table are compared by it, however they cut
its numbers.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from synthvae.generation.noise import LATENT, TILE, generator
from synthvae.generation.posterior import Posterior
from synthvae.generation.start import padded
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

    @cached_property
    def _posteriors(self) -> list[Posterior]:
        return [Posterior(self.vae, order) for order in orders(self.vae.layout)]

    def _tile(self, tokens: Array, known: Array, seed: int, tile: int) -> Array:
        rng = generator(seed, LATENT, tile)
        logs = []
        for posterior in self._posteriors:
            noise = rng.standard_normal((CANDIDATES, TILE, self.vae.settings.latent_dim), dtype=np.float32)
            logs.append(posterior.draw(tokens, known, noise)[1])
        every = np.concatenate(logs)
        return np.asarray(logsumexp(every, axis=0) - np.log(len(every)))


def orders(layout: Layout) -> tuple[tuple[int, ...], ...]:
    """The blocks in the table's order and column by column in reverse, parents before children."""
    columns: list[list[int]] = []
    for j in range(layout.b):
        if layout.parents[j] >= 0:
            columns[-1].append(j)
        else:
            columns.append([j])
    return tuple(range(layout.b)), tuple(j for column in reversed(columns) for j in column)
