"""The variational autoencoder: encoder, prior, decoder and the objective that ties them.

The objective per row, in nats (lower is better):

    E_q(z | x_seen) E_known [ -log p(x | z, known cells) ]  +  weight * max(KL(q(z | x_seen) || p(z)), free)

x_seen is the row with holes (half of the rows have none), so that q exists for incomplete rows. The inner term is an
autoregressive likelihood: some cells are known, the others are predicted (``questions.py``). Free bits (Kingma et al.
2016), in nats of the batch mean over all dimensions together, keep the latent from collapsing beside a decoder this
strong.
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
from synthvae.networks.priors import Prior, StandardNormal
from synthvae.networks.questions import Questions

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

    @property
    def alone(self) -> float:
        """The share of training rows that the decoder is told by the latent alone.

        Free bits are an offer; a decoder that is told cells takes little of it. None at the usual rate, half of the
        rows from four times that on.
        """
        usual = type(self).free_nats
        return min(max((self.free_nats - usual) / (6.0 * usual), 0.0), 0.5)

    @classmethod
    def suited(
        cls, rows: int, blocks: int, latent_dim: int, wider: float = 1.0, free_nats: float = free_nats
    ) -> NetworkConfig:
        """More blocks ask for a wider trunk, fewer rows for more dropout; ``wider``: times that."""
        width = 32 * round(2 * wider * round(min(max(3 + blocks / 8, 6), 8)))
        dropout = min(0.25, DROPOUT * (20_000 / rows) ** 0.25)
        return cls(latent_dim, decoder_width=width, free_nats=free_nats, dropout=dropout)

    @classmethod
    def noisy(cls, latent_dim: int, free_nats: float = free_nats) -> NetworkConfig:
        """Few weights, since noise is added to the gradient by each."""
        return cls(latent_dim, 96, 160, decoder_depth=1, category_width=128, free_nats=free_nats, dropout=0.05)


class VAE(keras.layers.Layer):
    """Tokens -> the terms of the objective.

    The noise comes from outside, so the objective is a pure function: uniforms (n, 2 b + 2), normals (n, k) and, for
    dropout, bytes (n, dropped); no bytes (n, 0), no dropout.
    """

    def __init__(self, layout: Layout, config: NetworkConfig, rng: np.random.Generator) -> None:
        super().__init__(name="vae")
        self.layout, self.settings = layout, config
        self.encoder = Encoder(layout, config.latent_dim, config.encoder_width, rng)
        self.prior: Prior = StandardNormal()  # in training; a fit may exchange it afterwards
        numbers = config.decoder_width, config.decoder_depth
        categories = config.category_width, config.category_depth
        self.decoder = Decoder(layout, config.latent_dim, numbers, categories, rng)
        self.questions = Questions(layout, config.alone)
        self.blocks_of = np.zeros((layout.v, layout.b), "float32")  # token -> its block
        self.blocks_of[np.arange(layout.v), np.repeat(layout.order, [layout.sizes[j] for j in layout.order])] = 1.0
        self.built = True

    @property
    def dropped(self) -> int:
        """The number of units that dropout may drop."""
        return self.decoder.dropped if self.settings.dropout else 0

    def call(
        self, tokens: Tensor, uniforms: Tensor, normals: Tensor, drops: Tensor, place: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(n, b), (n, 2 b + 2), (n, k), (n, dropped or 0) -> nats per block (n, b) and KL per dimension (n, k).

        place: see ``Questions.ask``.
        """
        b = self.layout.b
        seen = self._seen(uniforms[:, :b], uniforms[:, b : b + 1])
        known, weights = self.questions.ask(uniforms[:, b + 1 : 2 * b + 1], uniforms[:, 2 * b + 1 :], place)
        mean, log_std = self.encoder(tokens, seen)  # (n, k)
        z = mean + ops.exp(log_std) * normals
        kl = 0.5 * (mean * mean + ops.exp(2.0 * log_std) - 1.0) - log_std
        return weights * self.nats(tokens, known, self.decoder(tokens, known, z, self._keep(drops))), kl

    def objective(self, nats: Tensor, kl: Tensor, kl_weight: Tensor) -> Tensor:
        """The loss of a batch: a scalar."""
        rate = ops.mean(ops.sum(kl, axis=1))
        return ops.mean(ops.sum(nats, axis=1)) + kl_weight * ops.maximum(rate, self.settings.free_nats)

    def row_losses(self, tokens: Tensor, uniforms: Tensor, normals: Tensor, place: Tensor) -> Tensor:
        """The loss of each row (n,), which depends on no other row: free bits are those of the row.

        DIFF: ``objective`` grants them to the mean over the batch.
        """
        none = ops.zeros((ops.shape(tokens)[0], 0), "uint8")
        nats, kl = self.call(tokens, uniforms, normals, none, place)
        return ops.sum(nats, axis=1) + ops.maximum(ops.sum(kl, axis=1), self.settings.free_nats)

    def _keep(self, drops: Tensor) -> Tensor | None:
        """What dropout multiplies units by, from uniform bytes."""
        if not drops.shape[-1]:
            return None
        limit = round(256 * self.settings.dropout)
        return ops.cast(drops >= limit, "float32") * (256.0 / (256 - limit))

    def _seen(self, u: Tensor, share: Tensor) -> Tensor:
        """Cells the encoder sees (n, b): all of them in half of the rows; a cell is hidden whole."""
        questions = self.questions
        u = ops.where(questions.is_child, ops.take(u, questions.partner, axis=1), u)
        return u >= 2.0 * share - 1.0

    def nats(self, tokens: Tensor, known: Tensor, logits: Tensor) -> Tensor:
        """-log p of each block's token, whether it is known or not: (n, b)."""
        v, copies = self.layout.v, self.decoder.copies
        total = ops.matmul(ops.exp(logits[:, :v]), self.blocks_of)  # (n, b)
        own = ops.take_along_axis(logits, tokens + self.layout.offsets, axis=1)  # (n, b)
        if copies.e:
            candidates = copies.tokens(tokens, known)  # (n, 2 e)
            mass = ops.exp(logits[:, v:]) * ops.cast(candidates >= 0, "float32")
            stands = ops.cast(candidates == ops.take(tokens, copies.target.reshape(-1), axis=1), "float32")
            total = total + ops.matmul(mass, copies.blocks)
            own = ops.log(ops.exp(own) + ops.matmul(mass * stands, copies.blocks))
        return ops.log(total) - own

    def masses(self, tokens: Tensor, known: Tensor, logits: Tensor) -> Tensor:
        """What ``nats`` normalises: the mass of every token of every block, copies included, in ``layout.order``:
        (n, v)."""
        v, copies = self.layout.v, self.decoder.copies
        mass = ops.exp(logits[:, :v])
        if not copies.e:
            return mass
        candidates = copies.tokens(tokens, known)  # (n, 2 e)
        parts = []
        for j in self.layout.order:
            of, first = copies.of_block(j), int(self.layout.offsets[j])
            own = mass[:, first : first + self.layout.sizes[j]]
            told = ops.take(candidates, of, axis=1), ops.take(logits, v + of, axis=1)
            parts.append(own + copies.mass(j, *told) if len(of) else own)
        return ops.concatenate(parts, axis=1)
