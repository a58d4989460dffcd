"""How rare values are by themselves, whatever the rest of their rows says.

A value is as rare as the share of the model's own rows whose value is no more probable than it (the tail outside its
highest-density region: Hyndman 1996); numbers are compared by density, so a value in a wide, empty stretch is rare, and
so is one between two humps. That share is told in standard deviations: the normal quantile of which it is the upper
tail, 0 for whatever is more common than the median. A value beyond all that were learned has one more for each
interquartile range beyond.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from synthvae.codecs.base import Codec
from synthvae.codecs.table import TableCodec
from synthvae.generation.stream import Completer, RowStream
from synthvae.networks.layout import Array

ROWS = 8192  # of the model's own that values are compared with
SEED = 0


class Rarity:
    """The model's own rows as what values are compared with."""

    def __init__(self, completer: Completer) -> None:
        self.codec: TableCodec = completer.codec
        self._own = self.codec.rewriting.forward(RowStream(completer).table(SEED, 0, ROWS))

    def of(self, name: str, values: pa.ChunkedArray) -> Array:
        """Values of an inner column (n,) -> standard deviations (n,), 0 or more."""
        codec = self.codec.codecs[name]
        return rarity(codec, self._own[name], values) + codec.beyond(values)


def rarity(codec: Codec, own: pa.ChunkedArray, values: pa.ChunkedArray) -> Array:
    """How rare ``values`` (n,) are among ``own`` (m,), in standard deviations: (n,)."""
    tokens = np.concatenate([codec.encode(own), codec.encode(values)])
    _, cell, counts = np.unique(tokens, axis=0, return_inverse=True, return_counts=True)
    counts = np.bincount(cell.ravel()[: len(own)], minlength=len(counts))
    density = np.log(counts[cell.ravel()] + 0.5)  # a cell that the model's rows never hit is not impossible
    density += np.concatenate([codec.log_density(own), codec.log_density(values)])
    steps = np.sort(density[: len(own)])
    below = np.searchsorted(steps, density[len(own) :] + 1e-6, side="right")
    return np.asarray(np.maximum(-ndtri((below + 0.5) / (len(own) + 1.0)), 0.0))
