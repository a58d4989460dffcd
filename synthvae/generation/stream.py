"""Tiles to Arrow batches: row i of seed s is the same row whatever is asked for before, beside or after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from synthvae.codecs.table import TableCodec
from synthvae.generation.complete import sampler
from synthvae.generation.noise import TILE, tile_noise
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE


class RowStream:
    """A fitted model as a source of rows."""

    def __init__(self, codec: TableCodec, vae: VAE, shifts: Sequence[Array]) -> None:
        self.codec, self.vae = codec, vae
        self._complete = sampler(vae, range(vae.layout.b), shifts)
        self._last: tuple[tuple[int, int] | None, Array] = (None, np.zeros(0))  # small batches share a tile

    def tokens(self, seed: int, tile: int) -> Array:
        """Tokens of rows tile * TILE onwards: (TILE, b) int32."""
        last = self._last
        if last[0] != (seed, tile):
            last = self._last = ((seed, tile), self._drawn(seed, tile))
        return last[1]

    def table(self, seed: int, first: int, rows: int) -> pa.Table:
        """Rows first .. first + rows - 1 of seed ``seed``."""
        parts = [self._part(seed, tile, first, first + rows) for tile in tiles(first, rows)]
        return pa.concat_tables(parts) if parts else self.decode(np.zeros((0, self.vae.layout.b), "int32"), 0, seed)

    def batches(self, seed: int, rows: int, batch_rows: int, first: int = 0) -> Iterator[pa.RecordBatch]:
        """The same rows in batches of ``batch_rows``; memory does not grow with ``rows``."""
        for start in range(first, first + rows, batch_rows):
            count = min(batch_rows, first + rows - start)
            yield from self.table(seed, start, count).combine_chunks().to_batches()

    def decode(self, tokens: Array, first: int, seed: int) -> pa.Table:
        """Tokens (n, b) of rows first, first + 1, ... -> values."""
        return self.codec.decode(tokens, np.arange(first, first + len(tokens), dtype=np.int64), seed)

    def _drawn(self, seed: int, tile: int) -> Array:
        b = self.vae.layout.b
        uniforms, normals = tile_noise(seed, tile, b, self.vae.settings.latent_dim)
        unknown = np.zeros((TILE, b), bool)
        return self._complete(np.zeros((TILE, b), "int32"), unknown, normals, uniforms)

    def _part(self, seed: int, tile: int, first: int, end: int) -> pa.Table:
        """The rows of a tile that lie within first .. end - 1."""
        start = tile * TILE
        low, high = max(first, start), min(end, start + TILE)
        return self.decode(self.tokens(seed, tile)[low - start : high - start], low, seed)


def tiles(first: int, rows: int) -> range:
    """The tiles that hold rows first .. first + rows - 1."""
    return range(first // TILE, -(-(first + rows) // TILE)) if rows else range(0)
