"""p(cell | z, known cells): any-order autoregressive, a trunk for categories and one for numbers, linear heads.

Columns of few values, categories for short, are told by a trunk that does not see the detail of numbers (fine steps,
the circles of ``features.py``): what a number depends on to the last digit is noise to them, and would be learned by
heart. Numbers are the columns of a coarse and a fine block.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from synthvae import backend
from synthvae.networks.layers import Norm, Residual, Tensor, TokenVectors, dense
from synthvae.networks.layout import Array, Layout

CAP = 30.0  # logits stay within +-CAP, so exp never overflows and no maximum need be subtracted


class Trunk(keras.layers.Layer):
    """Vectors of known cells and z -> logits of some blocks. sees: how many columns of the vectors it is given."""

    def __init__(
        self, sees: int, latent_dim: int, width: int, depth: int, tokens: int, rng: np.random.Generator, name: str
    ) -> None:
        super().__init__(name=name)
        self.sees, self.dropped = sees, width * depth
        self.first = dense(sees, width, rng, "first")
        self.latent = dense(latent_dim, width, rng, "latent")
        self.blocks = [Residual(width, rng, f"block{i}") for i in range(depth)]
        self.norm = Norm(width)
        self.head = dense(width, tokens, rng, "head", gain=0.5)
        self.built = True

    def stem(self, vectors: Tensor, z: Tensor) -> Tensor:
        """The first layer: a sum over blocks, so one more known cell is one more term. (n, width)"""
        return self.first(vectors[:, : self.sees]) + self.latent(z)

    def call(self, h: Tensor, keep: Tensor | None = None) -> Tensor:
        """(n, width), and for dropout (n, depth * width) -> (n, width)"""
        masks = [None] * len(self.blocks) if keep is None else ops.split(keep, len(self.blocks), axis=1)
        for block, mask in zip(self.blocks, masks, strict=True):
            h = block(h, mask)
        return ops.silu(self.norm(h))

    def logits(self, h: Tensor, first: int, last: int) -> Tensor:
        """Of tokens first .. last - 1 of this trunk: (n, width) -> (n, last - first)."""
        return cap(ops.matmul(h, self.head.kernel[:, first:last]) + self.head.bias[first:last])

    def gates(self, h: Tensor, places: Array) -> Tensor:
        """Logits at m places of the head: (n, width) -> (n, m)."""
        return cap(ops.matmul(h, ops.take(self.head.kernel, places, axis=1)) + ops.take(self.head.bias, places))


class Decoder(keras.layers.Layer):
    """Latent and known cells -> logits of every token of every block, then of every candidate of ``Copies``.

    Shape: (n, b) int32, (n, b) bool, (n, k) -> (n, v + 2 e), v summed over blocks in ``layout.order``.
    """

    def __init__(
        self,
        layout: Layout,
        latent_dim: int,
        numbers: tuple[int, int],
        categories: tuple[int, int],
        rng: np.random.Generator,
    ) -> None:
        """numbers, categories: width and depth of their trunks; a table of categories alone gets the former."""
        super().__init__(name="decoder")
        self.layout = layout
        self.vectors = TokenVectors(layout, rng, "vectors")
        self.copies = self.vectors.copies
        told = sum(layout.sizes[j] for j in range(layout.b) if j not in layout.refined)
        rest = layout.v - told + 2 * self.copies.e
        self.trunks = []
        if told:
            size = categories if rest else numbers
            self.trunks.append(Trunk(self.vectors.coarse, latent_dim, *size, told, rng, "categories"))
        if rest:
            self.trunks.append(Trunk(self.vectors.width, latent_dim, *numbers, rest, rng, "numbers"))
        self.told = told
        self._fused = [backend.fused(trunk) for trunk in self.trunks]
        self.built = True

    @property
    def dropped(self) -> int:
        """The number of units that dropout may drop."""
        return sum(trunk.dropped for trunk in self.trunks)

    def call(self, tokens: Tensor, known: Tensor, z: Tensor, keep: Tensor | None = None) -> Tensor:
        masks: list[Tensor | None] = [None] * len(self.trunks)
        if keep is not None:
            ends = np.cumsum([0, *(trunk.dropped for trunk in self.trunks)]).tolist()
            masks = [keep[:, first:last] for first, last in itertools.pairwise(ends)]
        stems = self.stems(tokens, known, z)
        parts = [cap(trunk.head(trunk(h, m))) for trunk, h, m in zip(self.trunks, stems, masks, strict=True)]
        return ops.concatenate(parts, axis=1)

    def stems(self, tokens: Tensor, known: Tensor, z: Tensor) -> list[Tensor]:
        """The first layer of each trunk: (n, width) each."""
        vectors = self.vectors(tokens, known)
        return [trunk.stem(vectors, z) for trunk in self.trunks]

    def reveal(self, j: int, tokens: list[Tensor], known: list[Tensor]) -> list[Tensor]:
        """What the stems gain when block j has become known: tokens and known cells by block, (n,) each, with block j
        -> (n, width) each."""
        own = self.vectors.one(j, tokens[j], tokens[max(self.layout.parents[j], 0)]) - self.vectors.unknown(j)
        gained = [ops.matmul(*self._seen(trunk, own, self.vectors.spans(j))) for trunk in self.trunks]
        echoes = self.copies.with_block(j)
        if not len(echoes):
            return gained
        agreement = self.copies.gained(j, tokens, known)
        places = self.vectors.agreed + np.concatenate([echoes, self.copies.e + echoes])
        kernels = [ops.take(trunk.first.kernel, places, axis=0) for trunk in self.trunks]
        return [gain + ops.matmul(agreement, kernel) for gain, kernel in zip(gained, kernels, strict=True)]

    def trunk(self, i: int, stem: Tensor) -> Tensor:
        """What trunk i makes of its stem: (n, width) -> (n, width)."""
        return self._fused[i](stem)

    def trunk_of(self, j: int) -> int:
        """The place of the trunk that tells block j."""
        return len(self.trunks) - 1 if j in self.layout.refined else 0

    def block_logits(self, j: int, h: Tensor, candidates: Tensor | None = None) -> Tensor:
        """Logits of block j alone: its trunk's output (n, width), its candidates' tokens (n, m) -> (n, v_j)."""
        trunk, begin = self.trunks[self.trunk_of(j)], self.told if j in self.layout.refined else 0
        first = int(self.layout.offsets[j]) - begin
        logits = trunk.logits(h, first, first + self.layout.sizes[j])
        if candidates is None:
            return logits
        gates = trunk.gates(h, self.layout.v - begin + self.copies.of_block(j))
        return ops.log(ops.exp(logits) + self.copies.mass(j, candidates, gates))

    def start_at(self, bias: Sequence[np.ndarray], gate: float) -> None:
        """Start the heads at the given logits of each block (v,) and the candidates at ``gate``."""
        flat = np.concatenate([*(bias[j] for j in self.layout.order), np.full(2 * self.copies.e, gate)]).astype(
            "float32"
        )
        for trunk, part in zip(
            self.trunks, (flat[: self.told], flat[self.told :]) if self.told else (flat,), strict=False
        ):
            trunk.head.bias.assign(part)

    def _seen(self, trunk: Trunk, vector: Tensor, spans: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """The part of a block's vector that a trunk sees, and the rows of its kernel for it."""
        ends = np.cumsum([0, *(last - first for first, last in spans)])
        seen = [i for i, (_, last) in enumerate(spans) if last <= trunk.sees]
        if not seen:
            return vector[:, :0], trunk.first.kernel[:0]
        kernel = ops.concatenate([trunk.first.kernel[slice(*spans[i])] for i in seen], axis=0)
        return ops.concatenate([vector[:, ends[i] : ends[i + 1]] for i in seen], axis=1), kernel


def cap(logits: Tensor) -> Tensor:
    """Smoothly within +-CAP."""
    return CAP * ops.tanh(logits / CAP)
