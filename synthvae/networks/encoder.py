"""q(z | known cells): a diagonal Gaussian over the latent."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from synthvae.networks.layers import Tensor, TokenVectors, dense
from synthvae.networks.layout import Layout


class Encoder(keras.layers.Layer):
    """Tokens with holes -> mean and log standard deviation of z.

    Shape: (n, b) int32, (n, b) bool -> (n, k), (n, k).
    """

    def __init__(self, layout: Layout, latent_dim: int, width: int, rng: np.random.Generator) -> None:
        super().__init__(name="encoder")
        self.vectors = TokenVectors(layout, rng, "vectors")
        self.first = dense(self.vectors.width, width, rng, "first")
        self.second = dense(width, width, rng, "second")
        self.out = dense(width, 2 * latent_dim, rng, "out", gain=0.5)
        self.built = True

    def call(self, tokens: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        h = ops.silu(self.first(self.vectors(tokens, known)))  # (n, width)
        h = ops.silu(self.second(h))
        mean, log_std = ops.split(self.out(h), 2, axis=1)
        return mean, 4.0 * ops.tanh(log_std / 4.0)  # std within e**-4 .. e**4: no overflow early on
