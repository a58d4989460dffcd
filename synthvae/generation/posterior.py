"""Latents of rows with holes: q(z | known cells), and its draws weighted by p(known | z) p(z) / q(z | known).

The encoder was trained on rows with holes, so q is taken as it stands to draw and to predict what is not known. Weights
(Burda, Grosse, Salakhutdinov 2016) are for log p(known), which is a mean of them. They once chose the latents as well:
where many cells are known, one of 8 candidates gets nearly all weight, and cells drawn under the chosen one are no
nearer to the truth (5, 30 and 80 % of Adult's cells hidden: CRPS of ranks .0843, .1012, .1213, under q's own latents
.0833, .0999, .1198) for five to eight times the seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from keras import ops

from synthvae import backend
from synthvae.generation.complete import block_table
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE


class Posterior:
    """Compiled questions to q and p about tiles of rows."""

    def __init__(self, vae: VAE, order: Sequence[int] | None = None) -> None:
        self.vae = vae
        self.order = tuple(range(vae.layout.b)) if order is None else tuple(order)
        self._moments = backend.compiled(vae, self._both)
        self._weighted = backend.compiled(vae, self._run)

    def moments(self, tokens: Array, known: Array) -> tuple[Array, Array]:
        """(n, b), (n, b) -> mean and standard deviation of q, (n, k) each."""
        mean, deviation = np.split(self._moments(tokens, known), 2, axis=1)
        return mean, deviation

    def draw(self, tokens: Array, known: Array, normals: Array) -> tuple[Array, Array]:
        """(n, b), (n, b), (c, n, k) -> c candidates z (c, n, k) for each row and their log weights (c, n) in nats.

        The log of a row's mean weight estimates log p(known cells).
        """
        parts = [self._weighted(tokens, known, noise) for noise in normals]
        k = normals.shape[2]
        return np.stack([part[:, :k] for part in parts]), np.stack([part[:, k] for part in parts]).astype(np.float64)

    def _both(self, tokens: Tensor, known: Tensor) -> Tensor:
        mean, log_std = self.vae.encoder(tokens, known)
        return ops.concatenate([mean, ops.exp(log_std)], axis=1)

    def _run(self, tokens: Tensor, known: Tensor, normals: Tensor) -> Tensor:
        mean, log_std = self.vae.encoder(tokens, known)
        z = mean + ops.exp(log_std) * normals
        log_q = -0.5 * ops.sum(normals * normals + 2.0 * log_std + math.log(2.0 * math.pi), axis=1)
        weight = log_likelihood(self.vae, self.order, tokens, known, z) + self.vae.prior.log_prob(z) - log_q
        return ops.concatenate([z, weight[:, None]], axis=1)


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
