"""p(cell | z, known cells): any-order autoregressive, one trunk and one linear head over all tokens."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from synthvae.networks.layers import Residual, Tensor, TokenVectors, dense
from synthvae.networks.layout import Layout

CAP = 30.0  # logits stay within +-CAP, so exp never overflows and no maximum need be subtracted


class Decoder(keras.layers.Layer):
    """Latent and known cells -> logits of every token of every block, then of every candidate of ``Copies``.

    Shape: (n, b) int32, (n, b) bool, (n, k) -> (n, v + 2 e), v summed over blocks.
    """

    def __init__(self, layout: Layout, latent_dim: int, width: int, depth: int, rng: np.random.Generator) -> None:
        super().__init__(name="decoder")
        self.layout = layout
        self.vectors = TokenVectors(layout, rng, "vectors")
        self.first = dense(self.vectors.width, width, rng, "first")
        self.latent = dense(latent_dim, width, rng, "latent")
        self.blocks = [Residual(width, rng, f"block{i}") for i in range(depth)]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.norm.build((None, width))
        self.copies = self.vectors.copies
        self.head = dense(width, layout.v + 2 * self.copies.e, rng, "head", gain=0.5)
        self.built = True

    def call(self, tokens: Tensor, known: Tensor, z: Tensor, keep: Tensor | None = None) -> Tensor:
        return cap(self.head(self.trunk(self.stem(tokens, known, z), keep)))

    def stem(self, tokens: Tensor, known: Tensor, z: Tensor) -> Tensor:
        """The first layer: a sum over blocks, so one more known cell is one more term. (n, width)"""
        return self.first(self.vectors(tokens, known)) + self.latent(z)

    def trunk(self, h: Tensor, keep: Tensor | None = None) -> Tensor:
        """(n, width), and for dropout (n, depth * width) -> (n, width)"""
        masks = [None] * len(self.blocks) if keep is None else ops.split(keep, len(self.blocks), axis=1)
        for block, mask in zip(self.blocks, masks, strict=True):
            h = block(h, mask)
        return ops.silu(self.norm(h))

    def reveal(self, j: int, tokens: Tensor, parents: Tensor) -> Tensor:
        """What the first layer gains when block j becomes known, agreement aside: (n,), (n,) -> (n, width)."""
        kernel = ops.concatenate([self.first.kernel[a:b] for a, b in self.vectors.columns(j)], axis=0)
        return ops.matmul(self.vectors.one(j, tokens, parents) - self.vectors.unknown(j), kernel)

    def agree(self, before: Tensor, after: Tensor) -> Tensor:
        """What the first layer gains when agreement (n, 2 e) changes: (n, width)."""
        return ops.matmul(after - before, self.first.kernel[-2 * self.copies.e :])

    def block_logits(self, j: int, h: Tensor, candidates: Tensor | None = None) -> Tensor:
        """Logits of block j alone: trunk output (n, width), candidates' tokens (n, 2 e) -> (n, v_j)."""
        first = int(self.layout.offsets[j])
        last = first + self.layout.sizes[j]
        logits = cap(ops.matmul(h, self.head.kernel[:, first:last]) + self.head.bias[first:last])
        if candidates is None or not self.copies.of_block(j):
            return logits
        mass = ops.exp(logits)
        for c in self.copies.of_block(j):
            gate = cap(ops.matmul(h, self.head.kernel[:, self.layout.v + c]) + self.head.bias[self.layout.v + c])
            mass = mass + ops.one_hot(candidates[:, c], self.layout.sizes[j]) * ops.exp(gate)[:, None]
        return ops.log(mass)


def cap(logits: Tensor) -> Tensor:
    """Smoothly within +-CAP."""
    return CAP * ops.tanh(logits / CAP)
