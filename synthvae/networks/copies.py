"""The copy mechanism: what the value of one column would be as a token of another, and how likely it is repeated.

Each echo gives its target's coarse and fine block one more candidate beside the tokens, "the source's value", with a
gate of its own in the head. A candidate stands for a token, so a token's probability is the sum over it and the
candidates that stand for it (a pointer beside a vocabulary: See, Liu, Manning 2017). Where both columns are known the
networks see whether they agree: rows that repeat one value tend to repeat others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from synthvae.networks.layout import Array, Layout

Tensor = Any  # a tensor of the backend in use
ALL = slice(None)


class Copies:
    """The echoes of a layout as arithmetic; no weights. e: the number of echoes, 2 e candidates, coarse ones first.

    Tokens and what is known of them are (n, b), or a list of b columns (n,).
    """

    def __init__(self, layout: Layout) -> None:
        echoes, self.sizes = layout.echoes, layout.sizes
        self.e = len(echoes)
        self.source, self.target = (
            np.array([getattr(echo, side) for echo in echoes], "int32").reshape(-1, 2).T
            for side in ("source", "target")
        )
        sizes = [echo.tokens.shape for echo in echoes]
        self.stride = np.array([shape[1] for shape in sizes], "int32")
        self.offsets = np.cumsum([0, *(shape[0] * shape[1] for shape in sizes)], dtype="int32")[:-1]
        flat = [echo.tokens.reshape(-1, 2) for echo in echoes]
        self.table = np.concatenate(flat).astype("int32") if flat else np.zeros((0, 2), "int32")
        self.blocks = np.zeros((2 * self.e, layout.b), "float32")  # candidate -> its block
        self.blocks[np.arange(2 * self.e), self.target.reshape(-1)] = 1.0

    def tokens(self, tokens: Tensor, known: Tensor, echoes: Array | slice = ALL) -> Tensor:
        """The token each candidate of m echoes stands for, -1 where it stands for none: (n, 2 m).

        A coarse one needs its source known; a fine one needs besides that the target lies in the source's bin.
        """
        source, target = self.source[:, echoes], self.target[:, echoes]
        rows = _at(tokens, source[0]) * self.stride[echoes] + _at(tokens, source[1]) + self.offsets[echoes]
        told = ops.take(ops.convert_to_tensor(self.table), rows, axis=0)  # (n, m, 2)
        heard = ops.logical_and(_at(known, source[0]), _at(known, source[1]))
        coarse = ops.where(heard, told[..., 0], -1)
        agrees = ops.logical_and(_at(known, target[0]), _at(tokens, target[0]) == coarse)
        fine = ops.where(agrees, told[..., 1], -1)
        return ops.concatenate([coarse, fine], axis=1)

    def tokens_of(self, j: int, tokens: Tensor, known: Tensor) -> Tensor:
        """The tokens that the m candidates of block j stand for: (n, m)."""
        part, echoes = np.divmod(self.of_block(j), self.e)
        both = self.tokens(tokens, known, echoes)
        return both[:, : len(echoes)] if part[0] == 0 else both[:, len(echoes) :]

    def agreement(self, tokens: Tensor, known: Tensor, echoes: Array | slice = ALL) -> Tensor:
        """1 where target and source are known and agree, in the coarse and in the fine token: (n, 2 m)."""
        place, candidates = self.target[:, echoes].reshape(-1), self.tokens(tokens, known, echoes)
        same = ops.logical_and(_at(known, place), _at(tokens, place) == candidates)
        return ops.cast(ops.logical_and(same, candidates >= 0), "float32")

    def gained(self, j: int, tokens: Tensor, known: Tensor) -> Tensor:
        """The agreement of the m echoes with block j that came with it, where it has just become known: (n, 2 m)."""
        echoes = self.with_block(j)
        before = self.target[1, echoes] == j  # the coarse tokens agreed, or did not, without the fine one
        came = np.concatenate([~before, np.ones_like(before)]).astype("float32")
        return self.agreement(tokens, known, echoes) * came

    def mass(self, j: int, candidates: Tensor, gates: Tensor) -> Tensor:
        """What the m candidates of block j add to the mass of its tokens: (n, m), logits (n, m) -> (n, v_j)."""
        one_hot = ops.one_hot(candidates, self.sizes[j])
        return ops.sum(one_hot * ops.exp(gates)[:, :, None], axis=1)

    def of_block(self, j: int) -> Array:
        """The candidates of block j: (m,)."""
        return np.flatnonzero(self.target.reshape(-1) == j)

    def with_block(self, j: int) -> Array:
        """The echoes that block j takes part in, as source or target: (m,)."""
        return np.flatnonzero(((self.source == j) | (self.target == j)).any(axis=0))


def _at(x: Tensor, places: Array) -> Tensor:
    """Columns of x, side by side."""
    return ops.stack([x[j] for j in places], axis=1) if isinstance(x, list) else ops.take(x, places, axis=1)
