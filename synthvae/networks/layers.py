"""The layers that encoder and decoder share: token vectors and residual blocks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from synthvae.networks import taps
from synthvae.networks.copies import Copies
from synthvae.networks.layout import Layout

Tensor = Any  # a tensor of the backend in use

EMBEDDING = 16  # floats learned per token; 8 loses likelihood on 40-level columns, 32 gains nothing


class Drawn(keras.initializers.Initializer):
    """Glorot-uniform weights drawn by NumPy, so that one seed starts every backend alike."""

    def __init__(self, rng: np.random.Generator, gain: float = 1.0) -> None:
        self.rng, self.gain = rng, gain

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        limit = self.gain * np.sqrt(6.0 / (shape[0] + shape[-1]))
        return ops.convert_to_tensor(self.rng.uniform(-limit, limit, shape).astype("float32"))


class Linear(keras.layers.Dense):
    """a W + b, tapped. Shape: (n, n_in) -> (n, n_out)"""

    def call(self, inputs: Tensor) -> Tensor:
        return taps.linear(self, inputs, super().call(inputs))


class Norm(keras.layers.LayerNormalization):
    """Layer normalisation, tapped. Shape: (n, width) -> (n, width)"""

    def __init__(self, width: int) -> None:
        super().__init__(epsilon=1e-5, name="norm")
        self.build((None, width))

    def call(self, inputs: Tensor) -> Tensor:
        return taps.scaled(self, inputs, super().call(inputs))


def dense(n_in: int, n_out: int, rng: np.random.Generator, name: str, gain: float = 1.0) -> keras.layers.Dense:
    """A linear layer, built at once."""
    layer = Linear(n_out, kernel_initializer=Drawn(rng, gain), name=name)
    layer.build((None, n_in))
    return layer


class TokenVectors(keras.layers.Layer):
    """Tokens and a mask of known cells -> one vector per row.

    A block's vector is a learned embedding (unknown is one more token) and, for numeric blocks, the fixed numeric
    features of the token (of parent and token together for a child; zero where unknown). What is coarse stands first:
    embeddings of all blocks but children, plain features, agreement of echoes; then the detail.

    Shape: (n, b) int32, (n, b) bool -> (n, width), of which the first ``coarse`` are without detail.
    """

    def __init__(self, layout: Layout, rng: np.random.Generator, name: str) -> None:
        super().__init__(name=name)
        self.layout = layout
        sizes = np.array(layout.sizes, "int32")
        self.offsets = np.concatenate([[0], np.cumsum(sizes + 1)[:-1]]).astype("int32")
        self.sizes = sizes
        self.embedding = self.add_weight(
            shape=(int((sizes + 1).sum()), EMBEDDING), initializer=Drawn(rng, gain=4.0), name="embedding"
        )
        children = np.array(layout.parents, "int32") >= 0
        self.blocks = np.argsort(children, kind="stable").astype("int32")  # all but children, then children
        self.numeric = self.blocks[np.isin(self.blocks, layout.numeric)]
        parents = np.array(layout.parents, "int32")[self.numeric]
        self.parents = np.maximum(parents, 0)
        self.stride = np.where(parents >= 0, sizes[self.numeric], 0).astype("int32")
        places = [layout.numeric.index(int(j)) for j in self.numeric]
        self.feature_offsets = layout.feature_offsets[places]
        self.whole, self.whole_numbers = int((~children).sum()), int((parents < 0).sum())
        self.copies = Copies(layout)
        self.agreed = self.whole * EMBEDDING + self.whole_numbers * layout.plain  # where agreement begins
        self.coarse = self.agreed + 2 * self.copies.e
        self.width = layout.b * EMBEDDING + len(self.numeric) * layout.f + 2 * self.copies.e
        self.built = True

    def call(self, tokens: Tensor, known: Tensor) -> Tensor:
        ids = ops.where(known, tokens, self.sizes) + self.offsets  # (n, b)
        learned = ops.take(self.embedding, ops.take(ids, self.blocks, axis=1), axis=0)  # (n, b, e)
        learned = taps.looked_up(self.embedding, learned)
        parts = [learned[:, : self.whole]]
        detail = [learned[:, self.whole :]]
        if len(self.numeric):
            fixed = ops.take(ops.convert_to_tensor(self.layout.feature_table), self._rows(tokens, known), axis=0)
            parts.append(fixed[:, : self.whole_numbers, : self.layout.plain])
            detail += [fixed[:, : self.whole_numbers, self.layout.plain :], fixed[:, self.whole_numbers :]]
        if self.copies.e:
            parts.append(self.agreement(tokens, known)[:, :, None])
        filled = [part for part in parts + detail if part.shape[1] * part.shape[2]]
        return ops.concatenate([ops.reshape(part, (-1, part.shape[1] * part.shape[2])) for part in filled], axis=1)

    def agreement(self, tokens: Tensor, known: Tensor) -> Tensor:
        """Which columns are known to repeat which: (n, 2 e)."""
        return self.copies.agreement(tokens, known)

    def _rows(self, tokens: Tensor, known: Tensor) -> Tensor:
        """Rows of the feature table, 0 where unknown: (n, numeric blocks)."""
        own = ops.take(tokens, self.numeric, axis=1)
        rows = own + self.stride * ops.take(tokens, self.parents, axis=1) + self.feature_offsets
        return ops.where(ops.take(known, self.numeric, axis=1), rows, 0)

    def spans(self, j: int) -> list[tuple[int, int]]:
        """Where block j stands in the output: [(first, last + 1), ...], aligned with ``one``."""
        place, f, plain = int(np.flatnonzero(self.blocks == j)[0]), self.layout.f, self.layout.plain
        child = place >= self.whole
        first = self.coarse + (place - self.whole) * EMBEDDING if child else place * EMBEDDING
        found = [(first, first + EMBEDDING)]
        if j in self.layout.numeric:
            i = int(np.flatnonzero(self.numeric == j)[0])
            detail = self.coarse + (self.layout.b - self.whole) * EMBEDDING
            start = self.whole * EMBEDDING + i * plain
            rest = detail + i * (f - plain)
            ends = detail + self.whole_numbers * (f - plain) + (i - self.whole_numbers) * f
            found += [(ends, ends + f)] if child else [(start, start + plain), (rest, rest + f - plain)]
        return found

    def one(self, j: int, tokens: Tensor, parents: Tensor) -> Tensor:
        """The vector of block j alone, known: tokens (n,), parents (n,) -> (n, EMBEDDING [+ f])."""
        learned = ops.take(self.embedding, tokens + int(self.offsets[j]), axis=0)
        if j not in self.layout.numeric:
            return learned
        i = int(np.flatnonzero(self.numeric == j)[0])
        rows = tokens + int(self.stride[i]) * parents + int(self.feature_offsets[i])
        fixed = ops.take(ops.convert_to_tensor(self.layout.feature_table), rows, axis=0)
        return ops.concatenate([learned, fixed], axis=1)

    def unknown(self, j: int) -> Tensor:
        """The vector of block j, unknown: (EMBEDDING [+ f],)."""
        learned = self.embedding[int(self.offsets[j] + self.sizes[j])]
        if j not in self.layout.numeric:
            return learned
        return ops.concatenate([learned, ops.zeros(self.layout.f)])


class Residual(keras.layers.Layer):
    """x + W2 drop(silu(W1 norm(x))): a pre-norm residual block. Shape: (n, width) -> (n, width).

    ``keep`` (n, width), if given, multiplies the inner units: 0 for dropped ones, 1 / (1 - rate) for kept ones.
    """

    def __init__(self, width: int, rng: np.random.Generator, name: str) -> None:
        super().__init__(name=name)
        self.norm = Norm(width)
        self.inner = dense(width, width, rng, "inner")
        self.outer = dense(width, width, rng, "outer", gain=0.5)
        self.built = True

    def call(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        inner = ops.silu(self.inner(self.norm(x)))
        return x + self.outer(inner if keep is None else inner * keep)
