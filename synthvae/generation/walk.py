"""Rows on their way from holes to completeness: one more block known at each step.

Whatever is asked of the decoder is such a walk: drawing tokens, scoring given ones, finding what would be most likely.
The first layer of the decoder is a sum over known cells, so a step adds a term instead of computing it anew.
"""

from __future__ import annotations

from keras import ops

from synthvae.networks.layers import Tensor
from synthvae.networks.vae import VAE


class Walk:
    """The state of n rows. tokens: (n, b) int32, where known; known: (n, b) bool; z: (n, k)."""

    def __init__(self, vae: VAE, tokens: Tensor, known: Tensor, z: Tensor) -> None:
        self.decoder, self.layout, self.copies = vae.decoder, vae.layout, vae.decoder.copies
        self._stems = self.decoder.stems(tokens, known, z)
        self._told: dict[int, Tensor] = {}  # what trunks make of the stems, until these change
        self.tokens, self.known = ([x[:, j] for j in range(self.layout.b)] for x in (tokens, known))

    @classmethod
    def afresh(cls, vae: VAE, z: Tensor) -> Walk:
        """Of rows of which nothing is known: what the first layer says of no cells is worked out once for all."""
        nothing = ops.zeros((1, vae.layout.b), "int32")
        walk = cls(vae, nothing, ops.cast(nothing, "bool"), z)
        none = ops.zeros_like(z[:, 0], dtype="int32")
        walk.tokens, walk.known = ([x] * vae.layout.b for x in (none, ops.cast(none, "bool")))
        return walk

    def logits(self, j: int) -> Tensor:
        """Of block j given all that is known: (n, v)."""
        i = self.decoder.trunk_of(j)
        if i not in self._told:
            self._told[i] = self.decoder.trunk(i, self._stems[i])
        candidates = self.copies.tokens_of(j, self.tokens, self.known) if len(self.copies.of_block(j)) else None
        return self.decoder.block_logits(j, self._told[i], candidates)

    def parent(self, j: int) -> Tensor:
        """The tokens of the block that j refines: (n,)."""
        return self.tokens[max(self.layout.parents[j], 0)]

    def line(self, j: int, table: Tensor) -> Tensor:
        """What a table adds to the logits of block j: itself (v,), or of (v_parent, v) the parents' lines (n, v)."""
        table = ops.convert_to_tensor(table)
        return table if table.ndim == 1 else ops.take(table, self.parent(j), axis=0)

    def reveal(self, j: int, tokens: Tensor, rows: Tensor | None = None) -> None:
        """Make block j known as ``tokens`` (n,) in ``rows`` (n,) (None: all), but for rows where it was known
        before."""
        new = ops.logical_not(self.known[j]) if rows is None else ops.logical_and(rows, ops.logical_not(self.known[j]))
        self.tokens[j] = ops.where(self.known[j], self.tokens[j], tokens)
        self.known[j] = ops.logical_or(self.known[j], new)
        gained = self.decoder.reveal(j, self.tokens, self.known)
        self._stems = [
            stem + ops.where(new[:, None], gain, 0.0) for stem, gain in zip(self._stems, gained, strict=True)
        ]
        self._told = {}

    def row_tokens(self) -> Tensor:
        """All tokens, known or not: (n, b)."""
        return ops.stack(self.tokens, axis=1)
