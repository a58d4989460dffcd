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

from synthvae.networks.layout import Layout

Tensor = Any  # a tensor of the backend in use


class Copies:
    """The echoes of a layout as arithmetic; no weights. e: the number of echoes, 2 e candidates, coarse ones first."""

    def __init__(self, layout: Layout) -> None:
        echoes = layout.echoes
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

    def tokens(self, tokens: Tensor, known: Tensor) -> Tensor:
        """The token each candidate stands for, -1 where it stands for none: (n, b), (n, b) -> (n, 2 e).

        A coarse one needs its source known; a fine one needs besides that the target lies in the source's bin.
        """
        rows = _at(tokens, self.source[0]) * self.stride + _at(tokens, self.source[1]) + self.offsets
        told = ops.take(ops.convert_to_tensor(self.table), rows, axis=0)  # (n, e, 2)
        heard = ops.logical_and(_at(known, self.source[0]), _at(known, self.source[1]))
        coarse = ops.where(heard, told[..., 0], -1)
        agrees = ops.logical_and(_at(known, self.target[0]), _at(tokens, self.target[0]) == coarse)
        fine = ops.where(agrees, told[..., 1], -1)
        return ops.concatenate([coarse, fine], axis=1)

    def agreement(self, tokens: Tensor, known: Tensor, candidates: Tensor) -> Tensor:
        """1 where target and source are known and agree, in the coarse and in the fine token: (n, 2 e)."""
        place = self.target.reshape(-1)
        same = ops.logical_and(_at(known, place), _at(tokens, place) == candidates)
        return ops.cast(ops.logical_and(same, candidates >= 0), "float32")

    def of_block(self, j: int) -> list[int]:
        """The candidates of block j."""
        return np.flatnonzero(self.target.reshape(-1) == j).tolist()

    def involves(self, j: int) -> bool:
        """Whether block j takes part in any echo."""
        return bool((self.source == j).any() or (self.target == j).any())


def _at(x: Tensor, places: Any) -> Tensor:
    return ops.take(x, places, axis=1)
