"""The variational autoencoder: encoder, prior, decoder and the objective that ties them.

The objective per row, in nats (lower is better):

    E_q(z | x_seen) E_order [ -log p(x | z) ]  +  weight * max(KL(q(z | x_seen) || p(z)), free)

x_seen is the row with holes (half of the rows have none), so that q exists for incomplete rows. The inner term is the
order-agnostic autoregressive likelihood (Uria, Murray, Larochelle 2014): a random set of cells is known, the others
are predicted. Free bits (Kingma et al. 2016), in nats of the batch mean over all dimensions together, keep the
latent from collapsing beside a decoder this strong.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from synthvae.networks.decoder import Decoder
from synthvae.networks.encoder import Encoder
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Layout
from synthvae.networks.priors import StandardNormal

DROPOUT = 0.15  # at 20,000 rows; less overfits the conditional of a target, more blurs the dependence between numbers


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the networks, the rate of the latent (``free_nats``) and of dropout."""

    latent_dim: int = 16
    encoder_width: int = 256
    decoder_width: int = 384
    decoder_depth: int = 2
    category_width: int = 256
    category_depth: int = 1
    free_nats: float = 4.0
    dropout: float = 0.1

    @classmethod
    def suited(cls, rows: int, blocks: int, latent_dim: int) -> NetworkConfig:
        """More blocks ask for a wider trunk, fewer rows for more dropout."""
        width = 64 * round(min(max(3 + blocks / 8, 6), 8))
        return cls(latent_dim, decoder_width=width, dropout=min(0.25, DROPOUT * (20_000 / rows) ** 0.25))


class VAE(keras.layers.Layer):
    """Tokens -> the terms of the objective.

    The noise comes from outside, so the objective is a pure function: uniforms (n, 2 b + 2), normals (n, k) and, for
    dropout, bytes (n, dropped); no bytes (n, 0), no dropout.
    """

    def __init__(self, layout: Layout, config: NetworkConfig, rng: np.random.Generator) -> None:
        super().__init__(name="vae")
        self.layout, self.settings = layout, config
        self.encoder = Encoder(layout, config.latent_dim, config.encoder_width, rng)
        self.prior = StandardNormal()
        numbers = config.decoder_width, config.decoder_depth
        categories = config.category_width, config.category_depth
        self.decoder = Decoder(layout, config.latent_dim, numbers, categories, rng)
        has_child = np.array(layout.children) >= 0
        self.is_child = np.array(layout.parents) >= 0
        self.next_weight = np.where(has_child, 2.0, 1.0).astype("float32")
        self.blocks_of = np.zeros((layout.v, layout.b), "float32")  # token -> its block
        self.blocks_of[np.arange(layout.v), np.repeat(layout.order, [layout.sizes[j] for j in layout.order])] = 1.0
        self.partner = np.array([max(p, c, -1) for p, c in zip(layout.parents, layout.children, strict=True)])
        self.partner = np.where(self.partner < 0, np.arange(layout.b), self.partner).astype("int32")
        self.built = True

    @property
    def dropped(self) -> int:
        """The number of units that dropout may drop."""
        return self.decoder.dropped if self.settings.dropout else 0

    def call(self, tokens: Tensor, uniforms: Tensor, normals: Tensor, drops: Tensor) -> tuple[Tensor, Tensor]:
        """(n, b), (n, 2 b + 2), (n, k), (n, dropped or 0) -> nats per block (n, b) and KL per dimension (n, k)."""
        b = self.layout.b
        seen = self._seen(uniforms[:, :b], uniforms[:, b : b + 1])
        known = self._known(uniforms[:, b + 1 : 2 * b + 1], uniforms[:, 2 * b + 1 :])
        mean, log_std = self.encoder(tokens, seen)  # (n, k)
        z = mean + ops.exp(log_std) * normals
        kl = 0.5 * (mean * mean + ops.exp(2.0 * log_std) - 1.0) - log_std
        return self._nats(tokens, known, self.decoder(tokens, known, z, self._keep(drops))), kl

    def objective(self, nats: Tensor, kl: Tensor, kl_weight: Tensor) -> Tensor:
        """The loss of a batch: a scalar."""
        rate = ops.mean(ops.sum(kl, axis=1))
        return ops.mean(ops.sum(nats, axis=1)) + kl_weight * ops.maximum(rate, self.settings.free_nats)

    def _keep(self, drops: Tensor) -> Tensor | None:
        """What dropout multiplies units by, from uniform bytes."""
        if not drops.shape[-1]:
            return None
        limit = round(256 * self.settings.dropout)
        return ops.cast(drops >= limit, "float32") * (256.0 / (256 - limit))

    def _seen(self, u: Tensor, share: Tensor) -> Tensor:
        """Cells the encoder sees (n, b): all of them in half of the rows; a cell is hidden whole."""
        u = ops.where(self.is_child, ops.take(u, self.partner, axis=1), u)
        return u >= 2.0 * share - 1.0

    def _known(self, u: Tensor, share: Tensor) -> Tensor:
        """Cells the decoder knows (n, b): their number is uniform on 0..b, a child never before its parent."""
        other = ops.take(u, self.partner, axis=1)
        return ops.where(self.is_child, ops.maximum(u, other), ops.minimum(u, other)) < share

    def _nats(self, tokens: Tensor, known: Tensor, logits: Tensor) -> Tensor:
        """-log p of the blocks that may come next, weighted so that their sum is unbiased for the row: (n, b).

        In a uniformly random order in which parents precede children, a parent whose child is unknown too comes next
        with weight 2, a child of an unknown parent with weight 0.
        """
        b, v, copies = self.layout.b, self.layout.v, self.decoder.copies
        total = ops.matmul(ops.exp(logits[:, :v]), self.blocks_of)  # (n, b)
        own = ops.take_along_axis(logits, tokens + self.layout.offsets, axis=1)  # (n, b)
        if copies.e:
            candidates = copies.tokens(tokens, known)  # (n, 2 e)
            mass = ops.exp(logits[:, v:]) * ops.cast(candidates >= 0, "float32")
            stands = ops.cast(candidates == ops.take(tokens, copies.target.reshape(-1), axis=1), "float32")
            total = total + ops.matmul(mass, copies.blocks)
            own = ops.log(ops.exp(own) + ops.matmul(mass * stands, copies.blocks))
        nats = ops.log(total) - own
        unknown = 1.0 - ops.cast(known, "float32")
        eligible = ops.where(
            self.is_child, ops.cast(ops.take(known, self.partner, axis=1), "float32"), self.next_weight
        )
        weight = (b + 1.0) / ops.maximum(ops.sum(unknown, axis=1, keepdims=True), 1.0)
        return weight * eligible * unknown * nats
