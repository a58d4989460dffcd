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
from synthvae.generation.stream import Completer, RowStream
from synthvae.networks.layout import Array

ROWS = 8192  # of the model's own that values are compared with
CALLS = 16  # at most, to draw them where there are fewer keys than that
SEED = 0

Cells = tuple[Array, Array]  # see ``cells``


class Rarity:
    """The model's own rows as what values are compared with."""

    def __init__(self, completer: Completer) -> None:
        rewriting, self._codecs = completer.codec.rewriting, completer.codec.codecs
        own = rewriting.forward(_rows(completer))
        self._own = {name: cells(codec, own[name]) for name, codec in self._codecs.items() if codec.blocks}

    def of(self, name: str, values: pa.ChunkedArray) -> Array:
        """Values of an inner column (n,) -> standard deviations (n,), 0 or more."""
        codec = self._codecs[name]
        return rarity(self._own[name], cells(codec, values)) + codec.beyond(values)


def _rows(completer: Completer) -> pa.Table:
    """ROWS rows of the model; where so many have no keys, several calls of as many as have."""
    stream, each = RowStream(completer), min(ROWS, completer.codec.room or ROWS)
    calls = min(-(-ROWS // each), CALLS)
    return pa.concat_tables([stream.table(SEED + call, 0, each) for call in range(calls)])


def cells(codec: Codec, values: pa.ChunkedArray) -> Cells:
    """Tokens (n, blocks) of values, and the log of how dense values are within them (n,)."""
    return codec.encode(values), codec.log_density(values)


def rarity(own: Cells, given: Cells) -> Array:
    """How rare the ``given`` (n,) are among ``own`` (m,), in standard deviations: (n,)."""
    (tokens, density), m = (np.concatenate(pair) for pair in zip(own, given, strict=True)), len(own[0])
    cell = np.unique(tokens, axis=0, return_inverse=True)[1].ravel()
    counts = np.bincount(cell[:m], minlength=len(cell))
    density = density + np.log(counts[cell] + 0.5)  # a cell that the model's rows never hit is not impossible
    below = np.searchsorted(np.sort(density[:m]), density[m:] + 1e-6, side="right")
    return np.asarray(np.maximum(-ndtri((below + 0.5) / (m + 1.0)), 0.0))
