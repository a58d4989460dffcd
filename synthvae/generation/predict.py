"""What single cells would be: the distribution of each unknown cell given the known ones, latents averaged out.

p(cell | known) = E[ p(cell | known, z) ], z from q(z | known) by importance weights: every other hole of the row is
left a hole, so a cell's answer does not depend on guesses for its neighbours.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from keras import ops

from synthvae import backend
from synthvae.generation.complete import block_table, without_null
from synthvae.generation.noise import LATENT, TILE, generator
from synthvae.generation.posterior import Posterior
from synthvae.generation.start import CANDIDATES, padded
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE


class Predictor:
    """Distributions of unknown cells, compiled once for each set of blocks."""

    def __init__(self, vae: VAE, posterior: Posterior, ranks: Sequence[Array | None]) -> None:
        """ranks: per block (v,) the order of its tokens, or None where they are names."""
        self.vae, self.posterior, self.ranks = vae, posterior, ranks
        self._heads: dict[tuple[int, ...], Callable[..., Array]] = {}

    def probabilities(self, tokens: Array, known: Array, blocks: list[int], seed: int) -> Iterator[list[Array]]:
        """For each tile of the rows (n, b), (n, b) the distributions of ``blocks``, null left out: [(t, v), ...]."""
        for tile, start in enumerate(range(0, len(tokens), TILE)):
            rows = slice(start, start + TILE)
            count = len(tokens[rows])
            logits, weights = self._tile(
                padded(tokens[rows]), padded(known[rows]), blocks, generator(seed, LATENT, tile)
            )
            ends = np.cumsum([0, *(self.vae.layout.sizes[j] for j in blocks)]).tolist()
            each = [logits[:, :, first:last] for first, last in itertools.pairwise(ends)]
            yield [self._mean(own, weights, j, tokens[rows])[:count] for own, j in zip(each, blocks, strict=True)]

    def typical(self, tokens: Array, known: Array, seed: int) -> Array:
        """The tokens with every hole filled: the most likely one of names, the median of what has an order. (n, b)

        A child block is asked once its parent has been filled.
        """
        layout = self.vae.layout
        filled, told = tokens.copy(), known.copy()
        for child in (False, True):
            blocks = [j for j in range(layout.b) if (layout.parents[j] >= 0) == child and not known[:, j].all()]
            if not blocks:
                continue
            parts = list(self.probabilities(filled, told, blocks, seed))
            for place, j in enumerate(blocks):
                best = _middle(np.concatenate([part[place] for part in parts]), self.ranks[j])
                filled[:, j] = np.where(known[:, j], tokens[:, j], best)
            told[:, blocks] = True
        return filled

    def _tile(
        self, tokens: Array, known: Array, blocks: Sequence[int], rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Logits of the blocks side by side (c, TILE, v) and weights of the candidates (c, TILE)."""
        noise = rng.standard_normal((CANDIDATES, TILE, self.vae.settings.latent_dim), dtype=np.float32)
        z, logs = self.posterior.draw(tokens, known, noise)
        weights = np.exp(logs - logs.max(axis=0))
        if tuple(blocks) not in self._heads:
            self._heads[tuple(blocks)] = backend.compiled(self.vae, partial(self._run, tuple(blocks)))
        heads = self._heads[tuple(blocks)]
        return np.stack([heads(tokens, known, one) for one in z]), weights / weights.sum(axis=0)

    def _mean(self, logits: Array, weights: Array, j: int, tokens: Array) -> Array:
        """p of block j's tokens (TILE, v) from its logits (c, TILE, v) and the candidates' weights (c, TILE)."""
        layout = self.vae.layout
        table = without_null(layout, j, block_table(layout, j, np.zeros(1, "float32")))
        if layout.parents[j] >= 0:
            table = table[padded(tokens[:, layout.parents[j]])]
        shown = logits + table
        shown = np.exp(shown - shown.max(axis=2, keepdims=True))
        return np.einsum("cnv,cn->nv", shown / shown.sum(axis=2, keepdims=True), weights)

    def _run(self, blocks: tuple[int, ...], tokens: Tensor, known: Tensor, z: Tensor) -> Tensor:
        walk = Walk(self.vae, tokens, known, z)
        return ops.concatenate([walk.logits(j) for j in blocks], axis=1)


def _middle(probabilities: Array, ranks: Array | None) -> Array:
    """The token of each row (n, v): the mode, or, where tokens have ``ranks`` (v,), the median. (n,)"""
    if ranks is None:
        return np.asarray(probabilities.argmax(axis=1))
    order = np.argsort(ranks, kind="stable")
    sums = np.cumsum(probabilities[:, order], axis=1)
    return np.asarray(order[np.minimum((sums < 0.5 * sums[:, -1:]).sum(axis=1), len(order) - 1)])
